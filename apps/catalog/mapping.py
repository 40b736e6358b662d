"""What an integration calls by another SKU than we do (Pipe17: contracts 2.11, behaviour 66).

A pair's first SKU becomes its second on the way of an order, and the second the first on the way back. Orders come from
shops and go to warehouses: of a shop or an ERP the second SKU is ours, of a warehouse the first.
"""

from collections.abc import Iterable

from apps.integrations.connectors.base import Category
from apps.integrations.definitions import category_of
from apps.integrations.models import Integration

from .models import SkuPair

OURS_FIRST = ("first", "second")
FIRST_IS_OURS = {Category.LOGISTICS}


def ours(integration: Integration, skus: Iterable[str]) -> dict[str, str]:
    """What we call each of these SKUs of theirs; one that no pair names is ours as it is. One statement."""
    own, other = sides(integration)
    return _partners(integration, skus, given=other, wanted=own)


def theirs(integration: Integration, skus: Iterable[str]) -> dict[str, str]:
    """What the integration calls each of these SKUs of ours, the reverse of `ours`. One statement."""
    own, other = sides(integration)
    return _partners(integration, skus, given=own, wanted=other)


def sides(integration: Integration) -> tuple[str, ...]:
    """Which column of a pair holds our SKU, and which the integration's."""
    return OURS_FIRST if category_of(integration) in FIRST_IS_OURS else OURS_FIRST[::-1]


def _partners(integration: Integration, skus: Iterable[str], *, given: str, wanted: str) -> dict[str, str]:
    asked = list(skus)
    pairs = SkuPair.objects.filter(organization=integration.organization_id, integration=integration)
    known = dict(pairs.filter(**{f"{given}__in": asked}).values_list(given, wanted))
    return {sku: known.get(sku, sku) for sku in asked}
