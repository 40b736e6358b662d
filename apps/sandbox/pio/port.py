"""The port: where people of the warehouse store, pick and count products, and pick orders (contracts 1.6 and 1.7)."""

from collections.abc import Callable

from django import forms
from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from apps.sandbox.pio import picking
from apps.sandbox.pio.authorization import for_users
from apps.sandbox.pio.fulfillments import whole
from apps.sandbox.pio.models import Fulfillment, Order, Place, Product
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


class ParcelForm(forms.Form):
    """What is sent: a number of pieces for each line of the fulfilment (all that is left unless said), and how."""

    carrier = forms.CharField(max_length=100, required=False)
    number = forms.CharField(label="Tracking number", max_length=100, required=False)
    url = forms.URLField(label="Tracking address", max_length=2000, required=False, assume_scheme="https")

    def __init__(self, data: object = None, *, fulfillment: Fulfillment):
        super().__init__(data)
        self.lines = [line for line in fulfillment.order.lines.all() if line.left]
        for line in self.lines:
            self.fields[f"line_{line.pk}"] = forms.IntegerField(
                label=f"Pieces of {line.sku}", min_value=0, max_value=line.left, initial=line.left
            )

    @property
    def parcel(self) -> dict:
        """What `picking.send` takes of a valid form."""
        tracking = {name: self.cleaned_data[name] for name in ("carrier", "number", "url")}
        return tracking | {"pieces": {line.pk: self.cleaned_data[f"line_{line.pk}"] for line in self.lines}}


class RejectForm(forms.Form):
    reason = forms.CharField(label="Why", max_length=1000)


@for_users
def pick_list(request: HttpRequest) -> HttpResponse:
    """What is to be picked, the highest priority first and then the oldest; and how much waits before it."""
    organization = request.person.organization
    living = whole().filter(organization=organization, is_closed=False)
    steps = Order.objects.filter(shop__organization=organization)
    context = {
        "person": request.person,
        "fulfillments": living.order_by("-priority", "pk")[:SHOWN],
        "total": living.count(),
        "new": steps.filter(step=Order.Step.NEW).count(),
        "waiting": steps.filter(step=Order.Step.WAITING).count(),
    }
    return render(request, "pio/port_orders.html", context)


@for_users
def fulfillment(request: HttpRequest, *, fulfillment_id: int) -> HttpResponse:
    """One order at the port; POST starts it, sends pieces of it, or rejects it. 422 with a sentence when it cannot."""
    shown = get_object_or_404(whole(), organization=request.person.organization, pk=fulfillment_id)
    deed = request.POST.get("deed")
    parcel = ParcelForm(request.POST if deed in ("send", "send_some") else None, fulfillment=shown)
    reject = RejectForm(request.POST if deed == "reject" else None)
    problem = done(shown, deed=deed, parcel=parcel, reject=reject) if request.method == "POST" else ""
    if request.method == "POST" and problem == "":
        return redirect(request.path)
    context = {"fulfillment": shown, "parcel": parcel, "reject": reject, "problem": problem}
    return render(request, "pio/port_order.html", context, status=422 if request.method == "POST" else 200)


def done(shown: Fulfillment, *, deed: str | None, parcel: ParcelForm, reject: RejectForm) -> str | None:
    """Do what was asked for: empty when it is done, else a sentence, or None when a form says why."""
    deeds: dict[str | None, Callable[[], None]] = {
        "start": lambda: picking.start(shown),
        "send": lambda: picking.send(shown, **parcel.parcel),
        "send_some": lambda: picking.send(shown, rest_follows=True, **parcel.parcel),
        "reject": lambda: picking.end(shown, reason=reject.cleaned_data["reason"]),
    }
    if deed not in deeds:
        return "Choose what to do."
    if not all(form.is_valid() for form in (parcel, reject) if form.is_bound):
        return None
    try:
        deeds[deed]()
    except (NotThere, picking.NotNow) as problem:
        return str(problem)
    return ""
