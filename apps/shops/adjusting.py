"""Changing how a shop's catalogue is taken in."""

from django.db import transaction

from apps.audit.trail import Actor, record

from .models import Shop


@transaction.atomic
def let_create_products(shop: Shop, creates: bool, *, actor: Actor) -> bool:
    """Whether SKUs nobody knows become products, from the next reading of the shop on. False when it is so already."""
    locked = Shop.objects.select_for_update(no_key=True).get(pk=shop.pk)
    if locked.creates_products == creates:
        return False
    locked.creates_products = shop.creates_products = creates
    locked.save(update_fields=["creates_products"])
    before, after = {"creates_products": not creates}, {"creates_products": creates}
    record(actor, "shop.change", on=locked, before=before, after=after)
    return True
