"""Taking orders in: stored whole, at once, whatever is still unknown. What follows from them comes in the background.

However many there are, they are one statement, with their lines and their events. A constraint decides which of two at
once is the first (`an_order_comes_once`).
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from hashlib import blake2b
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from apps.integrations.connectors.base import LONGEST_ID
from apps.integrations.connectors.orders import Address, RemoteOrder
from apps.shops.models import Shop

from .ids import time_ordered_id
from .models import Order
from .ringing import ring

type Key = tuple[str, str]  # ext_order_id and ext_fulfillment_order_id

AMOUNTS = ("total", "shipping_price", "tax", "discount")


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of one order: `order` is the id of its row, an older one unless `is_new`."""

    order: UUID
    is_new: bool


@transaction.atomic
def take_in(shop: Shop, orders: Sequence[RemoteOrder], *, source: str = Order.Source.API) -> list[Taken]:
    """Store those that are not there yet. The answers come in the order of what was given; twice the same is one.

    A cancelled one does not stand in the way of another under its ids. Rings for whoever looks at them.
    """
    ids = [time_ordered_id() for _ in orders]
    rows = [row(order, pk=pk, source=source) for order, pk in zip(orders, ids, strict=True)]
    made = insert(shop, rows, source=source)
    transaction.on_commit(ring, robust=True)
    if len(made) == len(ids):
        return [Taken(pk, True) for pk in ids]
    there = known(shop, [key_of(order) for order in orders])
    return [Taken(there[key_of(order)], pk in made) for order, pk in zip(orders, ids, strict=True)]


def key_of(order: RemoteOrder) -> Key:
    return order.ext_order_id, order.ext_fulfillment_order_id


def known(shop: Shop, keys: Iterable[Key]) -> dict[Key, UUID]:
    """The orders of a shop under these ids: of several the one that is not cancelled, or else was so last."""
    rows = Order.objects.filter(organization=shop.organization_id, shop=shop)
    rows = rows.filter(ext_order_id__in={key[0] for key in keys}).order_by(F("cancelled_at").asc(nulls_last=True))
    return {(one, other): pk for one, other, pk in rows.values_list("ext_order_id", "ext_fulfillment_order_id", "pk")}


def insert(shop: Shop, rows: Sequence[Mapping[str, Any]], *, source: str) -> set[UUID]:
    """One statement. Returns the ids of those that were not there."""
    names: dict[str, Any] = {
        "organization": shop.organization_id,
        "integration": shop.integration_id,
        "shop": shop.pk,
        "source": source,
        "release_at": timezone.now() + timedelta(seconds=shop.integration.order_hold_seconds),
        "rows": json.dumps(rows, default=str),
    }
    with connection.cursor() as cursor:
        cursor.execute(INSERT, names)
        return {pk for (pk,) in cursor.fetchall()}


def row(order: RemoteOrder, *, pk: UUID, source: str) -> dict[str, Any]:
    """An order as INSERT reads it. What a partner sent is never compared with what they say later."""
    return {
        "id": pk,
        "ext_order_id": order.ext_order_id,
        "ext_fulfillment_order_id": order.ext_fulfillment_order_id,
        "number": order.number or order.ext_order_id,
        "tags": order.tags,
        "notes": order.notes,
        "shipping_method": order.shipping_method,
        "destination": address(order),
        "customer": order.customer,
        "email": email_of(order.customer, address(order)),
        "currency": order.currency,
        "placed_at": order.placed_at and order.placed_at.isoformat(),
        "changed_there_at": order.changed_at and order.changed_at.isoformat(),
        "digest": "" if source == Order.Source.API else digest_of(order),
        "lines": [_line(position, line) for position, line in enumerate(order.lines)],
        **{name: getattr(order, name) for name in AMOUNTS},
    }


def email_of(customer: Mapping[str, str], destination: Mapping[str, str]) -> str:
    """By which an order is found: of whoever bought it, else of whoever gets it. In small letters some are longer."""
    return (customer.get("email") or destination.get("email", "")).lower()[:LONGEST_ID]


def _line(position: int, line: Any) -> dict[str, Any]:
    named = ("sku", "quantity", "name", "ext_line_id", "ext_product_id", "ext_variant_id", "price")
    return {"position": position} | {name: getattr(line, name) for name in named}


def address(order: RemoteOrder) -> dict[str, str]:
    """What is known of the destination."""
    return {name: said for name in Address.__slots__ if (said := getattr(order.destination, name))}


def digest_of(order: RemoteOrder) -> str:
    """Of all that was said of it, but when: two with the same digest say the same."""
    said = asdict(order)
    del said["changed_at"]
    return blake2b(json.dumps(said, default=str, sort_keys=True).encode(), digest_size=16).hexdigest()


FIELDS = """
    id uuid, ext_order_id text, ext_fulfillment_order_id text, number text, tags text[], notes text,
    shipping_method text, destination jsonb, customer jsonb, email text, currency text, total numeric,
    shipping_price numeric, tax numeric, discount numeric, placed_at timestamptz, changed_there_at timestamptz,
    digest text, lines json
"""
COPIED = (
    "id", "ext_order_id", "ext_fulfillment_order_id", "number", "tags", "notes", "shipping_method", "destination",
    "customer", "email", "currency", *AMOUNTS, "placed_at", "changed_there_at", "digest",
)  # fmt: skip
STORING = f"""
draft AS MATERIALIZED (
    SELECT * FROM json_to_recordset(%(rows)s::json) AS draft ({FIELDS})
), made AS (
    INSERT INTO orders_order (organization_id, integration_id, shop_id, source, state, release_at, {", ".join(COPIED)})
    SELECT %(organization)s, %(integration)s, %(shop)s, %(source)s, 'new', %(release_at)s, {", ".join(COPIED)}
    FROM draft {{allowed}}
    ON CONFLICT (organization_id, shop_id, ext_order_id, ext_fulfillment_order_id) WHERE cancelled_at IS NULL
    DO NOTHING
    RETURNING id
), lined AS (
    INSERT INTO orders_orderline (
        organization_id, order_id, position, ext_line_id, sku, name, ext_product_id, ext_variant_id, quantity, price
    )
    SELECT %(organization)s, draft.id, line.position, line.ext_line_id, line.sku, line.name, line.ext_product_id,
           line.ext_variant_id, line.quantity, line.price
    FROM made JOIN draft ON draft.id = made.id
    CROSS JOIN LATERAL json_to_recordset(draft.lines) AS line (
        position smallint, sku text, quantity integer, name text, ext_line_id text, ext_product_id text,
        ext_variant_id text, price numeric
    )
), told AS (
    INSERT INTO webhooks_event (organization_id, type, entity, entity_id, sequence, data)
    SELECT %(organization)s, 'order.created', 'order', made.id::text, 1,
           jsonb_build_object('state', 'new', 'before', '', 'shop_id', %(shop)s)
    FROM made
)"""
INSERT = f"WITH {STORING.format(allowed='')} SELECT id FROM made"
