"""Opening what other systems sent us: each receipt once, in one transaction with everything that follows from it.

What cannot be opened now stays where it is: it waits for another try, is parked until somebody knows what it is about,
or has failed with a reason; and it can be opened again.
"""

import random
import time
from datetime import timedelta
from typing import Any

import structlog
from django.db import InterfaceError, OperationalError, transaction
from django.db.models.functions import Now

from apps.catalog import importing
from apps.orders import timeline
from apps.shops.models import Shop
from apps.webhooks.models import Receipt

from .keeping import LONGEST_DETAIL
from .parking import Failed, Parked
from .taking_messages import take_message
from .taking_news import take

log = structlog.get_logger(__name__)

BATCH = 50  # claimed at once; far fewer than can be opened within a lease
SLICE_SECONDS = 5.0  # then somebody else's work has its turn
MOST_TRIES = 5
RETRY_SECONDS = 10.0  # doubled with each try


class LostLease(Exception):
    """Somebody else opens it now."""


def open_waiting() -> bool:
    """Open what waits, oldest first, for a while. True when more may be waiting."""
    until = time.monotonic() + SLICE_SECONDS
    while time.monotonic() < until:
        claimed = Receipt.objects.claim(most=BATCH)
        for receipt in claimed:
            open_receipt(receipt)
        if len(claimed) < BATCH:
            return False
    return True


def open_receipt(receipt: Receipt) -> None:
    """Take in what a claimed receipt says. Whatever goes wrong is its own, and written on it.

    Raises only when our database is in trouble; then its lease runs out, and it is opened later.
    """
    try:
        with transaction.atomic():
            _end(receipt, Receipt.State.DONE, detail=_take_in(receipt))
    except LostLease:
        log.info("receipt taken over", receipt=str(receipt.pk))
    except Parked as parked:
        _end_quietly(receipt, Receipt.State.PARKED, error=str(parked))
    except Failed as failed:
        _end_quietly(receipt, Receipt.State.FAILED, error=str(failed), detail=failed.detail)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        log.exception("receipt hit a bug", receipt=str(receipt.pk))
        _try_later(receipt, error)


def _take_in(receipt: Receipt) -> str:
    """What came of it, for admins; empty when nothing is to be said. Raises Parked or Failed."""
    if receipt.tries > MOST_TRIES:
        raise Failed("bug", "Workers died at it again and again.")
    with timeline.because_of(receipt=str(receipt.pk)):
        return take_message(receipt) if _is_custom(receipt) else _take_news(receipt)


def _is_custom(receipt: Receipt) -> bool:
    return receipt.integration.partner is not None


def _take_news(receipt: Receipt) -> str:
    """What a connector in our code understands."""
    client: Any = receipt.integration.kind.client
    try:
        news = client.news(receipt.event_type, bytes(receipt.body))
    except ValueError as error:
        raise Failed("unreadable", str(error)) from error
    if news is None:
        raise Parked("unknown_event")
    shop = Shop.objects.active().filter(integration=receipt.integration, ext_shop_id=receipt.shop_ref).first()
    if shop is None:
        raise Parked("unknown_shop")
    return "\n".join(filter(None, [take(one, receipt, shop) for one in news]))


def _end(receipt: Receipt, state: str, *, error: str = "", detail: str = "") -> None:
    """Raises LostLease, and with it undoes what was done in the same transaction."""
    legible = importing.legible(detail, most=LONGEST_DETAIL)
    ended = receipt.mine().update(state=state, error=error[:50], detail=legible, lease_until=None, finished_at=Now())
    if not ended:
        raise LostLease


def _end_quietly(receipt: Receipt, state: str, *, error: str, detail: str = "") -> None:
    try:
        _end(receipt, state, error=error, detail=detail)
    except LostLease:
        log.info("receipt taken over", receipt=str(receipt.pk))


def _try_later(receipt: Receipt, error: Exception) -> None:
    """Longer each time; after the last try it has failed, and waits for somebody."""
    if receipt.tries >= MOST_TRIES:
        _end_quietly(receipt, Receipt.State.FAILED, error="bug", detail=repr(error))
        return
    seconds = random.uniform(0.5, 1) * RETRY_SECONDS * 2 ** (receipt.tries - 1)  # noqa: S311 - spreads load
    receipt.mine().update(
        lease_until=None,
        next_attempt_at=Now() + timedelta(seconds=seconds),
        error="bug",
        detail=importing.legible(repr(error), most=LONGEST_DETAIL),
    )
