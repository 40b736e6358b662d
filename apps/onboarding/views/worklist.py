"""The SKUs nobody knows, with what they may mean, and what their owner says they are."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from apps.accounts.deciding import SignedIn, actor_of, needs
from apps.api.bodies import is_storable
from apps.api.errors import Problem
from apps.catalog import remapping, worklist
from apps.catalog.matching import suggest
from apps.catalog.models import Product
from apps.htmx import go, show
from apps.integrations.models import Integration
from apps.shops import adjusting
from apps.shops.models import Shop

PAGE = 25
SHOWN = 100


def integration_of(request: SignedIn, pk: UUID) -> Integration:
    """One of their own. Raises Http404."""
    return get_object_or_404(Integration.objects.for_principal(request).kept().select_related("partner"), pk=pk)


@login_required
@needs("see")
def unknown(request: SignedIn, pk: UUID) -> HttpResponse:
    """What waits, the most frequent first, with suggestions; or, with `ignored`, what was put aside."""
    integration = integration_of(request, pk)
    is_ignored = "ignored" in request.GET
    found = worklist.waiting(integration).filter(is_ignored=is_ignored)
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    rows = list(page)
    suggestions = suggest(integration.organization, rows)
    context = {
        "integration": integration,
        "page": page,
        "rows": [(row, suggestions[row.pk]) for row in rows],
        "is_ignored": is_ignored,
        "ignored_count": worklist.waiting(integration).filter(is_ignored=True).count(),
        "shops": Shop.objects.for_principal(request).active().filter(integration=integration),
        "undo": request.GET.get("undo", ""),
    }
    return show(request, "onboarding/worklist.html", context, part="results")


@login_required
@needs("connect")
@require_POST
def answer(request: SignedIn, pk: UUID) -> HttpResponse:
    """Say what one SKU is: a product, a new product, or nothing to care about."""
    integration = integration_of(request, pk)
    try:
        undo = _do(request, integration, request.POST)
    except Problem as problem:
        messages.error(request, problem.details[0][1] if problem.details else problem.detail or problem.title)
        undo = None
    query = f"?{urlencode({'undo': undo})}" if undo else ""
    return go(request, reverse("unknown-skus", args=[pk]) + query)


def _do(request: SignedIn, integration: Integration, given: QueryDict) -> int | None:
    """The number of the version that can be undone, if one came of it. Raises Problem."""
    sku, actor = given.get("sku", "")[:255], actor_of(request)
    match given.get("do"):
        case "new":
            worklist.make_new(integration, [sku], actor=actor)
            messages.success(request, _("%(sku)s is a product now.") % {"sku": sku})
        case "ignore":
            worklist.ignore(integration, [sku], actor=actor)
            messages.success(request, _("%(sku)s is put aside.") % {"sku": sku})
        case "heed":
            worklist.heed(integration, [sku], actor=actor)
            messages.success(request, _("%(sku)s is in the list again.") % {"sku": sku})
        case _:
            product = _product(request, given)
            made = worklist.accept(integration, {sku: product.pk}, actor=actor, by=request.user)
            messages.success(request, _("%(sku)s is %(ours)s from now on.") % {"sku": sku, "ours": product.sku})
            return made.number if made else None
    return None


def _product(request: SignedIn, given: QueryDict) -> Product:
    """The one whose button was pressed, or whose SKU was typed. Raises Problem."""
    number, sku = given.get("product", ""), given.get("ours", "")
    products = Product.objects.for_principal(request)
    if number.isascii() and number.isdigit() and len(number) < 19:
        found = products.filter(pk=int(number)).first()
    else:
        found = products.filter(sku=sku).first() if is_storable(sku) else None
    if found is None:
        raise Problem("not_found", _("We know no product with the SKU “%(sku)s”.") % {"sku": sku})
    return found


@login_required
@needs("connect")
def sure(request: SignedIn, pk: UUID) -> HttpResponse:
    """All that we are sure of: how many and which, and then, if the owner agrees, all at once."""
    integration = integration_of(request, pk)
    found = list(worklist.sure(integration))
    if request.method == "POST":
        return _accept_all(request, integration, found)
    context = {"integration": integration, "count": len(found), "matches": found[:SHOWN]}
    return render(request, "onboarding/sure.html", context)


def _accept_all(request: SignedIn, integration: Integration, found: list[worklist.Match]) -> HttpResponse:
    chosen = {match.waiting.sku: match.suggestion.product for match in found}
    try:
        made = worklist.accept(integration, chosen, actor=actor_of(request), by=request.user) if chosen else None
    except Problem as problem:
        messages.error(request, problem.details[0][1] if problem.details else problem.title)
        return go(request, "unknown-skus", integration.pk)
    text = ngettext("%(n)d SKU is known now.", "%(n)d SKUs are known now.", len(chosen))
    messages.success(request, text % {"n": len(chosen)})
    query = f"?{urlencode({'undo': made.number})}" if made else ""
    return go(request, reverse("unknown-skus", args=[integration.pk]) + query)


@login_required
@needs("connect")
@require_POST
def undo(request: SignedIn, pk: UUID) -> HttpResponse:
    """Take back what was accepted last, unless somebody saved something else since."""
    integration = integration_of(request, pk)
    text = request.POST.get("version", "")
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
    if not number:
        messages.error(request, _("There is no version %(n)s.") % {"n": text[:20]})
        return go(request, "unknown-skus", pk)
    try:
        remapping.roll_back(integration, number - 1, actor=actor_of(request), by=request.user, based_on=number)
        messages.success(request, _("Undone."))
    except Problem as problem:
        messages.error(request, problem.detail or problem.title)
    return go(request, "unknown-skus", pk)


@login_required
@needs("manage")
@require_POST
def decide(request: SignedIn, pk: UUID) -> HttpResponse:
    """Whether SKUs nobody knows become products by themselves, for each shop that the form showed."""
    integration = integration_of(request, pk)
    shops = {str(shop.pk): shop for shop in Shop.objects.for_principal(request).filter(integration=integration)}
    shown, ticked = set(request.POST.getlist("shop")), set(request.POST.getlist("creates"))
    if not shown or not ticked <= shown <= shops.keys():
        messages.error(request, _("This was too long ago. Please look at it again."))
        return go(request, "unknown-skus", pk)
    for key in sorted(shown):
        adjusting.let_create_products(shops[key], key in ticked, actor=actor_of(request))
    messages.success(request, _("Saved. It holds from the next reading of the store on."))
    return go(request, "unknown-skus", pk)
