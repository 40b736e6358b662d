"""The one box, as a list under it while somebody types, and as a page for whoever has no JavaScript."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from apps.accounts.deciding import SignedIn
from apps.catalog.models import WaitingSku
from apps.integrations.keys_admin import STATES
from apps.integrations.models import ApiKey
from apps.operations import NAVIGATION, address_of, navigation

from .finding import KINDS, MOST, Kind, meant

# Lists look there, too. Unknown SKUs are a view without an index.
site: Any = admin.site
site.found_by.update({kind.model: kind for kind in KINDS if kind.model is not WaitingSku})

ICONS: dict[str, str] = {label: icon for _title, models in NAVIGATION for label, icon in models.items()}


@dataclass(frozen=True, slots=True)
class Hit:
    """`number` is its place among all. `is_exact`: it is called just so. A bare number is `is_vague`."""

    title: str
    link: str
    organization: str = ""
    state: str = ""
    is_exact: bool = False
    is_vague: bool = False
    number: int = 0


@dataclass(frozen=True, slots=True)
class Group:
    """The hits of one kind. `more` is the list of all like them, empty when these are all."""

    name: str
    icon: str
    hits: list[Hit]
    more: str = ""
    more_number: int = 0


def search(request: SignedIn) -> HttpResponse:
    """What is called so; straight to the only one that is called just so, when somebody pressed Enter."""
    typed = request.GET.get("s", "")
    text = meant(typed)
    groups = found(request, text) if text else []
    if not request.htmx and (only := _only(groups)):
        return redirect(only.link)
    hits = sum(len(group.hits) for group in groups)
    context = {"groups": groups, "text": text, "typed": text or typed[:100], "n": hits}
    if request.htmx:
        return render(request, "unfold/helpers/command_results.html", context)
    context |= admin.site.each_context(request) | {"title": _("Search")}
    return render(request, "admin/desk/search.html", context)


def found(request: HttpRequest, text: str) -> list[Group]:
    """Of each kind that this person may look at; groups with exact hits first."""
    groups = [group for kind in KINDS if _may_see(request, kind.model) and (group := _group(kind, text))]
    groups.sort(key=lambda group: not group.hits[0].is_exact)
    if pages := _pages(request, text):
        groups.append(pages)
    return list(_numbered(groups))


def _may_see(request: HttpRequest, model: type[Model]) -> bool:
    return admin.site.get_model_admin(model).has_view_permission(request)


def _group(kind: Kind, text: str) -> Group | None:
    if not (rows := kind.rows(text)):
        return None
    hits = [_hit(kind, row, text) for row in rows[:MOST]]
    names = kind.model._meta
    more = ""
    if len(rows) > MOST:
        more = f"{reverse(f'admin:{names.app_label}_{names.model_name}_changelist')}?{urlencode({'q': text})}"
    return Group(str(names.verbose_name_plural), ICONS.get(names.label_lower, "data_object"), hits, more)


def _hit(kind: Kind, row: Any, text: str) -> Hit:
    organization = getattr(row, "organization", None)
    is_exact = kind.is_exact(row, text)
    return Hit(str(row), address_of(row), str(organization or ""), state_of(row), is_exact, kind.is_vague)


def state_of(row: Any) -> str:
    """In a word; empty for what has none."""
    if hasattr(row, "get_state_display"):
        return str(row.get_state_display())
    if isinstance(row, ApiKey):
        return str(STATES[row.state])
    if hasattr(row, "archived_at"):
        return _("No longer listed") if row.archived_at else ""
    if hasattr(row, "is_ignored"):
        return _("Put aside") if row.is_ignored else _("Unknown")
    if hasattr(row, "is_active"):
        return _("Active") if row.is_active else _("Switched off")
    return ""


def _pages(request: HttpRequest, text: str) -> Group | None:
    """The lists of the sidebar with such a name."""
    items = [item for group in navigation(request) for item in group["items"]]
    named = [item for item in items if text.casefold() in str(item["title"]).casefold()]
    hits = [Hit(str(item["title"]), item["link"]) for item in named[:MOST]]
    return Group(_("lists"), "list", hits) if hits else None


def _numbered(groups: list[Group]) -> Iterator[Group]:
    """Counted through, the links to more as well: the arrow keys go from one to the next."""
    number = count(1)
    for group in groups:
        hits = [replace(hit, number=next(number)) for hit in group.hits]
        yield replace(group, hits=hits, more_number=next(number) if group.more else 0)


def _only(groups: list[Group]) -> Hit | None:
    """The one exact hit there is; of a bare number, the one that is surely meant."""
    exact = [hit for group in groups for hit in group.hits if hit.is_exact]
    sure = [hit for hit in exact if not hit.is_vague] or exact
    return sure[0] if len(sure) == 1 else None
