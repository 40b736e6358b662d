"""Lists by keyset, in the seeds' two manners: Otter's `limit` and `token`, and links to the next and previous page.

A cursor names the last row seen, so that a page costs the same anywhere in a list, and rows that come or go meanwhile
shift nothing. It is opaque, and of use for its own list only.
"""

import base64
import binascii
import json
import re
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import ValidationError
from django.db import DataError
from django.db.models import Q, QuerySet
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from .bodies import is_storable
from .errors import invalid

MOST = 100  # rows of one page
DIGITS = re.compile(r"[0-9]{1,9}")
USUAL = 25
NUMBER = {"type": "integer", "minimum": 1, "maximum": MOST}
# What each manner takes, for the description of the API.
OFFSET_QUERY = (
    OpenApiParameter("limit", NUMBER, required=True),
    OpenApiParameter("token", str, description="The `offsetToken` of the page before."),
)
LINKED_QUERY = (
    OpenApiParameter("per_page", NUMBER | {"default": USUAL}),
    OpenApiParameter("cursor", str, description="Part of the `next` and `prev` links."),
)

type Shape = Callable[[Any], Any]


def offset_page(request: Request, rows: QuerySet, *, shape: Shape) -> Response:
    """`{items, offsetToken?}` for `limit` (required) and `token` (contracts 3.2, behaviours 3 and 6)."""
    limit = _limit(request, "limit", default=None)
    found, onward, _ = _read(rows, token=request.query_params.get("token", ""), limit=limit, attribute="token")
    items = {"items": [shape(row) for row in found]}
    return Response(items | ({"offsetToken": onward} if onward else {}))


def linked_page(request: Request, rows: QuerySet, *, shape: Shape) -> Response:
    """`{data, prev, next, per_page}`; the links are whole addresses or null (contracts 4.4)."""
    limit = _limit(request, "per_page", default=USUAL)
    found, onward, back = _read(rows, token=request.query_params.get("cursor", ""), limit=limit, attribute="cursor")
    data = [shape(row) for row in found]
    links = {"prev": _link(request, back), "next": _link(request, onward)}
    return Response({"data": data} | links | {"per_page": limit})


def _limit(request: Request, name: str, *, default: int | None) -> int:
    text = request.query_params.get(name, default)
    if text is None:
        raise invalid(name, f"Required: 1 to {MOST}.")
    limit = int(text) if DIGITS.fullmatch(str(text)) else 0
    if not 1 <= limit <= MOST:
        raise invalid(name, f"Must be a whole number from 1 to {MOST}.")
    return limit


def _read(rows: QuerySet, *, token: str, limit: int, attribute: str) -> tuple[list[Any], str, str]:
    """A page, the cursor of the next one and of the one before, each empty when there is none."""
    fields = _order(rows)
    backwards, last = _opened(token, fields=fields, attribute=attribute)
    if backwards:
        rows = rows.reverse()
    try:
        if last:
            rows = rows.filter(_after(rows, fields, last, backwards=backwards))
        found = list(rows[: limit + 1])
    except (DataError, ValidationError, ValueError, OverflowError):
        if not last:
            raise  # a fault of ours: nobody named a place
        raise invalid(attribute, "Not a cursor of this list.") from None
    more = len(found) > limit
    found = found[:limit][::-1] if backwards else found[:limit]
    has_next, has_back = (True, more) if backwards else (more, bool(last))
    onward = _sealed(found[-1], fields, backwards=False) if found and has_next else ""
    back = _sealed(found[0], fields, backwards=True) if found and has_back else ""
    return found, onward, back


def _order(rows: QuerySet) -> list[str]:
    """The fields the rows are ordered by; the last one has to make it total."""
    ordering: Sequence[Any] = rows.query.order_by or rows.model._meta.ordering
    return [str(field) for field in ordering]


def _after(rows: QuerySet, fields: list[str], last: Sequence[str | None], *, backwards: bool) -> Q:
    """Rows beyond the one whose values are `last`, in the list's order."""
    beyond, same = Q(pk__in=[]), Q()
    for field, value in zip(fields, last, strict=True):
        name = field.lstrip("-")
        beyond |= same & _beyond(rows, name, value, downwards=field.startswith("-") != backwards)
        same &= Q(**{f"{name}__isnull": True}) if value is None else Q(**{name: value})
    return _bound(rows, fields[0], last[0], backwards=backwards) & beyond


def _bound(rows: QuerySet, field: str, value: str | None, *, backwards: bool) -> Q:
    """Where an index can begin to read: of several conditions of which one holds, it makes nothing."""
    name = field.lstrip("-")
    if value is None or _may_be_null(rows, name):
        return Q()
    return Q(**{f"{name}__{'lte' if field.startswith('-') != backwards else 'gte'}": value})


def _beyond(rows: QuerySet, name: str, value: str | None, *, downwards: bool) -> Q:
    """Of one field. To PostgreSQL nothing is more than anything."""
    if value is None:
        return Q(**{f"{name}__isnull": False}) if downwards else Q(pk__in=[])
    if downwards:
        return Q(**{f"{name}__lt": value})
    more = Q(**{f"{name}__gt": value})
    return more | Q(**{f"{name}__isnull": True}) if _may_be_null(rows, name) else more


def _may_be_null(rows: QuerySet, path: str) -> bool:
    model, null = rows.model, False
    for name in path.split("__"):
        found = model._meta.pk if name == "pk" else model._meta.get_field(name)
        model, null = found.related_model, null or found.null
    return null


def _sealed(row: Any, fields: list[str], *, backwards: bool) -> str:
    values = [_value(row, field.lstrip("-")) for field in fields]
    text = json.dumps([int(backwards), *values], ensure_ascii=False)  # shorter: an address may be 4,094 bytes long
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _value(row: Any, path: str) -> str | None:
    for name in path.split("__"):
        row = getattr(row, name, None)
    return row if row is None else row.isoformat() if hasattr(row, "isoformat") else str(row)


def _opened(token: str, *, fields: list[str], attribute: str) -> tuple[bool, list[str | None]]:
    if not token:
        return False, []
    try:
        raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        backwards, *values = json.loads(raw)
    except (ValueError, TypeError, binascii.Error, RecursionError):
        raise invalid(attribute, "Not a cursor of this list.") from None
    texts = [value for value in values if value is None or (isinstance(value, str) and is_storable(value))]
    if backwards not in (0, 1) or len(texts) != len(fields):
        raise invalid(attribute, "Not a cursor of this list.")
    return bool(backwards), texts


def _link(request: Request, cursor: str) -> str | None:
    if not cursor:
        return None
    query = request.query_params.dict() | {"cursor": cursor}
    return request.build_absolute_uri(f"{request.path}?{urlencode(query)}")
