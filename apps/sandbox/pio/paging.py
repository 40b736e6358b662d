"""Lists of Pio: `limit` and `cursor` in, `{data, next}` out (a gap of its documentation, chosen here)."""

from collections.abc import Callable

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse

from apps.sandbox.cursors import cursor_after, limit_of, number_in


def page_of(
    rows: QuerySet, *, request: HttpRequest, scope: str, shown: Callable[[object], dict], by: str = "pk"
) -> HttpResponse:
    """The page of rows that the request asks for, by a unique number; `next` is null on the last.

    Raises Refused: 400 for a cursor of another list, 422 for a limit that is not 1 to 500.
    """
    limit = limit_of(request, most=500, default=100)
    cursor = request.GET.get("cursor")
    after = number_in(cursor, scope=scope, parameter="cursor") if cursor else 0
    found = list(rows.filter(**{f"{by}__gt": after}).order_by(by)[: limit + 1])
    page = found[:limit]
    following = cursor_after(getattr(page[-1], by), scope=scope) if len(found) > limit else None
    return JsonResponse({"data": [shown(row) for row in page], "next": following})
