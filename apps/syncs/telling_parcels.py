"""Telling platforms what has left: each parcel once, at the platform that its order came from.

A parcel is taken under a lease, the platform is told with no transaction open, and then that is noted. Whoever dies in
between leaves a parcel that is told again under the same reference, which changes nothing there.
"""

import time
from collections import Counter
from datetime import timedelta
from typing import Any

import structlog
from django.db import InterfaceError, OperationalError, transaction
from django.db.models.functions import Now

from apps.audit.trail import Actor
from apps.catalog import importing
from apps.catalog.models import Publication
from apps.integrations.connectors import all_connectors
from apps.integrations.connectors.base import ConnectorError, Rejected, Unauthorized, Unreachable
from apps.integrations.connectors.orders import ParcelNote, TakesParcels, Tracking
from apps.integrations.models import Integration
from apps.integrations.sessions import call
from apps.orders import changing, timeline
from apps.orders.models import Hindrance, Order, OrderLine, Parcel
from apps.shops.models import Connection, Shop

from .keeping import LONGEST_DETAIL, Stopped, connection_of

log = structlog.get_logger(__name__)

SLICE_SECONDS = 30.0  # then somebody else's work has its turn
WAITS = (5, 15, 60, 300, 900)  # seconds, after each failure in a row to reach the platform
REFUSED_MINUTES = (1, 5, 30, 120, 720)  # after each refusal in a row, which somebody has to mend
RATE_SECONDS = 15.0  # for a 429 that names no time
LONGEST_WAIT = 3600.0  # whatever Retry-After says
FOR_GOOD = ("already_fulfilled", "order_cancelled", "order_not_found")  # to say it again would change nothing


def tell_due() -> bool:
    """Tell what is due, the longest due first, for a while. True when more may be due."""
    until = time.monotonic() + SLICE_SECONDS
    while time.monotonic() < until:
        claimed = _tellable().claim(most=1)
        if not claimed:
            return False
        tell(claimed[0])
    return True


def _tellable() -> Any:
    """Of shops that are connected, at a platform that takes such news and lets us in. Others wait for a person."""
    able = [connector.slug for connector in all_connectors().values() if connector.can(TakesParcels)]
    live = Connection.objects.live().filter(
        integration__state=Integration.State.CONNECTED, integration__partner=None, integration__connector__in=able
    )
    return Parcel.objects.filter(shop__in=live.values("shop"))


def tell(parcel: Parcel) -> None:
    """Tell the platform of a claimed parcel, and note what came of it.

    Raises only when our database is in trouble; then its lease runs out, and it is told later.
    """
    try:
        live = connection_of(parcel.shop_id)
        note = _note(parcel)
        remote_id = call(parcel.shop.integration, lambda client: client.put_parcel(live.ref, note))
    except Stopped:
        parcel.mine().update(lease_until=None)
    except (OperationalError, InterfaceError):
        raise
    except Unreachable as error:
        _wait(parcel, error)
    except Unauthorized as error:
        _put_back(parcel, error)
    except Rejected as error:
        _refused(parcel, error)
    except Exception as error:
        log.exception("telling a parcel hit a bug", parcel=str(parcel.pk))
        _refused(parcel, Rejected(repr(error), code="bug"))
    else:
        _told(parcel, remote_id)


def _note(parcel: Parcel) -> ParcelNote:
    ext_ids = dict(OrderLine.objects.filter(order=parcel.order_id).values_list("pk", "ext_line_id"))
    pieces: Counter[str] = Counter()
    for line, quantity in parcel.lines:
        pieces[ext_ids[line]] += quantity
    return ParcelNote(
        reference=str(parcel.pk),
        ext_order_id=parcel.order.ext_order_id,
        lines=dict(pieces),
        tracking=Tracking(parcel.carrier, parcel.tracking_number, parcel.tracking_url),
        is_last=_is_last(parcel),
        shipped_at=parcel.shipped_at,
    )


def _is_last(parcel: Parcel) -> bool:
    """Everything of the order has left, and its platform knows of all the rest."""
    others = Parcel.objects.filter(order=parcel.order_id, due_at__isnull=False).exclude(pk=parcel.pk)
    return parcel.order.state == Order.State.FULFILLED and not others.exists()


@transaction.atomic
def _told(parcel: Parcel, remote_id: str) -> None:
    order = changing.lock(parcel.order_id)
    done = {"due_at": None, "told_at": Now(), "remote_id": remote_id[:255], "error": "", "detail": "", "tries": 0}
    if not parcel.mine().update(lease_until=None, **done):
        return  # somebody else has told it as well, and notes it
    _forget_passed(order)
    timeline.record(order, "parcel_told", by=_by(parcel), carrier=parcel.carrier, tracking=parcel.tracking_number)
    _owe_stock(parcel)


def _owe_stock(parcel: Parcel) -> None:
    """The platform took these pieces off its own stock just now. What we told it in the same moment may be lost there
    (Vendure reads its level, and writes it afterwards), so it is told once more.
    """
    lines = OrderLine.objects.filter(order=parcel.order_id, pk__in=[line for line, _ in parcel.lines])
    rows = Publication.objects.filter(organization=parcel.organization_id, shop=parcel.shop_id)
    rows.filter(product__in=lines.values("product")).owe_again()


def _wait(parcel: Parcel, error: Unreachable) -> None:
    """The platform is asked nothing more about parcels until then. One that is not there answers none of them."""
    seconds = _seconds(error, tries=parcel.tries)
    _leave(parcel, error, due_at=Now() + timedelta(seconds=seconds), tries=parcel.tries + 1)
    # No join: an UPDATE looks at its own rows again when it has waited for one, and somebody may have told it by then.
    shops = Shop.objects.filter(integration=parcel.shop.integration_id)
    same = Parcel.objects.filter(shop__in=shops, due_at__lte=Now(), lease_until=None)
    same.update(due_at=Now() + timedelta(seconds=seconds))


def _put_back(parcel: Parcel, error: Unauthorized) -> None:
    """It stays due, and is held by the integration's state until its owner logs in again."""
    _leave(parcel, error)


def _refused(parcel: Parcel, error: Rejected) -> None:
    """Somebody has to look at it: the order says so. It is tried again now and then, unless that cannot change."""
    wait = timedelta(minutes=REFUSED_MINUTES[min(parcel.tries, len(REFUSED_MINUTES) - 1)])
    with transaction.atomic():
        order = changing.lock(parcel.order_id)
        due_at = None if error.code in FOR_GOOD else Now() + wait
        if not _leave(parcel, error, due_at=due_at, tries=parcel.tries + 1):
            return
        _say_why(order, error)
        _forget_passed(order)
        if error.code != parcel.error:
            timeline.record(order, "parcel_not_told", by=_by(parcel), code=error.code, tracking=parcel.tracking_number)


def _say_why(order: Order, error: Rejected) -> None:
    who = Hindrance.Who.OPERATOR if error.code == "bug" else Hindrance.Who.OWNER
    named = {"organization_id": order.organization_id, "code": Hindrance.Code.NOT_TOLD, "ref": error.code}
    order.hindrances.get_or_create(**named, defaults={"who": who})


def _forget_passed(order: Order) -> None:
    """Why parcels could not be told that are told by now, or cannot be for another reason."""
    still = order.parcels.filter(told_at=None).exclude(error="").values("error")
    order.hindrances.filter(code=Hindrance.Code.NOT_TOLD).exclude(ref__in=still).delete()


def _leave(parcel: Parcel, error: ConnectorError, **changes: Any) -> bool:
    """Give it back, with why it was not told. False when somebody else has it by now."""
    detail = importing.legible(str(error), most=LONGEST_DETAIL)
    return bool(parcel.mine().update(lease_until=None, error=error.code[:50], detail=detail, **changes))


def _seconds(error: Unreachable, *, tries: int) -> float:
    if error.retry_after is not None:
        return min(error.retry_after, LONGEST_WAIT)
    return max(WAITS[min(tries, len(WAITS) - 1)], RATE_SECONDS if error.code == "rate_limited" else 0)


def _by(parcel: Parcel) -> Actor:
    integration = parcel.shop.integration
    return Actor(str(integration), organization_id=parcel.organization_id, integration_id=integration.pk)
