"""Things that go wrong, one of each kind of problem."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from apps.integrations.models import Integration
from apps.orders.models import Fulfillment, Hindrance
from apps.shops.models import Shop

from ..factories import (
    make_connection,
    make_delivery,
    make_drift,
    make_endpoint,
    make_failure,
    make_feed,
    make_fulfillment,
    make_hindrance,
    make_integration,
    make_location,
    make_order,
    make_order_feed,
    make_parcel,
    make_publication,
    make_receipt,
    make_run,
    make_shop,
    make_unlinked,
    make_warehouse,
)

Code = Hindrance.Code


def ago(**much: float) -> datetime:
    return timezone.now() - timedelta(**much)


def make_unknown(sku: str = "HAT-2", *, orders: int = 2, shop: Shop | None = None) -> None:
    """A SKU that a shop lists, nobody has linked, and so many orders wait for."""
    listing = make_unlinked(shop=shop or make_shop(creates_products=False), sku=sku)
    for _ in range(orders):
        make_hindrance(order=make_order(shop=listing.shop), code=Code.UNKNOWN_SKU, ref=sku)


def make_untaken(**fields: Any) -> Fulfillment:
    """One that its warehouse is owed, and did not take."""
    integration = make_integration()
    failed = {"owes": "send", "due_at": ago(hours=-1), "tries": 4, "error": "timeout"} | fields
    order = make_order(shop=make_shop(integration=integration))
    return make_fulfillment(order=order, location=make_location(integration=integration), **failed)


def make_lost(**fields: Any) -> Integration:
    """An integration of one store that its platform does not let in any more."""
    connection = make_connection(**fields)
    connection.integration.lose_permission("invalid_grant")
    return connection.integration


def make_refused(**fields: Any) -> Hindrance:
    detail = {"location": "Dock", "reason": "too heavy"}
    return make_hindrance(**{"code": Code.REJECTED, "ref": "1", "detail": detail} | fields)


def _silent() -> Any:
    return make_order_feed(integration=make_warehouse().integration, error="timeout", tries=5)


# One row that fails so, by the code of its kind.
BREAKS: dict[str, Callable[[], Any]] = {
    "unknown-sku": lambda: make_unknown(orders=1),
    "unmapped-method": lambda: make_hindrance(code=Code.UNMAPPED_METHOD, ref="Fast", detail={"locations": ["Dock"]}),
    "incomplete-address": lambda: make_hindrance(code=Code.INCOMPLETE_ADDRESS, ref="zip"),
    "no-location": lambda: make_hindrance(code=Code.NO_LOCATION),
    "refused-order": make_refused,
    "too-late": lambda: make_hindrance(code=Code.EDITED_LATE),
    "bug": lambda: make_hindrance(code=Code.BUG, detail={"error": "KeyError"}),
    "login-lost": make_lost,
    "failed-sync": lambda: make_run(state="failed", error="timeout"),
    "left-out": lambda: make_failure(run=make_run(state="partial", failed_count=1), code="no_sku"),
    "untaken-order": make_untaken,
    "silent-warehouse": _silent,
    "untold-parcel": lambda: make_parcel(error="order_cancelled", due_at=None),
    "drift": lambda: make_drift(times=2),
    "untaken-stock": lambda: make_publication(error="rejected"),
    "untold-stock": lambda: make_feed(shop=make_connection().shop, error="timeout", tries=5),
    "endpoint-down": lambda: make_endpoint(failing_since=ago(hours=1), failures=3, last_error="timeout"),
    "failed-delivery": lambda: make_delivery(state="failed", error="status_500", finished_at=ago(hours=1)),
    "parked-message": lambda: make_receipt(state="parked", error="unknown_shop"),
    "failed-message": lambda: make_receipt(state="failed", error="bug"),
    "refused-message": lambda: make_receipt(state="rejected", error="bad_signature", remote_id=""),
}
