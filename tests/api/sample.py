"""A few addresses of our own, to try the API's manners at: `settings.ROOT_URLCONF = "tests.api.sample"`."""

import time
from typing import Any

from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import IntegrityError, InterfaceError, OperationalError, connection
from django.http import Http404, UnreadablePostError
from django.urls import include, path
from rest_framework import exceptions, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.models import Brand
from apps.api.bodies import Flag, Strict, Text, checked
from apps.api.errors import Problem, no_such_address
from apps.api.paging import linked_page, offset_page
from apps.api.policy import DATA, OPEN, POLICY, Rule
from apps.api.routes import operation, operations
from apps.audit import trail
from apps.integrations.models import Integration

handler400 = "apps.api.errors.bad_request"
handler500 = "apps.api.errors.server_error"


class Note(Strict):
    text = Text(max_length=200)
    is_pinned = Flag(required=False)
    weight = serializers.DecimalField(required=False, max_digits=10, decimal_places=2)
    more = serializers.JSONField(required=False)


@operation("List notes", tag="Sample", answers={200: Note})
def list_notes(request: Request) -> Response:
    return linked_page(request, Brand.objects.for_principal(request), shape=lambda row: row.name)


@operation("Write a note", tag="Sample", answers={201: Note}, body=Note, writes=True)
def write_note(request: Request) -> Response:
    """Makes a brand of that name, in place of a note. With `more.fails` it makes it and fails then."""
    said = checked(Note, request.data)
    organization = getattr(request.user, "organization", None)
    made = Brand.objects.create(name=said["text"], organization=organization) if organization else None
    if said.get("more") == "fails":
        raise Problem("conflict")
    if said.get("more") == "waits":
        time.sleep(0.5)
    if said.get("more") == "recorded":
        trail.record(request.user.actor, "note.write", on=made)
    return Response({"id": made and made.pk, "text": said["text"], "secret": "shown once"}, status=201)


@operation("Make a note its own", tag="Sample", answers={204: None}, writes=True)
def end_notes(request: Request) -> Response:
    Brand.objects.for_principal(request).delete()
    return Response(status=204)


@operation("List integrations by their last sync", tag="Sample", answers={200: Note})
def list_by_sync(request: Request) -> Response:
    rows = Integration.objects.order_by(request.query_params.get("by", "order_sync_updated_at"), "id")
    return offset_page(request, rows, shape=lambda row: row.name)


ERRORS: dict[str, Any] = {
    "unexpected": lambda: RuntimeError("a secret of ours"),
    "assertion": lambda: AssertionError("a secret of ours"),
    "missing": Http404,
    "denied": PermissionDenied,
    "suspicious": lambda: SuspiciousOperation("a secret of ours"),
    "locked": lambda: OperationalError("canceling statement due to lock timeout"),
    "closed": lambda: InterfaceError("the connection is closed"),
    "broken": lambda: IntegrityError("null value in column"),
    "cut": lambda: UnreadablePostError("the client went away"),
    "throttled": exceptions.Throttled,
    "not_parsed": exceptions.ParseError,
    "problem": lambda: Problem("platform_failed", "They said no.", headers={"Retry-After": "7"}),
    "nested": lambda: exceptions.ValidationError({"lines": [{}, {"sku": ["Too long.", "Odd."]}], "name": ["Missing."]}),
}


@operation("Fail", tag="Sample", answers={200: Note})
def fail(request: Request) -> Response:
    how = request.query_params.get("how", "")
    if how == "unrenderable":
        return Response({"it": object()})
    if how == "twice":
        Brand.objects.create(pk=1, name="x", organization=request.user.organization)
        Brand.objects.create(pk=1, name="x", organization=request.user.organization)
    if how == "waits":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '50ms'; LOCK TABLE accounts_brand IN ACCESS EXCLUSIVE MODE")
    raise ERRORS[how]()


@operation("Tell anybody", tag="Sample", answers={200: Note})
def tell(request: Request) -> Response:
    return Response({"you": getattr(request.user, "text", None)})


api = [
    path("notes", operations(get=list_notes, post=write_note, delete=end_notes), name="notes"),
    path("open", operations(get=tell, post=write_note), name="open"),
    path("fail", operations(get=fail, post=fail), name="fail"),
    path("by-sync", operations(get=list_by_sync), name="by-sync"),
    path("unruled", operations(get=tell), name="unruled"),
    path("<path:rest>", no_such_address),
]
urlpatterns = [path("api/", include((api, "api")))]

RULES: dict[tuple[str, str], Rule] = {
    ("notes", "GET"): Rule(DATA, "products:read"),
    ("notes", "POST"): Rule(DATA, "products:write"),
    ("notes", "DELETE"): Rule(DATA, "products:write"),
    ("open", "GET"): OPEN,
    ("open", "POST"): OPEN,
    ("fail", "GET"): Rule(DATA),
    ("fail", "POST"): Rule(DATA),
    ("by-sync", "GET"): Rule(DATA),
}


def install(monkeypatch: Any, settings: Any) -> None:
    """Serve these addresses instead of the portal's, until the test ends."""
    settings.ROOT_URLCONF = __name__
    for row, rule in RULES.items():
        monkeypatch.setitem(POLICY, row, rule)
