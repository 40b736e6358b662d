"""The 3PL's pages of orders."""

from . import fulfillment_admin, order_admin, rules_admin, shipping_admin  # noqa: F401 - their pages
