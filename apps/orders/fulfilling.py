"""What comes back from a warehouse: it has the fulfilment, picks it, ships it in parcels, or refuses it.

Each of these holds the order first, then its fulfilment, then the stock. What the warehouse did is a fact: it is never
refused because our numbers say otherwise, and told again it changes nothing. A final fulfilment does not change.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import CharField, Exists, F, OuterRef
from django.db.models.functions import Cast
from django.utils import timezone

from apps.api.errors import Problem, invalid
from apps.audit.trail import Actor
from apps.integrations.connectors.orders import FulfillmentNews, Step, Tracking
from apps.integrations.models import Integration
from apps.webhooks.models import Event

from .changing import advance, lock, settle
from .models import Fulfillment, FulfillmentLine, FulfillmentQuerySet, Hindrance, Parcel
from .packing import chosen, give_back, pack
from .timeline import record

State, Owes = Fulfillment.State, Fulfillment.Owes
NOTHING_OWED: dict[str, Any] = {"owes": Owes.NOTHING, "due_at": None, "lease_until": None, "tries": 0}
NOTHING_OWED |= {"error": "", "detail": ""}
NO_TRACKING = Tracking()


def hold(fulfillment: Fulfillment) -> Fulfillment:
    """The fulfilment as it is now, with its order: nobody else's until the transaction ends."""
    order = lock(fulfillment.order_id)
    rows = Fulfillment.objects.select_for_update(no_key=True, of=("self",)).select_related("location", "integration")
    own = rows.get(pk=fulfillment.pk)
    own.order = order
    return own


def hold_open(fulfillment: Fulfillment) -> Fulfillment:
    """As `hold`. Raises Problem fulfillment_is_final (behaviour 78)."""
    own = hold(fulfillment)
    if own.is_final:
        raise Problem("fulfillment_is_final")
    return own


@transaction.atomic
def acknowledge(fulfillment: Fulfillment, *, by: Actor, remote_id: str = "", remote_url: str = "") -> Fulfillment:
    """The warehouse has it, under an id of its own. Of one that is further already only what is new is kept.

    Raises Problem conflict for an id that it gave to another one.
    """
    own = hold(fulfillment)
    if own.is_final:
        return own
    named = {"remote_id": remote_id, "remote_url": remote_url}
    changes = {name: value for name, value in named.items() if value and value != getattr(own, name)}
    if "remote_id" in changes:
        _check_is_free(own, remote_id)
    if own.state == State.READY:
        changes |= {"state": State.SENT} | _is_sent(own)
        record(own.order, "sent", by=by, location=own.location.name, remote_id=remote_id)
    if changes:
        advance(own, **changes)
        settle(own.order)
    return own


def _check_is_free(own: Fulfillment, remote_id: str) -> None:
    if Fulfillment.objects.filter(integration=own.integration, remote_id=remote_id).exclude(pk=own.pk).exists():
        raise Problem("conflict", f"The warehouse gave the id {remote_id} to another one before.")


def _is_sent(own: Fulfillment) -> dict[str, Any]:
    """The changes that say that the warehouse has it; whatever else it is owed still is."""
    own.order.hindrances.filter(code=Hindrance.Code.NOT_SENT, ref=str(own.pk)).delete()
    paid = NOTHING_OWED if own.owes == Owes.SEND else {}
    return paid if own.sent_at else paid | {"sent_at": timezone.now()}


@transaction.atomic
def start_picking(fulfillment: Fulfillment, *, by: Actor) -> Fulfillment:
    """Somebody has begun. Raises Problem fulfillment_is_final."""
    own = hold_open(fulfillment)
    if own.state != State.PICKING:
        advance(own, state=State.PICKING, **_is_sent(own))
        record(own.order, "picking", by=by, location=own.location.name)
        settle(own.order)
    return own


@transaction.atomic
def ship(
    fulfillment: Fulfillment,
    *,
    by: Actor,
    pieces: Mapping[int, int] | None = None,
    tracking: Tracking = NO_TRACKING,
    shipped_at: datetime | None = None,
    entry: str = "",
    is_final: bool | None = None,
    reason: str = "",
) -> Parcel:
    """A parcel has left: `pieces` by order line's id, or None for all that is open (behaviour 76).

    With an `entry`, the warehouse's own name of the parcel, the same one counts once. The fulfilment is final when
    nothing is open, or `is_final` says that no more will come, for this `reason`. Raises Problem:
    fulfillment_is_final, more_than_ordered, validation_error.
    """
    own = hold(fulfillment)
    if entry and (known := own.parcels.filter(ext_parcel_id=entry).first()):
        return known
    if own.is_final:
        raise Problem("fulfillment_is_final")
    lines = _lines(own)
    leaving = chosen(lines, pieces)
    parcel = pack(own, leaving, tracking=tracking, shipped_at=shipped_at, entry=entry, by=by)
    if is_final or not any(line.open for line in lines):
        _finish(own, lines, by=by, reason=reason)
    else:
        advance(own, state=_at_work(own), **_is_sent(own))
        settle(own.order)
    return parcel


def _at_work(own: Fulfillment) -> str:
    """The state of one of which some has left, and more is to come."""
    if own.state != State.READY:
        return own.state
    return State.PICKING if own.is_manual else State.SENT


def _lines(own: Fulfillment) -> list[FulfillmentLine]:
    return list(own.lines.select_related("fulfillment", "order_line"))


def _finish(
    own: Fulfillment,
    lines: Iterable[FulfillmentLine],
    *,
    by: Actor,
    otherwise: str = State.REJECTED,
    reason: str = "",
) -> None:
    """No more comes of it: final, as `otherwise` if nothing was shipped. What is still open is given back.

    Unless its order is being cancelled, a person has to say what becomes of the rest.
    """
    rest = give_back(own, lines, by=by)
    shipped = State.PARTLY_SHIPPED if rest else State.SHIPPED
    state = shipped if any(line.shipped for line in lines) else otherwise
    advance(own, state=state, reason=reason[:255], finished_at=timezone.now(), **NOTHING_OWED)
    is_stopping = own.order.cancel_requested_at is not None
    if state != State.SHIPPED and not is_stopping:
        _hinder(own, Hindrance.Code.REJECTED, reason=reason, pieces=rest)
    if is_stopping and not own.order.fulfillments.live().exists():
        _end_cancelling(own, by=by)
    else:
        settle(own.order)


def _hinder(own: Fulfillment, hindrance: str, **detail: Any) -> None:
    said = {"who": Hindrance.Who.OPERATOR, "detail": detail | {"location": own.location.name}, "since": timezone.now()}
    own.order.hindrances.update_or_create(
        organization_id=own.organization_id, code=hindrance, ref=str(own.pk), defaults=said
    )


def _end_cancelling(own: Fulfillment, *, by: Actor) -> None:
    """The last fulfilment of an order that was to be cancelled is over: nothing has left, or only the rest need not."""
    order = own.order
    if not order.lines.filter(shipped__gt=0).exists():
        record(order, "cancelled", by=by)
        order.hindrances.all().delete()
        settle(order, event=Event.Type.ORDER_CANCELLED, cancelled_at=timezone.now(), due_at=None)
        return
    order.lines.filter(is_excluded=False).update(cancelled=F("quantity") - F("shipped"))
    _hinder(own, Hindrance.Code.CANCEL_REFUSED, code="order_already_fulfilled")
    settle(order, cancel_requested_at=None)


@transaction.atomic
def close(fulfillment: Fulfillment, *, by: Actor) -> Fulfillment:
    """No more parcels will come. Raises Problem fulfillment_is_final."""
    own = hold_open(fulfillment)
    record(own.order, "closed", by=by, location=own.location.name)
    _finish(own, _lines(own), by=by, reason="not_all_shipped")
    return own


@transaction.atomic
def reject(fulfillment: Fulfillment, *, by: Actor, reason: str = "") -> Fulfillment:
    """The warehouse does not ship it, or no more of it. Raises Problem fulfillment_is_final."""
    own = hold_open(fulfillment)
    record(own.order, "rejected", by=by, location=own.location.name, reason=reason)
    _finish(own, _lines(own), by=by, reason=reason)
    return own


@transaction.atomic
def confirm_cancelled(fulfillment: Fulfillment, *, by: Actor) -> Fulfillment:
    """The warehouse has stopped it, as it was asked to. Raises Problem fulfillment_is_final."""
    own = hold_open(fulfillment)
    record(own.order, "stopped", by=by, location=own.location.name)
    _finish(own, _lines(own), by=by, otherwise=State.CANCELLED)
    return own


@transaction.atomic
def refuse_cancel(fulfillment: Fulfillment, *, by: Actor, code: str) -> Fulfillment:
    """The warehouse cannot stop it any more: the order goes on, and says so (behaviour 77).

    `code` is picking_in_progress or order_already_fulfilled. Raises Problem fulfillment_is_final.
    """
    own = hold_open(fulfillment)
    order = own.order
    record(order, "cancel_refused", by=by, location=own.location.name, code=code)
    _hinder(own, Hindrance.Code.CANCEL_REFUSED, code=code)
    if own.owes == Owes.CANCEL:
        advance(own, **NOTHING_OWED)
    if asked_to_stop(order.fulfillments.all()).exists():
        settle(order)
    else:  # what was dropped before somebody refused has to be routed anew
        settle(order, cancel_requested_at=None, due_at=timezone.now())
    return own


def asked_to_stop(fulfillments: FulfillmentQuerySet) -> FulfillmentQuerySet:
    """Those of these whose warehouse has still to say if it can stop."""
    refused = Hindrance.objects.filter(
        order=OuterRef("order"),
        code=Hindrance.Code.CANCEL_REFUSED,
        ref=Cast(OuterRef("pk"), CharField()),
        since__gte=OuterRef("order__cancel_requested_at"),
    )
    return fulfillments.live().filter(~Exists(refused), order__cancel_requested_at__isnull=False)


@transaction.atomic
def take_news(integration: Integration, news: FulfillmentNews, *, by: Actor) -> str:
    """What a warehouse says of one fulfilment of its, in any order and more than once. Returns what came of it:

    taken, picking, parcel, shipped, rejected, cancelled; known when it says nothing new; late when it would change a
    final one, which is noted. Raises Problem: fulfillment_not_found, more_than_ordered, validation_error, conflict.
    """
    own = hold(_named(integration, news))
    if news.version is not None:
        if own.source_version is not None and news.version < own.source_version:
            return "known"
        advance(own, source_version=news.version)
    return _note_late(own, news, by=by) if own.is_final else _follow(own, news, by=by)


def _named(integration: Integration, news: FulfillmentNews) -> Fulfillment:
    """By our reference, else by its id there. Raises Problem fulfillment_not_found."""
    own = Fulfillment.objects.filter(organization=integration.organization_id, integration=integration)
    found = own.filter(pk=reference).first() if (reference := _uuid(news.reference)) else None
    if found is None and news.remote_id:
        found = own.filter(remote_id=news.remote_id).first()
    if found is None:
        raise Problem("fulfillment_not_found")
    return found


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _follow(own: Fulfillment, news: FulfillmentNews, *, by: Actor) -> str:
    """Do what the news of one that is not final says."""
    was_new = own.state == State.READY
    own = acknowledge(own, by=by, remote_id=news.remote_id)
    pieces = _newly_left(own, news)
    if pieces and _pack(own, news, pieces, by=by).is_final:
        return "shipped"
    return _step(own, news, by=by) or ("parcel" if pieces else "taken" if was_new else "known")


def _pack(own: Fulfillment, news: FulfillmentNews, pieces: Mapping[int, int], *, by: Actor) -> Fulfillment:
    is_final = news.is_final and news.step == Step.SHIPPED
    told: dict[str, Any] = {"tracking": news.tracking, "shipped_at": news.occurred_at, "entry": news.entry}
    return ship(own, by=by, pieces=pieces, is_final=is_final, **told).fulfillment


def _step(own: Fulfillment, news: FulfillmentNews, *, by: Actor) -> str:
    """What it says beside parcels; empty when that is nothing."""
    match news.step:
        case Step.REJECTED:
            reject(own, by=by, reason=news.reason)
        case Step.CANCELLED if own.order.cancel_requested_at:
            confirm_cancelled(own, by=by)
        case Step.CANCELLED:
            reject(own, by=by, reason=news.reason or "cancelled_there")
            return "rejected"
        case Step.SHIPPED if news.is_final:
            close(own, by=by)
        case Step.PICKING if own.state != State.PICKING:
            start_picking(own, by=by)
        case _:
            return ""
    return str(news.step)


def _said(own: Fulfillment, news: FulfillmentNews) -> dict[FulfillmentLine, int]:
    """How many pieces of each line have left by now. Raises Problem validation_error for what is no line of it."""
    lines = {str(line.order_line_id): line for line in own.lines.all()}
    if news.shipped is None:
        return {line: line.quantity for line in lines.values()} if news.step == Step.SHIPPED else {}
    if strange := sorted(set(news.shipped) - set(lines)):
        raise invalid("lines", f"{strange[0]} is no line of this fulfillment.")
    return {lines[pk]: number for pk, number in news.shipped.items()}


def _newly_left(own: Fulfillment, news: FulfillmentNews) -> dict[int, int]:
    """The pieces that have left since we heard of it last; none of a parcel that we know."""
    if news.entry and own.parcels.filter(ext_parcel_id=news.entry).exists():
        return {}
    new = {line.order_line_id: number - line.shipped for line, number in _said(own, news).items()}
    return {pk: number for pk, number in new.items() if number > 0}


def _note_late(own: Fulfillment, news: FulfillmentNews, *, by: Actor) -> str:
    """News of a final one, noted once if they say otherwise."""
    is_other = own.state == State.SHIPPED and news.step in {Step.REJECTED, Step.CANCELLED}
    pieces = sum(_newly_left(own, news).values())
    if not is_other and not pieces:
        return "known"
    said = {"location": own.location.name, "step": str(news.step), "pieces": pieces}
    if not own.order.entries.filter(kind="late_news", data__contains=said).exists():
        record(own.order, "late_news", by=by, internal=True, **said)
    return "late"
