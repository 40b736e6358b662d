"""What can be done to many rows at once: each deed with whom it suits, and the function of its room that does it.

They are the functions that the pages of single rows call. Each looks at a row again when its turn comes.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.db.models import Exists, Model, OuterRef, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from apps.accounts.models import User
from apps.api.errors import Problem, invalid
from apps.audit.trail import Actor, record
from apps.catalog import worklist
from apps.catalog.models import Product, WaitingSku
from apps.orders import releasing, repeating, sorting
from apps.orders.models import Fulfillment, Order, Parcel
from apps.shops.models import Connection
from apps.syncs import comparing, queueing
from apps.syncs.models import Drift, SyncRun
from apps.webhooks import hooking, receiving, replaying
from apps.webhooks.models import Delivery, Endpoint, Receipt

EXPORT = "export"


@dataclass(frozen=True, slots=True)
class Asked:
    """On whose behalf, with what they filled in. `about` tells the audit trail of the job."""

    by: User
    actor: Actor
    values: dict[str, Any]
    about: dict[str, Any] = field(default_factory=dict)


class WhyForm(forms.Form):
    reason = forms.CharField(
        label=gettext_lazy("Why, for the audit trail"),
        max_length=300,
        required=False,
        widget=UnfoldAdminTextInputWidget,
    )


class KeptForm(WhyForm):
    choice = forms.ChoiceField(
        label=gettext_lazy("What was kept"),
        choices=[
            ("all", gettext_lazy("Send all, in order")),
            ("newest", gettext_lazy("Send the newest of each")),
            ("drop", gettext_lazy("Send none")),
        ],
        widget=UnfoldAdminSelectWidget,
    )
    field_order = ["choice", "reason"]


class MeantForm(WhyForm):
    ours = forms.CharField(
        label=gettext_lazy("SKU of the product"), max_length=255, widget=UnfoldAdminTextInputWidget, strip=False
    )
    field_order = ["ours", "reason"]


@dataclass(frozen=True, slots=True)
class Deed:
    """`do` is given rows as a queryset, and returns of how many it was true; or raises Problem, having done nothing.

    `suits` leaves out rows that are not for it, `otherwise` says why. With `at_once` it is given many rows, else one.
    """

    code: str
    model: type[Model]
    name: Promise
    point: Promise
    permission: str
    do: Callable[[Any, Asked], int]
    suits: Callable[[Any], Any]
    otherwise: Promise
    form: type[forms.Form] = WhyForm
    at_once: bool = False
    is_grave: bool = False


def of_list(model: type[Model], *, user: User) -> list[Deed]:
    """Those that this person may do to rows of this model."""
    return [deed for deed in DEEDS if deed.model is model and user.has_perm(deed.permission)]


def deed_of(model: type[Model], code: str, *, user: User) -> Deed:
    """Raises Problem not_found for what does not exist, or is not theirs to do."""
    for deed in of_list(model, user=user):
        if deed.code == code:
            return deed
    raise Problem("not_found", _("You may not do this, or not any more."))


def named(model: type[Model], code: str) -> str:
    """A deed in words."""
    if code == EXPORT:
        return _("Export")
    return next((str(deed.name) for deed in DEEDS if (deed.model, deed.code) == (model, code)), code)


def _each(do: Callable[[Any, Asked], Any]) -> Callable[[Any, Asked], int]:
    """Of a function that takes one row, and says whether there was anything to do."""

    def do_each(rows: QuerySet[Any], asked: Asked) -> int:
        return sum(do(row, asked) is not False for row in rows)

    return do_each


def _pause_endpoint(endpoint: Endpoint, asked: Asked) -> None:
    hooking.pause(endpoint, actor=asked.actor)


def _resume_endpoint(endpoint: Endpoint, asked: Asked) -> None:
    hooking.resume(endpoint, choice=asked.values["choice"], actor=asked.actor)


def _read_connections() -> Any:
    """The connected stores that we call."""
    return Connection.objects.live().filter(integration__partner=None)


def _run_again(run: SyncRun, asked: Asked) -> bool:
    connection = _read_connections().filter(shop=run.shop_id).first()
    if connection is None:
        return False
    queueing.owe(connection, kind=run.kind, by=asked.by)
    record(asked.actor, "sync.ask", on=connection, after={"kind": run.kind})
    return True


def _call_off(run: SyncRun, asked: Asked) -> bool:
    is_called_off = queueing.cancel(run)
    if is_called_off:
        record(asked.actor, "sync.cancel", on=run)
    return is_called_off


def _run_sync(connection: Connection, asked: Asked) -> None:
    queueing.owe_first(connection, by=asked.by)
    record(asked.actor, "sync.ask", on=connection)


def _tell_warehouses(order: Order, asked: Asked) -> bool:
    untold = repeating.untold(Fulfillment.objects.filter(order=order)).select_related("order")
    return any([repeating.send_again(one, by=asked.actor) for one in untold])


def _by_integration(rows: Iterable[WaitingSku]) -> dict[Any, list[str]]:
    found = defaultdict(list)
    for row in rows:
        found[row.integration].append(row.sku)
    return found


def _put_aside(rows: Any, asked: Asked) -> int:
    by_integration = _by_integration(rows.select_related("integration__partner"))
    for integration, skus in by_integration.items():
        worklist.ignore(integration, skus, actor=asked.actor)
    return sum(len(skus) for skus in by_integration.values())


def _is_product(row: WaitingSku, asked: Asked) -> None:
    product = Product.objects.filter(organization=row.organization, sku=asked.values["ours"]).first()
    if product is None:
        raise invalid("ours", _("%(customer)s has no such product.") % {"customer": row.organization})
    worklist.accept(row.integration, {row.sku: product.pk}, actor=asked.actor, by=asked.by)


RUN, ANSWER = "syncs.change_syncrun", "catalog.change_skumapping"
GONE = gettext_lazy("There is nothing to do for it any more.")
NOT_READ = gettext_lazy("It is not connected, or its partner calls us.")

DEEDS = (
    Deed(
        "replay",
        Delivery,
        gettext_lazy("Send once more"),
        gettext_lazy("What came to its end is sent again, under the same id. What has still to arrive is left alone."),
        "webhooks.change_delivery",
        lambda rows, asked: replaying.replay(rows, actor=asked.actor, asked=asked.about),
        replaying.replayable,
        gettext_lazy("It has still to arrive, or its hook was removed."),
        at_once=True,
    ),
    Deed(
        "try-now",
        Delivery,
        gettext_lazy("Try now"),
        gettext_lazy("What waits for its next try has it now."),
        "webhooks.change_delivery",
        lambda rows, asked: replaying.try_now(rows, actor=asked.actor, asked=asked.about),
        lambda rows: rows.filter(state=Delivery.State.WAITING),
        gettext_lazy("It does not wait for a next try."),
        at_once=True,
    ),
    Deed(
        "drop",
        Delivery,
        gettext_lazy("Drop"),
        gettext_lazy("What has still to arrive is never sent. What was behind it goes on."),
        "webhooks.change_delivery",
        lambda rows, asked: replaying.drop(rows, actor=asked.actor, asked=asked.about),
        lambda rows: rows.undone(),
        gettext_lazy("It came to its end already."),
        at_once=True,
        is_grave=True,
    ),
    Deed(
        "pause",
        Endpoint,
        gettext_lazy("Pause"),
        gettext_lazy("Nothing is sent there until somebody resumes it. What happens meanwhile is kept."),
        "webhooks.change_endpoint",
        _each(_pause_endpoint),
        lambda rows: rows.kept().exclude(state=Endpoint.State.PAUSED),
        gettext_lazy("It is paused already, or was removed."),
    ),
    Deed(
        "resume",
        Endpoint,
        gettext_lazy("Resume"),
        gettext_lazy("Messages are sent there again. What was kept and is not sent now is never sent."),
        "webhooks.change_endpoint",
        _each(_resume_endpoint),
        lambda rows: rows.kept().exclude(state=Endpoint.State.ACTIVE),
        gettext_lazy("It is active, or was removed."),
        form=KeptForm,
    ),
    Deed(
        "open-again",
        Receipt,
        gettext_lazy("Open again"),
        gettext_lazy("What was parked or failed is opened once more."),
        "webhooks.change_receipt",
        lambda rows, asked: receiving.replay(rows, actor=asked.actor),
        lambda rows: rows.ended_badly(),
        gettext_lazy("It was neither parked nor did it fail."),
        at_once=True,
    ),
    Deed(
        "run-again",
        SyncRun,
        gettext_lazy("Run again"),
        gettext_lazy("The same sync begins anew at each of these shops, once for each shop."),
        RUN,
        _each(_run_again),
        lambda rows: rows.filter(shop__in=_read_connections().values("shop")),
        NOT_READ,
    ),
    Deed(
        "call-off",
        SyncRun,
        gettext_lazy("Call off"),
        gettext_lazy("They stop. What they brought in so far stays."),
        RUN,
        _each(_call_off),
        lambda rows: rows.unfinished(),
        gettext_lazy("It had ended already."),
    ),
    Deed(
        "run-sync",
        Connection,
        gettext_lazy("Run a sync now"),
        gettext_lazy("The whole list of each store is read again. What is unchanged is not touched."),
        RUN,
        _each(_run_sync),
        lambda rows: rows.live().filter(integration__partner=None),
        NOT_READ,
    ),
    Deed(
        "pause",
        Connection,
        gettext_lazy("Pause"),
        gettext_lazy("Nothing is read from these stores until they are resumed."),
        RUN,
        lambda rows, asked: queueing.pause(rows, actor=asked.actor),
        lambda rows: rows.live(),
        gettext_lazy("It is not connected, or paused already."),
        at_once=True,
    ),
    Deed(
        "resume",
        Connection,
        gettext_lazy("Resume"),
        gettext_lazy("Paused stores go on, beginning with a sync."),
        RUN,
        lambda rows, asked: queueing.resume(rows, actor=asked.actor),
        lambda rows: rows.filter(state=Connection.State.PAUSED),
        gettext_lazy("It is not paused."),
        at_once=True,
    ),
    Deed(
        "release",
        Order,
        gettext_lazy("Release now"),
        gettext_lazy("Their hold window ends. They can be changed only as far as their warehouse allows from then on."),
        "orders.change_order",
        _each(lambda order, asked: releasing.release(order, by=asked.actor)),
        lambda rows: rows.filter(state=Order.State.HELD),
        gettext_lazy("It is not held."),
    ),
    Deed(
        "route-again",
        Order,
        gettext_lazy("Route again"),
        gettext_lazy("What no warehouse is at work on is routed by the rules as they are."),
        "orders.change_order",
        _each(lambda order, asked: sorting.route_again(order, by=asked.actor)),
        lambda rows: rows.open(),
        gettext_lazy("Nothing is to be done about it any more."),
    ),
    Deed(
        "tell-warehouses",
        Order,
        gettext_lazy("Tell warehouses again"),
        gettext_lazy("Warehouses are told now what they are still owed of these orders."),
        "orders.change_fulfillment",
        _each(_tell_warehouses),
        lambda rows: rows.filter(Exists(repeating.untold(Fulfillment.objects.filter(order=OuterRef("pk"))))),
        GONE,
    ),
    Deed(
        "tell-again",
        Fulfillment,
        gettext_lazy("Tell again now"),
        gettext_lazy("Warehouses are told now what they are still owed."),
        "orders.change_fulfillment",
        _each(lambda row, asked: repeating.send_again(row, by=asked.actor)),
        repeating.untold,
        GONE,
    ),
    Deed(
        "tell-again",
        Parcel,
        gettext_lazy("Tell again now"),
        gettext_lazy("Platforms are told now that these parcels have left."),
        "orders.change_parcel",
        _each(lambda row, asked: repeating.tell_again(row, by=asked.actor)),
        repeating.untold,
        GONE,
    ),
    Deed(
        "ignore",
        WaitingSku,
        gettext_lazy("Put aside"),
        gettext_lazy("They stay unknown, and nobody is reminded of them."),
        ANSWER,
        _put_aside,
        lambda rows: rows.open(),
        gettext_lazy("It was put aside before."),
        at_once=True,
    ),
    Deed(
        "it-is",
        WaitingSku,
        gettext_lazy("They are one product"),
        gettext_lazy("Each customer's product with this SKU is meant. What waits for it goes on at once."),
        ANSWER,
        _each(_is_product),
        lambda rows: rows,
        GONE,
        form=MeantForm,
    ),
    Deed(
        "put-right",
        Drift,
        gettext_lazy("Put right"),
        gettext_lazy("Platforms are told our stock again, warehouses are believed."),
        "catalog.change_stocklevel",
        lambda rows, asked: comparing.repair(rows, actor=asked.actor),
        lambda rows: rows,
        GONE,
        at_once=True,
    ),
)
