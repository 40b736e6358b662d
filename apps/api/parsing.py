"""Bodies of the calls that come most, checked by pydantic models: compiled once, far faster than serializers.

They are as strict as those (`bodies`), and say what is wrong in the same words.
"""

import re
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, PlainValidator, StringConstraints, ValidationError, WithJsonSchema
from pydantic_core import ErrorDetails, PydanticCustomError

from apps.moments import in_utc

from .bodies import LONGEST_NAME, MOST_NAMED
from .errors import Problem

MOST_WRONG = 100  # errors that an answer names
MOST_DIGITS, MOST_DECIMALS = 14, 4

SEEN, COUNTRY, CURRENCY = r"\S", r"^([A-Z]{2})?$", r"^([A-Z]{3})?$"
AMOUNT = rf"^[0-9]{{1,{MOST_DIGITS}}}(\.[0-9]{{1,{MOST_DECIMALS}}})?$"
PATTERNS = {
    SEEN: "Use at least one character that can be seen.",
    COUNTRY: "Use two letters of ISO 3166, such as NL.",
    CURRENCY: "Use ISO 4217, such as EUR.",
}
# pydantic's types of errors, in the words of the other routes.
SENTENCES = {
    "missing": "This field is required.",
    "extra_forbidden": "Unknown field.",
    "model_type": "Expected an object.",
    "list_type": "Expected a list of items.",
    "string_type": "Not a valid string.",
    "string_too_long": "Ensure this field has no more than {max_length} characters.",
    "string_too_short": "This field may not be blank.",
    "too_long": "Ensure this field has no more than {max_length} elements.",
    "too_short": "This list may not be empty.",
    "int_type": "A valid integer is required.",
    "greater_than_equal": "Ensure this value is greater than or equal to {ge}.",
    "less_than_equal": "Ensure this value is less than or equal to {le}.",
}
NO_AMOUNT = f'Use digits and a point, such as "19.95": no more than {MOST_DECIMALS} decimals.'
NO_MOMENT = "Use ISO 8601 with a time zone, such as 2026-01-31T12:00:00Z."


def _untitled(schema: dict[str, Any]) -> None:
    """pydantic gives everything its own name as a title, which says nothing."""
    for inner in (schema, *schema["properties"].values()):
        inner.pop("title", None)


class StrictModel(BaseModel):
    """Takes what it names and nothing else, and makes nothing into something that it is not."""

    model_config = ConfigDict(strict=True, extra="forbid", json_schema_extra=_untitled)


def parsed[Model: StrictModel](model: type[Model], data: Any) -> Model:
    """The body of a call as this model. Raises Problem validation_error, with every attribute that is wrong."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise all_wrong(_named(error.errors(include_url=False, include_input=False))) from None


def all_wrong(details: Iterable[tuple[str, str]]) -> Problem:
    """These attributes are not as they have to be, each with its sentence (422)."""
    details = list(details)
    told = "; ".join(f"{attribute}: {message}" if attribute else message for attribute, message in details)
    return Problem("validation_error", told, details=details)


def _named(errors: Iterable[ErrorDetails]) -> list[tuple[str, str]]:
    """What is wrong with what we know, and then some of what we do not: `lines[0].sku` and a sentence."""
    known: list[tuple[str, str]] = []
    unknown: list[tuple[str, str]] = []
    for error in errors:
        found = unknown if error["type"] == "extra_forbidden" else known
        found.append((_path(error["loc"]), _sentence(error)))
    return [*known[:MOST_WRONG], *unknown[:MOST_NAMED]]


def _path(place: Iterable[int | str]) -> str:
    steps = (f"[{name}]" if isinstance(name, int) else f".{name[:LONGEST_NAME]}" for name in place)
    return "".join(steps).removeprefix(".")


def _sentence(error: ErrorDetails) -> str:
    context = error.get("ctx", {})
    if error["type"] == "string_pattern_mismatch":
        return PATTERNS[context["pattern"]]
    known = SENTENCES.get(error["type"])
    return known.format_map(context) if known else error["msg"]


def texts(most: int, *, least: int | None = None, pattern: str | None = None) -> StringConstraints:
    """How long a text may be, in characters, and what it looks like. Nothing is trimmed."""
    return StringConstraints(min_length=least, max_length=most, pattern=pattern)


def _amount(value: Any) -> Decimal | None:
    """Exactly what was sent."""
    if value is None:
        return None
    found = _decimal(value)
    if found is None or found.is_signed() or found.adjusted() >= MOST_DIGITS or _decimals(found) > MOST_DECIMALS:
        raise PydanticCustomError("no_amount", "{sentence}", {"sentence": NO_AMOUNT})
    return found


def _decimal(value: Any) -> Decimal | None:
    if isinstance(value, str):
        return Decimal(value) if re.fullmatch(AMOUNT, value) else None
    return Decimal(value) if isinstance(value, int | Decimal) and not isinstance(value, bool) else None


def _decimals(value: Decimal) -> int:
    return -int(value.as_tuple().exponent)


def _moment(value: Any) -> datetime | None:
    if value is None:
        return None
    try:
        found = datetime.fromisoformat(value)
        if found.tzinfo:
            return in_utc(found)
    except (TypeError, ValueError):
        pass
    raise PydanticCustomError("no_moment", "{sentence}", {"sentence": NO_MOMENT})


_TEXT, _NULL = {"type": "string"}, {"type": "null"}
_NUMBER = {"type": "number", "minimum": 0, "exclusiveMaximum": 10**MOST_DIGITS}
Amount = Annotated[
    Decimal | None,
    PlainValidator(_amount),
    WithJsonSchema({"anyOf": [_TEXT | {"pattern": AMOUNT}, _NUMBER, _NULL]}),
]
Moment = Annotated[
    datetime | None,
    PlainValidator(_moment),
    WithJsonSchema({"anyOf": [_TEXT | {"format": "date-time"}, _NULL]}),
]
