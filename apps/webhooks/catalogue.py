"""The events that somebody can hear of: their published names, what each says, and an example."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from . import pios_words, samples, schemas
from .models import Event
from .wording import moment

Type = Event.Type


@dataclass(frozen=True, slots=True)
class Happened:
    """An event as its receivers are told of it. `data` is JSON, as the event keeps it."""

    type: str
    entity: str
    entity_id: str
    sequence: int
    created_at: datetime
    data: str


@dataclass(frozen=True, slots=True)
class Published:
    """An event by its published name. `source` is the type of event that it tells of, `grant` what its receiver must be
    allowed to see; `schema` (JSON Schema) and `sample` are of its data, which filters look at. `message` is the schema
    of all that is sent."""

    name: str
    source: str
    entity: str
    grant: str
    summary: Any
    schema: dict[str, Any]
    sample: dict[str, Any]
    message: dict[str, Any]
    is_pios: bool = False


EVENTS: dict[str, Published] = {}
GRANTS = {
    "product": "products:read",
    "stock_level": "inventory:read",
    "order": "orders:read",
    "fulfillment": "fulfillments:read",
    "connection": "shops:read",
    "integration": "integrations:read",
    "sync_run": "integrations:read",
}
SCHEMAS = {
    "product": schemas.PRODUCT,
    "stock_level": schemas.STOCK,
    "order": schemas.ORDER,
    "fulfillment": schemas.FULFILLMENT,
    "connection": schemas.CONNECTION,
    "integration": schemas.INTEGRATION,
    "sync_run": schemas.SYNC_RUN,
}
SAMPLED_AT = datetime(2026, 11, 21, 12, 0, 0, 250_000, tzinfo=UTC)


def _publish(name: str, entity: str, summary: Any, sample: dict[str, Any]) -> None:
    """An event under our own name of it."""
    schema = SCHEMAS[entity]
    message = schemas.message(name, entity, schema)
    EVENTS[name] = Published(name, name, entity, GRANTS[entity], summary, schema, sample, message)


def _publish_as_pio(name: str, source: str, summary: Any, body: dict[str, Any]) -> None:
    """One of ours, under Pio's name and in its words."""
    ours, message = EVENTS[source], schemas.pios_message(name, body)
    EVENTS[name] = Published(
        name, source, ours.entity, ours.grant, summary, ours.schema, ours.sample, message, is_pios=True
    )


_publish(Type.PRODUCT_CREATED.value, "product", _("A product is there."), samples.PRODUCT)
_publish(
    Type.PRODUCT_UPDATED.value, "product", _("A product's texts, prices or measures changed."), samples.PRODUCT_CHANGED
)
_publish(Type.PRODUCT_ARCHIVED.value, "product", _("No shop lists a product any more."), samples.PRODUCT_ARCHIVED)
_publish(
    Type.STOCK_CHANGED.value, "stock_level", _("Pieces came, went or were promised at one location."), samples.STOCK
)
_publish(Type.ORDER_CREATED.value, "order", _("An order came in."), samples.ORDER)
_publish(Type.ORDER_UPDATED.value, "order", _("An order changed, or went on to its next state."), samples.ORDER_CHANGED)
_publish(Type.ORDER_CANCELLED.value, "order", _("An order was cancelled."), samples.ORDER_CANCELLED)
_publish(
    Type.FULFILLMENT_CREATED.value, "fulfillment", _("A warehouse is to ship an order, or a part."), samples.FULFILLMENT
)
_publish(
    Type.FULFILLMENT_UPDATED.value, "fulfillment", _("Picking went on, or a parcel left."), samples.FULFILLMENT_CHANGED
)
_publish(
    Type.CONNECTION_UPDATED.value, "connection", _("A store was connected, paused or disconnected."), samples.CONNECTION
)
_publish(
    Type.INTEGRATION_UPDATED.value, "integration", _("An integration was added, stopped or lost its permission."),
    samples.INTEGRATION,
)  # fmt: skip
_publish(Type.SYNC_FINISHED.value, "sync_run", _("A sync came to its end."), samples.SYNC_RUN)

_publish_as_pio(
    "inventory_log.create",
    "stock.changed",
    _("Pio's name: something was stored, picked or counted."),
    schemas.PIOS_STOCK,
)
_publish_as_pio("inventory_levels.update", "stock.changed", _("Pio's name: stock changed."), schemas.PIOS_STOCK)
_publish_as_pio(
    "fulfillments.create", "fulfillment.created", _("Pio's name: an order is to be picked."), schemas.PIOS_FULFILLMENT
)
_publish_as_pio(
    "fulfillments.update", "fulfillment.updated", _("Pio's name: picking went on, or a parcel left."),
    schemas.PIOS_FULFILLMENT,
)  # fmt: skip


def body_of(published: Published, happened: Happened) -> bytes:
    """What is sent. An event of ours in an envelope, its data as it is; one of Pio's as Pio words it."""
    at = moment(happened.created_at)
    if published.is_pios:
        return pios_words.body(
            published.name,
            entity_id=happened.entity_id,
            sequence=happened.sequence,
            moment=at or "",
            data=happened.data,
        ).encode()
    return (
        f'{{"type": "{published.name}", "timestamp": "{at}", "entity": "{happened.entity}", '
        f'"entity_id": "{happened.entity_id}", "sequence": {happened.sequence}, "data": {happened.data}}}'
    ).encode()


def sample_of(published: Published) -> Happened:
    """An example of it: what `body_of` makes of this is a whole message."""
    sample, entity = published.sample, published.entity
    return Happened(
        type=published.source,
        entity=entity,
        entity_id=samples.LEVEL if entity == "stock_level" else str(sample["id"]),
        sequence=sample.get("version", 12),
        created_at=SAMPLED_AT,
        data=json.dumps(sample, ensure_ascii=False),
    )
