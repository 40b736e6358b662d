"""What people and programs decide about one listing: which product it is, and which syncs it takes part in."""

from collections.abc import Mapping

from django.db import transaction
from django.db.models.functions import Now

from apps.audit.trail import Actor, record

from . import linking, owing, stocking
from .models import Listing, Product
from .news import skus_known

FLAGS = ("order_sync_enabled", "stock_sync_enabled")


@transaction.atomic
def set_flags(listing: Listing, wanted: Mapping[str, bool], *, actor: Actor) -> None:
    """Those of FLAGS that are named. What is told its stock from now on is owed it at once (behaviour 68)."""
    new = {name: value for name, value in wanted.items() if name in FLAGS and value != getattr(listing, name)}
    if not new:
        return
    before = {name: getattr(listing, name) for name in new}
    Listing.objects.filter(organization=listing.organization_id, pk=listing.pk).update(**new, updated_at=Now())
    record(actor, "listing.change", on=listing, before=before, after=new)
    if "order_sync_enabled" in new:
        skus_known.send(set_flags, organization=listing.organization_id, skus={listing.sku})
    owing.enlist(listing.shop)


@transaction.atomic
def link(listing: Listing, product: Product, *, actor: Actor) -> None:
    """The listing stands for this product, whatever its SKU. What was counted under a SKU known now is taken in."""
    if linking.link(listing.organization, [(listing.pk, product.pk)]):
        stocking.release_held(listing.organization)
    record(actor, "listing.link", on=listing, after={"product": product.sku})
    owing.enlist(listing.shop)


@transaction.atomic
def unlink(listing: Listing, *, actor: Actor) -> None:
    """The listing stands for no product, and its platform is told no stock, until somebody links it again."""
    linking.unlink(listing.organization, [listing.pk])
    record(actor, "listing.unlink", on=listing, before={"product": listing.product and listing.product.sku})
    owing.enlist(listing.shop)
