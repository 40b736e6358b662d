"""What hooks and endpoints look like over the API: in snake case, as Pio's routes are."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.api.bodies import Strict, Text
from apps.api.errors import invalid
from apps.integrations.configuration import one_line

from . import hooking
from .addressing import header_names
from .catalogue import EVENTS, Published, body_of, sample_of
from .filtering import MOST, OPS
from .models import Endpoint, Event, Hook
from .sending import Answer
from .showing import without_secrets

LONGEST_URL = 2000
DAY = 24 * 3600
WEEK = 7 * DAY
OF_EVENTS = "The event's name; `event_type` is another word for it."

CONDITION = {
    "type": "object",
    "properties": {
        "field": {
            "type": "string",
            "maxLength": 255,
            "description": "Such as state or lines.sku.",
        },
        "op": {"type": "string", "enum": list(OPS), "default": "equals"},
        "value": {"description": "A text, a number, true, false or null; of one_of a list."},
    },
    "required": ["field"],
}


@extend_schema_field({"type": "array", "items": CONDITION, "maxItems": MOST})
class Filter(serializers.Field):
    """Conditions, all of which must hold. They are looked at where their event is known."""

    def to_internal_value(self, data: Any) -> Any:
        return data

    def to_representation(self, value: Any) -> Any:
        return value


@extend_schema_field({"type": "object", "additionalProperties": {"type": "string"}, "maxProperties": 10})
class Headers(serializers.Field):
    """What goes along with each message, by name. They are looked at where they are kept."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, dict):
            raise serializers.ValidationError("Expected an object.")
        return data


class NamesAnEvent(Strict):
    """`event` or, as Pio calls it, `event_type`."""

    event = Text(max_length=50, required=False, help_text=OF_EVENTS)
    event_type = Text(max_length=50, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        named = {attrs.pop(name) for name in ("event", "event_type") if name in attrs}
        if len(named) > 1:
            raise invalid("event_type", "It names another event than event does: give one of them.")
        return attrs | ({"event": named.pop()} if named else {})


class NewHook(NamesAnEvent):
    """`shop_id` is for a key: which of its shops it wants to hear of; left out, of all. `headers` go along with each
    message, and are not shown again; with the `name`, they are the endpoint's.
    """

    target_url = Text(max_length=LONGEST_URL, trim_whitespace=False)
    filter = Filter(required=False)
    format = serializers.ChoiceField(choices=Endpoint.Format.values, required=False)
    headers = Headers(required=False)
    name = Text(max_length=200, validators=[one_line], required=False)
    shop_id = serializers.UUIDField(required=False, allow_null=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs = super().validate(attrs)
        if "event" not in attrs:
            raise serializers.ValidationError({"event": ["This field is required."]})
        return attrs


class ChangedHook(NamesAnEvent):
    """What is left out stays. The event stays in any case: a hook of another is another hook."""

    target_url = Text(max_length=LONGEST_URL, trim_whitespace=False, required=False)
    filter = Filter(required=False)


class HookBody(serializers.Serializer):
    """`state` is its endpoint's: while that is not active, what happens is kept for it."""

    id = serializers.UUIDField()
    event = serializers.CharField()
    event_type = serializers.CharField(source="event")
    target_url = serializers.CharField(source="endpoint.url")
    filter = Filter()
    format = serializers.ChoiceField(choices=Endpoint.Format.values, source="endpoint.format")
    endpoint_id = serializers.UUIDField()
    shop_id = serializers.UUIDField(allow_null=True)
    integration_id = serializers.UUIDField(allow_null=True)
    state = serializers.ChoiceField(choices=Endpoint.State.values, source="endpoint.state")
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class MadeHook(HookBody):
    """`secret` is what its messages are signed with, shown this once; null where you were shown it with another hook
    of the endpoint, and in Pio's format, which is signed with your client secret."""

    secret = serializers.CharField(allow_null=True)


class Page(serializers.Serializer):
    prev = serializers.URLField(allow_null=True)
    next = serializers.URLField(allow_null=True)
    per_page = serializers.IntegerField()


class HookPage(Page):
    data = HookBody(many=True)  # type: ignore[assignment]


class HookQuery(serializers.Serializer):
    event = Text(max_length=50, required=False)
    endpoint_id = serializers.UUIDField(required=False)


class EventBody(serializers.Serializer):
    """`data` is the schema (JSON Schema) of what filters look at, `message` of all that is sent, `sample` one of it."""

    event = serializers.CharField(source="name")
    entity = serializers.CharField()
    grant = serializers.CharField()
    summary = serializers.CharField()
    is_pios = serializers.BooleanField()
    data_schema = serializers.DictField(source="schema")
    message_schema = serializers.DictField(source="message")
    sample = serializers.SerializerMethodField()

    @extend_schema_field({"type": "string"})
    def get_sample(self, published: Published) -> str:
        return body_of(published, sample_of(published)).decode()


class EventList(serializers.Serializer):
    data = EventBody(many=True)  # type: ignore[assignment]


class Preview(NamesAnEvent):
    filter = Filter(required=False)
    shop_id = serializers.UUIDField(required=False, allow_null=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs = super().validate(attrs)
        if attrs.get("event") not in EVENTS:
            raise serializers.ValidationError({"event": [f"Give one of {', '.join(EVENTS)}."]})
        return attrs


class PreviewedEvent(serializers.Serializer):
    """`data` is what a message says of it, and the filter looks at."""

    id = serializers.IntegerField()
    entity = serializers.CharField()
    entity_id = serializers.CharField()
    sequence = serializers.IntegerField()
    passes = serializers.BooleanField()
    data = serializers.DictField()  # type: ignore[assignment]
    created_at = serializers.DateTimeField()


class Previewed(serializers.Serializer):
    passing = serializers.IntegerField()
    data = PreviewedEvent(many=True)  # type: ignore[assignment]


class AnswerBody(serializers.Serializer):
    """What came back: `status` is null when nothing did, and `error` says why. `body` is its first 4 kB; of headers,
    tokens and the like are left out."""

    is_success = serializers.BooleanField()
    status = serializers.IntegerField(allow_null=True)
    error = serializers.CharField()
    milliseconds = serializers.IntegerField()
    headers = serializers.SerializerMethodField()
    body = serializers.CharField()

    @extend_schema_field({"type": "object", "additionalProperties": {"type": "string"}})
    def get_headers(self, answer: Answer) -> dict[str, str]:
        return dict(without_secrets(answer.headers))


class Health(serializers.Serializer):
    """`failures` in a row. While it fails it is tried seldom, next at `probe_at`."""

    failures = serializers.IntegerField()
    failing_since = serializers.DateTimeField(allow_null=True)
    last_success_at = serializers.DateTimeField(allow_null=True)
    last_error = serializers.CharField()
    probe_at = serializers.DateTimeField(allow_null=True)


class EndpointBody(serializers.Serializer):
    """`reason` says why it is not active: asked (it was paused), failing, or gone (it answered 410). Of the headers
    that go along, the names."""

    id = serializers.UUIDField()
    url = serializers.CharField()
    name = serializers.CharField()
    format = serializers.ChoiceField(choices=Endpoint.Format.values)
    state = serializers.ChoiceField(choices=Endpoint.State.values)
    reason = serializers.CharField()
    state_since = serializers.DateTimeField()
    shop_id = serializers.UUIDField(allow_null=True)
    integration_id = serializers.UUIDField(allow_null=True)
    header_names = serializers.SerializerMethodField()
    health = Health(source="*")
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()

    def get_header_names(self, endpoint: Endpoint) -> list[str]:
        return header_names(endpoint)


class Waiting(serializers.Serializer):
    """How many messages wait; while it is not active, they are held. Of each choice of `resume`, how many it sends."""

    all = serializers.IntegerField()
    newest = serializers.IntegerField()
    drop = serializers.IntegerField()


class EndpointInFull(EndpointBody):
    waiting = serializers.SerializerMethodField()
    events = serializers.SerializerMethodField()

    @extend_schema_field(Waiting)
    def get_waiting(self, endpoint: Endpoint) -> dict[str, int]:
        return hooking.would_send(endpoint)

    def get_events(self, endpoint: Endpoint) -> list[str]:
        return list(Hook.objects.kept().filter(endpoint=endpoint).order_by("event").values_list("event", flat=True))


class EndpointPage(Page):
    data = EndpointBody(many=True)  # type: ignore[assignment]


class ChangedEndpoint(Strict):
    """What is left out stays. `headers` takes the place of all of them."""

    url = Text(max_length=LONGEST_URL, trim_whitespace=False, required=False)
    name = Text(max_length=200, validators=[one_line], allow_blank=True, required=False)
    headers = Headers(required=False)


class HookRotation(Strict):
    """How long messages carry the signatures of the secrets of now, too: 0 (not at all) to 604800 seconds (7 days)."""

    overlap_seconds = serializers.IntegerField(min_value=0, max_value=WEEK, default=DAY)


class Rotated(serializers.Serializer):
    """`secret` is shown this once."""

    secret = serializers.CharField()


class Choice(Strict):
    """Of what was held: `all` in order, `newest` of each event and entity, or `drop`."""

    choice = serializers.ChoiceField(choices=hooking.CHOICES)


class Resumed(serializers.Serializer):
    """How many messages go out now."""

    sent = serializers.IntegerField()


def previewed(events: list[Event]) -> dict[str, Any]:
    """`events` as `trying.preview` gives them."""
    passing = sum(one.passes for one in events)  # type: ignore[attr-defined]
    return {"passing": passing, "data": PreviewedEvent(events, many=True).data}
