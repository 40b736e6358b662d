"""Orders by what people have at hand: a number, an id, an e-mail address or a SKU, each of it whole."""

from uuid import UUID

from django.db.models import Q, QuerySet

from apps.accounts.models import Organization
from apps.shops.models import Shop

from .models import OrderLine, OrderQuerySet


def find(orders: OrderQuerySet, text: str, *, among: QuerySet[Organization]) -> OrderQuerySet:
    """Those of these, all of organizations `among`, that are called so; by the first kind of name that any is called.

    One cheap statement for each kind: over all of them together no index would serve, and orders are many.
    """
    for meant in _meanings(text, among):
        found = orders.filter(meant)
        if found.exists():
            return found
    lines = OrderLine.objects.filter(organization__in=among, sku=text).order_by()
    return orders.filter(pk__in=lines.values("order")) if lines.exists() else orders.none()


def _meanings(text: str, among: QuerySet[Organization]) -> list[Q]:
    """Each starts with what its index starts with."""
    theirs = Q(organization__in=among)
    shops = Shop.objects.filter(organization__in=among).order_by()
    meanings = [
        theirs & Q(number=text),
        theirs & Q(shop__in=shops, ext_order_id=text, cancelled_at=None),
        theirs & Q(email=text.lower()) & ~Q(email=""),
    ]
    return [Q(pk=text), *meanings] if _is_id(text) else meanings


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
