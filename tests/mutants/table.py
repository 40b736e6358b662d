"""All guards there are."""

from .by_hand import BY_HAND_GUARDS
from .guards import GUARDS
from .products import PRODUCT_GUARDS
from .stock import STOCK_GUARDS
from .tenancy import TENANCY_GUARDS

ALL = BY_HAND_GUARDS + GUARDS + PRODUCT_GUARDS + STOCK_GUARDS + TENANCY_GUARDS
