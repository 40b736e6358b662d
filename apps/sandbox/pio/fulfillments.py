"""`/api/v1/fulfillments`, and what shops are told of them (contracts 1.7; paths, states and bodies are gaps, ours).

A fulfilment is `open`, then `picking`, then `fulfilled`, or `partly_fulfilled` when only some pieces have left; or
`rejected` by the port, or `cancelled` because its order was deleted. `closed` says that nothing more will come of it.
`version` grows by one with each change. Hooks for fulfillments.create and fulfillments.update get:

{"event_type": "fulfillments.update", "id": 9, "order_id": 4, "ext_order_id": "1001",
 "ext_fulfillment_order_id": "0197-…", "state": "partly_fulfilled", "closed": false, "reason": "", "version": 3,
 "created_at": "2026-03-01T12:00:00+00:00", "updated_at": "2026-03-01T12:05:00+00:00",
 "lines": [{"sku": "HAT-1", "ext_order_line_item_id": "a", "quantity": 3, "sent": 2}],
 "parcels": [{"id": 7, "version": 3, "carrier": "PostNL", "number": "3S123", "url": "https://track.example/3S123",
              "shipped_at": "2026-03-01T12:05:00+00:00",
              "lines": [{"sku": "HAT-1", "ext_order_line_item_id": "a", "quantity": 2}]}]}

`sent` is all that has left so far, and `parcels` how: each with the version that it made. The list has the same items
without event_type, in the order of their last changes, those since `updated_since` (a moment with its time zone).
"""

import json
from datetime import datetime

from django.db.models import Max, Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from apps.sandbox.errors import Refused
from apps.sandbox.pio import delivering
from apps.sandbox.pio.models import Fulfillment, Hook, OrderLine, Parcel
from apps.sandbox.pio.paging import page_of

LINES = Prefetch("order__lines", OrderLine.objects.order_by("pk"))
PARCELS = Prefetch("parcels", Parcel.objects.order_by("pk"))


def whole() -> QuerySet[Fulfillment]:
    """Fulfilments with everything that is shown of them."""
    return Fulfillment.objects.select_related("order__shop").prefetch_related(LINES, PARCELS)


def page(request: HttpRequest) -> HttpResponse:
    shop = request.token.shop
    rows = whole().filter(order__shop=shop)
    if "updated_since" in request.GET:
        rows = rows.filter(updated_at__gte=moment(request.GET["updated_since"]))
    return page_of(rows, request=request, scope=f"fulfillments of {shop.pk}", shown=shown, by="change_number")


def moment(text: str) -> datetime:
    """Raises Refused (422) unless it is one, with its time zone."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        problem = {"updated_since": "must be a moment with its time zone (ISO 8601)"}
        raise Refused(422, "The request is not valid", details=problem)
    return found


def changed(fulfillment: Fulfillment, *, event: str = Hook.Event.FULFILLMENT_UPDATED, **columns: object) -> None:
    """Write a change down as the newest of all, and put the message about it in the post. Within a transaction."""
    for name, value in columns.items():
        setattr(fulfillment, name, value)
    fulfillment.version += 1
    fulfillment.change_number = 1 + (Fulfillment.objects.aggregate(last=Max("change_number"))["last"] or 0)
    fulfillment.updated_at = timezone.now()
    fulfillment.save()
    hooks = Hook.objects.filter(shop=fulfillment.order.shop_id, shop__deactivated_at=None, event_type=event)
    delivering.post((hook, message_of(fulfillment, event=event)) for hook in hooks.select_related("shop"))


def message_of(fulfillment: Fulfillment, *, event: str) -> str:
    return json.dumps({"event_type": event} | shown(whole().get(pk=fulfillment.pk)), ensure_ascii=False)


def shown(fulfillment: Fulfillment) -> dict:
    """A fulfilment of `whole()` in the words of the API."""
    order = fulfillment.order
    return {
        "id": fulfillment.pk,
        "order_id": order.pk,
        "ext_order_id": order.ext_order_id,
        "ext_fulfillment_order_id": order.ext_fulfillment_order_id,
        "state": fulfillment.state,
        "closed": fulfillment.is_closed,
        "reason": fulfillment.reason,
        "version": fulfillment.version,
        "created_at": fulfillment.created_at.isoformat(),
        "updated_at": fulfillment.updated_at.isoformat(),
        "lines": [line_shown(line) for line in order.lines.all()],
        "parcels": [parcel_shown(parcel) for parcel in fulfillment.parcels.all()],
    }


def line_shown(line: OrderLine) -> dict:
    columns = ("sku", "ext_order_line_item_id", "quantity", "sent")
    return {column: getattr(line, column) for column in columns}


def parcel_shown(parcel: Parcel) -> dict:
    columns = ("id", "version", "carrier", "number", "url", "lines")
    return {column: getattr(parcel, column) for column in columns} | {"shipped_at": parcel.shipped_at.isoformat()}
