"""The sandbox's own pages: what it is, who can log in, what goes wrong next, and the products on sale."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from apps.sandbox import control
from apps.sandbox.faults import KINDS
from apps.sandbox.models import Fault, Switches
from apps.sandbox.otter.control import ProductForm, change, form_data
from apps.sandbox.otter.control import state as otter_state
from apps.sandbox.otter.models import Product, Store
from apps.sandbox.pio.control import state as pio_state

SHOWN = 100


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    return render(request, "home.html", home_context(control.FaultForm(initial={"times": 1})))


def home_context(fault_form: control.FaultForm) -> dict:
    """What the home page shows, with a fault form that may carry errors."""
    return {
        "otter": otter_state(),
        "pio": pio_state(),
        "faults": [(fault, KINDS[fault.kind]) for fault in Fault.objects.order_by("pk")],
        "fault_form": fault_form,
        "kinds": KINDS,
        "switches_form": control.SwitchesForm(instance=Switches.current()),
    }


@require_POST
def order_fault(request: HttpRequest) -> HttpResponse:
    form = control.FaultForm(request.POST)
    if not form.is_valid():
        return render(request, "home.html", home_context(form), status=422)
    control.order(form.cleaned_data)
    return redirect("/")


@require_POST
def lift_faults(request: HttpRequest) -> HttpResponse:
    Fault.objects.all().delete()
    return redirect("/")


@require_POST
def switches(request: HttpRequest) -> HttpResponse:
    form = control.SwitchesForm(request.POST, instance=Switches.current())
    if not form.is_valid():
        context = home_context(control.FaultForm(initial={"times": 1})) | {"switches_form": form}
        return render(request, "home.html", context, status=422)
    control.flip(form)
    return redirect("/")


@require_safe
def store(request: HttpRequest, *, store_id: object) -> HttpResponse:
    """The first products of a store, or those whose name or SKU contains `q`."""
    shown = get_object_or_404(Store, id=store_id)
    words = request.GET.get("q", "").replace("\0", "").strip()[:100]
    found = shown.products.filter(name__icontains=words) | shown.products.filter(sku__icontains=words)
    context = {
        "store": shown,
        "words": words,
        "products": found.order_by("number")[:SHOWN],
        "total": found.count(),
        "orders": shown.orders.order_by("-number")[:SHOWN],
    }
    return render(request, "store.html", context)


def product(request: HttpRequest, *, product_id: object) -> HttpResponse:
    """Show one product in a form; POST changes it."""
    shown = get_object_or_404(Product.objects.select_related("store"), id=product_id)
    form = ProductForm(request.POST if request.method == "POST" else form_data(shown))
    if request.method == "POST" and form.is_valid():
        change(shown, form.cleaned_data)
        return redirect(f"/stores/{shown.store.id}/")
    invalid = request.method == "POST"
    return render(request, "product.html", {"product": shown, "form": form}, status=422 if invalid else 200)
