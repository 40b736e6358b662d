"""Lists of the admin that are paged by the row at which a page ends, not by how many come before it.

So a page far in costs what the first one costs, and nothing is skipped or shown twice while rows come in at the top.
"""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.contrib.admin.utils import get_fields_from_path
from django.contrib.admin.views.main import ORDER_VAR, PAGE_VAR
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db.models import F, Model, OrderBy, Q, QuerySet
from django.http import HttpRequest
from unfold.paginator import InfinitePaginator
from unfold.views import ChangeList

COUNTED = 1000  # rows; of more it is said that there are more
LAST = "last"


@dataclass(frozen=True, slots=True)
class Term:
    """One of the things that rows are ordered by. As PostgreSQL has it, nothing comes after everything."""

    name: str
    field: Any
    is_nullable: bool
    is_descending: bool

    def of(self, row: Model) -> Any:
        value: Any = row
        for name in self.name.split("__"):
            value = getattr(value, name, None)
        return value

    def same(self, value: Any) -> Q:
        return Q(**{f"{self.name}__isnull": True}) if value is None else Q(**{self.name: value})

    def beyond(self, value: Any) -> Q | None:
        """What comes after it; None when nothing can."""
        if value is None:
            return Q(**{f"{self.name}__isnull": False}) if self.is_descending else None
        return self._after(value, "lt" if self.is_descending else "gt")

    def from_here(self, value: Any) -> Q:
        """It and what comes after it, said so that an index is read from there on."""
        if value is None:
            return Q() if self.is_descending else self.same(None)
        return self._after(value, "lte" if self.is_descending else "gte")

    def _after(self, value: Any, lookup: str) -> Q:
        found = Q(**{f"{self.name}__{lookup}": value})
        return found | self.same(None) if self.is_nullable and not self.is_descending else found

    def turned(self) -> "Term":
        return Term(self.name, self.field, self.is_nullable, not self.is_descending)


def terms_of(rows: QuerySet[Any]) -> list[Term] | None:
    """What these rows are ordered by; None when that cannot be said in values of a row."""
    found = [_term(rows, one) for one in rows.query.order_by]
    terms = [term for term in found if term]
    return terms if len(terms) == len(found) > 0 else None


def _term(rows: QuerySet[Any], one: Any) -> Term | None:
    if isinstance(one, OrderBy):
        plain = isinstance(one.expression, F) and not (one.nulls_first or one.nulls_last)
        if not plain:
            return None
        one = ("-" if one.descending else "") + one.expression.name  # type: ignore[union-attr]
    if not isinstance(one, str):
        return None
    name = one.removeprefix("-")
    if annotation := rows.query.annotations.get(name):
        return Term(name, annotation.output_field, True, one.startswith("-"))
    name = "__".join(rows.model._meta.pk.name if part == "pk" else part for part in name.split("__"))
    try:
        fields = get_fields_from_path(rows.model, name)
    except FieldDoesNotExist:
        return None
    if fields[-1].is_relation:  # ordered as what it refers to is
        return None
    return Term(name, fields[-1], any(field.null for field in fields), one.startswith("-"))


def beyond(terms: Sequence[Term], values: Sequence[Any]) -> Q | None:
    """The rows after the one with these values, in the order of the terms; None when there can be none."""
    found: Q | None = None
    for term, value in reversed(list(zip(terms, values, strict=True))):
        here = term.same(value) & found if found is not None else None
        after = term.beyond(value)
        found = after | here if after is not None and here is not None else after if here is None else here
    return found and terms[0].from_here(values[0]) & found


def written(terms: Sequence[Term], row: Model, *, backwards: bool) -> str:
    """The place of a row in an address."""
    values = [term.of(row) for term in terms]
    texts = [
        None if value is None else value.isoformat() if isinstance(value, date) else str(value) for value in values
    ]
    return base64.urlsafe_b64encode(json.dumps([backwards, *texts]).encode()).decode().rstrip("=")


def read(terms: Sequence[Term], text: str) -> tuple[bool, list[Any]] | None:
    """Whether it goes backwards from there, and the values; None for what says no place in this order."""
    try:
        backwards, *texts = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        if not isinstance(backwards, bool) or len(texts) != len(terms):
            return None
        return backwards, [_value(term, one) for term, one in zip(terms, texts, strict=True)]
    except (ValueError, TypeError, OverflowError, RecursionError, ValidationError):  # base64's and Unicode's as well
        return None


def _value(term: Term, text: Any) -> Any:
    if text is None:
        return None
    if not isinstance(text, str) or b"\x00" in text.encode():  # PostgreSQL holds neither that nor half a surrogate pair
        raise ValueError(text)
    return term.field.to_python(text)


class KeysetChangeList(ChangeList):
    """With `links` to the first page, the previous, the next and the last one; None where there is none.

    A list of at most COUNTED rows is ordered by any column; a longer one keeps its own order, for which there is an
    index.
    """

    links: dict[str, str | None]
    found = 0

    @property
    def seen(self) -> str:
        """How many rows there are, as far as they were counted."""
        return f"{self.found:,}" if self.found <= COUNTED else f"{COUNTED:,}+"

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Any]:
        rows = super().get_queryset(request, exclude_parameters)
        self.found = rows.order_by()[: COUNTED + 1].count()
        if self.found > COUNTED:
            self.sortable_by = ()
            if self.params.pop(ORDER_VAR, None):
                rows = rows.order_by(*self.get_ordering(request, rows.order_by()))
        return rows

    def get_results(self, request: HttpRequest) -> None:
        terms = terms_of(self.queryset)
        if terms is None:
            super().get_results(request)
            return
        self.result_list = self._page(terms, request.GET.get(PAGE_VAR, ""))
        self.result_count = len(self.result_list)
        self.show_full_result_count, self.full_result_count = False, None
        self.show_admin_actions, self.can_show_all = True, False
        self.multi_page = any(self.links.values())
        self.paginator = InfinitePaginator(self.result_list, self.list_per_page)

    def _page(self, terms: list[Term], asked: str) -> list[Any]:
        place = read(terms, asked) if asked != LAST else None
        is_backwards = asked == LAST or bool(place and place[0])
        rows = self._rows(terms, place, is_backwards=is_backwards)
        is_more = len(rows) > self.list_per_page
        if is_backwards and place and not is_more:  # it is the first one: the whole of it
            return self._page(terms, "")
        rows = rows[: self.list_per_page]
        if is_backwards:
            rows.reverse()
        has_before = is_more if is_backwards else place is not None
        has_after = asked != LAST if is_backwards else is_more
        self.links = self._links(terms, rows, has_before=has_before, has_after=has_after)
        return rows

    def _rows(self, terms: list[Term], place: tuple[bool, list[Any]] | None, *, is_backwards: bool) -> list[Any]:
        rows = self.queryset.reverse() if is_backwards else self.queryset
        if place:
            after = beyond([term.turned() for term in terms] if is_backwards else terms, place[1])
            rows = rows.none() if after is None else rows.filter(after)
        return list(rows[: self.list_per_page + 1])

    def _links(self, terms: list[Term], rows: list[Any], *, has_before: bool, has_after: bool) -> dict[str, str | None]:
        before = rows and has_before and written(terms, rows[0], backwards=True)
        after = rows and has_after and written(terms, rows[-1], backwards=False)
        return {
            "first": self.get_query_string() if has_before else None,
            "previous": self.get_query_string({PAGE_VAR: before}) if before else None,
            "next": self.get_query_string({PAGE_VAR: after}) if after else None,
            "last": self.get_query_string({PAGE_VAR: LAST}) if after else None,
        }
