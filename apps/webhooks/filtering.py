"""Which events a hook is told of: conditions on their data, all of which must hold.

A condition is {"field", "op", "value"}. `field` is a path into the data, like state or lines.sku; where a list is on
the way, one of its items is enough. Amounts that come as texts, and moments, are compared as what they are.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils.translation import gettext as _

from apps.api.errors import invalid

from .catalogue import EVENTS, Published

MOST = 20  # conditions
MOST_VALUES = 100  # of one
LONGEST = 255  # characters of a field or a value
PLAIN = {"string", "number", "integer", "boolean", "null"}
OPS = ("equals", "not_equals", "one_of", "contains", "greater", "less", "exists")

type Condition = dict[str, Any]


def passes(filter: list[Condition], data: dict[str, Any]) -> bool:
    """Whether an event with this data is told. An empty filter lets everything pass."""
    return all(_holds(condition, list(_values(data, condition["field"].split(".")))) for condition in filter)


def _holds(condition: Condition, found: list[Any]) -> bool:
    """`found` are the values that its field has. One that is not there equals nothing."""
    wanted = condition["value"]
    match condition["op"]:
        case "exists":
            return any(value is not None for value in found) == wanted
        case "equals":
            return any(_same(value, wanted) for value in found)
        case "not_equals":
            return not any(_same(value, wanted) for value in found)
        case "one_of":
            return any(_same(value, one) for value in found for one in wanted)
        case "contains":
            return any(isinstance(value, str) and wanted in value for value in found)
        case _:
            return any(_is_beyond(value, wanted, downwards=condition["op"] == "less") for value in found)


def _values(value: Any, path: list[str]) -> Iterator[Any]:
    """All that stands at the path. Of a list, the items."""
    if isinstance(value, list):
        for item in value:
            yield from _values(item, path)
    elif not path:
        yield value
    elif isinstance(value, dict) and path[0] in value:
        yield from _values(value[path[0]], path[1:])


def _same(value: Any, wanted: Any) -> bool:
    """true is not 1 here, while 1 and 1.0 are the same."""
    return isinstance(value, bool) == isinstance(wanted, bool) and value == wanted


def _is_beyond(value: Any, wanted: Any, *, downwards: bool) -> bool:
    one, other = _measured(value), _measured(wanted)
    if one is None or type(one) is not type(other):
        return False
    return one < other if downwards else one > other  # type: ignore[operator]


def _measured(value: Any) -> Decimal | datetime | None:
    """A number, a text that is one, or a moment with its zone; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
        return None
    try:
        number = Decimal(str(value))
        return number if number.is_finite() else None
    except InvalidOperation:
        return _moment(str(value))


def _moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
        return found.astimezone(UTC) if found.tzinfo else None
    except (ValueError, OverflowError):
        return None


def parse(raw: Any, *, published: Published) -> list[Condition]:
    """The conditions as they are kept, for this event. None is no filter.

    Raises Problem validation_error, which names what is wrong: `filter[0].field`.
    """
    if raw is None:
        return []
    if not isinstance(raw, list | tuple):
        raise invalid("filter", _("Give a list of conditions."))
    if len(raw) > MOST:
        raise invalid("filter", _("Give at most %(most)d conditions.") % {"most": MOST})
    schema = _schema_of(published)
    return [_parsed(one, schema=schema, at=f"filter[{place}]") for place, one in enumerate(raw)]


def _schema_of(published: Published) -> dict[str, Any]:
    """Of the data that a filter looks at: what Pio calls otherwise is an event of ours, too."""
    return EVENTS.get(str(published.source), published).schema


def _parsed(raw: Any, *, schema: dict[str, Any], at: str) -> Condition:
    if not isinstance(raw, dict):
        raise invalid(at, _("Give an object with field, op and value."))
    if unknown := sorted(set(raw) - {"field", "op", "value"}):
        raise invalid(f"{at}.{unknown[0][:LONGEST]}", _("Unknown field."))
    field, op = _field(raw.get("field"), schema=schema, at=f"{at}.field"), raw.get("op", "equals")
    if op not in OPS:
        raise invalid(f"{at}.op", _("Choose one of %(names)s.") % {"names": ", ".join(OPS)})
    return {"field": field, "op": op, "value": _value(op, raw, at=f"{at}.value")}


def _field(raw: Any, *, schema: dict[str, Any], at: str) -> str:
    if not isinstance(raw, str) or not 0 < len(raw) <= LONGEST:
        raise invalid(at, _("Name the field, such as state."))
    path = raw.removeprefix("data.").split(".")
    if "" in path:
        raise invalid(at, _("Name the field, such as state."))
    _check_known(path, schema, at=at)
    return ".".join(path)


def _check_known(path: list[str], schema: dict[str, Any], *, at: str) -> None:
    """Where the schema says what there is, a field is one of those. Raises Problem validation_error."""
    above = names = ""
    for name in path:
        known = _properties(schema)
        if not known and not _is_plain(schema):
            return
        names = ", ".join(f"{above}{one}" for one in known) or names
        if name not in known:
            words = {"name": f"{above}{name}", "names": names}
            raise invalid(at, _("There is no %(name)s. There are: %(names)s.") % words)
        schema, above = known[name], f"{above}{name}."


def _properties(schema: dict[str, Any]) -> dict[str, Any]:
    """What an object, or an item of a list, has; empty when its schema does not say."""
    found = dict(schema.get("properties", {}))
    item = [schema["items"]] if "items" in schema else []
    for inner in [*item, *schema.get("anyOf", []), *schema.get("oneOf", [])]:
        found |= _properties(inner)
    return found


def _is_plain(schema: dict[str, Any]) -> bool:
    """Whether what stands there is a text, a number or the like, or a list of such: nothing stands below it."""
    kinds = schema.get("type", [])
    named = {kinds} if isinstance(kinds, str) else set(kinds)
    if "array" in named:
        return _is_plain(schema.get("items", {}))
    return bool(named) and named <= PLAIN


def _value(op: str, raw: Condition, *, at: str) -> Any:
    value: Any = raw.get("value", True if op == "exists" else None)
    match op:
        case "exists" if not isinstance(value, bool):
            raise invalid(at, _("Say true or false."))
        case "one_of" if not isinstance(value, list) or not 0 < len(value) <= MOST_VALUES:
            raise invalid(at, _("Give a list of 1 to %(most)d values.") % {"most": MOST_VALUES})
        case "one_of":
            return [_plain(one, at=f"{at}[{place}]") for place, one in enumerate(value)]
        case "contains" if not isinstance(value, str) or not value:
            raise invalid(at, _("Give a text."))
        case "greater" | "less" if _measured(value) is None:
            raise invalid(at, _("Give a number, or a moment such as 2026-01-31T12:00:00Z."))
    if "value" not in raw and op != "exists":
        raise invalid(at, _("This field is required."))
    return _plain(value, at=at)


def _plain(value: Any, *, at: str) -> Any:
    """A text, a number, true, false or null, as JSON keeps it."""
    if isinstance(value, Decimal):
        return float(value)
    if value is not None and not isinstance(value, str | int | float | bool):
        raise invalid(at, _("Give a text, a number, true, false or null."))
    if isinstance(value, str) and len(value) > LONGEST:
        raise invalid(at, _("Use at most %(most)d characters.") % {"most": LONGEST})
    return value
