"""What an integration can be set to: typed fields, and whether values fit them (contracts 4.1, behaviours 36 and 37).

A field is a dict with exactly `KEYS`. Its `key` names its value, `title` is what people read. `type` is one of `TYPES`;
`data_type` is free for whoever reads the value ("sku", "days"), or None. `default` holds while there is no value of
its own. `options` are what a select can be, `{title, value}` each. The `type`s of pack.cloud `brand` and `wysiwyg` are
not offered.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from apps.api.bodies import is_storable
from apps.api.errors import Problem

KEYS = ("key", "title", "data_type", "type", "default", "required", "options")
KEY = re.compile(r"[a-z][a-z0-9_]{0,49}")
CURRENCY = re.compile(r"[A-Z]{3}")  # ISO 4217
AMOUNT = re.compile(r"-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,4})?")
MOST_FIELDS = 50
MOST_OPTIONS = 200
LONGEST = {"text": 500, "textarea": 10_000, "secret": 2_000}  # characters
LONGEST_WORD = 200  # characters of a title and of an option

type Field = dict[str, Any]
type Wrong = tuple[str, str]  # an attribute, and what is wrong with it


class InvalidFields(Problem):
    """Something is not as it has to be (422). `details` are pairs: `settings_fields[0].type`, what is wrong with it."""

    def __init__(self, wrong: Sequence[Wrong]) -> None:
        text = "; ".join(f"{attribute}: {message}" for attribute, message in wrong)
        super().__init__("validation_error", text, details=wrong)


def check_definition(fields: Any, *, attribute: str = "settings_fields") -> list[Field]:
    """The fields with everything that was left out filled in. Raises InvalidFields, naming `attribute[n].…`."""
    if not isinstance(fields, list) or len(fields) > MOST_FIELDS:
        raise InvalidFields([(attribute, _("Must be a list of at most %(n)d fields.") % {"n": MOST_FIELDS})])
    wrong = [found for place, field in enumerate(fields) for found in _of_field(field, f"{attribute}[{place}]")]
    keys = [field.get("key") for field in fields if isinstance(field, dict)]
    wrong += [(f"{attribute}[{place}].key", _("Another field has this key.")) for place in _repeated(keys) if not wrong]
    if wrong:
        raise InvalidFields(wrong)
    return [_whole(field) for field in fields]


def check_values(fields: Iterable[Field], values: Any, *, attribute: str = "settings") -> dict[str, Any]:
    """The values, each as its field's type wants it; null takes a value away. Says nothing of missing ones.

    Raises InvalidFields, naming `attribute.key`, or only the key when `attribute` is empty.
    """
    if not isinstance(values, dict):
        raise InvalidFields([(attribute or "body", _("Must be an object."))])
    known = {field["key"]: field for field in fields}
    wrong = [(_inside(attribute, key), _("Unknown field.")) for key in sorted(set(values) - set(known))]
    for key, value in values.items():
        if key in known and value is not None and (message := wrong_value(known[key], value)):
            wrong.append((_inside(attribute, key), message))
    if wrong:
        raise InvalidFields(wrong)
    return dict(values)


def check_required(fields: Iterable[Field], present: Iterable[str], *, attribute: str = "settings") -> None:
    """Raises InvalidFields when a required field has neither a value nor a default. `present` are keys."""
    needed = [field["key"] for field in fields if field["required"] and field["default"] is None]
    if missing := [key for key in needed if key not in set(present)]:
        raise InvalidFields([(_inside(attribute, key), _("Required.")) for key in missing])


def _inside(attribute: str, key: str) -> str:
    return f"{attribute}.{key}" if attribute else key


def wrong_value(field: Field, value: Any) -> str:
    """What is wrong with a value of this field; empty when nothing is."""
    if field["type"] == "select":
        is_option = any(value == option["value"] for option in field["options"])
        return "" if is_option else _("Must be the value of one of its options.")
    return VALUES[field["type"]](value)


def _wrong_flag(value: Any) -> str:
    return "" if isinstance(value, bool) else _("Must be true or false.")


def _wrong_money(value: Any) -> str:
    """Money is {currency, value}, with the amount as a text (contracts 4.3)."""
    if not isinstance(value, dict) or set(value) != {"currency", "value"}:
        return _("Must be an object of currency and value.")
    if not _fits(CURRENCY, value["currency"]):
        return _("Its currency must be three capital letters (ISO 4217).")
    return "" if _fits(AMOUNT, value["value"]) else _("Its value must be a decimal number, as a text.")


def _wrong_line(value: Any) -> str:
    if isinstance(value, str) and not value.isprintable():
        return _("Must be a single line.")
    return _wrong_text(value, most=LONGEST["text"])


def _wrong_textarea(value: Any) -> str:
    return _wrong_text(value, most=LONGEST["textarea"])


def _wrong_secret(value: Any) -> str:
    return _wrong_text(value, most=LONGEST["secret"]) or ("" if value else _("May not be empty."))


def _wrong_text(value: Any, *, most: int) -> str:
    if isinstance(value, str) and is_storable(value) and len(value) <= most:
        return ""
    return _("Must be a text of at most %(n)d characters.") % {"n": most}


VALUES: Mapping[str, Callable[[Any], str]] = {
    "boolean": _wrong_flag,
    "money": _wrong_money,
    "text": _wrong_line,
    "textarea": _wrong_textarea,
    "secret": _wrong_secret,
}
TYPES = (*VALUES, "select")


def _fits(pattern: re.Pattern[str], value: Any) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def _of_field(field: Any, path: str) -> Iterator[Wrong]:
    """What is wrong with the definition of one field."""
    if not isinstance(field, dict):
        yield path, _("Must be an object.")
        return
    for key in sorted(set(field) - set(KEYS)):
        yield f"{path}.{key}", _("Unknown field.")
    if not _fits(KEY, field.get("key")):
        yield f"{path}.key", _("Must begin with a small letter; then small letters, digits and _; at most 50.")
    if not _is_word(field.get("title")):
        yield f"{path}.title", _("Must be a text of 1 to %(n)d characters.") % {"n": LONGEST_WORD}
    if field.get("data_type") is not None and not _is_word(field["data_type"]):
        yield f"{path}.data_type", _("Must be a text of 1 to %(n)d characters.") % {"n": LONGEST_WORD}
    if not isinstance(field.get("required", False), bool):
        yield f"{path}.required", _("Must be true or false.")
    yield from _of_type(field, path)


def _of_type(field: Field, path: str) -> Iterator[Wrong]:
    if field.get("type") not in TYPES:
        yield f"{path}.type", _("Must be one of: %(values)s.") % {"values": ", ".join(TYPES)}
        return
    options = field.get("options", [])
    if message := _wrong_options(options, is_select=field["type"] == "select"):
        yield f"{path}.options", message
    elif message := _wrong_default(field | {"options": options}):
        yield f"{path}.default", message


def _wrong_options(options: Any, *, is_select: bool) -> str:
    if not isinstance(options, list) or bool(options) != is_select or len(options) > MOST_OPTIONS:
        most = {"n": MOST_OPTIONS}
        return _("Must be a list of 1 to %(n)d options.") % most if is_select else _("Only a select has options.")
    if not all(map(_is_option, options)):
        return _("Each must be an object of title and value, both texts of at most 200 characters.")
    return _("Two options have the same value.") if _repeated([option["value"] for option in options]) else ""


def _is_option(option: Any) -> bool:
    return isinstance(option, dict) and set(option) == {"title", "value"} and all(map(_is_word, option.values()))


def _wrong_default(field: Field) -> str:
    if field.get("default") is None:
        return ""
    return _("A secret has no default.") if field["type"] == "secret" else wrong_value(field, field["default"])


def _is_word(value: Any) -> bool:
    return isinstance(value, str) and value.strip() != "" and len(value) <= LONGEST_WORD and is_storable(value)


def _repeated(values: Sequence[Any]) -> list[int]:
    """The places of those that came before already."""
    return [place for place, value in enumerate(values) if value in values[:place]]


def _whole(field: Field) -> Field:
    usual: Field = {"data_type": None, "default": None, "required": False, "options": []}
    found = usual | field
    return {key: found[key] for key in KEYS}
