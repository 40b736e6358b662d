"""Lists of Otter: `limit`, an opaque `token`, and an `offsetToken` only while more follows.

The token holds the number of the last row seen, signed: keyset paging, so order is stable and a page costs the
same wherever it is. The page faults of `apps.sandbox.faults` are played here.
"""

import json
from dataclasses import dataclass

from django.core import signing
from django.db.models import QuerySet
from django.http import HttpRequest

from apps.sandbox.errors import Refused
from apps.sandbox.faults import take

SIGNER = signing.Signer(salt="offset-token")


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
    after = number_in(token, scope=scope) if token else 0
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
    return Page(rows, token_after(rows[-1], scope=scope))


def token_after(row: object, *, scope: str) -> str:
    """The opaque token of the page that follows `row`."""
    return SIGNER.sign_object([scope, row.number])


def number_in(token: str, *, scope: str) -> int:
    """The number that `token_after` put in. Raises Refused (400) when it did not."""
    try:
        named, number = SIGNER.unsign_object(token)
    except (signing.BadSignature, ValueError, json.JSONDecodeError):
        raise Refused(400, "The token is not valid", details={"token": "was not given by this list"}) from None
    if named != scope:
        raise Refused(400, "The token is not valid", details={"token": "was not given by this list"})
    return number


def limit_of(request: HttpRequest, *, most: int, default: int | None = None) -> int:
    """The `limit` of the query.

    Raises Refused (422) when it is not 1 to `most`, or missing without a default.
    """
    text = request.GET.get("limit", "")
    if not text and default:
        return default
    # int() alone would take "١٢", " 5 " and "1_0".
    if not (text.isascii() and text.isdigit() and len(text) < 5 and 1 <= int(text) <= most):
        raise Refused(422, "The request is not valid", details={"limit": f"must be a number from 1 to {most}"})
    return int(text)


def with_bad_item(request: HttpRequest, items: list[dict]) -> list[dict]:
    """The items, the middle one without what identifies it when that fault waits."""
    if items and take(request, "bad_item"):
        spoiled = items[len(items) // 2]
        for name in ("id", "externalId", "name"):
            spoiled.pop(name, None)
    return items
