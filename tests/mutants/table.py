"""All guards there are."""

from .guards import GUARDS
from .tenancy import TENANCY_GUARDS

ALL = GUARDS + TENANCY_GUARDS
