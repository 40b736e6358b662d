"""The owner's pages of orders: which there are, what each waits for, where it is, and what can still be done."""

from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from apps.accounts.deciding import SignedIn, actor_of, needs
from apps.accounts.models import Organization
from apps.api.errors import Problem
from apps.htmx import go, show
from apps.shops.models import Shop

from . import cancelling, changing, finding, history, releasing, revising, sentences, sorting, waiting
from .forms import AddressForm, NotesForm, VersionedForm
from .models import Fulfillment, Hindrance, Order, OrderQuerySet

PAGE = 50
LINES_SHOWN = 20
REFUSED = {
    "order_already_fulfilled": gettext_lazy("It has left, so it cannot be changed any more."),
    "picking_in_progress": gettext_lazy("It is being picked, so it cannot be changed any more."),
}


@login_required
@needs("see")
def orders(request: SignedIn) -> HttpResponse:
    """What came, newest first, and what most of what waits is waiting for. Keyset pages: the last is as quick."""
    mine = Order.objects.for_principal(request)
    asked = {name: request.GET.get(name, "").strip()[:255] for name in ("q", "state", "shop", "reason", "ref")}
    found = _matching(mine, request, asked)
    after = _id(request.GET.get("after", ""))
    page = list(_with_everything(found.filter(pk__lt=after) if after else found)[: PAGE + 1])
    context = {
        "rows": [_row(order) for order in page[:PAGE]],
        "next": page[PAGE - 1].pk if len(page) > PAGE else None,
        "is_first": after is None,
        "asked": asked,
        "query": urlencode({name: value for name, value in asked.items() if value}),
        "because": sentences.grouped(asked["reason"], asked["ref"]) if asked["reason"] in Hindrance.Code else "",
        "reasons": waiting.reasons(request.organization),
        "states": Order.State.choices,
        "shops": Shop.objects.for_principal(request),
        "has_any": mine.exists(),
    }
    return show(request, "orders/list.html", context, part="results")


def _matching(found: OrderQuerySet, request: SignedIn, asked: dict[str, str]) -> OrderQuerySet:
    if asked["q"]:
        found = finding.find(found, asked["q"], among=Organization.objects.filter(pk=request.organization.pk))
    if shop := _id(asked["shop"]):
        found = found.filter(shop=shop)
    if asked["reason"] in Hindrance.Code:
        found = waiting.because(found, request.organization, code=asked["reason"], ref=asked["ref"])
    match asked["state"]:
        case "needs":
            return waiting.needing(found, request.organization)
        case "open":
            return found.open()
        case state if state in Order.State:
            return found.filter(state=state)
    return found


def _id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _with_everything(found: OrderQuerySet) -> OrderQuerySet:
    """What the list shows of each, in as many statements for one as for many."""
    shown = found.select_related("shop").prefetch_related("hindrances")
    return shown.annotate(line_count=Count("lines")).order_by("-pk")


def _row(order: Order) -> dict[str, Any]:
    troubles = [sentences.trouble(one, order) for one in order.hindrances.all()]
    return {"order": order, "look": sentences.LOOKS[Order.State(order.state)], "troubles": troubles}


def _order(request: SignedIn, pk: UUID) -> Order:
    found = Order.objects.for_principal(request).select_related("shop", "integration", "organization")
    return get_object_or_404(found.prefetch_related("hindrances"), pk=pk)


@login_required
@needs("see")
def order(request: SignedIn, pk: UUID) -> HttpResponse:
    """One order: where it is, what holds it up, what can be done, and all that ever happened to it."""
    return _show(request, _order(request, pk))


def _show(
    request: SignedIn, found: Order, *, address: AddressForm | None = None, notes: NotesForm | None = None
) -> HttpResponse:
    lines, fulfillments = list(found.lines.all()), list(found.fulfillments.select_related("location"))
    version = {"version": found.version}
    context = _row(found) | {
        "troubles": waiting.troubles(found),
        "lines": lines[:LINES_SHOWN],
        "more_lines": lines[LINES_SHOWN:],
        "fulfillments": fulfillments,
        "parcels": [(parcel, history.tracking(parcel)) for parcel in found.parcels.all()],
        "moments": history.timeline(found, internal=False),
        "address": address or AddressForm(initial=found.destination | version),
        "notes": notes or NotesForm(initial=version | {"tags": ", ".join(found.tags), "notes": found.notes}),
        "may_change": request.user.may_connect and not found.is_over,
        "may_cancel": request.user.may_connect and _can_be_cancelled(found),
        "may_release": request.user.may_connect and found.state == Order.State.HELD,
        "may_route": request.user.may_manage and _can_be_routed(found, fulfillments),
        "is_incomplete": any(one.code == Hindrance.Code.INCOMPLETE_ADDRESS for one in found.hindrances.all()),
        "polling": not found.is_over and found.state != Order.State.WAITING and len(lines) <= LINES_SHOWN,
    }
    return show(request, "orders/order.html", context, part="live")


MENDED = {Hindrance.Code.REJECTED, Hindrance.Code.NO_LOCATION}


def _can_be_routed(found: Order, fulfillments: Iterable[Fulfillment]) -> bool:
    """Whether it rests after a warehouse shipped a part of it, or refused it."""
    if any(not one.is_final for one in fulfillments):
        return False
    is_mended = any(one.code in MENDED for one in found.hindrances.all())
    return found.state == Order.State.PARTLY_FULFILLED or (found.state == Order.State.WAITING and is_mended)


def _can_be_cancelled(found: Order) -> bool:
    return not (found.is_over or found.cancel_requested_at or found.state == Order.State.PICKING)


@login_required
@needs("connect")
@require_POST
def change_address(request: SignedIn, pk: UUID) -> HttpResponse:
    """Where it goes. What waited for a complete address goes on."""
    form = AddressForm(request.POST)
    return _changed(request, pk, form, lambda: {"destination": form.destination}) or _show(
        request, _order(request, pk), address=form
    )


@login_required
@needs("connect")
@require_POST
def change_notes(request: SignedIn, pk: UUID) -> HttpResponse:
    """Its tags and notes, as Pio lets them be changed (contracts 1.7)."""
    form = NotesForm(request.POST)
    return _changed(request, pk, form, lambda: {name: form.cleaned_data[name] for name in ("tags", "notes")}) or _show(
        request, _order(request, pk), notes=form
    )


@transaction.atomic
def _changed(
    request: SignedIn, pk: UUID, form: VersionedForm, changes: Callable[[], dict[str, Any]]
) -> HttpResponse | None:
    """Save what the form says, and go to the order. None when it was refused: the form says why."""
    found = _order(request, pk)
    if not form.is_valid():
        return None
    locked = changing.lock(found.pk)
    if locked.version != form.cleaned_data["version"]:
        form.lost(locked)
        return None
    try:
        revising.revise(locked, changes(), by=actor_of(request))
    except Problem as problem:
        messages.error(request, _said(problem))
    else:
        messages.success(request, _("Saved."))
    return go(request, "order", pk)


def _said(problem: Problem) -> str:
    details = " ".join(text for _attribute, text in problem.details)
    return str(REFUSED.get(problem.code, "")) or details or problem.detail or problem.title


@login_required
@needs("connect")
def cancel(request: SignedIn, pk: UUID) -> HttpResponse:
    """Ask first; then cancel what can still be stopped."""
    found = _order(request, pk)
    if request.method != "POST":
        return render(request, "orders/cancel.html", {"order": found, "can": _can_be_cancelled(found)})
    try:
        cancelled = cancelling.cancel(found, by=actor_of(request))
    except Problem as problem:
        messages.error(request, _said(problem))
    else:
        done, asked = _("It is cancelled."), _("The warehouse is asked to stop it. What it says will stand here.")
        messages.success(request, done if cancelled.is_cancelled else asked)
    return go(request, "order", pk)


@login_required
@needs("connect")
@require_POST
def release(request: SignedIn, pk: UUID) -> HttpResponse:
    """Let it go on before its time."""
    if releasing.release(_order(request, pk), by=actor_of(request)):
        messages.success(request, _("It goes on now."))
    else:
        messages.info(request, _("It was not held any more."))
    return go(request, "order", pk)


@login_required
@needs("manage")
@require_POST
def route_again(request: SignedIn, pk: UUID) -> HttpResponse:
    """Look anew at where what is left of it can be shipped from."""
    try:
        sorting.route_again(_order(request, pk), by=actor_of(request))
    except Problem:
        messages.info(request, _("There is nothing of it to be routed at the moment."))
    else:
        messages.success(request, _("We looked for a place that what is left can be shipped from."))
    return go(request, "order", pk)
