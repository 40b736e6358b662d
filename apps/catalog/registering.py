"""A shop's products as its partner tells us of them over the API (Pio: contracts 1.5; behaviours 56 to 60 and 65).

They come to be by the same merge as those that are read from a platform; what a listing says and what becomes of its
product is decided there. Every call works on one organization, holds its lock, and takes as many statements for one
product as for 500.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.db.models.functions import Now

from apps.api.errors import Problem
from apps.audit.trail import Actor, record
from apps.integrations.connectors.base import RemoteProduct
from apps.shops.models import Shop
from apps.webhooks.models import Event

from . import importing, linking, mapping, stocking
from .models import Listing, Product, StockLevel
from .models.stock import NUMBERS
from .news import skus_known

PAIR = ("ext_product_id", "ext_variant_id")
TEXTS = tuple(name for name in RemoteProduct.__slots__ if name not in (*PAIR, "sku"))

type Pair = tuple[str, str]  # ext_product_id and ext_variant_id


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one good: created, linked (its SKU was there already), updated, or failed with a problem."""

    status: str
    product: int | None = None
    problem: Problem | None = None


class Known:
    """What there is already for these goods in their shop and in its organization."""

    def __init__(self, shop: Shop, goods: Sequence[RemoteProduct]) -> None:
        self.shop = shop
        here = Listing.objects.filter(organization=shop.organization_id, shop=shop)
        listings = here.filter(ext_product_id__in={good.ext_product_id for good in goods})
        self.listings = {(row.ext_product_id, row.ext_variant_id): row for row in listings}
        self.ours = mapping.ours(shop.integration, {good.sku for good in goods})
        products = Product.objects.filter(organization=shop.organization_id, sku__in=set(self.ours.values()))
        self.skus = set(products.values_list("sku", flat=True))
        self.met: set[Pair] = set()

    def outcome(self, good: RemoteProduct) -> Outcome:
        """What will become of the next good, as far as it can be told beforehand."""
        listing, sku = self.listings.get(_pair(good)), self.ours[good.sku]
        if bad := importing.sort_out([good]).bad:
            return Outcome("failed", problem=Problem("validation_error", bad[0].code))
        if code := self._refusal(good, listing, sku):
            return Outcome("failed", problem=Problem(code))
        status = "updated" if listing and not listing.removed_at else "linked" if sku in self.skus else "created"
        self.met.add(_pair(good))
        self.skus.add(sku)
        return Outcome(status)

    def _refusal(self, good: RemoteProduct, listing: Listing | None, sku: str) -> str:
        if _pair(good) in self.met:
            return "repeated_in_request"
        if listing and not listing.removed_at and listing.sku != good.sku:
            return "ext_product_id_already_exists"
        waits = listing and listing.by_hand and not listing.product_id
        is_nobodys = sku not in self.skus and not (listing and listing.product_id) and not self.shop.creates_products
        return "not_linked" if waits or is_nobodys else ""


@transaction.atomic(savepoint=False)
def register(shop: Shop, goods: Sequence[RemoteProduct]) -> list[Outcome]:
    """Take these goods into the shop; an outcome for each, in their order. Their stock is not touched.

    A SKU that the organization has already is linked, not doubled (behaviour 58). What fails alone: `not_linked`, where
    people decide what becomes a product; `ext_product_id_already_exists` for ids under which the shop lists another
    SKU; `repeated_in_request`.
    """
    _lock(shop.organization_id)
    known = Known(shop, goods)
    outcomes = [known.outcome(good) for good in goods]
    taken = [good for good, outcome in zip(goods, outcomes, strict=True) if not outcome.problem]
    _merge(shop, taken)
    products = _products(shop, taken)
    return [
        outcome if outcome.problem else Outcome(outcome.status, products[_pair(good)])
        for good, outcome in zip(goods, outcomes, strict=True)
    ]


@transaction.atomic(savepoint=False)
def revise(listing: Listing, changes: Mapping[str, Any], *, actor: Actor) -> None:
    """Change what a shop says of a product: fields of RemoteProduct, those that are left out stay.

    A new SKU is the product's from now on, which keeps its id and its stock. Raises Problem: product_not_found when
    somebody was faster, product_sku_already_exists_and_in_use_by_other_product, sku_shared,
    ext_product_id_already_exists.
    """
    _lock(listing.organization_id)
    listing.refresh_from_db()
    if listing.removed_at or not listing.product:
        raise Problem("product_not_found")
    before = _said(listing)
    new = {name: value for name, value in changes.items() if value != before[name]}
    if new.get("sku", listing.product.sku) != listing.product.sku:
        _rename(listing, listing.product, new["sku"])
    if set(PAIR) & set(new):
        _rekey(listing, new)
    listing.refresh_from_db()
    _merge(listing.shop, [RemoteProduct(**_said(listing) | {name: new[name] for name in TEXTS if name in new})])
    old = {name: str(before[name]) for name in new}
    record(actor, "product.update", on=listing.product, before=old, after={name: str(new[name]) for name in new})


@transaction.atomic(savepoint=False)
def delist(product: Product, listings: Sequence[Listing], *, actor: Actor) -> None:
    """Take these listings of a product away. When no other is left it is archived; its row and its ledger stay.

    Raises Problem product_has_stock while there is any, anywhere, or any is on its way (behaviour 65).
    """
    _lock(product.organization_id)
    levels = StockLevel.objects.filter(organization=product.organization_id, product=product)
    if any(getattr(level, name) for level in levels.select_for_update(no_key=True) for name in NUMBERS):
        raise Problem("product_has_stock")
    rows = Listing.objects.filter(organization=product.organization_id, pk__in=[listing.pk for listing in listings])
    rows.update(removed_at=Now(), describes_product=False, updated_at=Now())
    with connection.cursor() as cursor:
        linking.settle(cursor, [product.pk])
    record(actor, "product.delete", on=product, before={"sku": product.sku})


def _pair(good: RemoteProduct) -> Pair:
    return good.ext_product_id, good.ext_variant_id


def _lock(organization: Any) -> None:
    with connection.cursor() as cursor:
        linking.lock(cursor, organization)


def _merge(shop: Shop, goods: Sequence[RemoteProduct]) -> None:
    """As a page of an import that has no end, and so nothing that it did not meet."""
    if not goods:
        return
    importing.merge(shop, [importing.sort_out(goods)])


def _products(shop: Shop, goods: Sequence[RemoteProduct]) -> dict[Pair, int]:
    """The product that each of these stands for now."""
    rows = Listing.objects.filter(organization=shop.organization_id, shop=shop)
    rows = rows.filter(ext_product_id__in={good.ext_product_id for good in goods})
    return {(one, other): product for one, other, product in rows.values_list(*PAIR, "product")}


def _rename(listing: Listing, product: Product, sku: str) -> None:
    """A product that this shop alone lists gets another SKU. One that people chose for the listing keeps its own."""
    if Product.objects.filter(organization=listing.organization_id, sku=sku).exists():
        raise Problem("product_sku_already_exists_and_in_use_by_other_product")
    renamed = Listing.objects.filter(organization=listing.organization_id, product=product).current()
    if listing.by_hand:
        renamed = renamed.filter(pk=listing.pk)
    elif renamed.exclude(shop=listing.shop, sku=product.sku).exists():
        raise Problem("sku_shared")
    else:
        _tell(product, sku)
    renamed.update(sku=sku, updated_at=Now())


def _tell(product: Product, sku: str) -> None:
    """Give the product this SKU, and take in what was counted of it under that name."""
    Product.objects.filter(pk=product.pk).update(sku=sku, version=F("version") + 1, updated_at=Now())
    product.refresh_from_db()
    Event.objects.create(
        organization_id=product.organization_id,
        type=Event.Type.PRODUCT_UPDATED,
        entity="product",
        entity_id=str(product.pk),
        sequence=product.version,
    )
    stocking.release_held(product.organization, skus={sku})
    skus_known.send(_tell, organization=product.organization_id, skus={sku})


def _rekey(listing: Listing, changes: Mapping[str, Any]) -> None:
    new = {name: changes[name] for name in PAIR if name in changes}
    try:
        with transaction.atomic():
            Listing.objects.filter(pk=listing.pk).update(**new, updated_at=Now())
    except IntegrityError as error:
        raise Problem("ext_product_id_already_exists") from error


def _said(listing: Listing) -> dict[str, Any]:
    """What a listing says, as the fields of a RemoteProduct."""
    found = {name: getattr(listing, name) for name in RemoteProduct.__slots__}
    return found | {name: tuple(found[name]) for name in ("barcodes", "tags")}
