"""The SKUs of an integration that are nobody's, and what people make of them: a pair, a product, or nothing.

Each answer releases all that waited for it: unlinked listings and counts of a warehouse.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

from django.db import connection, transaction
from django.db.models import Count
from django.utils.translation import gettext as _

from apps.accounts.models import Organization, User
from apps.api.errors import invalid
from apps.audit.trail import Actor, record
from apps.integrations.models import Integration

from . import mapping, stocking
from .linking import link, lock
from .matching import Suggestion, suggest
from .models import IgnoredSku, Product, SkuMapping, WaitingSku
from .models.mapping import WaitingSkuQuerySet
from .news import skus_known
from .pairs import MOST, Pair
from .relinking import listings_of, make_products
from .remapping import SIDES, follow, newest, pairs_of, save

AT_ONCE = 1_000  # rows for which suggestions are looked up in one statement
NAMED = 100  # SKUs that an audit entry names


class Match(NamedTuple):
    waiting: WaitingSku
    suggestion: Suggestion


def waiting(integration: Integration) -> WaitingSkuQuerySet:
    """Everything of it that waits, most frequent and newest first."""
    found = WaitingSku.objects.filter(organization=integration.organization_id, integration=integration)
    return found.select_related("integration__partner", "listing")


def counts(organization: Organization) -> dict[Integration, int]:
    """How many SKUs wait in each integration of the organization where any do."""
    rows = WaitingSku.objects.filter(organization=organization).open().order_by()
    numbers = dict(rows.values_list("integration").annotate(n=Count("pk")))
    return {one: numbers[one.pk] for one in Integration.objects.kept().filter(pk__in=numbers).order_by("name", "pk")}


def sure(integration: Integration) -> Iterator[Match]:
    """Those that mean one product for sure. A product that two of them mean is left for people to decide."""
    found = list(_sure(integration))
    meant = Counter(match.suggestion.product for match in found)
    yield from (match for match in found if meant[match.suggestion.product] == 1)


def _sure(integration: Integration) -> Iterator[Match]:
    rows = list(waiting(integration).open()[:MOST])
    for start in range(0, len(rows), AT_ONCE):
        part = rows[start : start + AT_ONCE]
        found = suggest(integration.organization, part, by_name=False)
        yield from (Match(row, found[row.pk][0]) for row in part if found[row.pk] and found[row.pk][0].is_sure)


@transaction.atomic
def accept(
    integration: Integration, chosen: Mapping[str, int], *, actor: Actor, by: User | None = None
) -> SkuMapping | None:
    """Each of these SKUs of theirs means this product (by id): a pair where the SKUs differ, else just the link.

    Returns the version of the mapping that came of it; None when it stayed as it was. Raises Problem
    validation_error for what does not wait, is no product, or already has a partner.
    """
    with connection.cursor() as cursor:
        lock(cursor, integration.organization_id)
    meaning = _meaning(integration, chosen)
    before, had = newest(integration), pairs_of(integration)
    pairs = _paired(integration, had, meaning)
    made = None
    if set(pairs) != set(had):
        note = _("Accepted: %(skus)s") % {"skus": _few(meaning)}
        made = save(integration, pairs, origin=SkuMapping.Origin.WORKLIST, actor=actor, by=by, note=note)
    follow(integration, {sku: ours for sku, ours in meaning.items() if sku == ours})
    record(actor, "sku.accept", on=integration, before={}, after=dict(list(meaning.items())[:NAMED]))
    return made if made != before else None


def _meaning(integration: Integration, chosen: Mapping[str, int]) -> dict[str, str]:
    _check_waiting(integration, chosen)
    products = Product.objects.filter(organization=integration.organization_id, pk__in=chosen.values())
    skus = dict(products.values_list("pk", "sku"))
    if missing := sorted(str(product) for product in chosen.values() if product not in skus):
        raise invalid("product_id", _("There is no product %(id)s.") % {"id": missing[0]})
    return {sku: skus[product] for sku, product in chosen.items()}


def _check_waiting(integration: Integration, skus: Collection[str]) -> None:
    known = set(waiting(integration).filter(sku__in=list(skus)).values_list("sku", flat=True))
    if missing := sorted(set(skus) - known):
        raise invalid("sku", _("%(sku)s does not wait here any more.") % {"sku": missing[0]})


def _paired(integration: Integration, had: Collection[Pair], meaning: Mapping[str, str]) -> list[Pair]:
    """The mapping with these meanings in it."""
    own, other = (SIDES.index(side) for side in mapping.sides(integration))
    kept = [pair for pair in had if pair[other] not in meaning]
    taken = {pair[own]: pair[other] for pair in kept}
    added = []
    for sku, ours in meaning.items():
        if sku == ours:
            continue
        if ours in taken:
            words = {"ours": ours, "sku": taken[ours]}
            raise invalid("sku", _("%(ours)s has a partner already: %(sku)s.") % words)
        taken[ours] = sku
        added.append(Pair(**{SIDES[own]: ours, SIDES[other]: sku}))
    return kept + added


def _few(skus: Collection[str]) -> str:
    named = ", ".join(list(skus)[:3])
    return named[:400] + ("…" if len(skus) > 3 or len(named) > 400 else "")


@transaction.atomic
def make_new(integration: Integration, skus: Collection[str], *, actor: Actor) -> int:
    """Listings of these SKUs become products of their own. Returns how many listings have one now.

    Raises Problem validation_error for a SKU that only a warehouse told us: it has no name to go by.
    """
    with connection.cursor() as cursor:
        lock(cursor, integration.organization_id)
    found, ours = listings_of(integration, skus), mapping.ours(integration, skus)
    if missing := sorted(set(skus) - {sku for _pk, sku in found}):
        raise invalid("sku", _("No shop lists %(sku)s, so there is no name for a product.") % {"sku": missing[0]})
    made = make_products(integration, [(listing, ours[sku]) for listing, sku in found])
    linked = link(integration.organization, [(listing, made[ours[sku]]) for listing, sku in found], by_hand=False)
    stocking.release_held(integration.organization, skus=set(made))
    skus_known.send(make_new, organization=integration.organization_id, skus=set(made))
    record(actor, "sku.make_product", on=integration, after={"skus": sorted(made)[:NAMED]})
    return linked


@transaction.atomic
def ignore(integration: Integration, skus: Collection[str], *, actor: Actor) -> int:
    """Leave these out of the worklist. They stay as they are, and come back with `heed`. Returns how many it were."""
    _check_waiting(integration, skus)
    rows = [
        IgnoredSku(
            organization_id=integration.organization_id, integration=integration, sku=sku, actor=actor.text[:255]
        )
        for sku in skus
    ]
    made = len(IgnoredSku.objects.bulk_create(rows, ignore_conflicts=True))
    skus_known.send(ignore, organization=integration.organization_id, skus=set(skus))
    record(actor, "sku.ignore", on=integration, after={"skus": sorted(skus)[:NAMED]})
    return made


@transaction.atomic
def heed(integration: Integration, skus: Collection[str], *, actor: Actor) -> int:
    """Bring ignored ones back. Returns how many it were."""
    found = IgnoredSku.objects.filter(organization=integration.organization_id, integration=integration, sku__in=skus)
    count, _by_kind = found.delete()
    record(actor, "sku.heed", on=integration, after={"skus": sorted(skus)[:NAMED]})
    return count
