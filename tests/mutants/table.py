"""All guards there are."""

from .by_hand import BY_HAND_GUARDS
from .desk_cockpit import DESK_COCKPIT_GUARDS
from .desk_finding import DESK_FINDING_GUARDS
from .desk_home import DESK_HOME_GUARDS
from .desk_jobs import DESK_JOB_GUARDS
from .desk_problems import DESK_PROBLEM_GUARDS
from .dispatching import DISPATCHING_GUARDS
from .fulfilling import FULFILLING_GUARDS
from .guards import GUARDS
from .handing_over import HANDING_OVER_GUARDS
from .hook_pages import HOOK_PAGE_GUARDS
from .hooks import HOOK_GUARDS
from .intake import INTAKE_GUARDS
from .log import LOG_GUARDS
from .orders_api import ORDERS_API_GUARDS
from .people import PEOPLE_GUARDS
from .pio_orders import PIO_ORDER_GUARDS
from .policy import POLICY_GUARDS
from .products import PRODUCT_GUARDS
from .pulled_orders import PULLED_ORDER_GUARDS
from .racing import RACING_GUARDS
from .receipts import RECEIPT_GUARDS
from .receivers import RECEIVER_GUARDS
from .reports import REPORT_GUARDS
from .revisions import REVISION_GUARDS
from .seeing import SEEING_GUARDS
from .shipping import SHIPPING_GUARDS
from .sorting import SORTING_GUARDS
from .stock import STOCK_GUARDS
from .tenancy import TENANCY_GUARDS
from .words import WORDS_GUARDS

ALL = (
    BY_HAND_GUARDS
    + DESK_JOB_GUARDS
    + DESK_COCKPIT_GUARDS
    + DESK_FINDING_GUARDS
    + DESK_PROBLEM_GUARDS
    + DESK_HOME_GUARDS
    + DISPATCHING_GUARDS
    + FULFILLING_GUARDS
    + GUARDS
    + HANDING_OVER_GUARDS
    + HOOK_GUARDS
    + HOOK_PAGE_GUARDS
    + INTAKE_GUARDS
    + LOG_GUARDS
    + ORDERS_API_GUARDS
    + PEOPLE_GUARDS
    + PIO_ORDER_GUARDS
    + POLICY_GUARDS
    + PRODUCT_GUARDS
    + PULLED_ORDER_GUARDS
    + RACING_GUARDS
    + RECEIPT_GUARDS
    + RECEIVER_GUARDS
    + REPORT_GUARDS
    + REVISION_GUARDS
    + SEEING_GUARDS
    + SHIPPING_GUARDS
    + SORTING_GUARDS
    + STOCK_GUARDS
    + TENANCY_GUARDS
    + WORDS_GUARDS
)
