"""The one thing to do about a problem, which mends all that fails for the same reason. It says before what it does, and
afterwards what came of it.

Each uses what the room below it has for one row, or for many; what waited is let go by that.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.accounts.models import Role, User
from apps.api.errors import Problem
from apps.audit.trail import Actor, record
from apps.catalog import worklist
from apps.integrations.models import Integration
from apps.orders import nudging, repeating, ringing, shipping
from apps.orders.models import Entry, Hindrance, Order
from apps.orders.shipping import Methods
from apps.shops.models import Connection
from apps.syncs import acting, comparing, queueing
from apps.syncs.tasks import hand_over_soon, tell_soon
from apps.webhooks import hooking, receiving, replaying
from apps.webhooks.models import Delivery

from .kinds.amounts import messages, orders, parcels, products
from .problems import Trouble, warehouse_of

AT_ONCE = 5_000  # rows that one press mends; whoever has more presses again
MANAGERS = [Role.OWNER, Role.ADMIN]


@dataclass(frozen=True, slots=True)
class Asked:
    """A fix on its way: of which problem, with which answers, on whose behalf."""

    trouble: Trouble
    values: Mapping[str, Any]
    actor: Actor
    by: User

    @property
    def refs(self) -> Mapping[str, Any]:
        return self.trouble.cause.refs

    @property
    def rows(self) -> QuerySet[Any]:
        return self.trouble.cause.rows

    @property
    def integration(self) -> Integration:
        """Raises Problem conflict when it was deleted meanwhile."""
        if self.trouble.integration is None:
            raise Problem("conflict", _("Its integration was deleted."))
        return self.trouble.integration

    def note(self, action: str, count: int) -> None:
        """One entry in the audit trail for all of it, under the organization and the integration it is of."""
        whose: dict[str, Any] = {"organization_id": self.refs.get("organization")}
        whose["integration_id"] = self.refs.get("integration")
        about = {name: value for name, value in self.refs.items() if name not in {"organization", "integration"}}
        record(replace(self.actor, **whose), action, on=self.trouble.integration, after={"count": count, **about})


@dataclass(frozen=True, slots=True)
class Fix:
    """`asks` names what a person has to say: a product, a service, or what becomes of kept messages. `permission` is
    what it changes. `before` says what it does, `do` does it, and says what came of it."""

    button: Promise
    permission: str
    before: Callable[[Trouble], str]
    do: Callable[[Asked], str]
    asks: str = ""
    suits: Callable[[Trouble], bool] = lambda trouble: True


def fix_of(trouble: Trouble) -> Fix | None:
    """What mends it from here; None where only somebody else can, or it takes a look at each."""
    fix = FIXES.get(trouble.cause.kind.code)
    return fix if fix and fix.suits(trouble) else None


# ---- SKUs and shipping methods


def _map_sku(asked: Asked) -> str:
    """Raises Problem validation_error for what is no product of theirs, or has a partner already."""
    sku, product = asked.refs["sku"], asked.values["product"]
    worklist.accept(asked.integration, {sku: product}, actor=asked.actor, by=asked.by)
    return _("Saved. What waited for “%(sku)s” goes on now: %(orders)s.") % {
        "orders": orders(asked.trouble.cause.orders),
        "sku": sku,
    }


@transaction.atomic
def _choose_service(asked: Asked) -> str:
    """Raises Problem validation_error for a service that the warehouse does not have."""
    method, warehouse = asked.refs["method"], warehouse_of(asked.trouble)
    if warehouse is None:
        raise Problem("conflict", _("No warehouse of theirs ships from there any more."))
    shipping.lock(warehouse)  # nobody else's pair is lost
    holds = shipping.methods_of(warehouse)
    wanted = shipping.written([*{**holds.pairs, method: asked.values["service"]}.items()], fallback=holds.fallback)
    shipping.save(warehouse, Methods(wanted.pairs, wanted.fallback), actor=asked.actor)
    told = {"orders": orders(asked.trouble.cause.orders), "method": method}
    return _("Saved. What waited for “%(method)s” goes on now: %(orders)s.") % told


# ---- Orders


@transaction.atomic
def _route_again(asked: Asked) -> str:
    """What a warehouse refused is routed anew, in the background, by the rules as they are now."""
    held = list(asked.rows.order_by("order").values_list("order", flat=True).distinct()[:AT_ONCE])
    found = Order.objects.select_for_update(no_key=True).filter(pk__in=held, cancel_requested_at=None).order_by("pk")
    pks = [order.pk for order in found.only("pk")]
    Hindrance.objects.filter(order__in=pks, code=Hindrance.Code.REJECTED).delete()
    Order.objects.filter(pk__in=pks).update(due_at=timezone.now())
    _tell_stories(asked, "route_again", [(pk, {}) for pk in pks])
    asked.note("order.route_again", len(pks))
    transaction.on_commit(ringing.ring, robust=True)
    return _("Routed again now: %(orders)s.") % {"orders": orders(len(pks))}


def _look_again(code: str) -> Callable[[Asked], str]:
    @transaction.atomic
    def look(asked: Asked) -> str:
        nudging.nudge(asked.refs["organization"], code)
        asked.note("order.look_again", asked.trouble.cause.orders)
        return _("Looked at again now: %(orders)s.") % {"orders": orders(asked.trouble.cause.orders)}

    return look


def _tell_again(kind: str, task: str, amount: Callable[[int], str]) -> Callable[[Asked], str]:
    """What another system did not take is told it now, not when it is its turn; the story of each order says so."""

    @transaction.atomic
    def tell(asked: Asked) -> str:
        found = asked.rows.model.objects.filter(pk__in=asked.rows.values("pk")).order_by("pk")
        rows = list(repeating.failing(found).select_for_update(no_key=True)[:AT_ONCE])
        found.model.objects.filter(pk__in=[row.pk for row in rows]).update(due_at=Now(), tries=0)
        name = found.model._meta.model_name
        _tell_stories(asked, kind, [(row.order_id, {name: str(row.pk)}) for row in rows])
        asked.note(f"{name}.{kind}", len(rows))
        transaction.on_commit(lambda: ringing.ring(task), robust=True)
        return _("Told again now: %(amount)s.") % {"amount": amount(len(rows))}

    return tell


def _tell_stories(asked: Asked, kind: str, told: Iterable[tuple[Any, dict[str, Any]]]) -> None:
    """Each of these orders (ids, with the data of the entry) remembers it."""
    whose: dict[str, Any] = {"organization_id": asked.refs["organization"], "actor": asked.actor.text[:300]}
    moments = [Entry(order_id=order, kind=kind, data=data, **whose) for order, data in told]
    Entry.objects.bulk_create(moments, batch_size=1_000)


def _wait_no_longer(whose: str, ring: Callable[[Any], None]) -> Callable[[Asked], str]:
    """The feeds are tried now, not when it is their turn. `ring` calls for that of one shop or integration."""

    @transaction.atomic
    def wait(asked: Asked) -> str:
        feeds = asked.rows.model.objects.filter(pk__in=asked.rows.values("pk"))
        waiting = list(feeds.order_by("pk").values_list(whose, flat=True)[:AT_ONCE])
        asked.note("feed.try_now", feeds.filter(**{f"{whose}__in": waiting}).update(next_attempt_at=Now()))
        for one in waiting:
            transaction.on_commit(partial(ring, one), robust=True)
        return _("It is tried now. Look here again in a minute: if it worked, this problem is gone.")

    return wait


# ---- Logins, syncs and stock


def _mail_link(asked: Asked) -> str:
    """Raises Problem conflict when nobody could be mailed."""
    outcome = acting.perform(asked.integration, "reconnect-link", values={}, actor=asked.actor, by=asked.by)
    links = "\n".join(f"{link['name']}: {link['url']}" for link in outcome.result["links"])
    team = asked.integration.organization.memberships.filter(role__in=MANAGERS, user__is_active=True)
    people = list(team.order_by("pk").values_list("user__email", flat=True))
    if not people:
        text = _("Nobody of %(organization)s has an address here. Send them this link yourself: %(links)s")
        raise Problem("conflict", text % {"organization": asked.integration.organization, "links": links})
    try:
        send_mail(*_letter(asked.integration, links), None, people)
    except OSError as error:  # smtplib's errors are OSErrors
        text = _("The email could not be sent just now. Send this link yourself: %(links)s")
        raise Problem("conflict", text % {"links": links}) from error
    return _("Mailed to %(people)s: %(links)s") % {"people": ", ".join(people), "links": links}


def _letter(integration: Integration, links: str) -> tuple[str, str]:
    words = {"name": integration, "portal": settings.PORTAL_NAME, "links": links}
    text = _(
        "%(name)s does not let %(portal)s in any more, so nothing is read from your stores there.\n\n"
        "Open this link and log in. Everything that waits goes on by itself then:\n%(links)s\n"
    )
    subject = _("Log in to %(name)s again") % words
    return " ".join(subject.split()), text % words  # a name that was imported may have several lines


def _can_be_let_in(trouble: Trouble) -> bool:
    return bool(trouble.integration and acting.is_offered(trouble.integration, "reconnect-link"))


def _sync_again(asked: Asked) -> str:
    """Each store's run of this kind is owed anew, and does not wait."""
    pairs = list(asked.rows.values_list(*_WHAT_RAN[asked.trouble.cause.kind.code]).distinct())
    with transaction.atomic():
        count = 0
        for kind in sorted({kind for kind, _shop in pairs}):
            shops = [shop for one, shop in pairs if one == kind]
            live = Connection.objects.live().filter(integration=asked.integration, shop__in=shops)
            count += len(queueing.owe_each(list(live[: queueing.MOST_DUE]), kind=kind, by=asked.by, at_once=True))
        asked.note("sync.again", count)
    return ngettext("%(n)d sync begins now.", "%(n)d syncs begin now.", count) % {"n": count}


_WHAT_RAN = {"failed-sync": ("kind", "shop"), "left-out": ("run__kind", "run__shop")}


def _put_right(asked: Asked) -> str:
    """Raises Problem conflict for a warehouse of several locations: only its own report can tell which."""
    pks = list(asked.rows.order_by("pk").values_list("pk", flat=True)[:AT_ONCE])
    count = comparing.repair(asked.rows.model.objects.filter(pk__in=pks), actor=asked.actor)
    return _("Put right: %(products)s.") % {"products": products(count)}


def _tell_stock_again(asked: Asked) -> str:
    with transaction.atomic():
        rows = asked.rows.model.objects.filter(pk__in=asked.rows.values("pk"))
        count = rows.owe_again()
        asked.note("stock.tell_again", count)
    return _("Told again in a moment: %(products)s.") % {"products": products(count)}


# ---- Messages


def _resume(asked: Asked) -> str:
    """Raises Problem conflict when somebody else resumed it meanwhile, endpoint_not_found when it was removed."""
    endpoint = asked.trouble.about["endpoint"]
    if endpoint.is_active:
        count = replaying.try_now(Delivery.objects.filter(endpoint=endpoint), actor=asked.actor)
    else:
        count = hooking.resume(endpoint, choice=asked.values.get("choice") or "all", actor=asked.actor)
    return ngettext("%(n)d message is sent now.", "%(n)d messages are sent now.", count) % {"n": count}


def _replay(asked: Asked) -> str:
    """Raises Problem hook_not_found when nobody wants any of them now."""
    pks = list(asked.rows.order_by("pk").values_list("pk", flat=True)[:AT_ONCE])
    about = {"endpoint": asked.refs["endpoint"], "error": asked.refs["error"]}
    count = replaying.replay(Delivery.objects.filter(pk__in=pks), actor=asked.actor, asked=about)
    return _("Sent again now: %(messages)s.") % {"messages": messages(count)}


@transaction.atomic
def _open_again(asked: Asked) -> str:
    count = asked.rows.model.objects.filter(pk__in=asked.rows.values("pk")).replay()
    asked.note("receipt.replay", count)
    transaction.on_commit(receiving.ring, robust=True)
    return _("Opened again now: %(messages)s.") % {"messages": messages(count)}


# ---- What is said before


def _orders_waiting(text: Promise) -> Callable[[Trouble], str]:
    return lambda trouble: str(text) % {"orders": orders(trouble.cause.orders), "amount": trouble.cause.amount}


def _before_resuming(trouble: Trouble) -> str:
    kept = trouble.at_risk or messages(0)
    if trouble.about["endpoint"] and trouble.about["endpoint"].is_active:
        return _("This tries again now, and does not wait for its turn: %(messages)s.") % {"messages": kept}
    return _("This resumes the address. Kept for it: %(messages)s.") % {"messages": kept}


def _before_syncing(trouble: Trouble) -> str:
    return _("This begins their syncs again now: %(amount)s.") % {"amount": trouble.cause.amount}


TELL = gettext_lazy("This tells it again now, and does not wait for the next try: %(amount)s.")
FIXES: dict[str, Fix] = {
    "unknown-sku": Fix(
        gettext_lazy("It is this product"),
        "catalog.change_skumapping",
        _orders_waiting(gettext_lazy("This releases %(orders)s, and whatever else waits for it: %(amount)s in all.")),
        _map_sku,
        asks="product",
    ),
    "unmapped-method": Fix(
        gettext_lazy("It is this service"),
        "orders.change_shippingmethod",
        _orders_waiting(gettext_lazy("This releases %(orders)s, and all that come with this shipping method.")),
        _choose_service,
        asks="service",
        suits=lambda trouble: warehouse_of(trouble) is not None,
    ),
    "no-location": Fix(
        gettext_lazy("Look at them again"),
        "orders.change_order",
        _orders_waiting(gettext_lazy("Set up a location or a rule first. This then looks at %(orders)s again.")),
        _look_again(Hindrance.Code.NO_LOCATION),
    ),
    "refused-order": Fix(
        gettext_lazy("Route them again"),
        "orders.change_order",
        _orders_waiting(gettext_lazy("This routes %(orders)s again, by the rules as they are now.")),
        _route_again,
    ),
    "bug": Fix(
        gettext_lazy("Look at them again"),
        "orders.change_order",
        _orders_waiting(gettext_lazy("This looks at %(orders)s again.")),
        _look_again(Hindrance.Code.BUG),
    ),
    "login-lost": Fix(
        gettext_lazy("Mail them the link"),
        "integrations.change_integration",
        lambda trouble: (
            _("This mails the link to log in again to whoever manages %(organization)s.")
            % {"organization": trouble.organization}
        ),
        _mail_link,
        suits=_can_be_let_in,
    ),
    "failed-sync": Fix(gettext_lazy("Sync again"), "syncs.change_syncrun", _before_syncing, _sync_again),
    "left-out": Fix(gettext_lazy("Sync again"), "syncs.change_syncrun", _before_syncing, _sync_again),
    "untaken-order": Fix(
        gettext_lazy("Tell it again"),
        "orders.change_fulfillment",
        _orders_waiting(TELL),
        _tell_again("send_again", ringing.HAND_OVER, orders),
    ),
    "silent-warehouse": Fix(
        gettext_lazy("Try now"),
        "orders.change_fulfillment",
        _orders_waiting(TELL),
        _wait_no_longer("integration", hand_over_soon),
    ),
    "untold-parcel": Fix(
        gettext_lazy("Tell it again"),
        "orders.change_parcel",
        _orders_waiting(TELL),
        _tell_again("tell_again", ringing.TELL_PARCELS, parcels),
    ),
    "drift": Fix(
        gettext_lazy("Put these right"),
        "catalog.change_stocklevel",
        _orders_waiting(
            gettext_lazy("This puts %(amount)s right: a platform is told our numbers, a warehouse is believed.")
        ),
        _put_right,
    ),
    "untaken-stock": Fix(
        gettext_lazy("Tell it again"), "catalog.change_publication", _orders_waiting(TELL), _tell_stock_again
    ),
    "untold-stock": Fix(
        gettext_lazy("Try now"),
        "catalog.change_publication",
        _orders_waiting(TELL),
        _wait_no_longer("shop", tell_soon),
    ),
    "endpoint-down": Fix(
        gettext_lazy("Send now"), "webhooks.change_endpoint", _before_resuming, _resume, asks="choice"
    ),
    "failed-delivery": Fix(
        gettext_lazy("Send them again"),
        "webhooks.change_delivery",
        _orders_waiting(gettext_lazy("This sends %(amount)s once more.")),
        _replay,
    ),
    "parked-message": Fix(
        gettext_lazy("Open them again"),
        "webhooks.change_receipt",
        _orders_waiting(gettext_lazy("This opens %(amount)s once more.")),
        _open_again,
    ),
    "failed-message": Fix(
        gettext_lazy("Open them again"),
        "webhooks.change_receipt",
        _orders_waiting(gettext_lazy("This opens %(amount)s once more.")),
        _open_again,
    ),
}
