"""What platforms are owed: every listing whose stock they should hear of anew, as a row that is due.

Changes that come within a moment join, and a SKU that was told just now waits a little longer. Whoever marks a row as
due locks it first: a change that is not committed yet when its row is being taken makes the sender wait, or pass by.
"""

from collections.abc import Collection, Iterable
from functools import partial
from typing import Any
from uuid import UUID

from celery import current_app
from django.db import connection, transaction

from apps.accounts.models import Organization
from apps.integrations.connectors import UnknownConnector
from apps.integrations.connectors.base import TakesStock
from apps.integrations.models import Integration
from apps.prepared import Statement
from apps.shops.models import Connection, Shop

from .models import Location, Publication, StockFeed

TELL = "apps.syncs.tasks.tell_stock"  # by its name: what sends is above what knows
RING_AFTER = 0.3  # seconds, a little longer than further changes may join
RING_SECONDS = 15
OWE = """
WITH chosen AS (
    SELECT id, due_at IS NULL OR is_being_told AS is_new, is_being_told FROM catalog_publication WHERE {which}
    ORDER BY id FOR NO KEY UPDATE
)
UPDATE catalog_publication AS p SET
    due_at = CASE WHEN chosen.is_new
        THEN GREATEST(
            statement_timestamp() + interval '250 ms',
            CASE WHEN chosen.is_being_told THEN statement_timestamp() ELSE p.told_at END + interval '1 s'
        ) ELSE p.due_at END,
    is_being_told = false
FROM chosen WHERE p.id = chosen.id
RETURNING chosen.is_new, p.shop_id
"""
OF_PRODUCTS = "organization_id = %(organization)s AND product_id = ANY(%(products)s)"
OF_LOCATION = """(organization_id, product_id) IN
    (SELECT organization_id, product_id FROM catalog_stocklevel WHERE location_id = %(location)s)"""
OF_INTEGRATION = "shop_id IN (SELECT id FROM shops_shop WHERE integration_id = %(integration)s)"
ENLIST = """
INSERT INTO catalog_publication (organization_id, shop_id, product_id, listing_id, due_at, tries, error, detail)
SELECT l.organization_id, l.shop_id, l.product_id, l.id, CASE WHEN EXISTS (
    SELECT 1 FROM catalog_stocklevel s WHERE s.organization_id = l.organization_id AND s.product_id = l.product_id
) THEN statement_timestamp() END, 0, '', ''
FROM catalog_listing l
WHERE l.organization_id = %(organization)s AND l.shop_id = %(shop)s
    AND l.removed_at IS NULL AND l.status = 'linked' AND l.stock_sync_enabled
    AND NOT EXISTS (SELECT 1 FROM catalog_publication p WHERE p.listing_id = l.id)
ON CONFLICT (listing_id) DO NOTHING
"""


def owe(organization: Organization, products: Iterable[int]) -> None:
    """The stock of these products changed: their platforms are owed the new number. Within the change's transaction."""
    _owe(OF_PRODUCTS, organization=organization.pk, products=list(products))


def owing(products: str) -> Statement:
    """What `owe` does, as a statement of an %(organization)s; `products` is an SQL of an array. Its rows are for
    `ring`."""
    which = f"organization_id = %(organization)s::uuid AND product_id = ANY({products})"
    return Statement.of(OWE.format(which=which))


def owe_location(location: Location) -> None:
    """Whether its stock may be sold changed: so did the number of everything that lies there."""
    _owe(OF_LOCATION, location=location.pk)


def owe_integration(integration: Integration) -> None:
    """Its buffer changed: so did every number it is told."""
    _owe(OF_INTEGRATION, integration=integration.pk)


def owe_everything(shop: Shop) -> int:
    """Whatever its platform was told, it is told again. Returns of how many listings."""
    enlist(shop)
    return Publication.objects.filter(shop=shop).counted().owe_again()


def _owe(which: str, **parameters: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(OWE.format(which=which), parameters)
        ring(cursor.fetchall())


def ring(owed: Iterable[tuple[bool, UUID]]) -> None:
    """After the commit, for the shops of rows that were not owed before."""
    _ring({shop for is_new, shop in owed if is_new})


def _ring(shops: Collection[UUID]) -> None:
    """A broker that is down costs a second or two only: the sweep finds what is due."""
    for shop in shops:
        transaction.on_commit(partial(_send, shop), robust=True)


def _send(shop: UUID) -> None:
    current_app.send_task(TELL, [str(shop)], countdown=RING_AFTER, expires=RING_SECONDS)


def enlist(shop: Shop) -> None:
    """Make the rows of a shop's listings what they should be: one for each that is linked and told its stock.

    None where the platform takes no stock, or the shop is not connected (behaviour 68). A new row is owed at once if
    somebody has counted its product. Repeating it changes nothing.
    """
    if not takes_stock(shop.integration) or not Connection.objects.held_stores().filter(shop=shop).exists():
        return
    StockFeed.objects.get_or_create(shop=shop, defaults={"organization": shop.organization})
    mine = Publication.objects.filter(organization=shop.organization_id, shop=shop)
    with transaction.atomic():
        mine.without_reason().delete()
        mine.moved().follow()
        with connection.cursor() as cursor:
            cursor.execute(ENLIST, {"organization": shop.organization_id, "shop": shop.pk})
    _ring({shop.pk})


def takes_stock(integration: Integration) -> bool:
    """Whether its platform can be told how many there are."""
    try:
        return integration.kind.can(TakesStock)
    except UnknownConnector:
        return False
