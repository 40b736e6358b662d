"""The port: where people of the 3PL store, look up, pick and count in the manual warehouse (behaviours 61, 63, 93)."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache

from apps.accounts.deciding import SignedIn, actor_of
from apps.accounts.models import Organization
from apps.htmx import show
from apps.operations import for_staff

from . import by_hand, explaining
from .forms import CountForm, DeedForm, places_of
from .models import Product, StockLevel
from .stocking import Outcome, Result

CUSTOMERS = 50
FOUND = 20
LATELY = 5
DEEDS = {"store": DeedForm, "pick": DeedForm, "count": CountForm}
handles_stock = for_staff("catalog.change_stocklevel")
sees_stock = for_staff("catalog.view_stocklevel")


@handles_stock
def port(request: SignedIn) -> HttpResponse:
    """Where this person left off; else, whose goods?"""
    chosen = request.session.get("port", "")
    active = Organization.objects.filter(is_active=True)
    if "choose" not in request.GET and chosen and active.filter(pk=chosen).exists():
        return redirect("port-search", chosen)
    text = request.GET.get("q", "").strip()[:200]
    found = list(active.filter(name__icontains=text)[: CUSTOMERS + 1])
    if len(found) == 1 and not text and "choose" not in request.GET:
        return redirect("port-search", found[0].pk)
    context = {"customers": found[:CUSTOMERS], "has_more": len(found) > CUSTOMERS, "q": text}
    return show(request, "catalog/port.html", context, part="results")


def _customer(request: SignedIn, pk: UUID) -> Organization:
    """The one whose goods they handle. Remembered until they choose another."""
    customer = get_object_or_404(Organization, pk=pk, is_active=True)
    if request.session.get("port") != str(customer.pk):
        request.session["port"] = str(customer.pk)
    return customer


@handles_stock
def search(request: SignedIn, organization: UUID) -> HttpResponse:
    """Goods by SKU, name or barcode, how many there are and where; one whose code is typed exactly opens at once."""
    customer = _customer(request, organization)
    text = request.GET.get("q", "").strip()[:255]
    products = Product.objects.filter(organization=customer)
    if text and not request.htmx and (exact := products.called(text)):
        return redirect("port-product", customer.pk, exact.pk)
    found = list(products.matching(text).order_by("sku")[: FOUND + 1]) if text else []
    context = {
        "customer": customer,
        "q": text,
        "items": _with_stock(customer, found[:FOUND]),
        "has_more": len(found) > FOUND,
        "has_places": places_of(customer).exists(),
    }
    return show(request, "catalog/port_search.html", context, part="results")


def _with_stock(customer: Organization, products: list[Product]) -> list[dict[str, Any]]:
    """Each with its totals and the places where it lies."""
    ids = [product.pk for product in products]
    stock, levels = explaining.totals(customer, ids), explaining.levels_of(customer, ids)
    return [
        {
            "product": product,
            "stock": stock.get(product.pk, explaining.Stock()),
            "levels": [level for level in levels if level.product_id == product.pk and level.on_hand],
        }
        for product in products
    ]


@handles_stock
@never_cache
def product(request: SignedIn, organization: UUID, pk: int) -> HttpResponse:
    """One product: what it looks like, where it lies, and what can be done with it."""
    customer = _customer(request, organization)
    found = get_object_or_404(Product.objects.select_related("organization"), organization=customer, pk=pk)
    levels = explaining.levels_of(customer, [found.pk])
    deed = _deed(request)
    form = _form(request, deed, customer=customer, levels=levels)
    if form.is_valid() and _done(request, deed, found, form):
        request.session["port_deed"] = deed
        return redirect(f"{reverse('port-product', args=[customer.pk, found.pk])}?{urlencode({'do': deed})}")
    context = {
        "customer": customer,
        "product": found,
        "stock": explaining.totals(customer, [found.pk]).get(found.pk, explaining.Stock()),
        "levels": levels,
        "deed": deed,
        "form": form,
        "has_places": places_of(customer).exists(),
        "lately": explaining.ledger(levels).lines[:LATELY],
    }
    return render(request, "catalog/port_product.html", context)


def _deed(request: SignedIn) -> str:
    """What they do, as they did last unless they say so. Nothing is done for a form that does not say what."""
    if request.method == "POST":
        if request.POST.get("do") not in DEEDS:
            raise BadRequest("Neither store, nor pick, nor count")
        return request.POST["do"]
    asked = request.GET.get("do") or request.session.get("port_deed", "")
    return asked if asked in DEEDS else "store"


def _form(request: SignedIn, deed: str, *, customer: Organization, levels: list[StockLevel]) -> DeedForm:
    by_hand_only = [level for level in levels if level.location.is_manual and level.location.is_active]
    here = [level for level in by_hand_only if level.on_hand] if deed == "pick" else by_hand_only
    posted = request.POST if request.method == "POST" else None
    alone = {"place": str(here[0].location_id)} if len(here) == 1 else {}
    return DEEDS[deed](posted, organization=customer, levels=here, initial=alone)


def _done(request: SignedIn, deed: str, product: Product, form: DeedForm) -> bool:
    """Do it, and say what came of it. What was refused stands at the form, and changed nothing."""
    given, location = form.cleaned_data, form.location
    assert location
    actor = actor_of(request)
    if deed == "count":
        outcome = by_hand.count(product, location, given["pieces"], reason=given["reason"], actor=actor)
    else:
        move = by_hand.store if deed == "store" else by_hand.pick
        outcome = move(product, location, given["pieces"], entry=str(given["entry"]), actor=actor)
    if outcome.refused:
        form.add_error("pieces", _refusal(outcome, product, form))
    elif outcome.result == Result.DUPLICATE:
        messages.info(request, _("That was done already. Nothing was done twice."))
    elif outcome.result == Result.STALE:
        messages.warning(request, _("Somebody counted after you. Their number stands."))
    else:
        messages.success(request, _success(deed, given["pieces"], place=location.name))
    return not outcome.refused


def _success(deed: str, pieces: int, *, place: str) -> str:
    words = {
        "store": ngettext("%(n)d piece stored at %(place)s.", "%(n)d pieces stored at %(place)s.", pieces),
        "pick": ngettext("%(n)d piece picked from %(place)s.", "%(n)d pieces picked from %(place)s.", pieces),
        "count": ngettext("%(n)d piece counted at %(place)s.", "%(n)d pieces counted at %(place)s.", pieces),
    }
    return words[deed] % {"n": pieces, "place": place}


def _refusal(outcome: Outcome, product: Product, form: DeedForm) -> str:
    assert form.location
    if outcome.error in {"negative_stock", "unknown_level"}:
        level = StockLevel.objects.filter(
            organization=product.organization_id, product=product, location=form.location
        ).first()
        there = level.on_hand if level else 0
        text = ngettext(
            "Only %(n)d piece is at %(place)s. Nothing was changed.",
            "Only %(n)d pieces are at %(place)s. Nothing was changed.",
            there,
        )
        none = _("Nothing lies at %(place)s. Nothing was changed.")
        return (text if there else none) % {"n": there, "place": form.location.name}
    if outcome.error == "not_by_hand":
        return _("A warehouse system looks after %(place)s. Its people store and pick there.") % {
            "place": form.location.name
        }
    return _("That is more than can be kept there. Nothing was changed.")


@sees_stock
def why(request: SignedIn, organization: UUID, pk: int) -> HttpResponse:
    """Everything that explains a product's number, as its owner sees it, too (behaviour 64)."""
    found = get_object_or_404(Product.objects.select_related("organization"), organization=organization, pk=pk)
    before = request.GET.get("before", "")
    context = {
        "product": found,
        "explained": explaining.explain(found, before=before),
        "is_newest": not before,
        "drifts": found.drifts.select_related("shop"),
    }
    return show(request, "catalog/why.html", context, part="ledger")
