"""What the data of each event is made of, as JSON Schema (2020-12). Whoever reads it passes over what it does not know.

The states of rooms above this one are written out; their own tests hold them to it.
"""

from typing import Any

from apps.integrations.models import Integration
from apps.shops.models import Connection

type Schema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
TEXT: Schema = {"type": "string"}
WHOLE: Schema = {"type": "integer"}
COUNT: Schema = {"type": "integer", "minimum": 0}
YES_OR_NO: Schema = {"type": "boolean"}
ID: Schema = {"type": "string", "format": "uuid"}
MOMENT: Schema = {"type": "string", "format": "date-time"}
AMOUNT: Schema = {"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]+)?$"}
MEASURE: Schema = {"type": "number", "minimum": 0}


def thing(**properties: Schema) -> Schema:
    """An object that has all of these."""
    return {"type": "object", "properties": properties, "required": list(properties)}


def several(schema: Schema, description: str = "") -> Schema:
    told = {"description": description} if description else {}
    return told | {"type": "array", "items": schema}


def maybe(schema: Schema) -> Schema:
    """This, or null."""
    return schema | {"type": [schema["type"], "null"]}


def one_of(*words: str) -> Schema:
    return {"type": "string", "enum": [str(word) for word in words]}


def said(schema: Schema, description: str) -> Schema:
    return schema | {"description": description}


ORDER_STATES = (
    "new", "on_hold", "waiting", "blocked", "pending_stock", "ready", "sent", "picking", "partly_fulfilled",
    "fulfilled", "cancelling", "cancelled", "not_ours",
)  # fmt: skip
FULFILLMENT_STATES = ("ready", "sent", "picking", "shipped", "partly_shipped", "rejected", "cancelled")
RUN_STATES = ("succeeded", "partial", "failed", "cancelled")
RUNS = (
    "products", "product-stocks", "items", "count", "compare", "orders", "fulfillments", "shipping-services",
)  # fmt: skip
CAUSES = ("receipt", "report", "snapshot", "operator", "order", "fulfillment", "reconcile")
PLACES = ("grid", "shelf", "external")

PRODUCT = thing(
    id=said(WHOLE, "Our id of it."),
    sku=TEXT,
    name=TEXT,
    barcodes=several(TEXT),
    image_src=TEXT,
    price=maybe(thing(currency=TEXT, value=AMOUNT)),
    weight=said(maybe(MEASURE), "In grams."),
    length=said(maybe(MEASURE), "In millimetres, as width and height."),
    width=maybe(MEASURE),
    height=maybe(MEASURE),
    hs_code=TEXT,
    country_of_origin=TEXT,
    brand=TEXT,
    type=TEXT,
    tags=several(TEXT),
    version=said(COUNT, "Counts the changes; may be ahead of the message's sequence."),
    created_at=MOMENT,
    updated_at=MOMENT,
    archived_at=said(maybe(MOMENT), "When the last shop stopped listing it."),
)

STOCK = thing(
    product_id=WHOLE,
    sku=TEXT,
    name=TEXT,
    location_id=ID,
    location_name=TEXT,
    location_kind=one_of(*PLACES),
    in_stock=said(COUNT, "Pieces that are at this location now."),
    reserved=said(COUNT, "Of these, promised to orders."),
    available=said(WHOLE, "The one less the other; below zero when more is promised than is there."),
    incoming=said(COUNT, "On their way there."),
    cause=one_of(*CAUSES),
    change=said(WHOLE, "By how much in_stock changed."),
)

ORDER_LINE = thing(
    id=said(WHOLE, "Our id of it."),
    ext_line_id=said(TEXT, "The shop's own id of it."),
    sku=said(TEXT, "In the shop's words."),
    product_id=said(maybe(WHOLE), "Null until somebody has said which product the SKU is."),
    quantity=COUNT,
    shipped=said(COUNT, "Pieces that have left."),
    cancelled=said(COUNT, "Pieces that need not go."),
    price=maybe(AMOUNT),
)

ORDER = thing(
    id=ID,
    shop_id=ID,
    ext_order_id=TEXT,
    ext_fulfillment_order_id=TEXT,
    number=TEXT,
    state=one_of(*ORDER_STATES),
    before=said(one_of("", *ORDER_STATES), "The state before; empty of a new one."),
    tags=several(TEXT),
    shipping_method=TEXT,
    currency=TEXT,
    total=maybe(AMOUNT),
    priority=WHOLE,
    placed_at=maybe(MOMENT),
    created_at=MOMENT,
    updated_at=MOMENT,
    cancel_requested_at=maybe(MOMENT),
    cancelled_at=maybe(MOMENT),
    version=said(COUNT, "Counts the changes; may be ahead of the message's sequence."),
    line_count=COUNT,
    lines=several(ORDER_LINE, "The first of them, if they are very many: line_count says how many there are."),
)

PACKED = thing(line_id=WHOLE, ext_line_id=TEXT, sku=TEXT, quantity=COUNT)
PARCEL = thing(
    id=ID,
    carrier=TEXT,
    tracking_number=TEXT,
    tracking_url=TEXT,
    shipped_at=MOMENT,
    lines=several(PACKED),
)

FULFILLMENT = thing(
    id=ID,
    order_id=ID,
    ext_order_id=TEXT,
    ext_fulfillment_order_id=TEXT,
    number=said(TEXT, "Of the order."),
    shop_id=ID,
    location_id=ID,
    location_name=TEXT,
    state=one_of(*FULFILLMENT_STATES),
    before=said(one_of("", *FULFILLMENT_STATES), "The state before; empty of a new one."),
    reason=TEXT,
    service=said(TEXT, "How it is shipped, in the warehouse's words."),
    service_name=TEXT,
    version=said(COUNT, "Counts the changes; may be ahead of the message's sequence."),
    created_at=MOMENT,
    updated_at=MOMENT,
    finished_at=said(maybe(MOMENT), "Then it became final, and does not change any more."),
    line_count=COUNT,
    lines=several(
        thing(line_id=WHOLE, ext_line_id=TEXT, sku=TEXT, product_id=WHOLE, quantity=COUNT, shipped=COUNT),
        "The first of them, if they are very many: line_count says how many there are.",
    ),
    parcel_count=COUNT,
    parcels=several(PARCEL, "What has left so far; the newest, if they are very many."),
)

CONNECTION_STATES = tuple(state for state in Connection.State.values if state != Connection.State.DRAFT)
CONNECTION = thing(
    id=ID,
    state=one_of(*CONNECTION_STATES),
    before=maybe(TEXT),
    reason=said(TEXT, "Why, if somebody has to do something about it."),
    name=TEXT,
    connector=TEXT,
    integration_id=maybe(ID),
    shop_id=maybe(ID),
    ext_shop_id=TEXT,
)

INTEGRATION = thing(
    id=ID,
    state=one_of(*Integration.State.values),
    before=maybe(TEXT),
    reason=TEXT,
    name=TEXT,
    connector=TEXT,
    is_deleted=YES_OR_NO,
)

SYNC_RUN = thing(
    id=ID,
    sync=said(one_of(*RUNS), "What was read or told."),
    state=one_of(*RUN_STATES),
    before=TEXT,
    error=TEXT,
    done=COUNT,
    total=maybe(COUNT),
    created_count=COUNT,
    updated_count=COUNT,
    removed_count=COUNT,
    failed_count=COUNT,
    created_at=MOMENT,
    started_at=maybe(MOMENT),
    finished_at=maybe(MOMENT),
    integration_id=ID,
    connector=TEXT,
    shop_id=ID,
    ext_shop_id=TEXT,
)


def message(name: str, entity: str, data: Schema) -> Schema:
    """All that is sent of an event of ours."""
    return {"$schema": DIALECT, "title": name} | thing(
        type={"const": name},
        timestamp=said(MOMENT, "When it happened."),
        entity={"const": entity},
        entity_id=TEXT,
        sequence=said(
            COUNT | {"minimum": 1}, "Counts the changes of this entity: of two messages, the higher is newer."
        ),
        data=data,
    )


PIOS_STATES = ("open", "picking", "fulfilled", "partly_fulfilled", "rejected", "cancelled")
PIOS_LINE = {"sku": TEXT, "ext_order_line_item_id": TEXT, "quantity": COUNT}
PIOS_STOCK = thing(
    product=thing(id=WHOLE, sku=TEXT, name=TEXT),
    in_stock=said(COUNT, "At the location that is named."),
    reserved=COUNT,
    available=WHOLE,
    change=WHOLE,
    reason=TEXT,
    storage=thing(kind=TEXT, name=TEXT),
    location_id=TEXT,
    version=said(COUNT, "Counts the changes of this product at this location."),
    occurred_at=MOMENT,
)
PIOS_FULFILLMENT = thing(
    id=TEXT,
    order_id=TEXT,
    ext_order_id=TEXT,
    ext_fulfillment_order_id=TEXT,
    state=one_of(*PIOS_STATES),
    closed=said(YES_OR_NO, "Nothing more will come of it."),
    reason=TEXT,
    version=COUNT,
    created_at=maybe(MOMENT),
    updated_at=MOMENT,
    lines=several(thing(**PIOS_LINE, sent=COUNT)),
    parcels=several(
        thing(id=TEXT, carrier=TEXT, number=TEXT, url=TEXT, shipped_at=MOMENT, lines=several(thing(**PIOS_LINE)))
    ),
)


def pios_message(name: str, body: Schema) -> Schema:
    """All that is sent of an event under Pio's name."""
    return {"$schema": DIALECT, "title": name} | thing(event_type={"const": name}, **body["properties"])
