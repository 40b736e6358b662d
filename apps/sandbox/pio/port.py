"""The port: where somebody of the warehouse finds a product, stores it, picks it and counts it (contracts 1.6)."""

from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from apps.sandbox.pio.authorization import for_users
from apps.sandbox.pio.models import Place, Product
from apps.sandbox.pio.moving import MoveForm, NotThere, move

SHOWN = 50
FILLED = Prefetch("places", Place.objects.filter(quantity__gt=0).order_by("kind", "name"), to_attr="filled")


@for_users
def search(request: HttpRequest) -> HttpResponse:
    """The organization's first products, or those whose name or SKU contains `q`: how many, and where they lie."""
    words = request.GET.get("q", "").replace("\0", "").strip()[:100]
    own = request.person.organization.products
    found = own.filter(name__icontains=words) | own.filter(sku__icontains=words)
    context = {
        "person": request.person,
        "words": words,
        "products": found.order_by("pk").prefetch_related(FILLED)[:SHOWN],
        "total": found.count(),
    }
    return render(request, "pio/port.html", context)


@for_users
def product(request: HttpRequest, *, product_id: int) -> HttpResponse:
    """One product, its places and its log; POST moves stock. 422 with a sentence when that cannot be."""
    shown = get_object_or_404(request.person.organization.products.prefetch_related(FILLED), pk=product_id)
    form = MoveForm(request.POST or None, initial={"quantity": 1, "kind": "shelf", "name": "A1"})
    if request.method == "POST" and form.is_valid() and moves(shown, form):
        return redirect(request.path)
    context = {"product": shown, "form": form, "log": shown.log.order_by("-pk")[:20]}
    return render(request, "pio/port_product.html", context, status=422 if request.method == "POST" else 200)


def moves(product: Product, form: MoveForm) -> bool:
    """Whether the move that a valid form describes was made; if not, the form says why."""
    try:
        move(product, **form.cleaned_data)
    except NotThere as problem:
        form.add_error("quantity", str(problem))
    return form.is_valid()
