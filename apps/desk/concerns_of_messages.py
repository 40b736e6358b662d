"""What may be wrong with messages, out and in, for the first page of the 3PL's own people."""

from collections.abc import Sequence
from typing import Any

from django.db.models import Case, Exists, F, OuterRef, Subquery, UUIDField, When
from django.db.models.functions import Cast, Coalesce, Substr
from django.utils.translation import gettext_lazy as _

from apps.webhooks.models import Delivery, Endpoint, Inbox, Outgoing, Receipt

from .causes import Who
from .concern import EACH, Concern, Each, Rows, concern, orders_of

OF_AN_ORDER = "^order:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"


def concerns() -> list[Concern]:
    return [*_of_addresses(), *_of_backlogs(), *_of_receipts(), *_of_inboxes()]


def _of_addresses() -> list[Concern]:
    """Where what goes out does not arrive."""
    endpoints, State = Endpoint.objects, Endpoint.State
    disabled = endpoints.kept().filter(state=State.DISABLED)
    failing = endpoints.failing().filter(state=State.ACTIVE)
    unopened = endpoints.unopened().annotate(since=Coalesce("due_at", "state_since"))
    return [
        concern(
            "disabled",
            _("Addresses that we stopped sending to"),
            Who.PARTNER,
            _("They mend their system, and the address is resumed. What happens is kept."),
            disabled,
            "needs=disabled",
            "state_since",
            orders=_told_of_orders(disabled),
            kind="endpoint-down",
        ),
        concern(
            "failing",
            _("Addresses that do not take our messages"),
            Who.PARTNER,
            _("They read the reason, and mend it. We go on trying for five days, and keep what happens."),
            failing,
            "needs=failing",
            "failing_since",
            orders=_told_of_orders(failing),
            kind="endpoint-down",
        ),
        concern(
            "locked",
            _("Addresses whose secrets cannot be opened"),
            Who.US,
            _("Bring back the key that sealed them (CREDENTIAL_KEYS), or give them new ones. What happens is kept."),
            unopened,
            "needs=unopened",
            "since",
            orders=_told_of_orders(unopened),
        ),
        concern(
            "given-up",
            _("Messages that did not arrive"),
            Who.PARTNER,
            _("They mend what refused them, and you send them once more. Each is shown for three days."),
            Delivery.objects.came_to_nothing().lately(),
            "needs=given-up",
            "finished_at",
            kind="failed-delivery",
        ),
    ]


def _of_backlogs() -> list[Concern]:
    """What is to go out, and does not."""
    unserved, holding = Endpoint.objects.unserved(), Endpoint.objects.holding()
    outgoing: Rows = Outgoing.objects.overdue()
    return [
        concern(
            "unserved",
            _("Messages nobody sends"),
            Who.US,
            _("Look after the dispatchers. These could have been sent five minutes ago."),
            Delivery.objects.unsent(),
            "needs=unsent",
            "created_at",
            parts=[_undone(unserved, Delivery.State.PENDING)],
            oldest=_backlogs(unserved, states=[Delivery.State.PENDING]),
            of=Endpoint,
            orders=_told_of_orders(unserved),
        ),
        concern(
            "outgoing",
            _("Events nobody passes on"),
            Who.US,
            _("Look after the dispatchers. These happened more than a minute ago."),
            outgoing,
            "needs=overdue",
            "created_at",
            oldest=outgoing.order_by("pk").values_list("pk", "created_at"),
        ),
        concern(
            "holding",
            _("Messages that are kept"),
            Who.PARTNER,
            _("They resume the address, or remove it. Nothing of it is lost until then."),
            Delivery.objects.held(),
            "needs=held",
            "created_at",
            parts=[_undone(holding, state) for state in Delivery.UNDONE],
            oldest=_backlogs(holding, states=Delivery.UNDONE),
            of=Endpoint,
            orders=_told_of_orders(holding),
        ),
    ]


def _undone(endpoints: Rows, state: str) -> Each:
    """Deliveries of one state that these are owed; each state has an index of its own."""
    owed = Delivery.objects.filter(state=state, endpoint=EACH)
    return Each(endpoints.order_by().values("pk"), owed.order_by().values_list("pk"))


def _told_of_orders(endpoints: Rows) -> list[Each]:
    """The orders, by their lanes, of which these have something still to hear: among the first that are counted."""
    order = Cast(Substr("lane", len("order:") + 1), UUIDField())
    about = Case(When(lane__regex=OF_AN_ORDER, then=order))
    undone = [_undone(endpoints, state) for state in Delivery.UNDONE]
    return [Each(one.outer, one.inner.annotate(about=about).values_list("about")) for one in undone]


def _backlogs(endpoints: Rows, *, states: Sequence[str]) -> Rows:
    """Those of these endpoints that are owed something, and since when: by their oldest that is to be sent."""
    owed = [Delivery.objects.filter(endpoint=OuterRef("pk"), state=state).order_by() for state in states]
    oldest = Delivery.objects.filter(endpoint=OuterRef("pk"), state=Delivery.State.PENDING).order_by("pk")
    since = Coalesce(Subquery(oldest.values("created_at")[:1]), F("state_since"))
    some: Any = Exists(owed[0])
    for one in owed[1:]:
        some = some | Exists(one)
    return endpoints.filter(some).annotate(since=since).order_by("since").values_list("pk", "since")


def _of_receipts() -> list[Concern]:
    """What other systems sent that did not get in."""
    receipts = Receipt.objects
    return [
        concern(
            "unopened",
            _("Messages nobody opens"),
            Who.US,
            _("Look after the workers. These could have been opened a minute ago."),
            receipts.unopened(),
            "needs=unopened",
            "next_attempt_at",
        ),
        concern(
            "parked",
            _("Messages that are put aside"),
            Who.US,
            _("Clear the reason, or let their owners do it, and open them again."),
            receipts.filter(state=Receipt.State.PARKED),
            "state__exact=parked",
            "received_at",
            kind="parked-message",
        ),
        concern(
            "unread",
            _("Messages we could not act on"),
            Who.US,
            _("Read the reason, and open them again when it is gone. Each is shown for three days."),
            receipts.lately(Receipt.State.FAILED),
            "needs=failed",
            "received_at",
            kind="failed-message",
        ),
        concern(
            "refused",
            _("Messages with a wrong signature"),
            Who.PARTNER,
            _("They, and you, compare the secret at both sides. Each is shown for three days."),
            receipts.lately(Receipt.State.REJECTED),
            "needs=rejected",
            "received_at",
            kind="refused-message",
        ),
    ]


def _of_inboxes() -> list[Concern]:
    """Where what other systems send does not come in, or did not."""
    late = Inbox.objects.out_of_time()
    return [
        concern(
            "clock",
            _("Messages refused for their time"),
            Who.US,
            _("Set the clock of this server, or ask who sends them to set theirs. Until then they are lost."),
            late,
            "needs=clock",
            "refused_at",
            orders=orders_of(late.order_by().values("integration")),
        ),
        concern(
            "forgotten",
            _("Webhooks that the other side had forgotten"),
            Who.PLATFORM,
            _("Nothing: we registered them again, and read what was missed. If it comes back, ask the other side."),
            Inbox.objects.mended_lately(),
            "needs=hooks",
            "mended_at",
        ),
    ]
