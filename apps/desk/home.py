"""The first page of the 3PL's own people: what is broken, what waits longest, what happened, how integrations stand.

It asks the database no more than a few times, however much there is; the page asks again by itself, and is told nothing
while nothing is new.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from django.db.models import Model, OuterRef, Subquery
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache

from apps.audit import sealing
from apps.integrations import standing
from apps.integrations.models import Integration
from apps.orders.models import Order
from apps.syncs.models import SyncRun
from apps.webhooks.models import Delivery, Endpoint, Receipt

from . import charts, reckoning
from .concern import Rows
from .kinds import KINDS

PARTS = "admin/home/parts.html"
LOOKS = {
    standing.Standing.NOT_CONFIGURED: "info",
    standing.Standing.CONNECTING: "warning",
    standing.Standing.CONNECTED: "success",
    standing.Standing.ERROR: "danger",
    standing.Standing.DISABLED: "default",
}


@dataclass(frozen=True, slots=True)
class Oldest:
    """What waits longest of one kind; without `since` nothing does."""

    name: Promise
    nothing: Promise
    link: str = ""
    since: datetime | None = None

    @property
    def ago(self) -> str:
        return reckoning.ago(self.since) if self.since else ""


@dataclass(frozen=True, slots=True)
class Standing:
    word: standing.Standing
    look: str
    number: int
    link: str


def page(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """The context of the whole page."""
    return context | shown(request)


@never_cache
def fresh(request: HttpRequest) -> HttpResponseBase:
    """The page's content once more; 204, which changes nothing, when it is what was `seen`."""
    context = shown(request)
    if request.GET.get("seen") == context["digest"]:
        return HttpResponse(status=204)
    return HttpResponse(render_to_string("admin/home/content.html", context, request))


def shown(request: HttpRequest) -> dict[str, Any]:
    """What this person may see, as it is now, written out; `digest` is of all that is written."""
    span = charts.SPANS.get(request.GET.get("span", ""), charts.SPANS["day"])
    parts = render_to_string(PARTS, _looked_at(request.user, span), request)
    return {"parts": parts, "span": span, "digest": sha256(parts.encode()).hexdigest()[:20]}


def _looked_at(user: Any, span: charts.Span) -> dict[str, Any]:
    found, fine = reckoning.reckon([one for one in reckoning.concerns() if user.has_perm(one.permission)])
    standings = _standings() if user.has_perm("integrations.view_integration") else []
    return {
        "concerns": found,
        "fine": fine,
        "sees_orders": user.has_perm("orders.view_order"),
        "kinds": {kind.code for kind in KINDS if user.has_perm(kind.permission)},
        "tampered": sealing.broken() if user.has_perm("audit.view_entry") else "",
        "oldest": _oldest(user),
        "standings": standings,
        "is_empty": bool(standings) and not any(one.number for one in standings),
        "charts": [charts.chart(one, span) for one in charts.SUBJECTS if user.has_perm(one.permission)],
        "span": span,
        "spans": charts.SPANS.values(),
    }


def _standings() -> list[Standing]:
    page = reverse("admin:integrations_integration_changelist")
    counts = standing.counts(Integration.objects.kept())
    return [Standing(word, LOOKS[word], n, f"{page}?standing={word}") for word, n in counts.items()]


# ---- What waits longest

WAITS: Mapping[type[Model], tuple[Promise, Promise]] = {
    Order: (_("Oldest order that needs somebody"), _("No order needs anybody")),
    Receipt: (_("Oldest message to be opened"), _("No message is to be opened")),
    Delivery: (_("Oldest message to be sent"), _("No message is to be sent")),
    SyncRun: (_("Oldest sync that is not over"), _("No sync waits")),
}


def _oldest(user: Any) -> list[Oldest]:
    may_see = [model for model in WAITS if user.has_perm(f"{model._meta.app_label}.view_{model._meta.model_name}")]
    sets = {name: rows for name, (model, rows) in _waiting().items() if model in may_see}
    models = {name: model for name, (model, _rows) in _waiting().items()}
    first: dict[type[Model], tuple[datetime, str]] = {}
    for name, (pk, since) in reckoning.oldest(sets).items():
        model = models[name]
        first[model] = min(first.get(model, (since, pk)), (since, pk))
    return [_told(model, first.get(model)) for model in may_see]


def _told(model: type[Model], found: tuple[datetime, str] | None) -> Oldest:
    name, nothing = WAITS[model]
    if found is None:
        return Oldest(name, nothing)
    since, pk = found
    return Oldest(
        name, nothing, reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_change", args=[pk]), since
    )


def _waiting() -> dict[str, tuple[type[Model], Rows]]:
    """Sets of an id and since when it waits, the longest first. What is to be sent has an index by its endpoint."""
    pending = Delivery.objects.filter(endpoint=OuterRef("pk"), state=Delivery.State.PENDING).order_by("pk")
    first = {name: Subquery(pending.values(field)[:1]) for name, field in (("first", "pk"), ("since", "created_at"))}
    endpoints: Rows = Endpoint.objects.kept().annotate(**first)
    sent = endpoints.exclude(first=None).order_by("first")
    again = Delivery.objects.filter(state=Delivery.State.WAITING, next_attempt_at__isnull=False).order_by("pk")
    return {
        "order": (Order, Order.objects.waiting().order_by("created_at").values_list("pk", "created_at")),
        "receipt": (Receipt, Receipt.objects.waiting().order_by("next_attempt_at").values_list("pk", "received_at")),
        "sent": (Delivery, sent.values_list("first", "since")),
        "again": (Delivery, again.values_list("pk", "created_at")),
        "sync": (SyncRun, SyncRun.objects.unfinished().order_by("created_at").values_list("pk", "created_at")),
    }
