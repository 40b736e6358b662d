"""Connecting a store, giving it another id, and disconnecting it: calls to the platform that must end whole.

Each is claim, call, record. The claim commits first, under a lease; no transaction is open during a call; and whoever
comes after a crash asks the platform what holds, and finishes or undoes.
"""

from datetime import timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Case, Value, When
from django.utils import timezone

from apps.accounts.models import User
from apps.audit import trail
from apps.audit.trail import Actor
from apps.integrations.connectors.base import (
    ConnectorError,
    Connects,
    Rejected,
    StoreRef,
    Subscribes,
    Unauthorized,
    Unreachable,
)
from apps.integrations.models import Credential, Integration
from apps.integrations.sessions import call
from apps.shops.models import LEASE, Connection, Shop
from apps.syncs import queueing
from apps.syncs.models import SyncRun
from apps.syncs.queueing import cancel, owe_first
from apps.webhooks.inboxes import address_of, inbox_of, note_hooks

from . import warehousing
from .drafts import belongs_to_others

log = structlog.get_logger(__name__)

State = Connection.State
ITSELF = Actor("Crossdock")  # who finishes what somebody began
BELIEVED = 100  # pieces by which a new warehouse is believed without asking; what is more a person looks at
MOST_SWEEPS = 10  # a draft that was claimed more often goes back to its owner instead of waiting for the platform
HALFWAY = "silent_halfway"  # the platform may have done what we asked, or not: nobody can know without asking it


class IdTaken(Exception):
    """Another store has that id already: one of this organization's, or one the platform knows."""


class StoreTaken(Exception):
    """This organization has connected that store already."""


class HeldElsewhere(Exception):
    """The platform has this store connected to us under an id its owner has not agreed to replace."""

    def __init__(self, held: str) -> None:
        super().__init__(held)
        self.held = held


class LostLease(Exception):
    """Somebody else has taken over what we were too slow to finish; they finish it."""


def connect(draft: Connection, *, by: Actor) -> None:
    """Connect the draft's store under its id, and owe the first import.

    Pressing twice is pressing once. Raises IdTaken, StoreTaken, HeldElsewhere or ConnectorError; the draft is then a
    draft again, or, when the platform fell silent halfway, `connecting` until `finish_hanging` has asked it again.
    """
    if Shop.objects.filter(organization=draft.organization, ext_shop_id=draft.ext_shop_id).exclude(
        integration=draft.integration, store=draft.store
    ):
        raise IdTaken
    drafts = Connection.objects.drafts()
    claimed = _claim(drafts, draft, state=State.CONNECTING, connected_by_id=by.user_id, problem="")
    if claimed:
        _work_on(claimed, by=by)


def change_id(connection: Connection, ext_shop_id: str, *, by: Actor, reason: str = "") -> None:
    """Replace the id of a connected store: DELETE, then POST at the platform (contracts, behaviour 90).

    Raises IdTaken, HeldElsewhere or ConnectorError; the old id then still holds, or is put back by `finish_hanging`.
    """
    shops = Shop.objects.filter(organization=connection.organization, ext_shop_id=ext_shop_id)
    if shops.exclude(connections=connection).exists():
        raise IdTaken
    claimed = _claim(
        Connection.objects.live(),
        connection,
        state=State.CONNECTING,
        ext_shop_id=ext_shop_id,
        replaces=connection.ext_shop_id,
    )
    if claimed:
        _work_on(claimed, by=by, reason=reason)


def finish_hanging(connection: Connection) -> None:
    """Go on with what somebody began and did not end: the platform knows how far they came."""
    if connection.shop_id and connection.integration and not connection.integration.is_connected:
        return  # what the platform holds can be asked only after its owner has logged in there again
    claimed = Connection.objects.hanging().claim(connection.pk)
    if claimed is None:
        return
    try:
        _work_on(claimed, by=ITSELF, is_resumed=True)
    except (ConnectorError, HeldElsewhere, IdTaken) as error:
        log.warning("hanging connection", connection=str(claimed.pk), error=repr(error))


def _claim(rows: Any, wanted: Connection, **changes: Any) -> Connection | None:
    try:
        with transaction.atomic():
            return rows.claim(wanted.pk, **changes)
    except IntegrityError as error:
        raise IdTaken if "ext_shop_id" in str(error) else StoreTaken from error


def _work_on(claimed: Connection, *, by: Actor, reason: str = "", is_resumed: bool = False) -> None:
    try:
        _bring_about(claimed)
    except LostLease:
        return
    except HeldElsewhere:
        _undo(claimed, problem="held_elsewhere")
        raise
    except IdTaken:
        _undo(claimed, problem="id_taken")
        raise
    except ConnectorError as error:
        if error.code == HALFWAY:
            claimed.mine().update(problem=HALFWAY, lease_until=timezone.now())  # for the next sweep to ask again
        elif not (is_resumed and _may_be_halfway(claimed, error)):
            _undo(claimed, problem=error.code)
        raise
    _record(claimed, by=by, reason=reason)


def _may_be_halfway(claimed: Connection, error: ConnectorError) -> bool:
    """Whether somebody before us may have changed what the platform holds, and it does not tell us now.

    A store that was connected before is never let go of like this; a draft is, after some time: whoever presses
    Connect again asks the platform first.
    """
    if claimed.shop_id:
        return isinstance(error, Unreachable | Unauthorized)
    return isinstance(error, Unreachable) and claimed.fence <= MOST_SWEEPS


def _bring_about(claimed: Connection) -> None:
    """Make the platform hold the wanted id, and tell us of what happens, whatever it holds and tells now."""
    _agree_on_id(claimed)
    if claimed.kind.can(Subscribes):
        _subscribe(claimed)


def _subscribe(claimed: Connection) -> None:
    """Have the other side send to this integration's inbox. A silence leaves its shop open: somebody finishes it."""
    ref, integration = claimed.ref, claimed.integration
    assert integration
    _hold(claimed)
    inbox = inbox_of(integration)
    try:
        there = call(integration, lambda client: client.subscribe(ref, address_of(inbox)))
    except (Unreachable, Unauthorized) as error:
        raise Unreachable(str(error), code=HALFWAY) from error
    inbox.registered = []  # whatever it was before
    note_hooks(inbox, there)


def _agree_on_id(claimed: Connection) -> None:
    ref, integration = claimed.ref, claimed.integration
    assert integration
    if not claimed.kind.can(Connects):
        call(integration, lambda client: client.store(ref.brand_id, ref.store_id))
        return
    held = call(integration, lambda client: client.connection(ref))
    if held is not None and belongs_to_others(claimed, held):
        raise Rejected("Another organization has this store connected.", code="other_organization")
    if held == ref.ext_shop_id:
        return
    if held is not None and held != claimed.replaces:
        raise HeldElsewhere(held)
    try:
        _replace(claimed, held=held)
    except (Unreachable, Unauthorized) as error:
        raise Unreachable(str(error), code=HALFWAY) from error


def _replace(claimed: Connection, *, held: str | None) -> None:
    """DELETE, where there is something to, then POST. When the new id is refused, the former one is put back first."""
    ref, former, integration = claimed.ref, claimed.replaces, claimed.integration
    assert integration
    if held is not None:
        _hold(claimed)
        call(integration, lambda client: client.disconnect(ref))
    _hold(claimed)
    try:
        call(integration, lambda client: client.connect(ref))
    except Rejected as refused:
        is_taken = refused.status == 409
        if is_taken and (other := call(integration, lambda client: client.connection(ref))) is not None:
            raise HeldElsewhere(other) from refused
        if former:
            call(integration, lambda client: client.connect(StoreRef(ref.brand_id, ref.store_id, former)))
        if is_taken:
            raise IdTaken from refused
        raise


def _hold(claimed: Connection) -> None:
    """Renew the lease before a call that changes something. Raises LostLease when somebody else has taken over."""
    if not claimed.mine().update(lease_until=timezone.now() + LEASE):
        raise LostLease


def _undo(claimed: Connection, *, problem: str) -> None:
    """A draft again; or, of a connection that was there before, its former id again."""
    changes: dict[str, object] = {"lease_until": None, "problem": problem[:50]}
    if claimed.shop_id:
        changes |= {"state": State.ACTIVE, "ext_shop_id": claimed.replaces, "replaces": ""}
    else:
        changes |= {"state": State.DRAFT, "connected_by": None}
    claimed.mine().filter(state=State.CONNECTING).update(**changes)


@transaction.atomic
def _record(claimed: Connection, *, by: Actor, reason: str) -> None:
    """Shop, connection, the import we now owe and the trail: together, or not at all."""
    now = {"name": claimed.name, "ext_shop_id": claimed.ext_shop_id, "is_active": True, "deactivated_at": None}
    shop, _ = Shop.objects.update_or_create(
        organization=claimed.organization,
        integration=claimed.integration,
        store=claimed.store,
        defaults=now,
        create_defaults=now | {"drift_limit": BELIEVED if claimed.is_warehouse else 0},
    )
    recorded = (
        claimed.mine()
        .filter(state=State.CONNECTING)
        .update(
            state=State.ACTIVE,
            shop=shop,
            connected_at=claimed.connected_at or timezone.now(),
            lease_until=None,
            problem="",
            replaces="",
        )
    )
    if recorded:
        note = {"store": str(claimed.store_id), "ext_shop_id": claimed.ext_shop_id}
        before, verb = ({"ext_shop_id": claimed.replaces}, "replace-id") if claimed.replaces else ({}, "create")
        trail.record(by, f"connection.{verb}", on=claimed, before=before, after=note, reason=reason)
        claimed.refresh_from_db()
        if claimed.is_warehouse:
            warehousing.open_up(claimed)
        owe_first(claimed, by=User.objects.get(pk=by.user_id) if by.user_id else claimed.connected_by)
    else:
        transaction.set_rollback(True)


def pause(connection: Connection, *, by: Actor) -> bool:
    return bool(queueing.pause(Connection.objects.filter(pk=connection.pk), actor=by))


def resume(connection: Connection, *, by: Actor) -> bool:
    return bool(queueing.resume(Connection.objects.filter(pk=connection.pk), actor=by))


@transaction.atomic
def disconnect(connection: Connection, *, by: Actor) -> bool:
    """Stop everything for this store now; tell the platform when the time to think again is over."""
    until = timezone.now() + timedelta(seconds=settings.UNDO_DISCONNECT_SECONDS)
    left = Connection.objects.filter(pk=connection.pk).leave(at=until)
    if left:
        before = {"ext_shop_id": connection.ext_shop_id, "state": connection.state}
        trail.record(by, "connection.disconnect", on=connection, before=before)
    return bool(left)


def is_undoable(connection: Connection) -> bool:
    """Whether its owner may still think again. Once somebody is telling the platform, it is too late."""
    until = connection.disconnect_at if connection.state == State.DISCONNECTING else None
    return until is not None and until > timezone.now() and connection.lease_until is None


@transaction.atomic
def undo_disconnect(connection: Connection, *, by: Actor) -> bool:
    """As it was before. False when it is too late."""
    leaving = Connection.objects.filter(
        pk=connection.pk, state=State.DISCONNECTING, disconnect_at__gt=timezone.now(), lease_until=None
    )
    before = Case(When(was_paused=True, then=Value(State.PAUSED)), default=Value(State.ACTIVE))
    undone = leaving.update(state=before, disconnect_at=None)
    if undone:
        trail.record(by, "connection.undo-disconnect", on=connection)
        if not connection.was_paused:
            owe_first(connection)
    return bool(undone)


def finish_disconnect(connection: Connection) -> None:
    """Tell the platform, then close our side. A platform that refuses to listen does not keep a store connected."""
    claimed = Connection.objects.to_be_disconnected().claim(connection.pk)
    if claimed is None:
        return
    assert claimed.integration
    if claimed.kind.can(Connects):
        ref = claimed.ref
        try:
            call(claimed.integration, lambda client: client.disconnect(ref))
        except Unreachable as error:
            log.info("platform not told of a disconnect yet", connection=str(claimed.pk), error=str(error))
            return
        except ConnectorError as error:
            log.warning("platform refused a disconnect", connection=str(claimed.pk), error=str(error))
    _close(claimed)


@transaction.atomic
def _close(claimed: Connection) -> None:
    closed = claimed.mine().filter(state=State.DISCONNECTING)
    if not closed.update(state=State.DISCONNECTED, lease_until=None):
        return
    Shop.objects.filter(connections=claimed).close()
    if claimed.is_warehouse:
        warehousing.close_down(claimed)
    for run in SyncRun.objects.unfinished().filter(shop=claimed.shop):
        cancel(run)
    _forget_permission(claimed)


def _forget_permission(closed: Connection) -> None:
    """When no store uses a permission any more, we do not keep it."""
    assert closed.integration
    others = Connection.objects.filter(integration=closed.integration).exclude(state=State.DISCONNECTED)
    if not others.exists():
        Credential.objects.filter(integration=closed.integration).delete()
        rows = Integration.objects.filter(pk=closed.integration.pk, partner=None)
        rows.exclude(state=Integration.State.DISABLED).update(state=Integration.State.NOT_CONFIGURED)
