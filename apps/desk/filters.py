"""The filters in the address of a list: which it still knows, and what they say to people."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import prepare_lookup_value
from django.contrib.admin.views.main import ALL_VAR, ERROR_FLAG, ORDER_VAR, PAGE_VAR, SEARCH_VAR
from django.core.exceptions import FieldDoesNotExist, FieldError, ValidationError
from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext as _

NO_FILTERS = (PAGE_VAR, ALL_VAR, ERROR_FLAG, ORDER_VAR)  # which part of it, and in which order
SHOWN = 60  # letters of a value


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter that is on: what it is called, what is chosen, and the list without it."""

    name: str
    value: str
    without: str


# ---- Kept


def kept(pages: Any, request: HttpRequest, query: str) -> tuple[str, list[str]]:
    """The query in one order, without the page number, and the names in it that the list does not know."""
    asked, known, unknown = QueryDict(query), QueryDict(mutable=True), []
    for name in sorted(asked):
        values = [value for value in asked.getlist(name) if value]
        if not values or name.startswith("_") or name in {PAGE_VAR, ALL_VAR, ERROR_FLAG}:
            continue
        if _is_known(pages, request, name, values):
            known.setlist(name, values)
        else:
            unknown.append(name)
    return known.urlencode(), unknown


def _is_known(pages: Any, request: HttpRequest, name: str, values: list[str]) -> bool:
    if name in {ORDER_VAR, SEARCH_VAR} or name in _parameters(pages.get_list_filter(request)):
        return True
    try:
        pages.model._base_manager.filter(**{name: prepare_lookup_value(name, values[0])})
        return bool(pages.lookup_allowed(name, values[0], request))
    except (FieldError, FieldDoesNotExist, ValueError, ValidationError, IncorrectLookupParameters):
        return False


def _parameters(filters: Sequence[Any]) -> Iterator[str]:
    """What is no lookup of a column: a filter's own word, and the ends of a range."""
    for one in filters:
        path = one[0] if isinstance(one, tuple) else one
        if isinstance(path, str):
            yield from (f"{path}__isempty", f"{path}_from", f"{path}_to")
        else:
            yield path.parameter_name


# ---- Shown


def chips(changelist: Any, request: HttpRequest) -> Iterator[Chip]:
    """Each filter that is on, the search as well."""
    left = {name: str(value) for name, value in request.GET.items() if value and not name.startswith("_")}
    for name in NO_FILTERS:
        left.pop(name, None)
    for spec in changelist.filter_specs:
        chosen = {name: left.pop(name) for name in spec.expected_parameters() if name in left}
        if chosen:
            said = choice(spec, list(chosen.values()), changelist)[:SHOWN]
            yield Chip(str(spec.title), said, _without(request, *chosen))
    if text := left.pop(SEARCH_VAR, ""):
        yield Chip(_("search"), text[:SHOWN], _without(request, SEARCH_VAR))
    for name, value in left.items():
        yield Chip(name.split("__")[0].replace("_", " "), value[:SHOWN], _without(request, name))


def _without(request: HttpRequest, *names: str) -> str:
    left = request.GET.copy()
    for name in (*names, PAGE_VAR, ERROR_FLAG):
        left.pop(name, None)
    return f"?{left.urlencode()}"


def choice(spec: Any, values: Sequence[str], changelist: Any) -> str:
    """What is chosen by these values of a filter, as the filter offers it."""
    value, field = values[0], getattr(spec, "field", None)
    if field is not None and field.is_relation:
        return str(_row(field.related_model, value) or value)
    choices = field.flatchoices if field is not None else getattr(spec, "lookup_choices", ())
    if choices:
        return str(dict(choices).get(value, value))
    shown = [str(one["display"]) for one in spec.choices(changelist) if one.get("selected") and "display" in one]
    return shown[0] if shown else ", ".join(values)


def _row(model: Any, pk: str) -> Any:
    try:
        return model._base_manager.filter(pk=pk).first()
    except (ValueError, ValidationError):
        return None
