"""How a custom integration's inbox looks over the API, and what is said to set one up (Pipe17's family of names)."""

import re
from typing import Any

from rest_framework import serializers

from apps.api.bodies import Strict, Text
from apps.integrations.connectors.signatures import BODY, ID, TIMESTAMP, Terms
from apps.integrations.models import LONGEST_OVERLAP

from .inboxes import OVERLAP, address_of
from .models import Inbox, InboxSecret

NAME = re.compile(r"[A-Za-z0-9-]{1,100}")
NOT_THESE = {"authorization", "cookie", "host", "content-type", "content-length"}


def header_name(value: str) -> None:
    if not NAME.fullmatch(value) or value.lower() in NOT_THESE:
        raise serializers.ValidationError("Name a header of your own, such as X-Signature.")


class Header(Text):
    """The name of a header; none when empty."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=100, required=False, allow_blank=True, validators=[header_name], **options)


class InboxSetUp(Strict):
    """How your sender signs. `standard` needs nothing else. With `hmac` you name its headers: the signature's, and
    perhaps those of its id of the message and of the time (seconds since 1970).

    `signed` is what is signed: `{body}`, or something before it, such as `{timestamp}.{body}`. A time that is not
    signed would prove nothing, so `timestampHeader` and `{timestamp}` come together.
    """

    scheme = serializers.ChoiceField(choices=Inbox.Scheme.values)
    signatureHeader = Header(source="signature")
    encoding = serializers.ChoiceField(choices=["hex", "base64"], required=False)
    idHeader = Header(source="id")
    timestampHeader = Header(source="timestamp")
    signed = Text(max_length=200, required=False, trim_whitespace=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        terms = {name: value for name, value in attrs.items() if name != "scheme" and value}
        if attrs["scheme"] == Inbox.Scheme.STANDARD and terms:
            raise serializers.ValidationError("Standard Webhooks name their headers by themselves.")
        if attrs["scheme"] == Inbox.Scheme.HMAC:
            check_terms(terms)
        return {"scheme": attrs["scheme"], "terms": Terms(**terms) if attrs["scheme"] == Inbox.Scheme.HMAC else None}


def check_terms(terms: dict[str, str]) -> None:
    """Raises ValidationError, by attribute."""
    signed = terms.get("signed", BODY)
    if "signature" not in terms:
        raise serializers.ValidationError({"signatureHeader": ["Name the header that has the signature."]})
    if not signed.endswith(BODY) or signed.count(BODY) != 1 or not signed.isascii() or not signed.isprintable():
        raise serializers.ValidationError({"signed": ["It has to end with {body}."]})
    if signed.count(TIMESTAMP) != ("timestamp" in terms):
        raise serializers.ValidationError({"signed": ["{timestamp} and a timestampHeader come together."]})
    if ID in signed and "id" not in terms:
        raise serializers.ValidationError({"signed": ["{id} needs an idHeader."]})


class InboxRotation(Strict):
    """How long the secrets of now are still accepted: 0 (not at all) to 604800 seconds (7 days)."""

    overlapSeconds = serializers.IntegerField(
        min_value=0, max_value=int(LONGEST_OVERLAP.total_seconds()), default=int(OVERLAP.total_seconds())
    )


class SecretShape(serializers.Serializer):
    """A secret is accepted until `notAfter`; without one, until it is rotated."""

    id = serializers.UUIDField()
    createdAt = serializers.DateTimeField(source="created_at")
    notAfter = serializers.DateTimeField(source="not_after", allow_null=True)


class InboxShape(serializers.Serializer):
    """Where your sender sends to, and how it signs. `state` is not_set_up until you said how."""

    address = serializers.SerializerMethodField()
    state = serializers.SerializerMethodField()
    scheme = serializers.CharField()
    signatureHeader = serializers.CharField(source="terms.signature", default="")
    encoding = serializers.CharField(source="terms.encoding", default="")
    idHeader = serializers.CharField(source="terms.id", default="")
    timestampHeader = serializers.CharField(source="terms.timestamp", default="")
    signed = serializers.CharField(source="terms.signed", default="")
    secrets = serializers.SerializerMethodField()

    def get_address(self, inbox: Inbox) -> str:
        return address_of(inbox)

    def get_state(self, inbox: Inbox) -> str:
        return "receiving" if inbox.scheme else "not_set_up"

    def get_secrets(self, inbox: Inbox) -> list[dict[str, Any]]:
        return [dict(SecretShape(row).data) for row in InboxSecret.objects.filter(inbox=inbox).live()]


class OpenedShape(InboxShape):
    """`secret` is there when one was made just now. It is shown this once."""

    secret = serializers.CharField(required=False)


class NewSecretShape(serializers.Serializer):
    """What your sender is to sign with from now on. It is shown this once."""

    secret = serializers.CharField()
