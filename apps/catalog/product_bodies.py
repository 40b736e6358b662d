"""Products as the API takes and shows them (Pio's words: contracts 1.5)."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.core.validators import RegexValidator
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.api.bodies import Strict, Text
from apps.integrations.connectors.base import LONGEST_ID

from .importing import LONGEST_ADDRESS, LONGEST_NAME

MOST_AT_ONCE = 500
MOST_BARCODES = MOST_TAGS = 100
MOST_MEASURE = 999_999_999
LARGEST_ID = 2**63 - 1
STOCK = {"in_stock", "reserved", "available", "on_hand", "incoming", "quantity", "stock", "stocks", "inventory"}
STOCK |= {"quantity_on_hand", "quantity_allocated", "quantity_available", "inventory_quantity", "inventory_levels"}
NO_STOCK = "Stock is not set here: it follows from what is stored and picked."

visible = RegexValidator(r"\S", "Use at least one character that can be seen.")


@extend_schema_field({"type": "number", "minimum": 0, "maximum": MOST_MEASURE})
class Measure(serializers.DecimalField):
    """A number with up to three decimals, and nothing that could be made one. Twelve digits fit into a double."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            max_digits=12, decimal_places=3, min_value=Decimal(0), max_value=Decimal(MOST_MEASURE), **options
        )

    def to_internal_value(self, data: Any) -> Decimal:
        if isinstance(data, bool) or not isinstance(data, int | Decimal):
            self.fail("invalid")
        return super().to_internal_value(data)

    def to_representation(self, value: Decimal) -> float:  # type: ignore[override]
        return int(value) if value == value.to_integral_value() else float(value)


class Price(Strict):
    """pack.cloud's money (contracts 4.3). `value` is exact, and therefore a text."""

    currency = Text(trim_whitespace=False, validators=[RegexValidator(r"\A[A-Z]{3}\Z", "Use ISO 4217, such as EUR.")])
    value = Text(
        trim_whitespace=False,
        validators=[RegexValidator(r"\A[0-9]{1,14}(\.[0-9]{1,4})?\Z", 'Use digits and a point, such as "19.95".')],
    )


class NewProduct(Strict):
    """`name`, `sku` and your own `ext_product_id` are needed. Weight is in grams; length, width, height in millimetres.

    SKU, ids and texts are kept character by character. Stock is not among these: it follows from storing and picking.
    """

    ext_product_id = Text(max_length=LONGEST_ID, trim_whitespace=False)
    ext_variant_id = Text(max_length=LONGEST_ID, trim_whitespace=False, allow_blank=True, required=False)
    sku = Text(max_length=LONGEST_ID, trim_whitespace=False, validators=[visible])
    name = Text(max_length=LONGEST_NAME, trim_whitespace=False, validators=[visible])
    barcodes = serializers.ListField(
        child=Text(max_length=LONGEST_ID, trim_whitespace=False), max_length=MOST_BARCODES, required=False
    )
    image_src = Text(
        max_length=LONGEST_ADDRESS,
        allow_blank=True,
        trim_whitespace=False,
        required=False,
        validators=[RegexValidator(r"\Ahttps?://\S+\Z", "Use the http or https address of a picture.")],
    )
    price = Price(required=False, allow_null=True)
    weight = Measure(required=False, allow_null=True)
    length = Measure(required=False, allow_null=True)
    width = Measure(required=False, allow_null=True)
    height = Measure(required=False, allow_null=True)
    hs_code = Text(max_length=20, allow_blank=True, required=False)
    country_of_origin = Text(
        allow_blank=True,
        trim_whitespace=False,
        required=False,
        validators=[RegexValidator(r"\A[A-Z]{2}\Z", "Use two letters of ISO 3166, such as NL.")],
    )
    brand = Text(max_length=255, allow_blank=True, required=False)
    type = Text(max_length=255, allow_blank=True, required=False)
    tags = serializers.ListField(child=Text(max_length=255), max_length=MOST_TAGS, required=False)

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict) and (named := sorted(STOCK & set(data))):
            raise serializers.ValidationError({name: [NO_STOCK] for name in named})
        return super().to_internal_value(data)


class ChangedProduct(NewProduct):
    """What is left out stays. To change your own ids, name the old ones, here or in the address."""

    ext_product_id = Text(max_length=LONGEST_ID, trim_whitespace=False, required=False)
    sku = Text(max_length=LONGEST_ID, trim_whitespace=False, validators=[visible], required=False)
    name = Text(max_length=LONGEST_NAME, trim_whitespace=False, validators=[visible], required=False)
    old_ext_product_id = Text(max_length=LONGEST_ID, trim_whitespace=False, required=False)
    old_ext_variant_id = Text(max_length=LONGEST_ID, trim_whitespace=False, allow_blank=True, required=False)


def in_our_words(values: Mapping[str, Any]) -> dict[str, Any]:
    """The checked values of a body as fields of a RemoteProduct."""
    found: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
    if "price" in found:
        price = found["price"]
        found["price"] = Decimal(price["value"]) if price else None
        found["currency"] = price["currency"] if price else ""
    return found


@extend_schema_field({})
class Anything(serializers.Field):
    """Whatever JSON can say."""

    def to_internal_value(self, data: Any) -> Any:
        return data


class ManyProducts(Strict):
    """Each is what `POST /v1/products` takes, and is checked by itself: one that is wrong fails alone."""

    products = serializers.ListField(child=Anything(allow_null=True), min_length=1, max_length=MOST_AT_ONCE)


class ListingRow(serializers.Serializer):
    """How a shop names the product. `describes_product`: its words are the product's."""

    shop_id = serializers.UUIDField()
    ext_product_id = serializers.CharField()
    ext_variant_id = serializers.CharField()
    sku = serializers.CharField()
    describes_product = serializers.BooleanField()


@extend_schema_field(Price(allow_null=True))
class PriceShown(serializers.Field):
    """Of whatever has a price and a currency."""

    def __init__(self, **options: Any) -> None:
        super().__init__(source="*", read_only=True, **options)

    def to_representation(self, value: Any) -> dict[str, str] | None:
        return None if value.price is None else {"currency": value.currency, "value": f"{value.price.normalize():f}"}


class ProductBody(serializers.Serializer):
    """`ext_product_id` and `ext_variant_id` are those of the first of `listings`, which are your own shops'.

    `archived_at` is when the last shop stopped listing it. `version` counts its changes.
    """

    id = serializers.IntegerField()
    ext_product_id = serializers.CharField(allow_null=True)
    ext_variant_id = serializers.CharField(allow_null=True)
    sku = serializers.CharField()
    name = serializers.CharField()
    barcodes = serializers.ListField(child=serializers.CharField())
    image_src = serializers.CharField()
    price = PriceShown()
    weight = Measure(allow_null=True)
    length = Measure(allow_null=True)
    width = Measure(allow_null=True)
    height = Measure(allow_null=True)
    hs_code = serializers.CharField()
    country_of_origin = serializers.CharField()
    brand = serializers.CharField()
    type = serializers.CharField()
    tags = serializers.ListField(child=serializers.CharField())
    version = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    archived_at = serializers.DateTimeField(allow_null=True)
    listings = ListingRow(many=True, source="shown")

    def to_representation(self, instance: Any) -> dict[str, Any]:
        """`instance.shown` are the listings that its reader may know of."""
        first = instance.shown[0] if instance.shown else None
        instance.ext_product_id = first and first.ext_product_id
        instance.ext_variant_id = first and first.ext_variant_id
        return super().to_representation(instance)


class ProductPage(serializers.Serializer):
    data = ProductBody(many=True)  # type: ignore[assignment]
    prev = serializers.URLField(allow_null=True)
    next = serializers.URLField(allow_null=True)
    per_page = serializers.IntegerField()


class StockShown(serializers.Serializer):
    """In pieces. `available` is `in_stock` less `reserved` (behaviour 62)."""

    in_stock = serializers.IntegerField(source="on_hand")
    reserved = serializers.IntegerField()
    available = serializers.IntegerField()


class StockThere(StockShown):
    """`is_counted`: what lies there may be sold, and is in the sums."""

    location_id = serializers.UUIDField()
    kind = serializers.CharField(source="location.kind")
    name = serializers.CharField(source="location.name")
    is_counted = serializers.BooleanField(source="location.is_counted")


class StockOfProduct(StockShown):
    locations = StockThere(many=True)


class ProductWithStock(ProductBody):
    inventory = StockOfProduct()


class ProductOutcome(serializers.Serializer):
    """Of the product at `index` of the call. `status`: created, linked (its SKU was there), updated, or failed.

    One that failed has a `code`, a `message` and perhaps `details`, as an error has; the others an `id`.
    """

    index = serializers.IntegerField()
    status = serializers.ChoiceField(choices=["created", "linked", "updated", "failed"])
    id = serializers.IntegerField(allow_null=True)
    code = serializers.CharField()
    message = serializers.CharField()
    details = serializers.ListField(child=serializers.DictField(child=serializers.CharField()))


class ProductOutcomes(serializers.Serializer):
    """In the order of the call."""

    results = ProductOutcome(many=True)


class ProductQuery(serializers.Serializer):
    """What a list of products can be narrowed to."""

    sku = Text(required=False, trim_whitespace=False, max_length=LONGEST_ID)
    ext_product_id = Text(required=False, trim_whitespace=False, max_length=LONGEST_ID)
    barcode = Text(required=False, trim_whitespace=False, max_length=LONGEST_ID)
    q = Text(required=False, max_length=200)
    updated_since = serializers.DateTimeField(required=False)
    archived = serializers.ChoiceField(choices=["true", "false"], required=False)
