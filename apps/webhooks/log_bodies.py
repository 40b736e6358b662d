"""What deliveries and events look like over the API: in snake case, as Pio's routes are."""

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.api.bodies import Strict, Text
from apps.api.errors import invalid
from apps.integrations.org_api import Moment

from . import showing
from .models import Attempt, Delivery, Message, Receipt
from .replaying import LONGEST


class Found(serializers.Serializer):
    """Which deliveries. With `entity_id` alone, of any kind of entity. `since` is in, `until` is not."""

    endpoint_id = serializers.UUIDField(required=False)
    hook_id = serializers.UUIDField(required=False)
    event = Text(max_length=50, required=False)
    state = serializers.ChoiceField(choices=Delivery.State.values, required=False)
    entity = Text(max_length=20, required=False)
    entity_id = Text(max_length=36, required=False)
    since = Moment(required=False)
    until = Moment(required=False)


class Replayed(Strict, Found):
    """Which deliveries: those that came to their end, from `since` on, for 30 days at most.

    With `dry_run` they are counted only. `expected` is that count: when more match by then, nothing is done.
    """

    since = Moment()
    dry_run = serializers.BooleanField(default=False)
    expected = serializers.IntegerField(min_value=0, max_value=2**31 - 1, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs.setdefault("until", timezone.now())
        if not timedelta(0) < attrs["until"] - attrs["since"] <= LONGEST:
            raise invalid("since", f"Before until, and {LONGEST.days} days before it at most.")
        if not attrs["dry_run"] and "expected" not in attrs:
            raise invalid("expected", "Count them first, with dry_run; then say how many you expect.")
        return attrs


def asked_of(found: dict[str, Any]) -> dict[str, str]:
    """As the log's filters are called."""
    named = {name.removesuffix("_id") if name in {"endpoint_id", "hook_id"} else name: found[name] for name in found}
    return {name: _text(value) for name, value in named.items() if name not in {"dry_run", "expected"}}


def _text(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


class Count(serializers.Serializer):
    """`matching` is how many the filter finds, `replayed` how many are sent once more."""

    matching = serializers.IntegerField()
    replayed = serializers.IntegerField()


class DeliveryBody(serializers.Serializer):
    """`message_id` is what its receiver knows it by: the same at each try. `status` and `error` are of the last try.

    `state`: pending and waiting (for its next try), behind (an earlier one of its entity), delivered, failed, dropped.
    """

    id = serializers.IntegerField()
    message_id = serializers.CharField()
    event = serializers.CharField(source="hook.event")
    event_id = serializers.IntegerField()
    entity = serializers.CharField(source="event.entity")
    entity_id = serializers.CharField(source="event.entity_id")
    sequence = serializers.IntegerField(source="event.sequence")
    hook_id = serializers.UUIDField()
    endpoint_id = serializers.UUIDField()
    state = serializers.ChoiceField(choices=Delivery.State.values)
    is_held = serializers.SerializerMethodField()
    tries = serializers.IntegerField()
    status = serializers.IntegerField(allow_null=True)
    error = serializers.CharField()
    created_at = Moment()
    first_tried_at = Moment(allow_null=True)
    next_attempt_at = Moment(allow_null=True)
    finished_at = Moment(allow_null=True)

    def get_is_held(self, delivery: Delivery) -> bool:
        return delivery.state in Delivery.UNDONE and not delivery.endpoint.is_active


class Sent(serializers.Serializer):
    """Signatures, and the values of headers of your own, are not shown."""

    url = serializers.CharField()
    headers = serializers.DictField(child=serializers.CharField())
    body = serializers.CharField()


class CameBack(serializers.Serializer):
    """`body` is the first 4 kB. Headers are kept of what was no success, tokens and the like left out."""

    status = serializers.IntegerField(allow_null=True)
    headers = serializers.DictField(child=serializers.CharField())
    body = serializers.CharField()


class AttemptBody(serializers.Serializer):
    """`error` says why nothing came back."""

    started_at = Moment()
    milliseconds = serializers.IntegerField()
    error = serializers.CharField()
    request = Sent()
    response = CameBack()


class DeliveryInFull(DeliveryBody):
    body = serializers.CharField()
    attempts = AttemptBody(many=True)


def in_full(delivery: Delivery, attempts: list[Attempt]) -> dict[str, Any]:
    """With what was sent, and what came back each time, the oldest first."""
    body = showing.body_of(delivery)
    sent = showing.headers_of_each(delivery, attempts, body=body)
    text = body.decode("utf-8", "replace")
    tried = [_attempt(one, dict(headers), text) for one, headers in zip(attempts, sent, strict=True)]
    return DeliveryBody(delivery).data | {"body": text, "attempts": AttemptBody(tried, many=True).data}


def _attempt(attempt: Attempt, headers: dict[str, str], body: str) -> dict[str, Any]:
    sent = {"url": attempt.url, "headers": headers, "body": body}
    back = dict(showing.without_secrets(attempt.headers))
    came = {"status": attempt.status, "headers": back, "body": attempt.body}
    own = {"started_at": attempt.started_at, "milliseconds": attempt.milliseconds, "error": attempt.error}
    return own | {"request": sent, "response": came}


class Page(serializers.Serializer):
    prev = serializers.URLField(allow_null=True)
    next = serializers.URLField(allow_null=True)
    per_page = serializers.IntegerField()


class DeliveryPage(Page):
    data = DeliveryBody(many=True)  # type: ignore[assignment]


class EventQuery(serializers.Serializer):
    """`search`: the id of a message, of its sender's, or of what it is about; or the number or SKU of that, lately."""

    integration_id = serializers.UUIDField(required=False)
    shop_id = serializers.UUIDField(required=False)
    direction = serializers.ChoiceField(choices=Message.Direction.values, required=False)
    status = serializers.ChoiceField(choices=Message.Status.values, required=False)
    entity = Text(max_length=20, required=False)
    search = Text(max_length=255, required=False)
    since = Moment(required=False)
    until = Moment(required=False)


WORDS = {"integration_id": "integration", "shop_id": "shop", "search": "q"}


def words_of(query: dict[str, Any]) -> dict[str, str]:
    """As the log's filters are called."""
    return {WORDS.get(name, name): _text(value) for name, value in query.items()}


class MessageBody(serializers.Serializer):
    """`acknowledged`: taken over, and not yet through. `ref` is what it is about, or its sender's id of it."""

    id = serializers.CharField()
    direction = serializers.ChoiceField(choices=Message.Direction.values)
    integration_id = serializers.UUIDField(allow_null=True)
    shop_id = serializers.UUIDField(allow_null=True)
    type = serializers.CharField()
    entity = serializers.CharField()
    ref = serializers.CharField()
    status = serializers.ChoiceField(choices=Message.Status.values)
    error = serializers.CharField()
    created_at = Moment()


class MessagePage(Page):
    data = MessageBody(many=True)  # type: ignore[assignment]


class ReceiptBody(serializers.Serializer):
    """What came in. `headers` are those that are kept, signatures and tokens left out."""

    state = serializers.ChoiceField(choices=Receipt.State.values)
    error = serializers.CharField()
    detail = serializers.CharField()
    tries = serializers.IntegerField()
    repeats = serializers.IntegerField()
    received_at = Moment()
    finished_at = Moment(allow_null=True)
    headers = serializers.SerializerMethodField()
    body = serializers.SerializerMethodField()

    @extend_schema_field({"type": "object", "additionalProperties": {"type": "string"}})
    def get_headers(self, receipt: Receipt) -> dict[str, str]:
        return dict(showing.without_secrets(receipt.headers))

    def get_body(self, receipt: Receipt) -> str:
        return bytes(receipt.body).decode("utf-8", "replace")


class MessageInFull(MessageBody):
    """One of `receipt` and `delivery` is null."""

    receipt = ReceiptBody(allow_null=True)
    delivery = DeliveryInFull(allow_null=True)
