"""Comparing stock: what a platform or a warehouse says it has, against what it was told, or has told us.

Every page of their numbers is kept until all are there; one statement then finds the differences. What is on its way
right now, in either direction, is no difference. A repair tells a platform again, and believes a warehouse.
"""

from collections.abc import Sequence
from typing import Any

from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.api.errors import Problem
from apps.audit.trail import Actor, record
from apps.catalog import mapping, stocking
from apps.catalog.models import Listing, Location, Product, Publication, StockMovement
from apps.catalog.stocking import By, Count
from apps.integrations.connectors import UnknownConnector
from apps.integrations.connectors.base import Page, RemoteStock
from apps.shops.models import Shop

from . import catching_up
from .keeping import connection_of, end, note_repairs, write
from .models import CountedPage, Drift, DriftQuerySet, SyncRun
from .stocktaking import stock_pages
from .subscribing import see_to_hooks

ITSELF = "the limit of its connection"

type Counted = list[tuple[int, int]]


def compare_stock(found: SyncRun) -> None:
    """Read all their numbers, from the run's cursor on, and note what differs. Small differences are put right.

    Raises as `running.run` expects.
    """
    if not found.pages:
        see_to_hooks(found, connection_of(found.shop_id).ref)
    for page in stock_pages(found):
        _keep(found, page)
    _finish(found)


@transaction.atomic
def _keep(found: SyncRun, page: Page[RemoteStock]) -> None:
    is_warehouse = found.integration.kind.is_warehouse
    repaired = catching_up.take_newer(found, page.items) if is_warehouse else []
    note_repairs(found, repaired)
    counts = (_at_warehouse if is_warehouse else _at_platform)(found, page.items)
    place: dict[str, Any] = {"run": found, "page": found.pages, "organization_id": found.organization_id}
    CountedPage.objects.update_or_create(**place, defaults={"counts": counts})
    read = {"pages": F("pages") + 1, "done": F("done") + len(page.items)}
    write(found, **read, updated_count=F("updated_count") + len(repaired), cursor=page.next_cursor, tries=0, error="")
    found.refresh_from_db(fields=["pages", "cursor"])


def _at_platform(found: SyncRun, items: Sequence[RemoteStock]) -> Counted:
    """Pairs of listing and pieces."""
    pieces = {(item.ext_product_id, item.ext_variant_id): item.on_hand for item in items}
    rows = Listing.objects.filter(organization=found.organization_id, shop=found.shop_id).current()
    rows = rows.filter(ext_product_id__in={product for product, _ in pieces})
    known = rows.values_list("pk", "ext_product_id", "ext_variant_id")
    return [(pk, pieces[product, variant]) for pk, product, variant in known if (product, variant) in pieces]


def _at_warehouse(found: SyncRun, items: Sequence[RemoteStock]) -> Counted:
    """Pairs of product and pieces. A SKU that is nobody's yet waits in the worklist; it is no difference."""
    ours = mapping.ours(found.integration, [item.sku for item in items])
    known = Product.objects.filter(organization=found.organization_id, sku__in=ours.values())
    products = dict(known.values_list("sku", "pk"))
    return [(products[ours[item.sku]], item.on_hand) for item in items if ours[item.sku] in products]


@transaction.atomic
def _finish(found: SyncRun) -> None:
    names: dict[str, Any] = {
        "organization": found.organization_id,
        "shop": found.shop_id,
        "integration": found.integration_id,
    }
    names |= {"run": found.pk, "since": found.started_at, "now": timezone.now()}
    differences = DIFFERENT_AT_WAREHOUSE if found.integration.kind.is_warehouse else DIFFERENT_AT_PLATFORM
    with connection.cursor() as cursor:
        cursor.execute(NOTE_DRIFT.format(differences=differences), names)
        drifts = cursor.rowcount
        cursor.execute(FORGET_DRIFT, names)
    repaired = _repair_small(found)
    CountedPage.objects.filter(run=found).delete()
    write(found)
    end(
        found,
        SyncRun.State.SUCCEEDED,
        created_count=drifts,
        updated_count=F("updated_count") + repaired,
        total=F("done"),
    )


def _repair_small(found: SyncRun) -> int:
    """What nobody has to be asked about. Where only a person can tell, it waits for one."""
    shop = found.shop
    if shop.integration.kind.is_warehouse and len(_places(shop)) != 1:
        return 0
    small = Drift.objects.filter(organization=shop.organization_id, shop=shop).confirmed().small()
    note_repairs(found, [(sku, str(theirs)) for sku, theirs in small.values_list("product__sku", "theirs")])
    return repair(small, actor=Actor(ITSELF, organization_id=shop.organization_id))


@transaction.atomic
def repair(drifts: DriftQuerySet, *, actor: Actor) -> int:
    """Put these right: platforms are told again, warehouses believed. Returns how many.

    Raises Problem conflict for a warehouse that fulfils from several locations: only its own report can tell which;
    and when the operator has removed their connector.
    """
    chosen = list(drifts.select_related("shop__integration__partner", "organization").select_for_update(of=("self",)))
    for shop in {drift.shop_id: drift.shop for drift in chosen}.values():
        of_shop = [drift for drift in chosen if drift.shop_id == shop.pk]
        if _is_warehouse(shop):
            _believe(shop, of_shop, actor=actor)
        else:
            products = [drift.product_id for drift in of_shop]
            of_products = Publication.objects.filter(organization=shop.organization_id, shop=shop, product__in=products)
            of_products.owe_again()
        numbers = {str(drift.product_id): [drift.ours, drift.theirs] for drift in of_shop[:100]}
        record(actor, "stock.repair", on=shop, after={"products": len(of_shop), "ours and theirs": numbers})
    Drift.objects.filter(pk__in=[drift.pk for drift in chosen]).delete()
    return len(chosen)


@transaction.atomic
def limit_drift(shop: Shop, pieces: int, *, actor: Actor) -> None:
    """Up to this difference, stock is put right without asking; 0 is never."""
    record(actor, "shop.limit_drift", on=shop, before={"pieces": shop.drift_limit}, after={"pieces": pieces})
    shop.drift_limit = pieces
    shop.save(update_fields=["drift_limit"])


def _is_warehouse(shop: Shop) -> bool:
    try:
        return shop.integration.kind.is_warehouse
    except UnknownConnector as error:
        raise Problem("conflict", _("The operator has removed its connector.")) from error


def _believe(shop: Shop, drifts: Sequence[Drift], *, actor: Actor) -> None:
    places = _places(shop)
    if len(places) != 1:
        raise Problem(
            "conflict", _("It fulfils from several locations. Ask it for a full report of its stock instead.")
        )
    by = By(StockMovement.Cause.RECONCILE, actor=actor.text, integration=shop.integration, reference=str(shop.pk))
    place = places[0].pk
    counts = [Count(drift.product_id, place, on_hand=drift.theirs, occurred_at=drift.seen_at) for drift in drifts]
    stocking.count(shop.organization, counts, by=by)


def _places(shop: Shop) -> list[Location]:
    """Where its integration fulfils from; two tell as much as all."""
    return list(Location.objects.filter(organization=shop.organization_id, integration=shop.integration_id)[:2])


COUNTED = """
    SELECT (pair ->> 0)::bigint AS subject, (pair ->> 1)::integer AS theirs
    FROM syncs_countedpage, jsonb_array_elements(counts) pair
    WHERE run_id = %(run)s
"""

# A platform that was told a number since the comparison began, or is about to be, is not asked about it.
DIFFERENT_AT_PLATFORM = f"""
    SELECT publication.product_id, min(publication.quantity) AS ours, min(counted.theirs) AS theirs
    FROM ({COUNTED}) counted JOIN catalog_publication publication ON publication.listing_id = counted.subject
    WHERE publication.organization_id = %(organization)s AND publication.shop_id = %(shop)s
      AND publication.due_at IS NULL AND publication.error = '' AND publication.told_at < %(since)s
      AND publication.quantity <> counted.theirs
    GROUP BY publication.product_id
"""

# What a warehouse does not list it has none of. Levels that moved since the comparison began are left for the next one.
DIFFERENT_AT_WAREHOUSE = f"""
    SELECT product_id, COALESCE(held.ours, 0) AS ours, COALESCE(counted.theirs, 0) AS theirs
    FROM (
        SELECT level.product_id, sum(level.on_hand)::integer AS ours, max(level.updated_at) AS changed_at
        FROM catalog_stocklevel level JOIN catalog_location location ON location.id = level.location_id
        WHERE level.organization_id = %(organization)s AND location.integration_id = %(integration)s
        GROUP BY level.product_id
    ) held
    FULL JOIN (
        SELECT subject AS product_id, sum(theirs)::integer AS theirs FROM ({COUNTED}) counted GROUP BY subject
    ) counted USING (product_id)
    WHERE COALESCE(held.ours, 0) <> COALESCE(counted.theirs, 0)
      AND COALESCE(held.changed_at < %(since)s, true)
"""

NOTE_DRIFT = """
INSERT INTO syncs_drift AS drift (organization_id, shop_id, product_id, ours, theirs, times, found_at, seen_at)
SELECT %(organization)s, %(shop)s, product_id, ours, theirs, 1, %(now)s, %(now)s FROM ({differences}) different
ON CONFLICT (organization_id, shop_id, product_id) DO UPDATE
SET ours = excluded.ours, theirs = excluded.theirs, seen_at = %(now)s,
    (times, found_at) = (
        SELECT CASE WHEN same THEN drift.times + 1 ELSE 1 END, CASE WHEN same THEN drift.found_at ELSE %(now)s END
        FROM (SELECT (drift.ours, drift.theirs) = (excluded.ours, excluded.theirs) AS same) it
    )
"""

FORGET_DRIFT = """
DELETE FROM syncs_drift WHERE organization_id = %(organization)s AND shop_id = %(shop)s AND seen_at <> %(now)s
"""
