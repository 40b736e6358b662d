"""The way back to a list of the admin as one left it: its filters go along through the pages of a row, and through what
is done there. Django takes them along only from the list to the row, and from its own forms back."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import reverse
from django.utils.http import urlencode

NAME = "_changelist_filters"  # Django's


def along(request: HttpRequest, address: str) -> str:
    """The address with the filters that the request came with, when it is of the same list and has none of its own."""
    filters, to = QueryDict(request.GET.get(NAME, "")).urlencode(), urlsplit(address)
    if not filters or to.netloc or to.query or _list_of(to.path) != _list_of(request.path):
        return address
    return f"{address}?{filters if to.path == _list_of(to.path) else urlencode({NAME: filters})}"


def keep_filters(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """Where an answer leads, and what a row's page offers to do, with the filters."""
    if not request.GET.get(NAME):
        return response
    for deed in _deeds(getattr(response, "context_data", None) or {}):
        deed["path"] = along(request, deed["path"])
    for header in {"Location", "HX-Redirect"} & set(response.headers):
        response[header] = along(request, response[header])
    return response


def _deeds(context: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """unfold's buttons above a row's page, those in its menus as well."""
    for one in context.get("actions_detail") or ():
        yield from one.get("items") or ([one] if "path" in one else [])


def _list_of(path: str) -> str | None:
    """The list that a page of the admin belongs to."""
    home = reverse("admin:index")
    app, _slash, rest = path.removeprefix(home).partition("/")
    return f"{home}{app}/{rest.partition('/')[0]}/" if path.startswith(home) and rest else None
