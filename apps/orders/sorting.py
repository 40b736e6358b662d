"""Sorting orders in the background: what they are, what is missing, whether they may go, and where they go from.

An order is looked at when it is due. What stands in its way is written down as hindrances; without any, and when its
hold is over, it is routed. It rests only after a look that had nothing to add: what changed while the look before was
at it is seen by this one, and what changes later has a nudge (`nudging`) that finds the hindrances written down.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import prefetch_related_objects
from django.db.models.functions import Now
from django.utils import timezone

from apps.api.errors import Problem
from apps.audit import trail
from apps.audit.trail import Actor

from . import changing, nudging, resolving, routing, ruling, timeline
from .models import Hindrance, Order, OrderQuerySet, RoutingRule
from .resolving import Obstacle
from .routing import Case, Desk
from .timeline import ITSELF

log = structlog.get_logger(__name__)

Code, State = Hindrance.Code, Order.State

MOST, SLICE_SECONDS = 1_000, 5.0  # looked at before others have their turn
SORTER = 0x50B7  # what PostgreSQL's advisory lock of the one who sorts is called
BATCH = 100
LEASE = timedelta(seconds=60)  # longer than a batch takes
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=10), timedelta(hours=1)  # after something went wrong; doubled each time
SWEPT = 10_000
# What a look writes down, and takes away again. All else is said by others.
OURS = {
    Code.UNKNOWN_SKU, Code.UNMAPPED_METHOD, Code.INCOMPLETE_ADDRESS, Code.BLOCKED, Code.NO_LOCATION, Code.OUT_OF_STOCK,
    Code.NOTHING_TO_SHIP, Code.BUG,
}  # fmt: skip
PATIENT_STATES = [State.WAITING, State.BLOCKED, State.PENDING_STOCK]


@contextmanager
def alone() -> Iterator[bool]:
    """Whether nobody else sorts meanwhile: many rings at once must not take all workers from what comes after sorting.

    It ends with the connection, however its process dies.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [SORTER])
        is_alone = bool(cursor.fetchone()[0])
        try:
            yield is_alone
        finally:
            if is_alone:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [SORTER])


def sort_due(*, most: int = MOST, seconds: float = SLICE_SECONDS) -> int:
    """Look at the orders that are due, each alone, after heeding what changed. Returns how many looks it were."""
    until = time.monotonic() + seconds
    _heed()
    looks = 0
    while (
        looks < most
        and time.monotonic() < until
        and (claimed := claim(Order.objects.due(), most=min(BATCH, most - looks)))
    ):
        desk = Desk()
        for order in claimed:
            _look_safely(order, desk)
        looks += len(claimed)
    return looks


def is_anything_due() -> bool:
    return Order.objects.due().exists()


def sort(order_id: Any) -> None:
    """Look at this one now, whether it is due or not, as often as there is something new about it."""
    while claimed := claim(Order.objects.filter(pk=order_id), most=1):
        _look_safely(claimed[0], Desk())
        if not Order.objects.due().filter(pk=order_id).exists():
            return


@transaction.atomic
def _heed() -> None:
    for organization in nudging.heed():
        ruling.reprioritize(organization)


@transaction.atomic
def claim(orders: OrderQuerySet, *, most: int) -> list[Order]:
    """Take the longest due of these, each due again when the lease ends; and learn which products their lines are."""
    chosen = orders.order_by("due_at", "pk").select_related("integration__partner", "organization")
    claimed = list(chosen.select_for_update(skip_locked=True, of=("self",), no_key=True)[:most])
    until = timezone.now() + LEASE
    Order.objects.filter(pk__in=[order.pk for order in claimed]).update(due_at=until)
    resolving.resolve(claimed)
    prefetch_related_objects(claimed, *routing.READ_ALONG)
    for order in claimed:
        order.due_at = until
    return sorted(claimed, key=lambda order: (-order.priority, order.pk))


def _look_safely(claimed: Order, desk: Desk) -> None:
    """A look that goes wrong stops nobody else."""
    try:
        _look(claimed, desk)
    except (OperationalError, InterfaceError) as error:
        log.warning("database busy", order=str(claimed.pk), exc_info=error)  # due again when the lease ends
    except Exception as error:
        log.exception("order could not be sorted", order=str(claimed.pk))
        _note_bug(claimed, error)


@transaction.atomic
def _look(claimed: Order, desk: Desk) -> None:
    """Decide about a claimed order, unless it has changed since: then it is due again already."""
    order = _lock(claimed)
    if order is None:
        return
    if order.is_cancelled or order.cancel_requested_at:
        changing.settle(order, due_at=None)
    else:
        decide(Case.of(order), desk)


def _lock(claimed: Order) -> Order | None:
    """The order as it is now; None when it is due anew.

    Until there are fulfilments, nothing hangs on an order that changes without a version of the order's own.
    """
    same = Order.objects.filter(pk=claimed.pk, due_at=claimed.due_at)
    versions = list(same.select_for_update(no_key=True).values_list("version", flat=True))
    if not versions or (versions == [claimed.version] and not claimed.fulfillments.all()):
        return claimed if versions else None
    order = changing.lock(claimed.pk)
    order.organization, order.integration = claimed.organization, claimed.integration
    return order


def decide(case: Case, desk: Desk) -> None:
    """What becomes of a locked order now."""
    order, before = case.order, case.order.state
    rules = desk.rules(order)
    order.priority, had_priority = ruling.priority_of(rules, order), order.priority
    found = _obstacles(case, rules)
    is_held = order.release_at > timezone.now()
    if before == State.HELD and not is_held:
        timeline.record(order, "released", by=ITSELF)
    if not found and not is_held and _is_to_be_routed(case):
        found = routing.route(case, desk)
    is_new = _write_down(case, found)
    changes = ["due_at", *(["tries"] if order.tries else []), *(["priority"] if order.priority != had_priority else [])]
    order.due_at, order.tries = _next_look(order, is_new=is_new, is_held=is_held and not found), 0
    changing.become(order, case.state, changes=changes)
    if order.state == State.HELD != before:
        timeline.record(order, "held", by=ITSELF, until=order.release_at.isoformat())


def _obstacles(case: Case, rules: Sequence[RoutingRule]) -> list[Obstacle]:
    """What stands in its way wherever it may go; nothing any more when all of it is on its way, or has left."""
    if case.fulfillments and not case.open:
        return []
    blocking = ruling.fitting(rules, case.order, kind=RoutingRule.Kind.BLOCK)
    blocked = [Obstacle(Code.BLOCKED, Hindrance.Who.OPERATOR, rule.name) for rule in blocking]
    return [*resolving.obstacles(case.order, case.lines), *blocked]


def _is_to_be_routed(case: Case) -> bool:
    """Whether something is open, and nobody has to say first what becomes of it, as of what a warehouse refused."""
    others = [one for one in case.hindrances if one.code not in OURS and not one.is_flag]
    return bool(case.open) and not others


def _write_down(case: Case, found: Sequence[Obstacle]) -> bool:
    """Make the order's hindrances these; those that stay keep their `since`. Whether there is a new one."""
    order, known = case.order, {(one.code, one.ref): one for one in case.hindrances if one.code in OURS}
    wanted = {one.key: one for one in found}
    gone = [one for key, one in known.items() if key not in wanted]
    fresh = [one for key, one in wanted.items() if key not in known]
    if gone:
        Hindrance.objects.filter(pk__in=[one.pk for one in gone]).delete()
        timeline.record(order, "resolved", by=ITSELF, reasons=[[one.code, one.ref] for one in gone])
    case.hindrances = [one for one in case.hindrances if one not in gone]
    if fresh:
        case.hindrances += Hindrance.objects.bulk_create(_hindrance(order, one) for one in fresh)
        timeline.record(order, "waiting", by=ITSELF, reasons=[[one.code, one.ref] for one in fresh])
    return bool(fresh)


def _hindrance(order: Order, one: Obstacle) -> Hindrance:
    said = {"code": one.code, "ref": one.ref, "who": one.who, "detail": dict(one.detail)}
    return Hindrance(organization_id=order.organization_id, order=order, **said)


def _next_look(order: Order, *, is_new: bool, is_held: bool) -> datetime | None:
    """At once when something was written down, else at the end of the hold, else when something changes."""
    if is_new:
        return timezone.now()
    return order.release_at if is_held else None


@transaction.atomic
def _note_bug(claimed: Order, error: Exception) -> None:
    """It waits with its reason, and is tried again, ever more seldom."""
    order = changing.lock(claimed.pk)
    detail = {"error": type(error).__name__}
    known = {"organization_id": order.organization_id, "who": Hindrance.Who.OPERATOR, "detail": detail}
    _row, is_new = Hindrance.objects.get_or_create(order=order, code=Code.BUG, ref="", defaults=known)
    if is_new:
        timeline.record(order, "bug", by=ITSELF, internal=True, **detail)
    wait = min(FIRST_WAIT * 2**order.tries, LONGEST_WAIT)
    changing.settle(order, due_at=timezone.now() + wait, tries=min(order.tries + 1, 20))


@transaction.atomic
def route_again(order: Order, *, by: Actor) -> Order:
    """Ship what is left of it: what a warehouse refused, or did not have. It waits like others if it has to.

    Raises Problem conflict when nothing is left, or it is being cancelled.
    """
    locked = changing.lock(order.pk)
    Hindrance.objects.filter(order=locked, code=Code.REJECTED).delete()
    resolving.resolve([locked])
    case = Case.of(locked)
    if locked.is_cancelled or locked.cancel_requested_at or not case.open:
        raise Problem("conflict")
    timeline.record(locked, "route_again", by=by)
    trail.record(by, "order.route_again", on=locked)
    decide(case, Desk())
    return locked


def sweep() -> int:
    """Look again at whatever waits, in case a change was never told. Returns how many orders it were."""
    waiting = Order.objects.filter(due_at=None, state__in=PATIENT_STATES, organization__is_active=True)
    return Order.objects.filter(pk__in=list(waiting.values_list("pk", flat=True)[:SWEPT])).update(due_at=Now())
