"""Working on one sync run: claimed by one worker, done by the function of its kind, left in an honest state.

Whatever goes wrong, the run is waiting for its next attempt, or ended with a reason. A worker that dies leaves a lease
behind that runs out.
"""

import random
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import structlog
from django.db import InterfaceError, OperationalError
from django.db.models import F
from django.db.models.functions import Now

from apps.catalog import importing
from apps.integrations.connectors.base import ConnectorError, Rejected, Unauthorized, Unreachable

from .comparing import compare_stock
from .counting import count_stock
from .keeping import LONGEST_DETAIL, LostLease, SliceOver, Stopped, end
from .models import SyncRun
from .publishing import publish_stock
from .pulling import pull_products
from .pulling_orders import pull_orders
from .pulling_services import pull_services
from .pushing import push_products
from .reconciling import reconcile

log = structlog.get_logger(__name__)

RETRY_SECONDS = (1, 2, 4, 8, 15)  # then the run fails; the next regular run begins anew
RATE_SECONDS = 15.0  # for a 429 that names no time: platforms count per minute (Otter: contracts 3.4)
LONGEST_WAIT = 3600.0  # seconds; whatever Retry-After says

# What each kind of run does. It ends the run by itself, or raises SliceOver to go on with it in its next turn.
WORK: Mapping[str, Callable[[SyncRun], None]] = {
    SyncRun.Kind.PRODUCTS: pull_products,
    SyncRun.Kind.ORDERS: pull_orders,
    SyncRun.Kind.SERVICES: pull_services,
    SyncRun.Kind.STOCK: publish_stock,
    SyncRun.Kind.ITEMS: push_products,
    SyncRun.Kind.COUNT: count_stock,
    SyncRun.Kind.COMPARE: compare_stock,
    SyncRun.Kind.FULFILLMENTS: reconcile,
}


def run(run_id: Any) -> bool:
    """Work on a run until it ends, has to wait, or has had its turn. True when it can go on at once.

    Does nothing when somebody else is at it, or it is not due.
    """
    found = SyncRun.objects.claim(run_id)
    if found is None:
        return False
    try:
        _work(found)
    except SliceOver:
        return bool(found.mine().update(state=SyncRun.State.QUEUED, lease_until=None))
    except LostLease:
        log.info("sync run taken over", run=str(found.pk))
    except Stopped:
        _stop(found)
    except Unauthorized as error:
        _wait(found, error, seconds=0)  # held by the integration's state until its owner logs in again
    except Unreachable as error:
        _try_later(found, error)
    except Rejected as error:
        end(found, SyncRun.State.FAILED, error=error.code, detail=str(error))
    except (OperationalError, InterfaceError):
        raise  # our database is in trouble: the lease runs out, and the run goes on from its last page
    except Exception as error:
        log.exception("sync run hit a bug", run=str(found.pk))
        end(found, SyncRun.State.FAILED, error="bug", detail=repr(error))
    return False


def _work(found: SyncRun) -> None:
    if found.cancel_requested:
        raise Stopped
    if found.tries > len(RETRY_SECONDS):
        raise Rejected("Workers died at this run again and again.", code="bug")
    WORK[found.kind](found)


def _stop(found: SyncRun) -> None:
    """Cancelled means ended; paused or held means waiting where it is."""
    found.refresh_from_db(fields=["cancel_requested"])
    if found.cancel_requested:
        end(found, SyncRun.State.CANCELLED)
    else:
        found.mine().update(state=SyncRun.State.QUEUED, lease_until=None)


def _wait(found: SyncRun, error: ConnectorError, *, seconds: float, tries: Any = 0) -> None:
    found.mine().update(
        state=SyncRun.State.QUEUED,
        lease_until=None,
        next_attempt_at=Now() + timedelta(seconds=seconds),
        tries=tries,
        error=error.code,
        detail=importing.legible(str(error), most=LONGEST_DETAIL),
    )


def _try_later(found: SyncRun, error: Unreachable) -> None:
    """Wait as long as the platform asks, else longer each time (full jitter); give up after the last wait."""
    tries = SyncRun.objects.values_list("tries", flat=True).get(pk=found.pk)
    if tries >= len(RETRY_SECONDS):
        end(found, SyncRun.State.FAILED, error=error.code, detail=str(error))
        return
    backoff = random.uniform(0.5, 1) * RETRY_SECONDS[tries]  # noqa: S311 - spreads load, guards nothing
    asked = error.retry_after
    if asked is None:
        asked = RATE_SECONDS if error.code == "rate_limited" else 0
    seconds = max(backoff, min(asked, LONGEST_WAIT))
    _wait(found, error, seconds=seconds, tries=F("tries") + 1)
