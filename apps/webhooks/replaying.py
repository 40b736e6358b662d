"""Sending once more: the same row, the same message id, a new attempt (behaviour 95). One, or many after a count."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import F, OuterRef, Subquery
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from apps.api.errors import Problem
from apps.audit.trail import Actor, record

from . import addressing, statements
from .models import Delivery, Endpoint, Hook
from .models.deliveries import DeliveryQuerySet
from .models.endpoints import EndpointQuerySet

type Asked = Mapping[str, Any] | None  # the filter they were found by

LONGEST = timedelta(days=30)  # of a replay by filter, from its first to its last
ANEW: dict[str, Any] = {
    "state": Delivery.State.PENDING, "tries": 0, "status": None, "error": "", "first_tried_at": None,
    "next_attempt_at": None, "finished_at": None,
}  # fmt: skip


def replayable(deliveries: DeliveryQuerySet) -> DeliveryQuerySet:
    """Those that came to their end, and whose hook somebody still wants."""
    return deliveries.exclude(state__in=Delivery.UNDONE).filter(hook__deleted_at=None)


def count(deliveries: DeliveryQuerySet) -> int:
    """How many `replay` would send."""
    return replayable(deliveries).order_by().count()


@transaction.atomic
def replay(deliveries: DeliveryQuerySet, *, actor: Actor, asked: Asked = None, expected: int | None = None) -> int:
    """Those that came to their end are sent once more; returns how many. What has still to arrive is left alone.

    `asked` is the filter they were found by, for the trail; `expected` how many whoever asks was told of. Raises
    Problem: hook_not_found when nobody wants any of them now, more_than_expected with nothing done.
    """
    pks = replayable(deliveries).order_by().values("pk")
    locked = _lock(Endpoint.objects.filter(hooks__deliveries__in=pks))
    found = list(replayable(deliveries)[:2])
    if not found:
        _check_wanted(deliveries)
        return 0
    hooks = set(Delivery.objects.filter(pk__in=pks).order_by().values_list("hook", flat=True).distinct())
    where = Hook.objects.filter(pk=OuterRef("hook")).values("endpoint")
    counts = _update(Delivery.objects.filter(pk__in=pks), locked, endpoint=Subquery(where), **ANEW)
    sent = sum(counts.values())
    if expected is not None and sent > expected:
        raise Problem("more_than_expected", _("%(n)d match now. Look at them, and ask again.") % {"n": sent})
    _record("delivery.replay", found[0], counts, actor=actor, asked=asked)
    _ring(Endpoint.objects.filter(hooks__in=hooks))
    return sent


def _check_wanted(deliveries: DeliveryQuerySet) -> None:
    gone = deliveries.exclude(state__in=Delivery.UNDONE).exclude(hook__deleted_at=None)
    if gone.exists():
        raise Problem("hook_not_found", _("Its hook was removed."))


@transaction.atomic
def try_now(deliveries: DeliveryQuerySet, *, actor: Actor, asked: Asked = None) -> int:
    """Those that wait for their next try have it now. Returns how many. `asked` as in `replay`."""
    waiting = deliveries.filter(state=Delivery.State.WAITING).order_by()
    locked = _lock(Endpoint.objects.filter(deliveries__in=waiting.values("pk")))
    first = waiting.first()
    still = Delivery.objects.filter(pk__in=waiting.values("pk"), state=Delivery.State.WAITING)
    if first is None or not (counts := _update(still, locked, next_attempt_at=Now())):
        return 0
    shut = Endpoint.objects.filter(pk__in=locked).exclude(probe_at=None)
    shut.update(probe_at=None, fence=F("fence") + 1)
    _record("delivery.try_now", first, counts, actor=actor, asked=asked)
    _ring(Endpoint.objects.filter(pk__in=locked))
    return sum(counts.values())


@transaction.atomic
def drop(deliveries: DeliveryQuerySet, *, actor: Actor, asked: Asked = None) -> int:
    """Those that have still to arrive are never sent, and what was behind them goes on. Returns how many. `asked` as in
    `replay`."""
    undone = deliveries.undone().order_by()
    locked = _lock(Endpoint.objects.filter(deliveries__in=undone.values("pk")))
    first = undone.first()
    still = Delivery.objects.filter(pk__in=undone.values("pk")).undone()  # asked again: one may arrive at this moment
    dropped = {"state": Delivery.State.DROPPED, "next_attempt_at": None, "finished_at": Now()}
    if first is None or not (counts := _update(still, locked, **dropped)):
        return 0
    with connection.cursor() as cursor:
        cursor.execute(statements.UNSTALL, [list(locked), list(locked)])
    _record("delivery.drop", first, counts, actor=actor, asked=asked)
    _ring(Endpoint.objects.filter(pk__in=locked))
    return sum(counts.values())


def _lock(endpoints: Any) -> dict[Any, Any]:
    """As everybody does who changes what an endpoint is to send; always in the same order. Returns whose each is."""
    pks = endpoints.order_by().values("pk").distinct()
    locked = Endpoint.objects.filter(pk__in=pks).order_by("pk").select_for_update(no_key=True)
    return dict(locked.values_list("pk", "organization"))


def _update(deliveries: DeliveryQuerySet, locked: Mapping[Any, Any], **becomes: Any) -> dict[Any, int]:
    """How many became so, of each organization that had any."""
    counts = {one: deliveries.filter(organization=one).update(**becomes) for one in dict.fromkeys(locked.values())}
    return {one: count for one, count in counts.items() if count}


def _ring(endpoints: EndpointQuerySet) -> None:
    endpoints.ring()
    addressing.wake()


def _record(action: str, first: Delivery, counts: Mapping[Any, int], *, actor: Actor, asked: Asked) -> None:
    """One entry of each organization, however many they are."""
    if sum(counts.values()) == 1:
        after = {"asked": {**asked}} if asked else {}
        record(actor, action, on=first, before={"state": first.state, "error": first.error}, after=after)
        return
    for organization, count in counts.items():
        theirs = replace(actor, organization_id=organization)
        record(theirs, action, after={"count": count, "asked": {**asked} if asked else {}})
