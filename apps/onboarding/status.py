"""How a store is doing, in plain words: one badge, one sentence, and whether its owner has to do something."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings
from django.db.models import OuterRef, Q, Subquery
from django.utils.translation import gettext as _

from apps.shops.models import Connection, ConnectionQuerySet
from apps.syncs import sentences
from apps.syncs.models import SyncRun
from apps.webhooks.addressing import shown
from apps.webhooks.health import STREAK
from apps.webhooks.models import Endpoint
from apps.webhooks.models.endpoints import EndpointQuerySet

from .sentences import of_connecting


@dataclass(frozen=True, slots=True)
class Status:
    """`look` and `icon` are the badge's; `needs_you` puts the store among what waits for its owner."""

    look: str
    icon: str
    label: str
    text: str = ""
    needs_you: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    connection: Connection
    run: SyncRun | None
    status: Status


def rows(connections: ConnectionQuerySet) -> list[Row]:
    """Each connection with its newest run and its status, in a fixed number of queries."""
    newest = SyncRun.objects.imports().filter(shop=OuterRef("shop")).newest_first().values("pk")[:1]
    found = list(connections.with_everything().annotate(newest_run=Subquery(newest)))
    runs = SyncRun.objects.select_related("integration").in_bulk([c.newest_run for c in found if c.newest_run])
    return [Row(c, run, of(c, run)) for c in found for run in [runs.get(c.newest_run)]]


def waiting_for_owner(found: Iterable[Row]) -> list[Row]:
    return [row for row in found if row.status.needs_you]


def of(connection: Connection, run: SyncRun | None) -> Status:
    """The status of a connection whose newest run is `run`."""
    state = Connection.State(connection.state)
    if state == Connection.State.DRAFT and connection.is_warehouse:
        text = _("You have not finished connecting this warehouse.")
        return Status("warning", "pencil", _("Not finished"), text, True)
    if state == Connection.State.DRAFT:
        return Status("warning", "pencil", _("Not finished"), _("You have not finished connecting this store."), True)
    if state == Connection.State.DISCONNECTING:
        return Status("plain", "unplug", _("Disconnecting"), _("Nothing is read any more."))
    if state == Connection.State.DISCONNECTED:
        return Status("plain", "unplug", _("Disconnected"), _("This store is not connected any more."))
    platform = connection.kind.name
    if connection.integration and not connection.integration.is_connected:
        if connection.is_partners:
            return Status("plain", "pause", _("Switched off"), _("%(p)s may do nothing here now.") % {"p": platform})
        return Status("warning", "alert", _("Needs you"), _("Log in at %(p)s again.") % {"p": platform}, True)
    if state == Connection.State.CONNECTING:
        code = connection.problem
        text = of_connecting(code, platform=platform) if code else _("We are connecting this store right now.")
        return Status("accent", "refresh", _("Connecting"), text)
    if state == Connection.State.PAUSED:
        return Status("plain", "pause", _("Paused"), _("Nothing is read until you resume."))
    return _of_run(run)


def _of_run(run: SyncRun | None) -> Status:
    if run is None:
        return Status("success", "check", _("Connected"))
    why = sentences.why(run, portal=settings.PORTAL_NAME)
    if run.state == SyncRun.State.FAILED:
        needs = run.error in {"too_much_gone", "forbidden"}
        return Status("warning" if needs else "danger", "alert", _("Needs you") if needs else _("Stopped"), why, needs)
    if run.error:
        return Status("plain", "clock", _("Waiting"), why)
    if not run.is_finished and run.kind == SyncRun.Kind.ITEMS:
        return Status("accent", "refresh", _("Sending"), _("Your products are being sent there."))
    if not run.is_finished:
        return Status("accent", "refresh", _("Importing"), _("Products are arriving."))
    return Status("success", "check", _("Connected"))


def troubles(endpoints: EndpointQuerySet) -> list[tuple[Endpoint, str]]:
    """Of these, each that is disabled or took nothing several times in a row, with one sentence; the oldest first."""
    failing = Q(state=Endpoint.State.ACTIVE, failures__gte=STREAK) | Q(state=Endpoint.State.DISABLED)
    return [(one, _of_endpoint(one)) for one in endpoints.kept().filter(failing).order_by("failing_since", "pk")]


def _of_endpoint(endpoint: Endpoint) -> str:
    name = {"name": endpoint.name or shown(endpoint.url)}
    if endpoint.state == Endpoint.State.DISABLED:
        return _("%(name)s is disabled. What happens meanwhile is kept for it.") % name
    return _("Messages do not arrive at %(name)s.") % name
