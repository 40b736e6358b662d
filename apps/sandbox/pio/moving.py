"""Stock moves at the port only (contracts 1.6): a move writes a log entry and tells every shop with the product."""

import json
from collections.abc import Iterator

from django import forms
from django.db.models import Prefetch
from django.utils import timezone

from apps.sandbox.pio import delivering
from apps.sandbox.pio.models import Hook, LogEntry, Mapping, Place, Product
from apps.sandbox.pio.reserving import look_again
from apps.sandbox.pio.turns import writing

MOST = 1_000_000
EVENTS = [Hook.Event.INVENTORY_LEVELS, Hook.Event.INVENTORY_LOG]


class MoveForm(forms.Form):
    """What `move` needs beside the product; only a count may find none."""

    reason = forms.ChoiceField(choices=LogEntry.Reason.choices)
    quantity = forms.IntegerField(label="Pieces", min_value=0, max_value=MOST)
    kind = forms.ChoiceField(choices=Place.Kind.choices)
    name = forms.CharField(label="Place", max_length=100)

    def clean(self) -> None:
        if self.cleaned_data.get("quantity") == 0 and self.cleaned_data.get("reason") != LogEntry.Reason.COUNT:
            self.add_error("quantity", "must be 1 or more")


class NotThere(Exception):
    """More was to be picked from a place than lies there."""


def move(product: Product, *, reason: str, quantity: int, kind: str, name: str) -> LogEntry | None:
    """Store or pick `quantity` pieces at a place, or count that so many lie there.

    Returns the log entry, or None for a count that found what was known. Raises NotThere, and then nothing moved.
    """
    with writing():
        place, _ = Place.objects.get_or_create(product=product, kind=kind, name=name)
        change = {"store": quantity, "pick": -quantity, "count": quantity - place.quantity}[reason]
        if place.quantity + change < 0:
            raise NotThere(f"Only {place.quantity} of it at {kind} {name}.")
        if not change:
            return None
        Place.objects.filter(pk=place.pk).update(quantity=place.quantity + change)
        return written(product.pk, reason=reason, change=change, place=place)


def take_reserved(product: Product, *, quantity: int) -> None:
    """Pick pieces that an order holds from wherever they lie, the grid first. Within a transaction; raises NotThere."""
    left = quantity
    for place in product.places.filter(quantity__gt=0).order_by("kind", "pk"):
        part = min(left, place.quantity)
        if part:
            Place.objects.filter(pk=place.pk).update(quantity=place.quantity - part)
            written(product.pk, reason="pick", change=-part, place=place, reserved=-part)
            left -= part
    if left:
        raise NotThere(f"Only {quantity - left} of {product.sku} lie here.")


def written(product_id: int, *, reason: str, change: int, place: Place, reserved: int = 0) -> LogEntry:
    """Change the product's numbers, write the log entry, and put the messages in the post.

    `reserved` is by how much that number changes. Orders that wait for more of it are looked at again.
    """
    product = Product.objects.get(pk=product_id)
    product.in_stock += change
    product.reserved += reserved
    product.version += 1
    product.save(update_fields=["in_stock", "reserved", "version"])
    if change > 0:
        look_again(product_id)
    entry = LogEntry.objects.create(
        product=product,
        reason=reason,
        change=change,
        in_stock=product.in_stock,
        kind=place.kind,
        name=place.name,
        occurred_at=timezone.now(),
    )
    delivering.post(messages_about(entry))
    return entry


def messages_about(entry: LogEntry) -> Iterator[tuple[Hook, str]]:
    """A message for each hook for stock, of each shop that has the product linked."""
    names = Prefetch("shop__mappings", Mapping.objects.filter(product=entry.product).order_by("pk"), to_attr="names")
    shops = entry.product.mappings.values("shop")
    hooks = Hook.objects.filter(shop__in=shops, shop__deactivated_at=None, event_type__in=EVENTS)
    for hook in hooks.order_by("pk").select_related("shop").prefetch_related(names):
        message = message_of(entry, mapping=hook.shop.names[0]) | {"event_type": hook.event_type}
        yield hook, json.dumps(message, ensure_ascii=False)


def message_of(entry: LogEntry, *, mapping: Mapping) -> dict:
    """What a shop is told of a move: one format for every event (S1); the fields are a gap, chosen here."""
    product = entry.product
    return {
        "event_type": "",
        "product": {
            "id": product.pk,
            "sku": product.sku,
            "ext_product_id": mapping.ext_product_id,
            "ext_variant_id": mapping.ext_variant_id,
            "name": product.name,
        },
        **product.numbers,
        "change": entry.change,
        "reason": entry.reason,
        "storage": {"kind": entry.kind, "name": entry.name},
        "log_id": entry.pk,
        "version": product.version,
        "occurred_at": entry.occurred_at.isoformat(),
    }
