"""The owner's page of one event that is sent somewhere: only if it is like this, tried on what happened lately."""

import csv
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.accounts.deciding import SignedIn, actor_of, needs
from apps.api.errors import Problem
from apps.htmx import go, show

from . import filtering, hooking, sentences, showing, trying
from .catalogue import EVENTS, Published
from .hooking import Owner
from .models import Hook

BLANKS = 2
TRIED = 50
DEEPEST = 4
OPS: list[tuple[str, Any]] = [
    ("equals", gettext_lazy("is")),
    ("not_equals", gettext_lazy("is not")),
    ("one_of", gettext_lazy("is one of (with commas)")),
    ("contains", gettext_lazy("contains")),
    ("greater", gettext_lazy("is greater than")),
    ("less", gettext_lazy("is less than")),
    ("exists", gettext_lazy("is there (yes or no)")),
]
YES, NO = {"yes", "true", "1"}, {"no", "false", "0"}


@dataclass(frozen=True, slots=True)
class Row:
    """A condition as it is typed."""

    field: str = ""
    op: str = "equals"
    value: str = ""

    @property
    def is_blank(self) -> bool:
        return not self.field.strip() and not self.value.strip()


@login_required
@needs("connect")
def hook_filter(request: SignedIn, pk: UUID) -> HttpResponse:
    """Its conditions, and which of the last events would pass them."""
    found = Hook.objects.for_principal(request).kept().filter(integration=None, endpoint__deleted_at=None)
    hook = get_object_or_404(found.select_related("organization", "shop", "endpoint"), pk=pk)
    if hook.event not in EVENTS:
        raise Http404
    if request.method != "POST":
        return _page(request, hook, [_row(condition) for condition in hook.filter])
    rows = list(_typed(request.POST))
    try:
        conditions = _conditions(request.POST, rows, hook)
        if "try" in request.POST:
            tried = trying.preview(Owner.of(hook), event=hook.event, filter=conditions, most=TRIED)
            return _page(request, hook, rows, tried=tried)
        hooking.change(hook, filter=conditions, actor=actor_of(request))
    except Problem as problem:
        return _page(request, hook, rows, mistakes=list(_mistakes(problem, rows)))
    messages.success(request, _("Saved."))
    return go(request, "hook", hook.endpoint_id)


def _typed(given: QueryDict) -> Iterator[Row]:
    for field, op, value in zip(*map(given.getlist, ("field", "op", "value")), strict=False):
        yield Row(field, op, value)


def _conditions(given: QueryDict, rows: list[Row], hook: Hook) -> list[dict[str, Any]]:
    """What the rows mean; one that nobody touched means what it did. A form that lost its rows on the way must not let
    everything pass. Raises Problem."""
    counts = {len(given.getlist(name)) for name in ("field", "op", "value")}
    if len(counts) != 1 or 0 in counts:
        raise Problem("validation_error", _("The form did not come whole. Please try again."))
    if any("\x00" in part for row in rows for part in (row.field, row.value)):
        raise Problem("validation_error", _("These signs cannot be stored."))
    published = EVENTS[hook.event]
    types, kept = dict(fields_of(published)), {_row(one): one for one in hook.filter}
    wanted = [kept.get(row) or _condition(row, types) for row in rows if not row.is_blank]
    return filtering.parse(wanted, published=published)


def _condition(row: Row, types: dict[str, str]) -> dict[str, Any]:
    field, text = row.field.strip(), row.value.strip()
    kind = types.get(field.removeprefix("data."), "string")
    if row.op == "one_of":
        value: Any = [_meant(one.strip(), kind) for one in _split(text) if one.strip()]
    elif row.op == "exists":
        value = _yes_or_no(text)
    else:
        value = text if row.op == "contains" else _meant(text, kind)
    return {"field": field, "op": row.op} | ({} if value == "" else {"value": value})


def _split(text: str) -> list[str]:
    """At commas; what has one itself stands in quotes."""
    try:
        return next(csv.reader([" ".join(text.splitlines())], skipinitialspace=True), [])
    except csv.Error:  # longer than any value
        return [text]


def _meant(text: str, kind: str) -> Any:
    """A number or yes and no, where the field holds such; else the text."""
    if kind == "boolean":
        return _yes_or_no(text)
    return _number(text) if kind in {"integer", "number"} else text


def _number(text: str) -> Any:
    """As JSON keeps it; the text where it is none, or a whole one of very many digits."""
    try:
        number = float(text)
    except ValueError:
        return text
    if text.lstrip("+-").isdigit():
        return int(text) if len(text) < 19 else text
    return number if math.isfinite(number) else text


def _yes_or_no(text: str) -> Any:
    word = text.lower()
    return True if word in YES or word == _("yes") else False if word in NO or word == _("no") else text


def fields_of(published: Published) -> list[tuple[str, str]]:
    """What a filter can look at: each path into the data, with what it holds."""
    schema = EVENTS.get(str(published.source), published).schema
    return list(_paths(schema, above="", depth=0))


def _paths(schema: dict[str, Any], *, above: str, depth: int) -> Iterator[tuple[str, str]]:
    for name, inner in _properties(schema).items():
        path = f"{above}{name}"
        deeper = list(_paths(inner, above=f"{path}.", depth=depth + 1)) if depth < DEEPEST else []
        yield from deeper or [(path, _kind(inner))]


def _properties(schema: dict[str, Any]) -> dict[str, Any]:
    """What an object has, or an item of a list of such."""
    return schema.get("properties") or schema.get("items", {}).get("properties", {})


def _kind(schema: dict[str, Any]) -> str:
    """The type of what stands there, of several the first that is not null."""
    kinds = schema.get("type", "string")
    return next((kind for kind in ([kinds] if isinstance(kinds, str) else kinds) if kind != "null"), "string")


def _row(condition: dict[str, Any]) -> Row:
    value = condition["value"]
    text = ", ".join(_quoted(_text(one)) for one in value) if isinstance(value, list) else _text(value)
    return Row(condition["field"], condition["op"], text)


def _quoted(text: str) -> str:
    doubled = text.replace('"', '""')
    return f'"{doubled}"' if "," in text or '"' in text else text


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return "" if value is None else str(value)


def _mistakes(problem: Problem, rows: list[Row]) -> Iterator[str]:
    """What is wrong, with the row it is about: filter[0].value is the first that is filled in."""
    for place, text in problem.details or [("", problem.detail or problem.title)]:
        number = place.removeprefix("filter[").partition("]")[0]
        yield _("Row %(n)d: %(text)s") % {"n": int(number) + 1, "text": text} if number.isdigit() else text


def _page(
    request: SignedIn, hook: Hook, rows: list[Row], *, mistakes: list[str] | None = None, tried: Any = None
) -> HttpResponse:
    published = EVENTS[hook.event]
    kept = [row for row in rows if not row.is_blank]
    context = {
        "hook": hook,
        "heading": sentences.heading(hook.event),
        "rows": [*kept, *[Row()] * BLANKS],
        "fields": [path for path, _kind in fields_of(published)],
        "ops": OPS,
        "mistakes": mistakes or [],
        "tried": tried,
        "passing": sum(event.passes for event in tried or []),
        "sample": showing.pretty(published.sample),
    }
    return show(request, "webhooks/filter.html", context, part="filter")
