"""The product's own engine on a canned catalogue: claim, prefetch, mapping, merge, cursor, removals.

Everything is real but the wire: the pages come from memory instead of from the network.
"""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

from django.conf import settings

from apps.integrations.connectors.base import Category, Connector, Keys, Page, RemoteProduct, StoreRef, Unopened
from apps.shops.models import Connection
from apps.syncs import running
from apps.syncs.models import SyncRun
from tests.factories import make_connection, make_integration, make_organization, make_run, make_shop

from . import catalogue

type Source = Callable[[int], bytes]


class CannedClient:
    """A platform that reads from `source`: a function from the number a page starts at to its body."""

    source: Source

    def __init__(self, session: Any, *, address: str, application: Any = None) -> None:
        self.session, self.address = session, address

    def products(self, store: StoreRef, cursor: str = "") -> Page[RemoteProduct]:
        return self.unopened_products(store, cursor).read()

    def unopened_products(self, store: StoreRef, cursor: str = "") -> Unopened[RemoteProduct]:
        body = type(self).source(int(cursor or 0))
        return Unopened(body, lambda: catalogue.products(body))


CONNECTOR = Connector(
    slug="canned",
    name="Canned",
    category=Category.SHOP,
    auth=Keys(questions=(), sign_in=lambda session, address, answers: {}, headers=lambda secrets: {}),
    client=CannedClient,
    needs=(),
    summary="",
)


def offer() -> None:
    """Add the canned platform to the connectors of this process. Call before anything asks for connectors."""
    settings.INTEGRATION_CONNECTORS = [*settings.INTEGRATION_CONNECTORS, f"{__name__}.CONNECTOR"]
    settings.CONNECTOR_ENVIRONMENT["canned"] = {"URL": "https://canned.example.com"}


def connected_store() -> Connection:
    """A connected store of a new organization."""
    integration = make_integration(organization=make_organization(), connector="canned", secrets={"key": "none"})
    return make_connection(shop=make_shop(integration=integration, ext_shop_id=str(uuid4())))


def load(store: Connection, source: Source) -> SyncRun:
    """Run one whole import of the canned catalogue."""
    CannedClient.source = staticmethod(source)
    return run_out(store)


def run_out(store: Connection) -> SyncRun:
    """Run one whole import. Raises AssertionError unless it is complete."""
    run = make_run(connection=store)
    while running.run(run.pk):
        pass
    run.refresh_from_db()
    assert run.state == SyncRun.State.SUCCEEDED, (run.state, run.error, run.detail)
    return run
