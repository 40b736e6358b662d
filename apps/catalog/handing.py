"""What of our products a warehouse has still to be told."""

from typing import Any

from django.db.models import Exists, F, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce

from .models import Handover, Product, SkuPair
from .models.products import ProductQuerySet


def owed_to(integration: Any, *, organization: Any, again: bool = True) -> ProductQuerySet:
    """The products a warehouse is yet to be told of: new ones, changed ones, and those to be taken away again.

    With `again` also what it refused as it is. Each has `theirs`, the warehouse's own SKU, which is the second of a
    pair (Pipe17: contracts 2.11). Integration and organization may be an OuterRef of a query this one is put into.
    """
    pairs = SkuPair.objects.filter(organization=_in(organization), integration=_in(integration), first=OuterRef("sku"))
    known = Handover.objects.filter(integration=_in(integration), product=OuterRef("pk"))
    as_it_is = known.filter(version=OuterRef("version"), sku=OuterRef("theirs"))
    as_it_is = as_it_is.good() if again else as_it_is
    products = Product.objects.filter(organization=organization)
    named = products.annotate(theirs=Coalesce(Subquery(pairs.values("second")[:1]), F("sku")))
    return named.filter(Q(archived_at=None) | Exists(known)).exclude(Exists(as_it_is))


def _in(reference: Any) -> Any:
    """The same, one query deeper."""
    return OuterRef(reference) if isinstance(reference, OuterRef) else reference
