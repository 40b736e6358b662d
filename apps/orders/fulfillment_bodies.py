"""Fulfilments as shops see them (Pio: contracts 1.7), and as what a warehouse is to ship (Pipe17: 2.8)."""

from datetime import datetime
from typing import Any

from django.core.validators import RegexValidator
from django.utils import timezone
from rest_framework import serializers

from apps.api.bodies import Flag, Strict, Text
from apps.catalog.ledger import AHEAD
from apps.catalog.product_bodies import LARGEST_ID
from apps.catalog.report_bodies import Version as WholeNumber
from apps.integrations.connectors.base import LONGEST_ID
from apps.integrations.org_api import Moment, ToldMoment

from .models import Fulfillment, FulfillmentLine, Parcel
from .order_bodies import MOST_PIECES

State = Fulfillment.State
ASKED = "cancel_requested"  # the status of a shipment whose warehouse has still to say if it can stop
STATUSES = [*State.values, ASKED]
MOST_ROWS = 2_000  # of one parcel
web_address = RegexValidator(r"\Ahttps?://\S+\Z", "Use an http or https address.")


class Position(serializers.Serializer):
    """So many pieces of a line of the order."""

    line_id = serializers.IntegerField()
    quantity = serializers.IntegerField()


class ParcelBody(serializers.Serializer):
    """What left in one go. `ext_fulfillment_id` is the warehouse's own name of it."""

    id = serializers.UUIDField()
    ext_fulfillment_id = serializers.CharField(source="ext_parcel_id")
    carrier = serializers.CharField()
    tracking_number = serializers.CharField()
    tracking_url = serializers.CharField()
    shipped_at = Moment()
    lines = serializers.SerializerMethodField()

    def get_lines(self, parcel: Parcel) -> list[dict[str, int]]:
        return [{"line_id": line, "quantity": pieces} for line, pieces in parcel.lines]


class LineBody(serializers.Serializer):
    """`line_id` is our id of the order's line, `ext_line_id` its shop's. `shipped` of `quantity` pieces have left."""

    line_id = serializers.IntegerField(source="order_line_id")
    ext_line_id = serializers.CharField(source="order_line.ext_line_id")
    sku = serializers.CharField(source="order_line.sku")
    product_id = serializers.IntegerField()
    quantity = serializers.IntegerField()
    shipped = serializers.IntegerField()


class FulfillmentBody(serializers.Serializer):
    """What one location does about an order. Once `finished_at` is set, it is final and does not change."""

    id = serializers.UUIDField()
    order_id = serializers.UUIDField()
    ext_order_id = serializers.CharField(source="order.ext_order_id")
    ext_fulfillment_order_id = serializers.CharField(source="order.ext_fulfillment_order_id")
    shop_id = serializers.UUIDField(source="order.shop_id")
    location_id = serializers.UUIDField()
    state = serializers.ChoiceField(choices=State.values)
    reason = serializers.CharField()
    lines = LineBody(many=True)
    parcels = ParcelBody(many=True)
    version = serializers.IntegerField()
    created_at = Moment()
    updated_at = Moment()
    finished_at = Moment(allow_null=True)


class FulfillmentPage(serializers.Serializer):
    data = FulfillmentBody(many=True)  # type: ignore[assignment]
    prev = serializers.URLField(allow_null=True)
    next = serializers.URLField(allow_null=True)
    per_page = serializers.IntegerField()


class FulfillmentQuery(serializers.Serializer):
    """What a list can be narrowed to."""

    state = serializers.ChoiceField(choices=State.values, required=False)
    order_id = serializers.UUIDField(required=False, source="order")
    location_id = serializers.UUIDField(required=False, source="location")
    ext_order_id = Text(max_length=LONGEST_ID, trim_whitespace=False, required=False, source="order__ext_order_id")
    updated_since = serializers.DateTimeField(required=False, source="updated_at__gte")


class ToPick(serializers.Serializer):
    """`sku` is yours, if a mapping of yours names it; `line_id` is ours, for your report."""

    line_id = serializers.IntegerField(source="order_line_id")
    sku = serializers.CharField(source="product.sku")
    name = serializers.SerializerMethodField()
    quantity = serializers.IntegerField()
    shipped = serializers.IntegerField()

    def get_name(self, line: FulfillmentLine) -> str:
        return line.order_line.name or line.product.name


class ShipmentBody(serializers.Serializer):
    """What you are to ship. `service` is how, in your words: what the shop's `shipping_method` means to you.

    `notes` are for whoever picks. `ext_location_id` is your own id of the location. While `status` is
    cancel_requested, say whether you could stop.
    """

    id = serializers.UUIDField()
    order_id = serializers.UUIDField()
    ext_order_id = serializers.CharField(source="order.ext_order_id")
    number = serializers.CharField(source="order.number")
    status = serializers.SerializerMethodField()
    version = serializers.IntegerField()
    location_id = serializers.UUIDField()
    ext_location_id = serializers.CharField(source="location.ext_location_id")
    priority = serializers.IntegerField()
    destination = serializers.DictField(child=serializers.CharField(), source="order.destination")
    shipping_method = serializers.CharField(source="order.shipping_method")
    service = serializers.CharField()
    tags = serializers.ListField(child=serializers.CharField(), source="order.tags")
    notes = serializers.CharField(source="order.notes")
    lines = ToPick(many=True)
    ext_shipment_id = serializers.CharField(source="remote_id")
    ext_reference_url = serializers.CharField(source="remote_url")
    reason = serializers.CharField()
    placed_at = Moment(source="order.placed_at", allow_null=True)
    created_at = Moment()
    updated_at = Moment()

    def get_status(self, one: Fulfillment) -> str:
        return ASKED if one.is_asked_to_stop else one.state  # type: ignore[attr-defined]


class ShipmentPage(serializers.Serializer):
    data = ShipmentBody(many=True)  # type: ignore[assignment]
    prev = serializers.URLField(allow_null=True)
    next = serializers.URLField(allow_null=True)
    per_page = serializers.IntegerField()


class ShipmentQuery(serializers.Serializer):
    """Those that are ready to be taken, unless another `status` is named."""

    status = serializers.ChoiceField(choices=STATUSES, default=State.READY)
    location_id = serializers.UUIDField(required=False, source="location")
    ext_order_id = Text(max_length=LONGEST_ID, trim_whitespace=False, required=False, source="order__ext_order_id")
    updated_since = serializers.DateTimeField(required=False, source="updated_at__gte")


class ChangedShipment(Strict):
    """`sent`: you have it. `picking`: you have begun. `cancelled`: you have stopped, as you were asked to.

    `version` is that of the shipment you have read: if it has changed since, nothing happens (409 stale_version).
    """

    status = serializers.ChoiceField(choices=[State.SENT, State.PICKING, State.CANCELLED])
    ext_shipment_id = Text(max_length=LONGEST_ID, required=False)
    ext_reference_url = Text(max_length=2000, validators=[web_address], required=False)
    version = WholeNumber(min_value=1, max_value=2**31 - 1, required=False)


class Refusal(Strict):
    """Why you do not ship it, or no more of it."""

    reason = Text(max_length=255)


class Left(Strict):
    """Pieces of one line, named by `line_id`, or by the SKU that you call it."""

    line_id = WholeNumber(min_value=1, max_value=LARGEST_ID, required=False)
    sku = Text(max_length=LONGEST_ID, trim_whitespace=False, required=False)
    quantity = WholeNumber(min_value=1, max_value=MOST_PIECES)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("line_id" in attrs) == ("sku" in attrs):
            raise serializers.ValidationError({"line_id": ["Name the line by line_id or by sku."]})
        return attrs


class NewFulfillment(Strict):
    """A parcel has left. `ext_fulfillment_id` is your own id of it: the same one counts once, however often it is told.

    Without `lines` it is everything that is still open. `is_final`: no other parcel will come; one with which nothing
    stays open is final by itself. `shipped_at` is now, if left out.
    """

    shipment_id = serializers.UUIDField()
    ext_fulfillment_id = Text(max_length=LONGEST_ID)
    lines = serializers.ListField(child=Left(), min_length=1, max_length=MOST_ROWS, required=False)
    carrier = Text(max_length=255, required=False)
    tracking_number = Text(max_length=255, required=False)
    tracking_url = Text(max_length=2000, validators=[web_address], required=False)
    shipped_at = ToldMoment(required=False)
    is_final = Flag(required=False)

    def validate_shipped_at(self, moment: datetime) -> datetime:
        if moment > timezone.now() + AHEAD:
            raise serializers.ValidationError("That is still to come: is your clock right?")
        return moment


class ReportedParcel(ParcelBody):
    """The parcel, and where its shipment stands with it."""

    shipment_id = serializers.UUIDField(source="fulfillment_id")
    status = serializers.ChoiceField(choices=State.values, source="fulfillment.state")
