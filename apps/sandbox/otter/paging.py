"""Lists of Otter: `limit`, an opaque `token`, and an `offsetToken` only while more follows.

The token holds the number of the last row seen, signed: keyset paging, so order is stable and a page costs the
same wherever it is. The page faults of `apps.sandbox.faults` are played here.
"""

from dataclasses import dataclass

from django.db.models import QuerySet
from django.http import HttpRequest

from apps.sandbox.cursors import cursor_after, number_in
from apps.sandbox.faults import take


@dataclass(frozen=True)
class Page:
    """Rows of a list, in its order, and the token of the next page (None on the last)."""

    rows: list
    next_token: str | None


def page_of(rows: QuerySet, *, request: HttpRequest, scope: str, limit: int) -> Page:
    """The page of `rows` (of Listed rows) that the request asks for.

    `scope` names the list: a token is good only for the list that gave it. Raises Refused (400) on any other token.
    """
    token = request.GET.get("token")
    after = number_in(token, scope=scope, parameter="token") if token else 0
    if token and take(request, "repeated_page"):
        before = rows.filter(number__lte=after).order_by("-number")[:limit]
        return Page(list(before)[::-1], token)
    found = list(rows.filter(number__gt=after).order_by("number")[: limit + 1])
    return shortened(request, found, scope=scope, limit=limit)


def shortened(request: HttpRequest, found: list, *, scope: str, limit: int) -> Page:
    """The page made of `found`, which is one row longer than `limit` when more follows."""
    if len(found) <= limit:
        return Page(found, None)
    if take(request, "missing_pages"):
        return Page(found[:limit], None)
    rows = found[: limit // 2] if limit > 1 and take(request, "short_page") else found[:limit]
    return Page(rows, cursor_after(rows[-1].number, scope=scope))


def with_bad_item(request: HttpRequest, items: list[dict]) -> list[dict]:
    """The items, the middle one without what identifies it when that fault waits."""
    if items and take(request, "bad_item"):
        spoiled = items[len(items) // 2]
        for name in ("id", "externalId", "name"):
            spoiled.pop(name, None)
    return items
