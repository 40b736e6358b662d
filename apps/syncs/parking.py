"""Messages that cannot be taken in now: parked until somebody knows what they are about, or failed for good."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from apps.integrations.models import Integration
from apps.orders.models import Order
from apps.shops.models import Shop
from apps.webhooks import receiving
from apps.webhooks.models import Receipt

UNKNOWN_FULFILLMENT, UNKNOWN_ORDER = "unknown_fulfillment", "unknown_order"
OPENED_AGAIN = timedelta(minutes=10)  # what came longer ago is about something that nobody here has sent


class Parked(Exception):
    """Nobody here knows what it is about. The text is its code."""


class Failed(Exception):
    """It says something that cannot be. The text is its code, the cause what an admin may want to know."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(code)
        self.detail = detail


def newest(shop: Shop, ext_order_id: str, ext_fulfillment_order_id: str) -> Order | None:
    """Ours under these ids; of one that was cancelled and made again the later."""
    same = {"ext_order_id": ext_order_id, "ext_fulfillment_order_id": ext_fulfillment_order_id}
    return Order.objects.filter(organization=shop.organization_id, shop=shop, **same).order_by("id").last()


def open_again(integration: Integration, error: str = UNKNOWN_FULFILLMENT) -> None:
    """What an integration told of things that nobody knew: now somebody may."""
    parked = Receipt.objects.filter(integration=integration, state=Receipt.State.PARKED, error=error)
    if parked.filter(received_at__gt=timezone.now() - OPENED_AGAIN).replay():
        transaction.on_commit(receiving.ring, robust=True)
