"""The port's Pick: orders that people of the 3PL pick by hand, one after the other (behaviours 70, 75 and 93)."""

import re
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache

from apps.accounts.deciding import SignedIn, actor_of
from apps.accounts.models import Organization
from apps.api.errors import Problem
from apps.htmx import show
from apps.operations import for_staff

from . import picking
from .models import Fulfillment, FulfillmentLine
from .port_forms import PickForm

SHOWN = 50
DIGITS = re.compile(r"[0-9]{1,9}")
handles_stock = for_staff("catalog.change_stocklevel")


@handles_stock
@never_cache
def picks(request: SignedIn, organization: UUID | None = None) -> HttpResponse:
    """What is to be picked, the most urgent first: of one customer, or of all."""
    customer = get_object_or_404(Organization, pk=organization, is_active=True) if organization else None
    found = list(picking.to_pick(customer)[: SHOWN + 1])
    context = {"customer": customer, "picks": found[:SHOWN], "has_more": len(found) > SHOWN}
    return show(request, "orders/picks.html", context, part="results")


@handles_stock
@never_cache
def pick(request: SignedIn, pk: UUID) -> HttpResponse:
    """One of them: what to take, what to mind, and where it goes. Shows as well what became of it."""
    rows = Fulfillment.objects.filter(integration=None, organization__is_active=True)
    found = get_object_or_404(rows.select_related("organization", "order__shop", "location"), pk=pk)
    if request.method != "POST":
        return _page(request, found, PickForm(lines=_lines(found), initial={"version": found.version}))
    match request.POST.get("do"):
        case "begin":
            return _begin(request, found)
        case "ship":
            return _ship(request, found, PickForm(request.POST, lines=_lines(found)))
    raise BadRequest("Neither begin nor ship")


def _lines(found: Fulfillment) -> list[FulfillmentLine]:
    return list(found.lines.select_related("order_line", "product"))


def _page(request: SignedIn, found: Fulfillment, form: PickForm) -> HttpResponse:
    picker = picking.picker_of(found)
    context = {
        "pick": found,
        "order": found.order,
        "customer": found.organization,
        "lines": _lines(found),
        "parcels": found.parcels.all(),
        "form": form,
        "picker": picker,
        "is_mine": picker is not None and picker.name == actor_of(request).text,
    }
    return render(request, "orders/pick.html", context)


def _begin(request: SignedIn, found: Fulfillment) -> HttpResponse:
    """What was refused changed nothing: the page shows how it is."""
    version = request.POST.get("version", "")
    if not DIGITS.fullmatch(version):
        raise BadRequest("No version")
    try:
        picking.begin(found, by=actor_of(request), version=int(version))
    except Problem as problem:
        found.refresh_from_db()
        messages.warning(request, _refusal(problem, found))
    return redirect("port-pick", found.pk)


def _refusal(problem: Problem, found: Fulfillment) -> str:
    if problem.code == "fulfillment_is_final":
        return _("Somebody was faster: it is done already. Nothing was done twice.")
    if picker := picking.picker_of(found):
        return _("%(who)s is at it, too. Agree who picks it; nothing was changed.") % {"who": picker.name}
    return _("Somebody changed it in the meantime. Look at it again; nothing was changed.")


def _ship(request: SignedIn, found: Fulfillment, form: PickForm) -> HttpResponse:
    """Do what they say. What was refused changed nothing, and stands at the form with what they typed."""
    if not form.is_valid():
        return _page(request, found, form)
    try:
        _do_ship(request, found, form)
    except Problem as problem:
        found.refresh_from_db()
        refusal = _refusal(problem, found)
        if not found.is_final:
            return _page(request, found, form.overtaken(found.version, _lines(found), refusal))
        messages.warning(request, refusal)
        return redirect("port-pick", found.pk)
    return redirect("port-picks-of", found.organization_id)


def _do_ship(request: SignedIn, found: Fulfillment, form: PickForm) -> None:
    """Raises Problem."""
    given, by, pieces = form.cleaned_data, actor_of(request), form.pieces
    if not any(pieces.values()):
        picking.put_back(found, by=by, version=given["version"], reason=given["reason"])
        messages.warning(request, _("Noted: nothing of %(order)s is there.") % {"order": found.order})
        return
    parcel = picking.ship(
        found,
        by=by,
        version=given["version"],
        pieces=pieces,
        tracking=form.tracking,
        entry=str(given["entry"]),
        is_final=form.is_final,
        reason=given["reason"] if form.is_final else "",
    )
    messages.success(request, _left(sum(number for _line, number in parcel.lines), order=str(found.order)))


def _left(pieces: int, *, order: str) -> str:
    text = ngettext("%(n)d piece of %(order)s is on its way.", "%(n)d pieces of %(order)s are on their way.", pieces)
    return text % {"n": pieces, "order": order}
