"""What differs between two versions of something, in words for people: a small table of before and after."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from .fields import Field
from .models import Integration
from .showing import fields_of

NAMES = {
    "name": gettext_lazy("Name"),
    "flags.orderSync": gettext_lazy("Orders flow"),
    "flags.productSync": gettext_lazy("Products flow"),
    "flags.stockSync": gettext_lazy("Stock flows"),
    "grants": gettext_lazy("Rights"),
    "orderHoldSeconds": gettext_lazy("Seconds that new orders are held"),
    "stockBuffer": gettext_lazy("Pieces kept back"),
    "category": gettext_lazy("Type"),
    "directions.orders": gettext_lazy("Flow of orders"),
    "directions.shipments": gettext_lazy("Flow of shipments"),
    "directions.fulfillments": gettext_lazy("Flow of fulfillments"),
    "directions.products": gettext_lazy("Flow of products"),
    "directions.inventory": gettext_lazy("Flow of stock"),
    "directions.locations": gettext_lazy("Flow of locations"),
    "definition.description": gettext_lazy("Description"),
    "definition.readme": gettext_lazy("Read me"),
    "definition.grants": gettext_lazy("Rights it asks for"),
    "definition.settingsFields": gettext_lazy("Settings it offers"),
    "definition.orgWideAccess": gettext_lazy("Asks to see the whole organization"),
}
SECRET_WORDS = {"set": gettext_lazy("set"), "not set": gettext_lazy("not set"), "changed": gettext_lazy("replaced")}


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that differs, for people."""

    name: Any
    before: Any
    after: Any


def lines(changes: Iterable[dict[str, Any]], integration: Integration) -> list[Line]:
    """Changes `{attribute, before, after}`, in the words of the integration's own fields."""
    fields = {field["key"]: field for field in fields_of(integration)}
    return [_line(change, fields) for change in changes]


def _line(change: dict[str, Any], fields: dict[str, Field]) -> Line:
    name = str(change["attribute"])
    field = fields.get(name.removeprefix("settings.")) if name.startswith("settings.") else None
    known = field["title"] if field else NAMES.get(name, name.removeprefix("settings."))
    return Line(known, words(change["before"], field), words(change["after"], field))


def words(value: Any, field: Field | None = None) -> Any:
    """A value as people read it."""
    match value:
        case None | "" | []:
            return "–"
        case bool():
            return _("Yes") if value else _("No")
        case {"currency": currency, "value": amount}:
            return f"{currency} {amount}"
        case list():
            return ", ".join(str(item.get("title", item) if isinstance(item, dict) else item) for item in value)
    if field and field["type"] == "secret":
        return SECRET_WORDS.get(value, value)
    titles = {option["value"]: option["title"] for option in field["options"]} if field else {}
    return titles.get(value, value) if isinstance(value, str) else value


def table(found: Iterable[Line]) -> str:
    """The lines, as a page shows them."""
    return render_to_string("admin/integrations/difference.html", {"lines": list(found)})


def difference(changes: Iterable[dict[str, Any]], integration: Integration) -> str:
    """The changes of an integration's configuration, as a page shows them."""
    return table(lines(changes, integration))
