"""All guards there are."""

from .by_hand import BY_HAND_GUARDS
from .fulfilling import FULFILLING_GUARDS
from .guards import GUARDS
from .handing_over import HANDING_OVER_GUARDS
from .intake import INTAKE_GUARDS
from .orders_api import ORDERS_API_GUARDS
from .pio_orders import PIO_ORDER_GUARDS
from .products import PRODUCT_GUARDS
from .pulled_orders import PULLED_ORDER_GUARDS
from .seeing import SEEING_GUARDS
from .shipping import SHIPPING_GUARDS
from .sorting import SORTING_GUARDS
from .stock import STOCK_GUARDS
from .tenancy import TENANCY_GUARDS

ALL = (
    BY_HAND_GUARDS
    + FULFILLING_GUARDS
    + GUARDS
    + HANDING_OVER_GUARDS
    + INTAKE_GUARDS
    + ORDERS_API_GUARDS
    + PIO_ORDER_GUARDS
    + PRODUCT_GUARDS
    + PULLED_ORDER_GUARDS
    + SEEING_GUARDS
    + SHIPPING_GUARDS
    + SORTING_GUARDS
    + STOCK_GUARDS
    + TENANCY_GUARDS
)
