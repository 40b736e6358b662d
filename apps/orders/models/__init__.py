"""Orders, what warehouses do about them, and the rules by which they are sent there."""

from .fulfillments import Fulfillment, FulfillmentLine, FulfillmentQuerySet, Parcel
from .orders import Entry, Hindrance, Nudge, Order, OrderLine, OrderQuerySet
from .rules import RoutingRule, ShippingMethod, ShippingService

__all__ = [
    "Entry", "Fulfillment", "FulfillmentLine", "FulfillmentQuerySet", "Hindrance", "Nudge", "Order", "OrderLine",
    "OrderQuerySet", "Parcel", "RoutingRule", "ShippingMethod", "ShippingService",
]  # fmt: skip
