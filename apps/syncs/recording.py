"""What came of telling a warehouse of a fulfilment, written down: what it knows now, or why not and when again.

Each in a transaction of its own that holds the order first. What has changed while we were calling is still owed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from django.db import InterfaceError, OperationalError, transaction
from django.utils import timezone

from apps.api.errors import Problem
from apps.catalog import importing
from apps.catalog.models import Handover
from apps.integrations.connectors.base import ConnectorError, Rejected
from apps.orders import changing, fulfilling
from apps.orders.fulfilling import NOTHING_OWED
from apps.orders.models import Fulfillment, Hindrance
from apps.orders.timeline import ITSELF, record

from .describing import Errand, words_of
from .keeping import LONGEST_DETAIL

log = structlog.get_logger(__name__)

Owes = Fulfillment.Owes
EDITED = "edited"  # the timeline's word for a change of what may still change
NOT_THERE = "product_not_there"
UNKNOWN_THERE = (NOT_THERE, "product_not_found")
TOO_LATE = ("picking_in_progress", "order_already_fulfilled")
SOON = (5, 10, 30, 60, 300)  # seconds, while the warehouse is being told of a product
LATER = (600, 3600)  # after each refusal of an order, which somebody has to mend
OWN_WAITS = (5, 15, 60, 300)  # when the others get through, and this one does not


@dataclass(frozen=True, slots=True)
class Answer:
    """What a warehouse said: its id of the order, and whether it had it before we asked; or why not."""

    remote_id: str = ""
    was_there: bool = False
    failure: ConnectorError | None = None


def note(errand: Errand, answer: Answer) -> None:
    """What the warehouse did, or refused to do. What cannot be written down is tried again later, by itself.

    Raises only when our database is in trouble; then its lease runs out, and the warehouse is asked what it has.
    """
    try:
        _note(errand, answer)
    except (OperationalError, InterfaceError):
        raise
    except Problem as problem:
        _note(errand, Answer(failure=Rejected(str(problem), code=problem.code)))
    except Exception as error:
        log.exception("what a warehouse said cannot be written down", fulfillment=errand.order.reference)
        _note(errand, Answer(failure=Rejected(repr(error), code="bug")))


def _note(errand: Errand, answer: Answer) -> None:
    if isinstance(answer.failure, Rejected):
        refused = answer.failure
        _write(errand, lambda own: REFUSED[errand.owes](own, errand, refused), is_news=False)
    else:
        _write(errand, lambda own: DONE[errand.owes](own, errand, answer))


def note_silence(errand: Errand, failure: ConnectorError, *, alone: bool) -> None:
    """It could not be told, and stays due. When it is the only one (`alone`), it waits for a while of its own."""
    waits = OWN_WAITS if alone else ()
    _write(errand, lambda own: _put_off(own, errand, failure, waits=waits), is_news=False)


def _write(errand: Errand, write: Callable[[Fulfillment], None], *, is_news: bool = True) -> None:
    """Unless something else is wanted by now: then that is owed, and what we did counts as a try that nobody noted.

    A failure (no `is_news`) says nothing of what the warehouse has told us of meanwhile.
    """
    ours = errand.fulfillment
    with transaction.atomic():
        own = fulfilling.hold(ours)
        if own.fence != ours.fence:
            log.info("fulfillment taken over", fulfillment=errand.order.reference)
            Fulfillment.objects.filter(pk=ours.pk, lease_until=ours.lease_until).update(lease_until=None)
        elif is_news or own.owes:
            write(own)


def _sent(own: Fulfillment, errand: Errand, answer: Answer) -> None:
    """The warehouse has it; by now it may have told us more."""
    if answer.was_there:
        record(own.order, "found_there", by=ITSELF, internal=True, remote_id=answer.remote_id, **_where(own))
    own = fulfilling.acknowledge(own, by=ITSELF, remote_id=answer.remote_id)
    owes = _still_owed(own, errand, answer)
    if owes or own.owes:
        _free(own, owes=owes)


def _still_owed(own: Fulfillment, errand: Errand, answer: Answer) -> str:
    """Whether what may still change was changed here while the warehouse was being told this, or since it was sent."""
    told = (errand.order.tags, errand.order.notes, errand.order.destination)
    edits = own.order.entries.filter(kind=EDITED, at__gt=own.created_at)
    is_old = words_of(own.order) != told or (answer.was_there and edits.exists())
    return Owes.CHANGE if is_old and not own.is_final else Owes.NOTHING


def _changed(own: Fulfillment, errand: Errand, answer: Answer) -> None:
    _free(own, owes=_still_owed(own, errand, answer))
    record(own.order, "change_sent", by=ITSELF, **_where(own))


def _cancelled(own: Fulfillment, errand: Errand, answer: Answer) -> None:
    if own.is_final:
        _free(own)
    else:
        fulfilling.confirm_cancelled(own, by=ITSELF)


def _not_taken(own: Fulfillment, errand: Errand, refused: Rejected) -> None:
    """It is tried again: soon, as long as its product is on its way there, else slowly, and somebody is told."""
    is_unknown = refused.code in UNKNOWN_THERE
    if is_unknown and not errand.missing:
        _forget_product(own)
    if is_unknown and own.tries < len(SOON):
        _put_off(own, errand, refused, waits=SOON)
    else:
        _hinder(own, Hindrance.Code.NOT_SENT, refused)
        _put_off(own, errand, refused, waits=LATER)


def _forget_product(own: Fulfillment) -> None:
    """We had told the warehouse of it, and it does not know it any more: it is told anew."""
    products = own.lines.values_list("product", flat=True)
    Handover.objects.filter(integration=own.integration, product__in=list(products)).update(version=0)


def _not_changed(own: Fulfillment, errand: Errand, refused: Rejected) -> None:
    """The warehouse goes on with what it has."""
    _free(own)
    _hinder(own, Hindrance.Code.EDITED_LATE, refused)
    record(own.order, FAILED[errand.owes], by=ITSELF, code=refused.code, **_where(own))


def _not_cancelled(own: Fulfillment, errand: Errand, refused: Rejected) -> None:
    """What is too late to be stopped is there, whether or not we knew."""
    if refused.code not in TOO_LATE:
        _not_taken(own, errand, refused)
        return
    if own.is_final:
        _free(own)
    else:
        own = fulfilling.acknowledge(own, by=ITSELF)
        fulfilling.refuse_cancel(own, by=ITSELF, code=refused.code)


DONE: Mapping[str, Callable[[Fulfillment, Errand, Answer], None]] = {
    Owes.SEND: _sent,
    Owes.CHANGE: _changed,
    Owes.CANCEL: _cancelled,
}
REFUSED: Mapping[str, Callable[[Fulfillment, Errand, Rejected], None]] = {
    Owes.SEND: _not_taken,
    Owes.CHANGE: _not_changed,
    Owes.CANCEL: _not_cancelled,
}
FAILED: Mapping[str, str] = {Owes.SEND: "send_failed", Owes.CHANGE: "change_failed", Owes.CANCEL: "cancel_failed"}


def _free(own: Fulfillment, *, owes: str = Owes.NOTHING) -> None:
    changing.advance(own, **NOTHING_OWED | {"owes": owes, "due_at": timezone.now() if owes else None})


def _put_off(own: Fulfillment, errand: Errand, failure: ConnectorError, *, waits: tuple[int, ...]) -> None:
    """Still owed: at once, or after the next of these waits. The timeline has each reason once, and not each try."""
    code = failure.code[:50]
    if own.error != code:
        record(own.order, FAILED[errand.owes], by=ITSELF, code=code, **_where(own))
    detail = importing.legible(str(failure), most=LONGEST_DETAIL)
    due_at = timezone.now() + timedelta(seconds=waits[min(own.tries, len(waits) - 1)]) if waits else own.due_at
    changing.advance(own, lease_until=None, error=code, detail=detail, due_at=due_at, tries=own.tries + 1)


def _hinder(own: Fulfillment, code: str, refused: Rejected) -> None:
    about: dict[str, Any] = {"organization_id": own.organization_id, "code": code, "ref": str(own.pk)}
    said: dict[str, Any] = {"who": Hindrance.Who.OPERATOR, "detail": {"code": refused.code} | _where(own)}
    own.order.hindrances.update_or_create(**about, defaults=said)


def _where(own: Fulfillment) -> dict[str, Any]:
    return {"location": own.location.name}
