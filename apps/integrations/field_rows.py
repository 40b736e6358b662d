"""The settings a custom connector offers, filled in as rows of inputs, and what people type as a setting's value."""

import re
from typing import Any

from django import forms
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import INPUT_CLASSES, SELECT_CLASSES

from .fields import MOST_FIELDS, Field, InvalidFields, check_definition

MONEY = re.compile(r"\s*([A-Za-z]{3})\s+(\S+)\s*")
PLACE = re.compile(r"\[(\d+)\]\.?(\w*)")
SPARE = 3  # empty rows
PARTS = ("title", "key", "type", "default", "options", "data_type", "required")
TYPES = {
    "text": gettext_lazy("One line of text"),
    "textarea": gettext_lazy("Several lines"),
    "select": gettext_lazy("A choice"),
    "boolean": gettext_lazy("Yes or no"),
    "money": gettext_lazy("Money"),
    "secret": gettext_lazy("A secret"),
}
NAMES = {
    "title": gettext_lazy("Title"),
    "key": gettext_lazy("Short name"),
    "type": gettext_lazy("Kind"),
    "default": gettext_lazy("Unless set"),
    "options": gettext_lazy("Choices"),
    "required": gettext_lazy("Has to be set"),
}


def as_input(kind: str, value: Any) -> Any:
    """A setting's value, as its input holds it."""
    if kind == "boolean":
        return bool(value)
    if isinstance(value, dict):
        return f"{value['currency']} {value['value']}"
    return (value or "").replace("\r\n", "\n")


def as_value(kind: str, typed: Any) -> Any:
    """What was typed, as `fields.check_values` wants it; None for nothing."""
    if kind == "money" and (found := MONEY.fullmatch(typed)):
        return {"currency": found[1].upper(), "value": found[2].replace(",", ".")}
    return typed if kind == "boolean" else typed or None


def _row(field: Field) -> dict[str, Any]:
    """A field as its inputs hold it."""
    choices = [(option["title"], option["value"]) for option in field["options"]]
    lines = [title if title == value else f"{value}: {title}" for title, value in choices]
    default = "" if field["default"] is None else as_input(field["type"], field["default"])
    if isinstance(default, bool):
        default = _("yes") if default else _("no")
    return field | {"options": "\n".join(lines), "default": default, "data_type": field["data_type"] or ""}


def _field(row: dict[str, Any]) -> Field:
    """What inputs hold, as a field. Its short name is made of the title when none was typed."""
    key = row["key"] or re.sub(r"\W", "_", slugify(row["title"])).strip("_")
    default: Any = as_value(row["type"], row["default"])
    if row["type"] == "boolean":
        words = {_("yes").lower(): True, _("no").lower(): False, "": None}
        default = words.get(str(default).strip().lower(), default)
    made = {"key": key, "title": row["title"], "type": row["type"], "default": default, "required": row["required"]}
    options = [_option(line) for line in row["options"].splitlines() if line.strip()]
    return made | {"options": options, "data_type": row["data_type"] or None}


def _option(line: str) -> dict[str, str]:
    """`value: title`, or one word for both."""
    value, colon, title = (part.strip() for part in line.partition(":"))
    return {"value": value, "title": title if colon else value}


class RowsWidget(forms.Widget):
    """Its value is a list of fields; of what was typed, a list of rows."""

    use_fieldset = True

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[dict[str, Any]]:
        rows = (
            {part: str(data.get(f"{name}-{place}-{part}", "")).strip() for part in PARTS}
            for place in range(MOST_FIELDS + SPARE)
        )
        return [row | {"required": bool(row["required"])} for row in rows if row["title"] or row["key"]]

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return False

    def id_for_label(self, id_: str, index: Any = None) -> str:
        return ""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        rows = [row if isinstance(row["options"], str) else _row(row) for row in value or []]
        spare = [{"type": "text", "place": place} for place in range(len(rows), min(len(rows) + SPARE, MOST_FIELDS))]
        context = {"name": name, "rows": rows, "spare": spare, "types": TYPES, "names": NAMES}
        classes = {"input": " ".join(INPUT_CLASSES), "select": " ".join(SELECT_CLASSES)}
        return render_to_string("admin/integrations/_field_rows.html", context | classes)


class RowsField(forms.Field):
    """Cleaned, it is a list of fields as `fields.check_definition` makes them."""

    widget = RowsWidget

    def clean(self, value: Any) -> list[Field]:
        try:
            return check_definition([_field(row) for row in value or []], attribute="")
        except InvalidFields as problem:
            raise forms.ValidationError([_placed(*wrong) for wrong in problem.details]) from problem


def _placed(attribute: str, message: str) -> str:
    """What is wrong, with the number of its row and the name of its input."""
    found = PLACE.match(attribute)
    if found is None:
        return message
    place, part = int(found[1]) + 1, found[2]
    return _("Row %(n)d, %(name)s: %(message)s") % {"n": place, "name": NAMES.get(part, part), "message": message}
