"""The port: where people of the warehouse store, pick and count products, and pick orders (contracts 1.6 and 1.7)."""

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


class WorkForm(forms.Form):
    """What is done about a fulfilment: to send, a number of pieces of each line that is not sent yet, and how."""

    deed = forms.ChoiceField(choices=[(name, name) for name in ("start", "send", "send_some", "reject")])
    carrier = forms.CharField(max_length=100, required=False)
    number = forms.CharField(label="Tracking number", max_length=100, required=False)
    url = forms.URLField(label="Tracking address", max_length=2000, required=False, assume_scheme="https")
    reason = forms.CharField(label="Why it cannot be picked", max_length=1000, required=False)

    def __init__(self, data: object = None, *, fulfillment: Fulfillment):
        super().__init__(data)
        self.lines = {f"line_{line.pk}": line for line in fulfillment.order.lines.all() if line.left}
        for name, line in self.lines.items():
            limits = {"min_value": 0, "max_value": line.left, "initial": line.left}
            self.fields[name] = forms.IntegerField(label=f"Pieces of {line.sku}", required=False, **limits)

    def clean(self) -> None:
        if self.cleaned_data.get("deed") == "reject" and not self.cleaned_data.get("reason"):
            self.add_error("reason", "Say why.")

    def parcel_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in (*self.lines, "carrier", "number", "url")]

    def parcel(self) -> dict:
        """What `picking.send` takes of a valid form."""
        tracking = {name: self.cleaned_data[name] for name in ("carrier", "number", "url")}
        return tracking | {"pieces": {line.pk: self.cleaned_data[name] or 0 for name, line in self.lines.items()}}


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
    form = WorkForm(request.POST or None, fulfillment=shown)
    if request.method == "POST" and form.is_valid() and works(shown, form):
        return redirect(request.path)
    context = {"fulfillment": shown, "form": form}
    return render(request, "pio/port_order.html", context, status=422 if request.method == "POST" else 200)


def works(shown: Fulfillment, form: WorkForm) -> bool:
    """Whether the deed that a valid form describes was done; if not, the form says why."""
    given = form.cleaned_data
    try:
        match given["deed"]:
            case "start":
                picking.start(shown)
            case "reject":
                picking.end(shown, reason=given["reason"])
            case _:
                picking.send(shown, rest_follows=given["deed"] == "send_some", **form.parcel())
    except (NotThere, picking.NotNow) as problem:
        form.add_error(None, str(problem))
    return form.is_valid()
