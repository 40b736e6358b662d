"""The 3PL's own pages with a million orders, events and deliveries, beside the same pages with a thousand.

Each list's first page, and a page in the middle; the home page, and how many statements it takes.
"""

import os
import statistics
from collections.abc import Iterator

from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import User
from apps.keyset import terms_of, written
from tests.factories import (
    make_connection,
    make_endpoint,
    make_hook,
    make_signing_secret,
    make_user,
)

from .figures import Figure, seconds
from .measuring import database

FEW, MANY = 1_000, int(os.environ.get("MANY", 1_000_000))
LISTS = ("orders/order", "webhooks/event", "webhooks/delivery", "webhooks/message", "webhooks/receipt", "audit/entry")
ASKED, TURNS = 10, 3
TABLES = ("orders_order", "webhooks_event", "webhooks_delivery", "webhooks_attempt", "webhooks_receipt", "audit_entry")

# One order in a hundred is open, one delivery in a thousand failed for good.
FILL = """
INSERT INTO orders_order (
    id, organization_id, integration_id, shop_id, ext_order_id, ext_fulfillment_order_id, number, source, state, tags,
    notes, shipping_method, destination, customer, email, currency, digest, due_at, created_at
)
SELECT uuidv7(), %(organization)s, %(integration)s, %(shop)s, 'order-' || n, '', '#' || n, 'api',
       CASE WHEN n %% 100 = 0 THEN 'ready' ELSE 'fulfilled' END, '{}', '', '', '{"last_name": "de Vries"}', '{}', '',
       'EUR', '', NULL, now() - (%(most)s - n) * interval '1 second'
FROM generate_series(1, %(most)s) n;
INSERT INTO webhooks_event (organization_id, type, entity, entity_id, sequence, data, created_at)
SELECT %(organization)s, 'order.created', 'order', 'order-' || n, 1, '{"number": "1"}',
       now() - (%(most)s - n) * interval '1 second'
FROM generate_series(1, %(most)s) n;
DELETE FROM webhooks_outgoing;
INSERT INTO webhooks_delivery (
    organization_id, endpoint_id, hook_id, event_id, lane, state, tries, status, error, finished_at, created_at
)
SELECT organization_id, %(endpoint)s, %(hook)s, id, 'order:' || entity_id,
       CASE WHEN id %% 1000 = 0 THEN 'failed' ELSE 'delivered' END, 1, 200, '', created_at, created_at
FROM webhooks_event;
INSERT INTO webhooks_attempt (
    organization_id, delivery_id, url, started_at, milliseconds, status, error, headers, body
)
SELECT organization_id, id, 'https://receiver.example/', created_at, 20, 200, '', '{}', '' FROM webhooks_delivery;
INSERT INTO webhooks_receipt (
    id, organization_id, integration_id, remote_id, event_type, shop_ref, state, body, headers, tries, repeats, error,
    detail, received_at, next_attempt_at, fence
)
SELECT gen_random_uuid(), %(organization)s, %(integration)s, 'receipt-' || n, 'inventory_levels.update', '', 'done',
       '{}', '{}', 1, 0, '', '', now() - (%(most)s - n) * interval '1 second', now(), 0
FROM generate_series(1, %(most)s) n;
INSERT INTO audit_entry (
    at, organization_id, integration_id, actor, action, outcome, target_kind, target_id, target, before, after, reason,
    request_id
)
SELECT now(), %(organization)s, %(integration)s, 'somebody', 'order.release', 'done', 'order', n, n, '{}', '{}', '', ''
FROM generate_series(1, %(most)s) n
"""


def rounds(rows: int) -> Iterator[list[Figure]]:
    settings.DEMO = True
    names = furnish()
    person, client = make_user(is_staff=True, is_superuser=True), Client()
    client.force_login(person)
    grown = f"{connection.settings_dict['NAME']}_grown"
    connection.close()
    with database("postgres"):
        connection.cursor().execute(f"CREATE DATABASE {grown} TEMPLATE bench_desk")
    for name, most in ((None, FEW), (grown, MANY)):
        with database(name or connection.settings_dict["NAME"]):
            fill(names | {"most": most})
    while True:
        yield [figure for path in ("", *LISTS) for figure in figures_of(client, person, path, grown)]


def furnish() -> dict[str, object]:
    """What the rows are of: the names in FILL."""
    store = make_connection()
    assert store.shop
    endpoint = make_endpoint(organization=store.organization, integration=store.integration)
    make_signing_secret(endpoint=endpoint)
    hook = make_hook(endpoint=endpoint, event="order.created")
    return {
        "organization": store.organization_id,
        "integration": store.integration_id,
        "shop": store.shop_id,
        "endpoint": endpoint.pk,
        "hook": hook.pk,
    }


def fill(names: dict[str, object]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        for statement in FILL.split(";\n"):
            cursor.execute(statement, names if "%(" in statement else {})
        cursor.execute(f"VACUUM (ANALYZE) {', '.join(TABLES)}")


def figures_of(client: Client, person: User, path: str, grown: str) -> Iterator[Figure]:
    """How much longer each of its pages takes with many rows, by the medians of questions asked in turns."""
    address, home = f"/admin/{path}/".replace("//", "/"), connection.settings_dict["NAME"]
    times: dict[tuple[str, str], list[float]] = {}
    for _ in range(TURNS):
        for name in (home, grown):
            with database(name):
                asked = {"first page": address} | ({"a page far in": far_in(person, path)} if path else {})
                for page, url in asked.items():
                    times.setdefault((page, name), []).extend(took(client, url))
    for page in dict.fromkeys(page for page, _name in times):
        ratio = statistics.median(times[page, grown]) / statistics.median(times[page, home])
        yield Figure("desk", f"{path or 'home'}, {page}: {MANY:,} / {FEW:,}", ratio, goal=3, at_most=True)
    if not path:
        with database(grown), CaptureQueriesContext(connection) as asked_for:
            client.get(address)
        yield Figure("desk", f"home: statements with {MANY:,}", len(asked_for), goal=25, at_most=True)


def far_in(person: User, path: str) -> str:
    """The address of the page in the middle."""
    address = f"/admin/{path}/"
    request = RequestFactory().get(address)
    request.user = person
    rows = admin.site.get_model_admin(apps.get_model(path.replace("/", "."))).get_changelist_instance(request).queryset
    terms = terms_of(rows)
    assert terms
    middle = rows[rows.order_by().count() // 2]
    return f"{address}?p={written(terms, middle, backwards=False)}"


def took(client: Client, url: str) -> list[float]:
    answer = client.get(url)
    assert answer.status_code == 200, (url, answer.status_code)
    return [seconds(client.get, url) for _ in range(ASKED)]
