"""Making products in bulk, with the same names and pictures every time."""

import uuid

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from apps.sandbox.pio.models import LogEntry, Mapping, Organization, Place, Product, Shop

GOODS = {"hats": "Hat", "shoes": "Shoe", "gloves": "Glove"}


def make(organization: Organization, *, count: int, shop: Shop | None, in_stock: int) -> None:
    """Add `count` products that nobody has yet, linked to the shop if there is one, stocked without telling anybody."""
    first = organization.products.count()
    with transaction.atomic():
        made = Product.objects.bulk_create(
            product(organization, number=first + place, in_stock=in_stock) for place in range(count)
        )
        if in_stock:
            Place.objects.bulk_create(Place(product=p, kind="grid", name="A1", quantity=in_stock) for p in made)
            LogEntry.objects.bulk_create(stored(p) for p in made)
        if shop:
            Mapping.objects.bulk_create(Mapping(shop=shop, product=p, ext_product_id=f"ext-{p.sku}") for p in made)


def product(organization: Organization, *, number: int, in_stock: int) -> Product:
    """An unsaved product; its number decides everything."""
    goods = list(GOODS)[number % len(GOODS)]
    picture = uuid.uuid5(uuid.NAMESPACE_URL, f"https://pio.example/{organization.name}/{number}")
    return Product(
        organization=organization,
        sku=f"PIO-{number:06}",
        name=f"{GOODS[goods]} no. {number}",
        image_src=f"{settings.BASE_URL}/pictures/{goods}/{picture}.svg",
        in_stock=in_stock,
        version=1 if in_stock else 0,
    )


def stored(product: Product) -> LogEntry:
    """The log entry of what a product was made with."""
    pieces = {"change": product.in_stock, "in_stock": product.in_stock}
    return LogEntry(product=product, reason="store", kind="grid", name="A1", occurred_at=timezone.now(), **pieces)
