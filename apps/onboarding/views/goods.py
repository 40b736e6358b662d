"""One product of the owner's: how many there are, why that many, and what was told to their stores."""

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404

from apps.accounts.deciding import SignedIn, needs
from apps.catalog import explaining
from apps.catalog.models import Product
from apps.htmx import show
from apps.shops.models import Connection
from apps.syncs.models import Drift


@login_required
@needs("see")
def product(request: SignedIn, pk: int) -> HttpResponse:
    """Everything that explains its number, the newest change first."""
    found = get_object_or_404(Product.objects.for_principal(request).select_related("organization"), pk=pk)
    before = request.GET.get("before", "")
    listing = found.listings.current().first()
    connections = Connection.objects.for_principal(request).filter(shop=listing.shop_id) if listing else None
    context = {
        "product": found,
        "explained": explaining.explain(found, before=before),
        "is_newest": not before,
        "came_from": connections and connections.values_list("pk", flat=True).first(),
        "drifts": Drift.objects.for_principal(request).filter(product=found).select_related("shop"),
    }
    return show(request, "onboarding/product.html", context, part="ledger")
