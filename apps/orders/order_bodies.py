"""Orders as the API takes and shows them (Pio's words: contracts 1.7)."""

from decimal import Decimal
from typing import Annotated, Any

from drf_spectacular.utils import extend_schema_field
from pydantic import AliasChoices, Field
from rest_framework import serializers

from apps.api.bodies import Text
from apps.api.parsing import COUNTRY, CURRENCY, SEEN, Amount, Moment, StrictModel, texts
from apps.integrations.connectors.base import LONGEST_ID
from apps.integrations.connectors.orders import MOST_LINES, Address, RemoteLine, RemoteOrder

from .models import Fulfillment, Order

MOST_AT_ONCE = 500
MOST_PIECES = 1_000_000
MOST_TAGS = 100
LONGEST_NOTES = 10_000
LONGEST_NAME = 2_000

Id = Annotated[str, texts(LONGEST_ID)]
Needed = Annotated[str, texts(LONGEST_ID, least=1)]
Visible = Annotated[str, texts(LONGEST_ID, least=1, pattern=SEEN)]
Word = Annotated[str, texts(255)]
Tags = Annotated[list[Word], Field(max_length=MOST_TAGS)]
Notes = Annotated[str, texts(LONGEST_NOTES)]


class NewOrderLine(StrictModel):
    """So many pieces of one SKU, which is kept character by character. `price` is that of one piece.

    `ext_line_id` is your own id of the line; Pio's name of it, `ext_order_line_item_id`, is taken as well.
    """

    sku: Visible
    quantity: Annotated[int, Field(ge=1, le=MOST_PIECES)]
    name: Annotated[str, texts(LONGEST_NAME)] = ""
    ext_line_id: Annotated[Id, Field(validation_alias=AliasChoices("ext_line_id", "ext_order_line_item_id"))] = ""
    ext_product_id: Id = ""
    ext_variant_id: Id = ""
    price: Amount = None


class Destination(StrictModel):
    """Where it goes. What is missing is waited for: the order is taken, and says what it lacks."""

    first_name: Word = ""
    last_name: Word = ""
    company: Word = ""
    address1: Word = ""
    address2: Word = ""
    city: Word = ""
    province: Word = ""
    zip: Word = ""
    country: Annotated[str, texts(2, pattern=COUNTRY)] = ""
    phone: Word = ""
    email: Word = ""


class Customer(StrictModel):
    """Who bought it, if that is somebody else than who gets it."""

    name: Word = ""
    email: Word = ""
    phone: Word = ""


# Made once: a default of pydantic's own would be copied for each order.
NOWHERE, NOBODY = Destination(), Customer()


class NewOrder(StrictModel):
    """`ext_order_id` and `lines` are needed. `number` is what you and your customer call it; else it is the id.

    `ext_fulfillment_order_id` names a part of an order that you send in parts. `shipping_method` is your own name of
    it. Amounts are exact, in `currency`: send them as texts, or as numbers.
    """

    ext_order_id: Needed
    ext_fulfillment_order_id: Id = ""
    number: Id = ""
    lines: Annotated[list[NewOrderLine], Field(min_length=1, max_length=MOST_LINES)]
    tags: Tags = Field(default_factory=list)
    notes: Notes = ""
    shipping_method: Word = ""
    destination: Destination = Field(default_factory=lambda: NOWHERE)
    customer: Customer = Field(default_factory=lambda: NOBODY)
    currency: Annotated[str, texts(3, pattern=CURRENCY)] = ""
    total: Amount = None
    shipping_price: Amount = None
    tax: Amount = None
    discount: Amount = None
    placed_at: Moment = None


class ChangedOrder(StrictModel):
    """What is left out stays. A `destination` takes the place of the whole old one."""

    tags: Tags = Field(default_factory=list)
    notes: Notes = ""
    destination: Destination = Field(default_factory=lambda: NOWHERE)


class ManyOrders(StrictModel):
    """Each is what `POST /v1/orders` takes, and is checked by itself: one that is wrong fails alone."""

    orders: Annotated[list[Any], Field(min_length=1, max_length=MOST_AT_ONCE)]


def as_remote(body: NewOrder) -> RemoteOrder:
    """In the words that all orders come in."""
    plain = {name: getattr(body, name) for name in COPIED}
    return RemoteOrder(
        **plain,
        lines=tuple(RemoteLine(**vars(line)) for line in body.lines),
        tags=tuple(body.tags),
        destination=Address(**vars(body.destination)),
        customer={name: said for name, said in vars(body.customer).items() if said},
    )


COPIED = NewOrder.model_fields.keys() - {"lines", "tags", "destination", "customer"}


def as_stored(destination: Destination) -> dict[str, str]:
    """What is known of it."""
    return {name: said for name, said in vars(destination).items() if said}


@extend_schema_field({"type": ["string", "null"]})
class AmountShown(serializers.Field):
    """An exact decimal as a text."""

    def to_representation(self, value: Decimal) -> str:
        return f"{value.normalize():f}"


class OrderTaken(serializers.Serializer):
    """`state` is new: everything else comes in the background."""

    id = serializers.UUIDField()
    ext_order_id = serializers.CharField()
    ext_fulfillment_order_id = serializers.CharField()
    number = serializers.CharField()
    state = serializers.CharField()


class HindranceRow(serializers.Serializer):
    """Why it waits, or what there is to know of it. `ref` is what it is about; `who` can do something about it."""

    code = serializers.CharField()
    message = serializers.CharField(source="get_code_display")
    ref = serializers.CharField()
    who = serializers.CharField()
    since = serializers.DateTimeField()


class OrderBody(serializers.Serializer):
    """An order without its lines. `release_at`: until then it is held, so that it can still be changed."""

    id = serializers.UUIDField()
    shop_id = serializers.UUIDField()
    ext_order_id = serializers.CharField()
    ext_fulfillment_order_id = serializers.CharField()
    number = serializers.CharField()
    state = serializers.ChoiceField(choices=Order.State.values)
    tags = serializers.ListField(child=serializers.CharField())
    notes = serializers.CharField()
    shipping_method = serializers.CharField()
    destination = serializers.DictField(child=serializers.CharField())
    customer = serializers.DictField(child=serializers.CharField())
    currency = serializers.CharField()
    total = AmountShown()
    shipping_price = AmountShown()
    tax = AmountShown()
    discount = AmountShown()
    placed_at = serializers.DateTimeField(allow_null=True)
    priority = serializers.IntegerField()
    release_at = serializers.DateTimeField()
    cancel_requested_at = serializers.DateTimeField(allow_null=True)
    cancelled_at = serializers.DateTimeField(allow_null=True)
    version = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    hindrances = HindranceRow(many=True)


class OrderPage(serializers.Serializer):
    data = OrderBody(many=True)  # type: ignore[assignment]
    prev = serializers.URLField(allow_null=True)
    next = serializers.URLField(allow_null=True)
    per_page = serializers.IntegerField()


class OrderLineRow(serializers.Serializer):
    """`product_id` is null until we know what the SKU is. `shipped` pieces have left, `cancelled` ones need not go."""

    id = serializers.IntegerField()
    ext_line_id = serializers.CharField()
    sku = serializers.CharField()
    name = serializers.CharField()
    ext_product_id = serializers.CharField()
    ext_variant_id = serializers.CharField()
    quantity = serializers.IntegerField()
    price = AmountShown()
    product_id = serializers.IntegerField(allow_null=True)
    shipped = serializers.IntegerField()
    cancelled = serializers.IntegerField()


class ParcelRow(serializers.Serializer):
    """What left in one go."""

    id = serializers.UUIDField()
    carrier = serializers.CharField()
    tracking_number = serializers.CharField()
    tracking_url = serializers.CharField()
    shipped_at = serializers.DateTimeField()


class FulfillmentRow(serializers.Serializer):
    """What one location does about it."""

    id = serializers.UUIDField()
    state = serializers.ChoiceField(choices=Fulfillment.State.values)
    location_id = serializers.UUIDField()
    parcels = ParcelRow(many=True)


class WholeOrder(OrderBody):
    lines = OrderLineRow(many=True)
    fulfillments = FulfillmentRow(many=True)


class OrderOutcome(serializers.Serializer):
    """Of the order at `index` of the call. `status`: created, exists (under these ids), or failed.

    One that failed has a `code`, a `message` and perhaps `details`, as an error has; the others an `id`.
    """

    index = serializers.IntegerField()
    status = serializers.ChoiceField(choices=["created", "exists", "failed"])
    id = serializers.UUIDField(allow_null=True)
    code = serializers.CharField()
    message = serializers.CharField()
    details = serializers.ListField(child=serializers.DictField(child=serializers.CharField()))


class OrderOutcomes(serializers.Serializer):
    """In the order of the call."""

    results = OrderOutcome(many=True)


class OrderQuery(serializers.Serializer):
    """What a list of orders can be narrowed to."""

    state = serializers.ChoiceField(choices=Order.State.values, required=False)
    ext_order_id = Text(required=False, trim_whitespace=False, max_length=LONGEST_ID)
    number = Text(required=False, trim_whitespace=False, max_length=LONGEST_ID)
    q = Text(required=False, max_length=LONGEST_ID)
    tag = Text(required=False, trim_whitespace=False, max_length=LONGEST_ID)
    sku = Text(required=False, trim_whitespace=False, max_length=LONGEST_ID)
    country = Text(required=False, max_length=2)
    created_since = serializers.DateTimeField(required=False)
    updated_since = serializers.DateTimeField(required=False)
