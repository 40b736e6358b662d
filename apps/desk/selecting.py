"""All rows that a list of the admin shows under a filter, found by the list's own code, for one person.

What is kept of a list is its address. Who it is looked at for is asked anew each time: what they may see is decided by
the permissions they have then.
"""

from collections.abc import Iterable, Iterator
from copy import copy
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.contrib.admin.exceptions import DisallowedModelAdminLookup
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.db import OperationalError, connection, transaction
from django.db.models import AutoField, BigAutoField, Model, QuerySet
from django.http import HttpRequest, QueryDict
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from unfold.views import ChangeList

from apps.accounts.models import User
from apps.api.errors import Problem
from apps.listed import MAY_LACK, UNREADABLE, may_lack
from apps.orders.ids import time_ordered_id

from . import filters

MOST = 1_000_000  # rows of one job
MOST_OF_A_VIEW = 20_000  # where each batch has to put the rows together anew
MOST_FOUND = 10_000  # rows of a search
COUNTING = "10s"
BORN = ("created_at", "received_at", "at", "sent_at")  # where ids do not grow with time
SEARCH = "q"
NO_FILTER = ("p", "o", "e", "all", "_facets", "_popup", "_to_field", "_source_model")  # which part, in which order


class _Whole(ChangeList):
    """A list that neither counts its rows nor looks for those of a page."""

    def get_results(self, request: HttpRequest) -> None:
        self.result_list = ()


class _Complaints:
    """In the place of a page's messages: a filter that cannot be read must never become no filter."""

    def add(self, level: int, message: Any, extra_tags: str = "") -> None:
        raise _unreadable()


@dataclass(frozen=True, slots=True)
class Selection:
    """`rows` in no order, with all that the list's columns need. `words` is the filter as people read it."""

    pages: Any
    request: HttpRequest
    rows: QuerySet[Any]
    words: list[tuple[str, str]]

    def until(self, upto: str, *, asked_at: datetime) -> "Selection":
        """Only those that were there when somebody asked."""
        if upto:
            rows = self.rows.filter(pk__lte=upto)
        else:
            born = _born(self.rows.model)
            rows = self.rows.filter(**{f"{born}__lte": asked_at}) if born else self.rows
        return Selection(self.pages, self.request, rows, self.words)

    def refuse_what_may_lack_rows(self) -> None:
        """Raises Problem validation_error when they are found by a search that may not have found all."""
        if may_lack(self.request):
            raise Problem("validation_error", str(MAY_LACK))

    def after(self, cursor: str, *, most: int) -> list[Any]:
        """The next ones in the order of their ids. Raises Problem as above."""
        self.refuse_what_may_lack_rows()
        rows = self.rows.filter(pk__gt=cursor) if cursor else self.rows
        return list(rows.order_by("pk")[:most])


def listed(label: str) -> Any:
    """The pages of the model with this label. Raises Problem not_found."""
    try:
        return admin.site.get_model_admin(apps.get_model(label))
    except (LookupError, ValueError, admin.exceptions.NotRegistered):
        raise Problem("not_found") from None


def select(label: str, query: str, *, user: User, found: list[str] | None = None) -> Selection:
    """What the list of `label` shows them under `query`, what follows the "?" in its address; when it is given, only of
    what its search `found` before.

    Raises Problem: not_found for no list, validation_error for a filter that cannot be read; PermissionDenied.
    """
    pages = listed(label)
    request = _request(user, query, leaving=NO_FILTER if found is None else (*NO_FILTER, SEARCH))
    if not pages.has_view_permission(request):
        raise PermissionDenied(label)
    whole = copy(pages)
    whole.get_changelist = lambda asked, **more: _Whole
    try:
        shown = whole.get_changelist_instance(request)
    except (IncorrectLookupParameters, DisallowedModelAdminLookup):
        raise _unreadable() from None
    rows = shown.queryset.order_by()
    rows = rows if found is None else rows.filter(pk__in=found)
    return Selection(pages, request, rows, list(_in_words(shown, request)))


def _request(user: User, query: str, *, leaving: Iterable[str]) -> HttpRequest:
    request = HttpRequest()
    request.method, request.user = "GET", user
    request._messages = _Complaints()  # type: ignore[attr-defined]
    chosen = QueryDict(query, mutable=True)
    for name in leaving:
        chosen.pop(name, None)
    request.GET = chosen  # type: ignore[assignment]
    return request


def _unreadable() -> Problem:
    return Problem("validation_error", _("The filter of this list cannot be read any more. Choose it anew."))


def count(selection: Selection) -> int:
    """How many they are, exactly. Raises Problem validation_error when they are too many, too long to count, or found
    by a search that may not have found all."""
    selection.refuse_what_may_lack_rows()
    most = MOST if selection.rows.model._meta.managed else MOST_OF_A_VIEW
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL statement_timeout = '{COUNTING}'")
            number = selection.rows.values("pk")[: most + 1].count()
            cursor.execute("SET LOCAL statement_timeout = DEFAULT")
    except OperationalError:
        text = _("Counting them takes too long. Narrow the filter, for example to one organization.")
        raise Problem("validation_error", text) from None
    except UNREADABLE:
        raise _unreadable() from None
    if number > most:
        raise _too_many(most)
    return number


def _too_many(most: int) -> Problem:
    shown = number_format(most, force_grouping=True)
    return Problem("validation_error", _("They are more than %(most)s. Narrow the filter.") % {"most": shown})


def found(selection: Selection) -> list[str] | None:
    """The ids of what was searched for; None where nothing was.

    The same words can mean others later: of orders, those called just so, or else those whose number begins so.

    Raises Problem validation_error for more than MOST_FOUND, and for a search that may not have found all.
    """
    selection.refuse_what_may_lack_rows()
    if not selection.request.GET.get(SEARCH, "").strip():
        return None
    ids = [str(pk) for pk in selection.rows.order_by("pk").values_list("pk", flat=True)[: MOST_FOUND + 1]]
    if len(ids) > MOST_FOUND:
        raise _too_many(MOST_FOUND)
    return ids


def newest(model: type[Model]) -> str:
    """The newest id there is, where ids grow with time; else empty."""
    key: Any = model._meta.pk
    grows = isinstance(key, AutoField | BigAutoField) or getattr(key, "default", None) is time_ordered_id
    last = model._base_manager.order_by("-pk").values_list("pk", flat=True).first() if grows else None
    return "" if last is None else str(last)


def _born(model: type[Model]) -> str | None:
    """The column that says when a row was made."""
    named = {field.name for field in model._meta.get_fields()}
    return next((name for name in BORN if name in named and not isinstance(model._meta.pk, AutoField)), None)


# ---- The filter in words


def _in_words(shown: Any, request: HttpRequest) -> Iterator[tuple[str, str]]:
    """What each filter is called, with what is chosen in it."""
    asked = {name: str(value) for name, value in request.GET.items() if value}
    for spec in shown.filter_specs:
        chosen = [asked.pop(name) for name in spec.expected_parameters() if name in asked]
        if chosen:
            yield str(spec.title), filters.choice(spec, chosen[:1], shown)
    if text := asked.pop(SEARCH, ""):
        yield _("Search"), text
    yield from asked.items()
