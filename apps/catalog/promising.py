"""How much may be promised to those who buy."""

from collections.abc import Iterable

from django.db.models import F, Sum

from apps.accounts.models import Organization

from .models import StockLevel

PROMISED = F("on_hand") - F("reserved") + F("incoming") - F("reserved_incoming")


def atp(organization: Organization, products: Iterable[int], *, buffer: int) -> dict[int, int]:
    """Pieces of each product that a platform may sell, never below zero (behaviour 67, contracts 2.10); one statement.

    On hand less what is held for orders, plus what is coming less what of that is promised, over all places whose stock
    may be sold; less the buffer of the integration, in pieces.
    """
    asked = list(products)
    levels = StockLevel.objects.filter(organization=organization, product__in=asked).counted()
    sums = dict(levels.order_by().values_list("product").annotate(pieces=Sum(PROMISED)))
    return {product: max(0, sums.get(product, 0) - buffer) for product in asked}


def counted(organization: Organization, products: Iterable[int]) -> set[int]:
    """Those of which somebody has said how many there are. Of the others we know nothing, not that there are none."""
    levels = StockLevel.objects.filter(organization=organization, product__in=list(products))
    return set(levels.order_by().values_list("product", flat=True).distinct())
