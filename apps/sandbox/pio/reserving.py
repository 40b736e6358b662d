"""Stock that is held for orders (contracts 1.6): `reserved` rises and `available` falls, and nobody is told of it."""

from collections import Counter
from collections.abc import Iterable

from django.db.models import F

from apps.sandbox.pio.models import Order, OrderLine, Product


def reserve(lines: Iterable[OrderLine]) -> bool:
    """Reserve every piece of the lines, or nothing when some are not available: whether it was done.

    Within a transaction, as all of this module.
    """
    needed: Counter[int | None] = Counter()
    for line in lines:
        needed[line.product_id] += line.quantity
    there = Product.objects.in_bulk(pk for pk in needed if pk)
    if any(pk not in there or there[pk].available < quantity for pk, quantity in needed.items()):
        return False
    for pk, quantity in needed.items():
        Product.objects.filter(pk=pk).update(reserved=F("reserved") + quantity)
    return True


def release(lines: Iterable[OrderLine]) -> None:
    """Give back what the lines still hold; orders that wait for it are looked at again."""
    for line in lines:
        if line.left:
            Product.objects.filter(pk=line.product_id).update(reserved=F("reserved") - line.left)
            look_again(line.product_id)


def look_again(product_id: int | None) -> None:
    """More of the product is available: the orders that wait for it are new again."""
    waiting = Order.objects.filter(step=Order.Step.WAITING, lines__product=product_id)
    Order.objects.filter(pk__in=waiting.values("pk")).update(step=Order.Step.NEW)
