"""What a warehouse should have told us of its stock and did not, found among its numbers while they are compared.

It numbers the versions of what it has. A version above the one we believe is a message that was lost, so nobody has to
be asked: it is taken in as the message would have been.
"""

from collections.abc import Sequence

from apps.catalog import mapping, stocking
from apps.catalog.models import Location, Product, StockLevel, StockMovement
from apps.integrations.connectors.base import RemoteStock

from .models import SyncRun

type Known = tuple[int | None, int]  # the version that we believe, if any, and the pieces


def take_newer(found: SyncRun, items: Sequence[RemoteStock]) -> list[tuple[str, str]]:
    """The SKU of each that was put right, and its pieces.

    Of a warehouse that fulfils from several locations, only its own report can tell which.
    """
    places = list(Location.objects.filter(organization=found.organization_id, integration=found.integration_id)[:2])
    if len(places) != 1 or not places[0].is_active:
        return []
    newer = _unheard(found, places[0], items)
    told = [stocking.Reported(one.sku, on_hand=one.on_hand, version=one.version) for one in newer]
    cause = StockMovement.Cause.RECONCILE
    by = stocking.By(cause, str(found.integration), found.integration, reference=str(found.pk))
    outcomes = stocking.report(places[0], told, by=by, occurred_at=found.started_at) if told else []
    taken = zip(newer, outcomes, strict=True)
    return [(one.sku, str(one.on_hand)) for one, outcome in taken if outcome.result == stocking.Result.APPLIED]


def _unheard(found: SyncRun, place: Location, items: Sequence[RemoteStock]) -> list[RemoteStock]:
    """Those of our products that are another number there, in a version above the one we believe."""
    ours = mapping.ours(found.integration, [item.sku for item in items if item.version is not None])
    own = {"organization": found.organization_id}
    products = Product.objects.filter(**own, sku__in=ours.values()).values_list("sku", flat=True)
    known: dict[str, Known] = dict.fromkeys(products, (None, 0))
    levels = StockLevel.objects.filter(**own, location=place, product__sku__in=ours.values())
    known |= {sku: (version, n) for sku, version, n in levels.values_list("product__sku", "counted_version", "on_hand")}
    return [item for item in items if item.sku in ours and _is_news(item, known.get(ours[item.sku]))]


def _is_news(item: RemoteStock, known: Known | None) -> bool:
    """Whether it says something of a product that we have."""
    if known is None or item.version is None:
        return False
    version, pieces = known
    return item.on_hand != pieces and (version is None or item.version > version)
