"""Customers who order from a store, at a marketplace that Otter brings together."""

import copy
import uuid
from decimal import Decimal

from django.db import transaction
from django.utils import timezone

from apps.sandbox.errors import Refused
from apps.sandbox.otter import messages
from apps.sandbox.otter.catalogue import Dice, currency_of
from apps.sandbox.otter.models import Order, OrderEntry, Product, Store
from apps.sandbox.otter.seed import full
from apps.sandbox.otter.words import STREETS, TOWNS

SOURCE = "sandbox-market"
NAMES = ["Ada Lovelace", "Grace Hopper", "Edsger Dijkstra", "Mary Ann Horton", "José Müller-Şahin", "Radia Perlman"]


@transaction.atomic
def place(store: Store, *, items: list[dict] | None = None, source: str = SOURCE, details: dict | None = None) -> Order:
    """A new order, and its webhook. `items` are {sku, quantity}; without them, one or two products that are there.

    `details` replace members of the order as published. Raises Refused (422) where there is nothing to order.
    """
    order = Order.objects.create(store=store, source=source, payload={})
    dice = Dice(f"{store.id}/order/{order.number}")
    bought = chosen(store, dice) if items is None else [(found(store, one["sku"]), one["quantity"]) for one in items]
    order.payload = {**payload_of(order, bought, dice=dice), **(details or {})}
    order.save()
    tell(order, "orders.new_order", what="placed")
    return order


def chosen(store: Store, dice: Dice) -> list[tuple[Product, int]]:
    """One or two products that are there, up to three of each."""
    there = store.products.filter(sellable__gt=0, is_suspended=False).exclude(sku="").order_by("number")
    count = there.count()
    if not count:
        raise Refused(422, "This store has nothing to sell")
    places = {dice.below(count) for _ in range(1 + dice.below(2))}
    return [(there[place], 1 + dice.below(3)) for place in sorted(places)]


def found(store: Store, sku: str) -> Product:
    """The product of that SKU; one that the store does not have is ordered by that name all the same."""
    return store.products.filter(sku=sku).order_by("number").first() or Product(id=None, sku=sku, name=sku, price=1000)


def payload_of(order: Order, bought: list[tuple[Product, int]], *, dice: Dice) -> dict:
    """The order as Otter publishes it (v1). What it costs is what its items cost, and 4.95 for their way."""
    street, (city, postal_code, country) = dice.one_of(STREETS), dice.one_of(TOWNS)
    name = dice.one_of(NAMES)
    place = full(f"{1 + dice.below(90)} {street}", postal_code, city, "", country, 50.0, 5.0)
    items = [item(product, quantity=quantity) for product, quantity in bought]
    subtotal = sum(Decimal(str(one["price"])) * one["quantity"] for one in items)
    return {
        "externalIdentifiers": {
            "id": str(order.id),
            "friendlyId": str(order),
            "source": order.source,
            "sourceType": "ORDERING_MARKETPLACE",
        },
        "currencyCode": currency_of(order.store),
        "status": "NEW_ORDER",
        "orderedAt": timezone.now().isoformat(),
        "customer": {"name": name, "email": f"customer-{order.number}@example.org", "phone": "+31 20 555 0100"},
        "customerNote": None,
        "deliveryInfo": {"destination": place, "note": None},
        "fulfillmentInfo": {"fulfillmentMode": "DELIVERY", "schedulingType": "ASAP"},
        "orderTotal": {
            "subtotal": float(subtotal),
            "deliveryFee": 4.95,
            "total": float(subtotal + Decimal("4.95")),
        },
        "items": items,
    }


def item(product: Product, *, quantity: int) -> dict:
    """`id` is the seller's own id, as the vendor says of its manager's calls; `skuId` is Otter's."""
    return {
        "id": product.sku or str(product.id),
        "skuId": str(product.id) if product.id else None,
        "lineItemId": str(uuid.uuid4()),
        "name": product.name,
        "quantity": quantity,
        "price": (product.price or 0) / 100,
        "modifiers": [],
    }


@transaction.atomic
def change(order: Order, details: dict) -> None:
    """Replace members of the order, and say so by the webhook of an update."""
    order.payload = copy.deepcopy(order.payload) | details
    order.save()
    tell(order, "orders.update", what="changed")


def cancel(order: Order) -> None:
    """Its customer cancels it. Raises Refused (409) when it is over."""
    if order.is_over:
        raise Refused(409, f"The order is {order.status}")
    change(order, {"status": "CANCELED"})


def tell(order: Order, event_type: str, *, what: str) -> None:
    OrderEntry.objects.create(order=order, what=what)
    messages.tell(order, event_type, order.payload)
