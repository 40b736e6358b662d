"""Handing orders over to warehouses, changing and cancelling them there: what is due, a few at once, by one worker for
each warehouse.

A fulfilment is claimed, then its warehouse is told with no transaction open, then what came of it is written down. Of
one that somebody may have sent before, the warehouse is first asked whether it has our reference: it is never sent
twice. One bad order fails alone; a warehouse that cannot be reached waits, and holds up no other.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog
from django.db.models.functions import Now

from apps.catalog import importing
from apps.integrations.connectors import UnknownConnector
from apps.integrations.connectors.base import ConnectorError, Rejected, StoreRef, Unauthorized, Unreachable
from apps.integrations.connectors.orders import TakesOrders
from apps.integrations.sessions import call
from apps.orders.models import Fulfillment
from apps.shops.models import Connection

from .describing import Errand, errands
from .keeping import LONGEST_DETAIL, LostLease, Stopped
from .models import OrderFeed
from .parking import open_again
from .recording import NOT_THERE, Answer, note, note_silence

log = structlog.get_logger(__name__)

AT_ONCE = 8  # calls to one warehouse
BATCH = 2 * AT_ONCE  # claimed together: what is answered is written down while the others are being told
SLICE_SECONDS = 10.0  # then somebody else's work has its turn
WAITS = (1, 2, 5, 15, 60, 300)  # seconds, after each failure in a row to reach a warehouse
RATE_SECONDS = 15.0  # for a 429 that names no time
LONGEST_WAIT = 3600.0  # whatever Retry-After says
TAKEN = "order_already_exists"


def due() -> list[Any]:
    """The integrations that are to be told something now, and can be."""
    OrderFeed.objects.enlist()
    return list(OrderFeed.objects.due().values_list("integration", flat=True))


def hand_over(integration: Any) -> bool:
    """Tell a warehouse what is due. True when more may be due at once.

    Does nothing when somebody else is at it, or it has to wait.
    """
    feed = OrderFeed.objects.due().claim(integration)
    if feed is None:
        return False
    try:
        return _hand_over(feed)
    except (LostLease, Stopped, UnknownConnector) as reason:
        log.info("orders not handed over", integration=str(integration), reason=repr(reason))
    except Unauthorized as error:  # held by the integration's state until its owner logs in again
        log.info("orders wait for a permission", integration=str(integration), reason=str(error))
    except ConnectorError as error:
        _back_off(feed, error)
    finally:
        feed.mine().update(lease_until=None)
    return False


def _hand_over(feed: OrderFeed) -> bool:
    if not feed.integration.kind.can(TakesOrders):
        raise Stopped
    until = time.monotonic() + SLICE_SECONDS
    return call(feed.integration, lambda client: Turn(feed, client, _store(feed), until=until).go_on())


def _store(feed: OrderFeed) -> StoreRef:
    """Raises Stopped when it is not connected."""
    live = Connection.objects.live().with_everything().filter(integration=feed.integration_id).first()
    if live is None:
        raise Stopped
    return live.ref


@dataclass(frozen=True)
class Turn:
    """One worker's turn at one warehouse, over connections that are kept."""

    feed: OrderFeed
    client: Any
    store: StoreRef
    until: float

    def go_on(self) -> bool:
        """Raises Unauthorized or Unreachable when the warehouse cannot be told any more; what was due still is."""
        with ThreadPoolExecutor(AT_ONCE) as threads:
            while claimed := self._claim():
                self._tell(claimed, threads)
                if time.monotonic() > self.until:
                    return True
        return False

    def _claim(self) -> list[Fulfillment]:
        _hold(self.feed)
        return Fulfillment.objects.filter(integration=self.feed.integration_id).claim(most=BATCH)

    def _tell(self, claimed: Sequence[Fulfillment], threads: ThreadPoolExecutor) -> None:
        wanted = errands(self.feed.integration, claimed)
        silent: list[tuple[Errand, ConnectorError]] = []
        for errand, answer in zip(wanted, threads.map(partial(ask, self.client, self.store), wanted), strict=True):
            if failure := _silence(answer):
                silent.append((errand, failure))
            else:
                note(errand, answer)
        answered = len(wanted) - len(silent)
        for errand, failure in silent:
            note_silence(errand, failure, alone=answered > 0)
        self._go_on_after([failure for _, failure in silent], answered=answered)

    def _go_on_after(self, silent: Sequence[ConnectorError], *, answered: int) -> None:
        """Whether the warehouse can be told more. One that failed while others got through has itself to blame."""
        if answered:
            open_again(self.feed.integration)
            self.feed.tries = 0
            self.feed.mine().update(told_at=Now(), tries=0, error="", detail="", next_attempt_at=None)
        telling = [failure for failure in silent if not answered or _is_of_account(failure)]
        if telling:
            raise telling[0]


def _silence(answer: Answer) -> ConnectorError | None:
    """Why an order could not even be refused."""
    return answer.failure if isinstance(answer.failure, Unauthorized | Unreachable) else None


def _is_of_account(failure: ConnectorError) -> bool:
    """Whether the warehouse asks all of the account to slow down."""
    return failure.code == "rate_limited"


def ask(client: Any, store: StoreRef, errand: Errand) -> Answer:
    """What the warehouse says. Runs in a thread of its own, and leaves our database alone."""
    try:
        return TELL[errand.owes](client, store, errand)
    except ConnectorError as failure:
        return Answer(failure=failure)
    except Exception as error:
        log.exception("handing over hit a bug", fulfillment=errand.order.reference)
        return Answer(failure=Rejected(repr(error), code="bug"))


def _send(client: TakesOrders, store: StoreRef, errand: Errand) -> Answer:
    if errand.may_be_there and (found := client.find_order(store, errand.order.reference)):
        return Answer(found, was_there=True)
    if errand.missing:
        raise Rejected(f"It has not been told of {errand.missing} yet.", code=NOT_THERE)
    try:
        return Answer(client.put_order(store, errand.order))
    except Rejected as refused:
        found = client.find_order(store, errand.order.reference) if refused.code == TAKEN else None
        if found is None:
            raise
        return Answer(found, was_there=True)


def _change(client: TakesOrders, store: StoreRef, errand: Errand) -> Answer:
    client.change_order(store, errand.order)
    return Answer(errand.order.remote_id)


def _cancel(client: TakesOrders, store: StoreRef, errand: Errand) -> Answer:
    client.cancel_order(store, errand.order)
    return Answer(errand.order.remote_id)


TELL: Mapping[str, Callable[[Any, StoreRef, Errand], Answer]] = {
    Fulfillment.Owes.SEND: _send,
    Fulfillment.Owes.CHANGE: _change,
    Fulfillment.Owes.CANCEL: _cancel,
}


def _hold(feed: OrderFeed) -> None:
    """Renew the lease. Raises LostLease; or Stopped when the integration may not be told any more."""
    allowed = OrderFeed.objects.allowed().values("pk")
    if not feed.mine().filter(pk__in=allowed).update(lease_until=Now() + feed.LEASE):
        raise Stopped if feed.mine().exists() else LostLease


def _back_off(feed: OrderFeed, error: ConnectorError) -> None:
    """Nothing more is told until then; where all of an account is asked to slow down, to none of its integrations."""
    seconds = _seconds(error, tries=feed.tries)
    detail = importing.legible(str(error), most=LONGEST_DETAIL)
    feed.mine().update(error=error.code[:50], detail=detail, tries=feed.tries + 1)
    feed.mine().wait(seconds=seconds)
    if _is_of_account(error):
        OrderFeed.objects.of_account(feed.integration).wait(seconds=seconds)


def _seconds(error: ConnectorError, *, tries: int) -> float:
    asked = error.retry_after if isinstance(error, Unreachable) else None
    if asked is not None:
        return min(asked, LONGEST_WAIT)
    return max(WAITS[min(tries, len(WAITS) - 1)], RATE_SECONDS if _is_of_account(error) else 0)
