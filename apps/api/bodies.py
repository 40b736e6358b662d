"""What a call may bring: strict JSON, and serializers that refuse what they do not know."""

import json
import math
from decimal import Decimal
from typing import Any

from django.http import UnreadablePostError
from rest_framework import serializers
from rest_framework.parsers import BaseParser

from .errors import Problem

DEEPEST = 20  # nesting of objects and lists
MOST_NAMED, LONGEST_NAME = 10, 100  # unknown fields that an answer names


class StrictJSON(BaseParser):
    """RFC 8259 without its leniencies: UTF-8 only, no name twice, no NaN, nothing PostgreSQL could not store.

    Raises Problem: malformed_request, body_too_large, unsupported_media_type, length_required.
    """

    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        request = parser_context["request"]._request
        if request.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise Problem("unsupported_media_type", "Send the body uncompressed.")
        try:
            return read(request.body)
        except UnreadablePostError:
            raise Problem("malformed_request", "The body ended too early.") from None


def lacks_length(request: Any) -> bool:
    """Whether a body comes that does not say how long it is: it would be taken for an empty one."""
    return bool(request.headers.get("Transfer-Encoding")) and not request.headers.get("Content-Length")


def read(body: bytes) -> Any:
    """The value of a JSON text. Raises Problem malformed_request."""
    try:
        text = body.decode()
        found = json.loads(text, object_pairs_hook=_once_each, parse_constant=_no_number, parse_float=_number)
        if text.count("{") + text.count("[") > DEEPEST:
            _check_depth(found, DEEPEST)
        if "\\u" in text:  # nothing else makes a text that cannot be stored: the body is UTF-8
            _check_texts(found)
    except (ValueError, RecursionError) as error:
        raise Problem("malformed_request", _reason(error)) from error
    return found


def _reason(error: Exception) -> str:
    return "It is nested too deeply." if isinstance(error, RecursionError) else f"Not valid JSON: {error}"


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name occurs twice in one object")
    return found


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is not a number")


def _number(text: str) -> Decimal:
    """Exactly what was sent; but nothing that a double, and so any other program, could not hold."""
    if not math.isfinite(float(text)):
        raise ValueError("a number is too large")
    return Decimal(text)


def _check_depth(value: dict[str, Any] | list[Any], depth: int) -> None:
    """Refuse what is nested deeper than that."""
    if depth == 0:
        raise RecursionError
    for inner in value.values() if isinstance(value, dict) else value:
        if isinstance(inner, dict | list):
            _check_depth(inner, depth - 1)


def _check_texts(value: Any) -> None:
    """Refuse texts that cannot be stored."""
    if isinstance(value, str):
        if not is_storable(value):
            raise ValueError("a text holds the character NUL or half of a surrogate pair")
    elif isinstance(value, dict | list):
        for inner in [*value, *value.values()] if isinstance(value, dict) else value:
            _check_texts(inner)


def is_storable(text: str) -> bool:
    """Whether PostgreSQL can hold it."""
    try:
        return b"\x00" not in text.encode()
    except UnicodeEncodeError:
        return False


class Text(serializers.CharField):
    """A text, and nothing that could be made one."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class Flag(serializers.BooleanField):
    """true or false, and no word or number for it."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class Strict(serializers.Serializer):
    """Refuses every field it does not know, and each name it does not expect in the address's query, too."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict) and (unknown := sorted(set(data) - set(self._writable()))):
            named = [name[:LONGEST_NAME] for name in unknown[:MOST_NAMED]]
            raise serializers.ValidationError({name: ["Unknown field."] for name in named})
        return super().to_internal_value(data)

    def _writable(self) -> list[str]:
        return [name for name, field in self.fields.items() if not field.read_only]


def checked(serializer: type[serializers.Serializer], data: Any, **context: Any) -> dict[str, Any]:
    """The validated values of a body. Raises ValidationError (422)."""
    read_in = serializer(data=data, context=context)
    read_in.is_valid(raise_exception=True)
    return dict(read_in.validated_data)
