"""The peer: the same pages through the same mapping, written as most Django code would, by bulk_create."""

from typing import Any

from django.db import transaction

from apps.catalog.linking import DESCRIBED
from apps.catalog.models import Listing, Product
from apps.integrations.connectors.base import RemoteProduct
from apps.shops.models import Shop

from . import catalogue


def load(shop: Shop | None, pages: dict[int, bytes]) -> None:
    """Make or rewrite products and listings, a page to a transaction. What is gone it could not tell."""
    assert shop
    for body in pages.values():
        _put(shop, catalogue.products(body).items)


@transaction.atomic
def _put(shop: Shop, items: list[RemoteProduct]) -> None:
    products = Product.objects.bulk_create(
        [Product(organization_id=shop.organization_id, sku=item.sku, **_texts(item)) for item in items],
        update_conflicts=True,
        unique_fields=["organization", "sku"],
        update_fields=[*DESCRIBED, "updated_at"],
    )
    Listing.objects.bulk_create(
        [_listing(shop, product, item) for product, item in zip(products, items, strict=True)],
        update_conflicts=True,
        unique_fields=["organization", "shop", "ext_product_id", "ext_variant_id"],
        update_fields=["product", "sku", *DESCRIBED, "quantity", "updated_at"],
    )


def _listing(shop: Shop, product: Product, item: RemoteProduct) -> Listing:
    return Listing(
        organization_id=shop.organization_id,
        shop=shop,
        product=product,
        ext_product_id=item.ext_product_id,
        sku=item.sku,
        quantity=item.quantity,
        describes_product=True,
        **_texts(item),
    )


def _texts(item: RemoteProduct) -> dict[str, Any]:
    texts = {name: getattr(item, name) for name in DESCRIBED}
    return texts | {"barcodes": list(item.barcodes), "tags": list(item.tags)}
