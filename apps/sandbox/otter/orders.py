"""`/manager/order/v1/sources/{source}/orders/{orderId}`: reading an order, and saying how far the store is with it.

The vendor answers 202 and works on it afterwards; here it has happened by then, and a webhook tells so. What it says to
an order that is over is not published: here 422, and 202 to what is so already. The feed of orders is not simulated.
"""

import uuid

from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse

from apps.sandbox.errors import Refused
from apps.sandbox.otter import messages
from apps.sandbox.otter.bearer import call, connected_store
from apps.sandbox.otter.models import Order, OrderEntry

# What may be said of an order: the status it has then, and the webhook that tells so.
STEPS = {
    "confirm": ("CONFIRMED", "orders.confirm"),
    "ready-to-pickup": ("PREPARED", "orders.order_ready"),
    "fulfill": ("FULFILLED", "orders.order_fulfilled"),
    "cancel": ("CANCELED", "orders.update"),
}


@call(scope="manager.orders", per_minute=32)
def order(request: HttpRequest, *, source: str, order_id: uuid.UUID) -> HttpResponse:
    return JsonResponse({"order": asked(request, source=source, order_id=order_id).payload})


@call(scope="manager.orders", per_minute=32, methods=("POST",))
def step(request: HttpRequest, *, source: str, order_id: uuid.UUID, verb: str) -> HttpResponse:
    """202. Raises Refused: 404, and 422 for an order that is over."""
    with transaction.atomic():
        found = asked(request, source=source, order_id=order_id)
        status, event_type = STEPS[verb]
        if found.status in ("CANCELED", "REJECTED") or (found.status == "FULFILLED" and verb != "fulfill"):
            raise Refused(422, f"The order is {found.status}")
        OrderEntry.objects.create(order=found, what=verb)
        if found.status != status:
            found.payload["status"] = status
            found.save()
            told = found.payload if event_type == "orders.update" else {"orderId": str(found.id)}
            messages.tell(found, event_type, told)
    return HttpResponse(status=202)


def asked(request: HttpRequest, *, source: str, order_id: uuid.UUID) -> Order:
    """The order of the store that the request names. Raises Refused (404, and as `connected_store`)."""
    found = connected_store(request).orders.filter(source=source, id=order_id).first()
    if found is None:
        raise Refused(404, "Resource not found")
    return found
