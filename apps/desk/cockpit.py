"""How an integration is doing, in one sentence: why, who must act, and the one thing that mends it.

What stops everything comes first, what stops something next; of several troubles the first is said.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import Exists, OuterRef
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.catalog.models import StockFeed
from apps.integrations import standing
from apps.integrations.connectors import UnknownConnector
from apps.integrations.models import Integration
from apps.operations import address_of
from apps.orders import waiting
from apps.orders.models import Hindrance
from apps.shops.models import Connection
from apps.syncs import acting, sentences
from apps.syncs.models import OrderFeed, SyncRun
from apps.webhooks.models import Endpoint, Receipt
from apps.webhooks.sentences import of_endpoint

from .causes import Who

MOST = 1_000  # counted no further
State = Connection.State
PLATFORMS = {"unreachable", "timeout", "server_error", "rate_limited", "garbled", "repeated_page", "budget"}
OWNERS = {"unauthorized", "forbidden", "not_found", "may_not_write", "may_not_read_orders", "stock_off"}
OF_HINDRANCE = {
    Hindrance.Who.OWNER: Who.OWNER,
    Hindrance.Who.WAREHOUSE: Who.PLATFORM,
    Hindrance.Who.PLATFORM: Who.PLATFORM,
}


@dataclass(frozen=True, slots=True)
class Mend:
    """The button: what it says, where it leads, and what somebody needs to press it."""

    label: str
    link: str
    permission: str = "integrations.change_integration"


@dataclass(frozen=True, slots=True)
class Verdict:
    """`look` is info, success, warning, danger or default. Nobody has to act when `who` is None."""

    look: str
    text: str
    who: Who | None = None
    mend: Mend | None = None


def verdict(integration: Integration) -> Verdict:
    """The first trouble that there is, or that all is well."""
    for trouble in TROUBLES:
        if found := trouble(integration):
            return found
    return _well(integration)


def _deed(integration: Integration, name: str) -> str:
    return reverse(f"admin:integrations_integration_{name}", args=[integration.pk])


def _list(model: str, **asked: Any) -> str:
    return f"{reverse(f'admin:{model}_changelist')}?{urlencode(asked)}"


def _platform(integration: Integration) -> str:
    try:
        return integration.kind.name
    except UnknownConnector:
        return integration.connector


def _link(integration: Integration) -> Mend | None:
    """The way to have its owner log in again, where somebody can."""
    if not acting.is_offered(integration, "reconnect-link"):
        return None
    return Mend(_("Link to send"), _deed(integration, "reconnect_link"), "syncs.change_syncrun")


def _who(code: str) -> Who:
    """Who must act about an error of a run or a feed."""
    if code in PLATFORMS:
        return Who.PLATFORM
    return Who.OWNER if code in OWNERS else Who.US


# ---- What stops everything


def _ended(integration: Integration) -> Verdict | None:
    if integration.deleted_at:
        return Verdict("default", _("It was deleted. Its owner can bring it back by connecting it anew."))
    if not integration.organization.is_active:
        return Verdict("default", _("Its organization is closed: nothing is read or sent."), Who.US)
    return None


def _disabled(integration: Integration) -> Verdict | None:
    if not integration.is_disabled:
        return None
    why = integration.state_reason.rstrip(".") or _("nobody wrote down why")
    text = _("It is disabled (%(why)s): its calls are refused, and its syncs wait.") % {"why": why}
    return Verdict("warning", text, Who.US, Mend(_("Enable"), _deed(integration, "enable")))


def _without_permission(integration: Integration) -> Verdict | None:
    """It has none yet, has lost it, or cannot use it any more."""
    found = standing.of(integration)
    words = {"platform": _platform(integration)}
    match found.standing:
        case standing.Standing.ERROR if integration.needs_reconnect and _link(integration):
            text = _("%(platform)s no longer lets us in. Its stores wait until their owner logs in there.")
            return Verdict("danger", text % words, Who.OWNER, _link(integration))
        case standing.Standing.ERROR:
            is_over = integration.partner is not None
            return Verdict("danger", found.reason, Who.PARTNER if is_over else Who.US)
        case standing.Standing.CONNECTING:
            return Verdict("info", _("Somebody is connecting it just now."), Who.OWNER, _link(integration))
        case standing.Standing.NOT_CONFIGURED:
            text = _("Nobody has logged in at %(platform)s for it yet.") % words
            return Verdict("info", text, Who.OWNER, _link(integration))
    return None


def _without_stores(integration: Integration) -> Verdict | None:
    """All of them are paused, or there is none; a partner needs none."""
    if integration.partner_id:
        return None
    states = set(Connection.objects.filter(integration=integration).held_stores().values_list("state", flat=True))
    if not states:
        return Verdict("info", _("No store of it is connected."), Who.OWNER, _link(integration))
    if states == {State.PAUSED}:
        mend = Mend(_("Resume"), _deed(integration, "resume_stores"), "syncs.change_syncrun")
        return Verdict("warning", _("Its stores are paused: nothing is read from them."), Who.US, mend)
    return None


# ---- What stops something


def failed_runs(integration: Integration) -> Any:
    """Runs that failed and are the last word on a connected store of it. The few failures are read from their index."""
    failures = SyncRun.objects.filter(shop__in=integration.shops.order_by().values("pk"), state=SyncRun.State.FAILED)
    later = SyncRun.objects.filter(shop=OuterRef("shop"), kind=OuterRef("kind"), created_at__gt=OuterRef("created_at"))
    live = Connection.objects.live().filter(shop=OuterRef("shop"))
    return failures.filter(~Exists(later), Exists(live)).select_related("shop", "integration__partner")


def _failed(integration: Integration) -> Verdict | None:
    run = failed_runs(integration).order_by("-created_at").first()
    if run is None:
        return None
    words = {"what": run.get_kind_display(), "store": run.shop, "why": sentences.why(run, portal=settings.PORTAL_NAME)}
    text, who = _("%(what)s of %(store)s: %(why)s") % words, _who(run.error)
    if run.error in {"unauthorized", "forbidden"} and (link := _link(integration)):
        return Verdict("danger", text, who, link)
    again = Mend(_("Sync again"), _deed(integration, "sync_part"), "syncs.change_syncrun")
    mend = again if who == Who.PLATFORM else Mend(_("Read the reason"), address_of(run), "syncs.view_syncrun")
    return Verdict("danger", text, who, mend)


def _untold(integration: Integration) -> Verdict | None:
    """Its platform does not hear our stock, or its warehouse our orders."""
    stock = StockFeed.objects.troubled().filter(shop__in=integration.shops.values("pk")).first()
    feed: Any = stock or OrderFeed.objects.troubled().filter(integration=integration).first()
    if feed is None:
        return None
    words = {"platform": _platform(integration), "portal": settings.PORTAL_NAME}
    text = sentences.why_untold(feed.error, **words) or _("%(platform)s does not take the stock of some SKUs.") % words
    permission = f"{feed._meta.app_label}.view_{feed._meta.model_name}"
    return Verdict("danger", text, _who(feed.error), Mend(_("Read the reason"), address_of(feed), permission))


def _deaf(integration: Integration) -> Verdict | None:
    """An address of it does not take what we send."""
    troubled = Endpoint.objects.kept().filter(integration=integration)
    disabled = troubled.filter(state=Endpoint.State.DISABLED).first()
    endpoint = disabled or troubled.failing().filter(state=Endpoint.State.ACTIVE).first()
    if endpoint is None:
        return None
    look = of_endpoint(endpoint, held=0)
    text = f"{endpoint}: {look.text} {look.todo}"
    mend = Mend(_("Look at the address"), address_of(endpoint), "webhooks.view_endpoint")
    return Verdict(look.look, text, Who.PARTNER, mend)


def _held(integration: Integration) -> Verdict | None:
    """Orders of it that somebody has to do something about."""
    found = waiting.hindrances(integration.organization).filter(code__in=waiting.URGENT, order__integration=integration)
    first = found.order_by("since").first()
    if first is None:
        return None
    n = found.order_by().values("order").distinct()[:MOST].count()
    text = ngettext("%(n)d order waits: %(why)s.", "%(n)d orders wait, the first because: %(why)s.", n)
    words = {"n": n, "why": first.get_code_display().rstrip(".")}
    if first.code == Hindrance.Code.UNKNOWN_SKU:
        link = _list("catalog_waitingsku", integration__id__exact=integration.pk, is_ignored__exact=0)
        mend = Mend(_("Say which products they are"), link, "catalog.view_waitingsku")
    else:
        link = _list("orders_order", integration__id__exact=integration.pk, hindrance=first.code)
        mend = Mend(_("See these orders"), link, "orders.view_order")
    return Verdict("warning", text % words, OF_HINDRANCE.get(Hindrance.Who(first.who), Who.US), mend)


def _parked(integration: Integration) -> Verdict | None:
    aside = Receipt.objects.filter(integration=integration, state=Receipt.State.PARKED)
    n = aside.order_by()[:MOST].count()
    if not n:
        return None
    text = ngettext("%(n)d message that came in is put aside.", "%(n)d messages that came in are put aside.", n)
    link = _list("webhooks_receipt", integration__id__exact=integration.pk, state__exact=Receipt.State.PARKED)
    return Verdict("warning", text % {"n": n}, Who.US, Mend(_("See these messages"), link, "webhooks.view_receipt"))


def _well(integration: Integration) -> Verdict:
    return Verdict("success", _("All is well: nobody has to do anything."))


TROUBLES: tuple[Callable[[Integration], Verdict | None], ...] = (
    *(_ended, _disabled, _without_permission, _without_stores),
    *(_failed, _untold, _deaf, _held, _parked),
)
