"""One of everything that the first page of the 3PL's own people is to name, each beside one that it is not to name."""

from datetime import datetime, timedelta
from uuid import uuid4

from django.utils import timezone

from apps.orders.models import Fulfillment, Order, Parcel
from apps.shops.models import Connection
from apps.syncs.models import SyncRun
from apps.webhooks.models import Delivery, Event, Inbox, Receipt

from ..factories import (
    make_connection,
    make_delivery,
    make_draft,
    make_drift,
    make_endpoint,
    make_feed,
    make_fulfillment,
    make_hindrance,
    make_hook,
    make_inbox,
    make_integration,
    make_location,
    make_order,
    make_order_feed,
    make_outgoing,
    make_parcel,
    make_receipt,
    make_run,
    make_shop,
    make_unlinked,
    make_warehouse,
)

HELD = {
    "orders-unknown_sku": "unknown_sku",
    "orders-incomplete_address": "incomplete_address",
    "orders-no_location": "no_location",
    "orders-rejected_by_warehouse": "rejected_by_warehouse",
    "orders-late": "cancel_refused",
    "orders-bug": "bug",
    "orders-unmapped_shipping_method": "unmapped_shipping_method",
}


def ago(**how: float) -> datetime:
    return timezone.now() - timedelta(**how)


def make_hanging(**fields) -> Connection:
    return make_draft(state=Connection.State.CONNECTING, ext_shop_id=str(uuid4()), **fields)


def make_failed(*, minutes: float = 0, **fields) -> SyncRun:
    """A run that failed so long ago."""
    run = make_run(state=SyncRun.State.FAILED, **fields)
    SyncRun.objects.filter(pk=run.pk).update(created_at=ago(minutes=minutes))
    return run


def make_held(code: str) -> Order:
    """An order that waits; for a SKU that its shop lists, and nobody has linked."""
    listing = make_unlinked(shop=make_shop(creates_products=False)) if code == "unknown_sku" else None
    order = make_order(shop=listing.shop) if listing else make_order()
    return make_hindrance(order=order, code=code, ref=listing.sku if listing else "").order


def make_untaken(**fields) -> Fulfillment:
    """One that its warehouse is owed, and refused."""
    integration = make_integration()
    failed = {"owes": "send", "due_at": timezone.now(), "tries": 1, "error": "rejected"} | fields
    order = make_order(shop=make_shop(integration=integration))
    return make_fulfillment(order=order, location=make_location(integration=integration), **failed)


def make_unheard(**fields) -> Parcel:
    return make_parcel(**{"due_at": timezone.now(), "tries": 1, "error": "timeout", "tracking_number": "3S1"} | fields)


def make_late(times: int = 3) -> Inbox:
    """An inbox that refused so many messages for their time."""
    inbox = make_inbox()
    for _ in range(times):
        make_receipt(integration=inbox.integration, state="rejected", error="bad_time", remote_id="")
    return inbox


def make_backlog(**fields) -> Delivery:
    """A message for an endpoint to which nothing goes out."""
    return make_delivery(hook=make_hook(endpoint=make_endpoint(**fields)))


def make_given_up(**fields) -> Delivery:
    return make_delivery(**{"state": "failed", "error": "status_500", "finished_at": timezone.now()} | fields)


def make_old_outgoing() -> None:
    outgoing = make_outgoing()
    Event.objects.filter(pk=outgoing.pk).update(created_at=ago(minutes=2))


def break_everything() -> None:
    _integrations_and_syncs()
    _stock_and_orders()
    _messages_out()
    _messages_in()


def _integrations_and_syncs() -> None:
    make_integration().lose_permission("invalid_grant")
    gone = make_integration(deleted_at=timezone.now())
    gone.lose_permission("invalid_grant")
    make_failed()
    make_run(state=SyncRun.State.SUCCEEDED)
    make_run(next_attempt_at=ago(minutes=2))
    make_hanging(lease_until=ago(minutes=1))
    make_hanging(lease_until=ago(minutes=-1))


def _stock_and_orders() -> None:
    make_drift()
    make_drift(times=1)
    make_feed(shop=make_connection().shop, tries=3, error="timeout")
    make_feed(shop=make_connection().shop)
    make_fulfillment(is_fallback=True)
    make_fulfillment(is_fallback=True, state="shipped", finished_at=timezone.now())
    for code in HELD.values():
        make_held(code)
    make_order_feed(integration=make_warehouse().integration, tries=9, error="timeout")
    make_order_feed(integration=make_warehouse().integration)
    make_untaken()
    make_untaken(error="", tries=0)
    make_unheard()
    make_unheard(error="", tries=0)


def _messages_out() -> None:
    make_endpoint(state="disabled", reason="failing")
    make_endpoint(state="disabled", reason="gone", deleted_at=timezone.now())
    make_endpoint(failing_since=ago(minutes=1))
    make_endpoint(last_error="cannot_open", due_at=timezone.now())
    make_endpoint(last_error="cannot_open", state="paused", reason="asked")
    make_backlog()
    make_backlog(due_at=ago(minutes=6))
    make_backlog(state="paused", reason="asked")
    make_given_up()
    make_given_up(finished_at=ago(days=4))
    make_given_up(hook=make_hook(deleted_at=timezone.now()))
    make_outgoing()
    make_old_outgoing()


def _messages_in() -> None:
    make_receipt(next_attempt_at=ago(minutes=2))
    make_receipt(next_attempt_at=ago(seconds=2))
    for state in (Receipt.State.PARKED, Receipt.State.FAILED, Receipt.State.REJECTED, Receipt.State.DONE):
        make_receipt(state=state)
    make_receipt(state="failed", received_at=ago(days=4))
    make_receipt(state="rejected", received_at=ago(days=4))
    make_late()
    make_late(2)
    make_inbox(mended_at=timezone.now())
    make_inbox(mended_at=ago(hours=25))
