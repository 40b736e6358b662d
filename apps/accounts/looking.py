"""People of the 3PL look at the portal as an organization sees it: for half an hour, without touching anything.

Three walls stand before a change, each of them enough: what is not safe (RFC 9110, 9.2.1) is refused before any page is
asked; the database is told to refuse to write meanwhile; and the person has no membership that anything but a marked
page (`deciding.of_organization`) would take for theirs.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import InternalError, connection
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from psycopg.errors import ReadOnlySqlTransaction

from apps.audit.trail import record

from .deciding import actor_of
from .models import Organization

PERMISSION = "accounts.look_as_owner"
LASTS = timedelta(minutes=30)
LOOKING = "looking_at"  # in the session: the id of an organization, and until when as seconds since 1970
SAFE = {"GET", "HEAD", "OPTIONS"}


def begin(request: Any, organization: Organization, *, reason: str) -> None:
    """From now on this session sees its pages, until the time is over or `end`; a look that it had begun ends.

    Whoever calls it checks PERMISSION.
    """
    end(request, reason="Another look began.")
    until = timezone.now() + LASTS
    record(actor_of(request), "organization.look", on=organization, after={"until": until.isoformat()}, reason=reason)
    request.session[LOOKING] = {"organization": str(organization.pk), "until": until.timestamp()}


def end(request: Any, *, reason: str = "") -> None:
    """Back to being nobody of theirs. Without anything to end, nothing happens."""
    found = request.session.pop(LOOKING, None)
    organization = Organization.objects.filter(pk=UUID(found["organization"])).first() if found else None
    if organization:
        record(actor_of(request), "organization.look-end", on=organization, reason=reason)


def is_looking(request: Any) -> bool:
    return LOOKING in request.session


def _looked_at(request: Any) -> Organization | None:
    """The organization of this session; it is over with the time, the permission, or the organization."""
    found = request.session.get(LOOKING)
    if found is None:
        return None
    is_staff = request.user.is_authenticated and request.user.is_staff
    if found["until"] > timezone.now().timestamp() and is_staff and request.user.has_perm(PERMISSION):
        return Organization.objects.filter(pk=UUID(found["organization"])).first()
    if is_staff:
        end(request, reason="The time was over.")
        messages.info(request, _("The half hour of looking on is over."))
    return None


def only_look(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: shows an organization's pages to whoever looks at it, and refuses whatever would change something."""

    def middleware(request: HttpRequest) -> HttpResponse:
        return get_response(request)

    def process_view(request: Any, view: Any, args: Any, kwargs: Any) -> HttpResponseBase | None:
        if not getattr(view, "is_of_organization", False) or not (organization := _looked_at(request)):
            return None
        request.user.looks_at = organization
        if request.method not in SAFE:
            return _refused(request, _("You only look on: nothing can be changed from here."))
        return _shown(request, lambda: view(request, *args, **kwargs))

    middleware.process_view = process_view  # type: ignore[attr-defined]
    return middleware


def _shown(request: HttpRequest, view: Callable[[], HttpResponseBase]) -> HttpResponseBase:
    try:
        with _read_only():
            return view()
    except InternalError as error:
        if not isinstance(error.__cause__, ReadOnlySqlTransaction):
            raise
        return _refused(request, _("This page asks the other side and notes its answer, so only its owner opens it."))


def _refused(request: HttpRequest, text: str) -> HttpResponse:
    return render(request, "accounts/only_looking.html", {"text": text}, status=403)


@contextmanager
def _read_only() -> Iterator[None]:
    """Each transaction that begins meanwhile may only read."""
    with connection.cursor() as cursor:
        cursor.execute("SET default_transaction_read_only = on")
    try:
        yield
    finally:
        _write_again()


def _write_again() -> None:
    """A connection that cannot be told so any more is not used again."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SET default_transaction_read_only = off")
    except Exception:
        connection.close()
        raise
