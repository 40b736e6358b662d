"""Where a store's stock is another number at its platform, or its warehouse, than here; and putting it right."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from apps.accounts.deciding import SignedIn, actor_of, needs
from apps.api.errors import Problem
from apps.htmx import go, show
from apps.shops.models import Connection
from apps.syncs import offering, queueing
from apps.syncs.comparing import limit_drift, repair
from apps.syncs.models import Drift, DriftQuerySet, SyncRun

from ..forms import DriftLimitForm
from .stores import read_by_us

PAGE = 50


@login_required
@needs("see")
def differences(request: SignedIn, pk: UUID) -> HttpResponse:
    """The products whose stock differs, and when that was looked at last."""
    connection = read_by_us(request, pk)
    drifts = _drifts(request, connection)
    after = request.GET.get("after", "")
    rows = drifts.filter(pk__lt=int(after)) if after.isascii() and after.isdigit() and len(after) < 19 else drifts
    found = list(rows.select_related("product").order_by("-pk")[: PAGE + 1])
    runs = SyncRun.objects.filter(shop=connection.shop_id, kind=SyncRun.Kind.COMPARE).newest_first()
    context = {
        "connection": connection,
        "is_warehouse": connection.is_warehouse,
        "can_compare": connection.integration is not None and offering.can_compare(connection.integration),
        "items": found[:PAGE],
        "next": found[PAGE - 1].pk if len(found) > PAGE else None,
        "count": drifts.count(),
        "run": runs.first(),
        "form": DriftLimitForm(initial={"limit": connection.shop.drift_limit if connection.shop else 0}),
    }
    return show(request, "onboarding/differences.html", context, part="results")


def _drifts(request: SignedIn, connection: Connection) -> DriftQuerySet:
    return Drift.objects.for_principal(request).filter(shop=connection.shop_id)


@login_required
@needs("connect")
@require_POST
def compare(request: SignedIn, pk: UUID) -> HttpResponse:
    """Look again, now."""
    connection = read_by_us(request, pk)
    if queueing.owe_comparisons(Connection.objects.filter(pk=connection.pk), by=request.user):
        messages.success(request, _("We are comparing now. Come back in a moment."))
    else:
        messages.info(request, _("There is nothing to compare with at the moment."))
    return go(request, "differences", connection.pk)


@login_required
@needs("connect")
@require_POST
def put_right(request: SignedIn, pk: UUID) -> HttpResponse:
    """Put the chosen ones right, or all of them."""
    connection = read_by_us(request, pk)
    drifts = _drifts(request, connection)
    if "all" not in request.POST:
        asked = [text for text in request.POST.getlist("drift") if text.isascii() and text.isdigit() and len(text) < 19]
        drifts = drifts.filter(pk__in=asked)
    try:
        done = repair(drifts, actor=actor_of(request))
    except Problem as problem:
        messages.error(request, problem.detail)
    else:
        _tell(request, done)
    return go(request, "differences", connection.pk)


def _tell(request: SignedIn, done: int) -> None:
    if done:
        text = ngettext("%(n)d product is put right.", "%(n)d products are put right.", done)
        messages.success(request, text % {"n": done})
    else:
        messages.warning(request, _("Choose at least one product."))


@login_required
@needs("connect")
@require_POST
def set_drift_limit(request: SignedIn, pk: UUID) -> HttpResponse:
    """Up to which difference nobody has to be asked."""
    connection = read_by_us(request, pk)
    form = DriftLimitForm(request.POST)
    if form.is_valid() and connection.shop:
        limit_drift(connection.shop, form.cleaned_data["limit"], actor=actor_of(request))
        messages.success(request, _("Saved."))
    else:
        messages.error(request, " ".join(map(str, form.errors["limit"])))
    return go(request, "differences", connection.pk)
