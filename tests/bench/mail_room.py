"""A mail-room to measure: endpoints that hear of stock, events for them, and dispatchers that send these.

Each endpoint is of an organization of its own, so that each event goes to exactly one. What was delivered in earlier
rounds stays in the tables, as it would.
"""

import os
import sys
import tempfile
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from time import perf_counter, sleep

from django.db import connection, transaction

from apps.catalog.models import Product, StockLevel
from apps.webhooks.models import Delivery, Endpoint
from config.local.child import Child, wait_until
from config.local.ports import HOST
from config.local.programs import CHECKOUT
from tests.factories import make_endpoint, make_hook, make_location, make_organization, make_signing_secret

from .sink import Sink

ENDPOINTS, LEVELS, EACH = 50, 200, 3  # levels of an organization; events of a level, which have to keep their order
EVENTS = ENDPOINTS * LEVELS * EACH
PADDING = 620  # bytes, to make a message of a kilobyte
TABLES = ("event", "outgoing", "delivery", "attempt", "endpoint")
HEALTHY = ["ok"] * ENDPOINTS


def furnish() -> None:
    for _ in range(ENDPOINTS):
        organization = make_organization()
        location = make_location(organization=organization)
        own = {"organization": organization}
        skus = [f"SKU-{number}" for number in range(LEVELS)]
        products = Product.objects.bulk_create(Product(**own, sku=sku, name=f"Hat {sku}") for sku in skus)
        StockLevel.objects.bulk_create(StockLevel(**own, product=one, location=location) for one in products)


def open_endpoints() -> None:
    """One for each organization."""
    for organization in StockLevel.objects.values_list("organization", flat=True).distinct().order_by():
        endpoint = make_endpoint(organization_id=organization)
        make_signing_secret(endpoint=endpoint)
        make_hook(endpoint=endpoint, event="stock.changed")


def forget() -> None:
    """What earlier rounds did not deliver."""
    Delivery.objects.undone().update(state=Delivery.State.DROPPED)


def address(sink: Sink, kinds: Sequence[str]) -> None:
    """Sends the messages of each endpoint to that kind of receiver; all are healthy, and nothing is due."""
    endpoints = list(Endpoint.objects.order_by("pk"))
    for place, (endpoint, kind) in enumerate(zip(endpoints, kinds, strict=True)):
        endpoint.url = sink.url(kind, place)
        endpoint.failures, endpoint.failing_since, endpoint.probe_at, endpoint.lease_until = 0, None, None, None
        endpoint.state, endpoint.reason, endpoint.last_error, endpoint.due_at = "active", "", "", None
    fields = [field.name for field in Endpoint._meta.concrete_fields if not field.primary_key]
    Endpoint.objects.bulk_update(endpoints, fields)


def settle() -> None:
    """What the database does by itself some time after a load, at once."""
    with connection.cursor() as cursor:
        cursor.execute(f"VACUUM (ANALYZE) {', '.join(f'webhooks_{table}' for table in TABLES)}")
        cursor.execute("CHECKPOINT")


def happen(*, each: int = EACH, most: int | None = None, padding: int = PADDING) -> int:
    """So many changes of every level, in one statement; how many were written."""
    with connection.cursor() as cursor:
        cursor.execute(HAPPEN, {"each": each, "most": most, "padding": padding})
        return cursor.rowcount


HAPPEN = """
INSERT INTO webhooks_event (organization_id, type, entity, entity_id, sequence, data)
SELECT level.organization_id, 'stock.changed', 'stock_level', level.id::text, clock + nth, jsonb_build_object(
           'product_id', level.product_id, 'sku', product.sku, 'location_id', level.location_id, 'in_stock', nth,
           'reserved', 0, 'available', nth, 'incoming', 0, 'cause', 'report', 'change', 1,
           'note', repeat('x', %(padding)s)
       )
FROM (SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint * 1000 AS clock) now
CROSS JOIN generate_series(1, %(each)s) AS nth
CROSS JOIN catalog_stocklevel level JOIN catalog_product product ON product.id = level.product_id
ORDER BY nth, md5(level.id::text) LIMIT %(most)s
"""


@contextmanager
def dispatchers(number: int) -> Iterator[list[int]]:
    """So many, running and with nothing to do: the ids of their processes."""
    with tempfile.TemporaryDirectory() as folder:
        children = [dispatcher(Path(folder) / f"{one}.log") for one in range(number)]
        try:
            for place, child in enumerate(children, 1):
                child.ready = partial(are_listening, place)
                child.start()
                child.wait_until_ready(within=60)
            sleep(1)  # until they have looked around
            yield [child.pid for child in children if child.pid]
        finally:
            for child in children:
                child.bury()


def dispatcher(log: Path) -> Child:
    env = os.environ | {"EGRESS_ALLOWED_HOSTS": HOST}
    return Child(name="dispatcher", command=[sys.executable, "manage.py", "deliver"], log=log, env=env, cwd=CHECKOUT)


def are_listening(number: int) -> bool:
    """Whether so many connections to this database wait for news."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'"
        )
        return int(cursor.fetchone()[0]) >= number


def deliver(sink: Sink, *, counting: Collection[str], each: int = EACH) -> float:
    """The seconds from the commit of new events until all of those for endpoints of the kinds `counting` are on record
    as delivered."""
    before = newest()
    sink.forget()
    with transaction.atomic():
        happen(each=each)
        began = perf_counter()
    wanted = sum(LEVELS * each for url in Endpoint.objects.values_list("url", flat=True) if kind(url) in counting)
    sink.wait_for(wanted, *counting)
    if not wait_until(lambda: delivered(since=before) >= wanted, within=30):
        raise TimeoutError(f"{delivered(since=before)} of {wanted} are on record")
    return perf_counter() - began


def kind(url: str) -> str:
    return url.split("/")[3]


def newest() -> int:
    return Delivery.objects.order_by("-pk").values_list("pk", flat=True).first() or 0


def delivered(*, since: int) -> int:
    return Delivery.objects.filter(pk__gt=since, state=Delivery.State.DELIVERED).count()
