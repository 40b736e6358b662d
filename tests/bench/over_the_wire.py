"""Over the wire: a first load from the sandbox, against a bare loop that pages through it and throws the pages away."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

from apps.integrations.sessions import open_client
from apps.shops.models import Connection
from tests.factories import make_brand, make_connection, make_integration, make_shop, make_store
from tests.sandbox.driver import Application, Sandbox, start, stop

from . import engine
from .figures import Figure, seconds
from .tables import empty

BRAND, PRODUCTS = "Great Hats", 5_000


def rounds(rows: int) -> Iterator[list[Figure]]:
    store = None
    with sandbox() as platform:
        while True:
            empty()
            store = store or connected_store(platform.application(), products=PRODUCTS)
            bare = seconds(read, store)
            own = seconds(engine.run_out, store)
            yield [Figure("over_the_wire", "paging and throwing the pages away", bare / own, goal=0.9)]


def read(store: Connection) -> None:
    assert store.integration
    client, cursor = open_client(store.integration), ""
    while page := client.products(store.ref, cursor):
        cursor = page.next_cursor
        if not cursor:
            return


@contextmanager
def sandbox() -> Iterator[Sandbox]:
    with tempfile.TemporaryDirectory() as folder:
        process, address = start(Path(folder) / "sandbox.sqlite3")
        try:
            yield Sandbox(address)
        finally:
            stop(process)


def connected_store(application: Application, *, products: int) -> Connection:
    """A new store, connected on both sides, and this process knowing the platform."""
    known = {"URL": application.sandbox.url, "CLIENT_ID": application.client_id, "CLIENT_SECRET": application.secret}
    settings.CONNECTOR_ENVIRONMENT["otter"] = known
    ext_id = application.sandbox.new_store(brand=BRAND, products=products)
    application.connect(ext_id, brand=BRAND)
    integration = make_integration()
    brand = make_brand(organization=integration.organization, ext_id=application.sandbox.brand(BRAND)["id"])
    store = make_store(brand=brand, ext_id=ext_id)
    return make_connection(shop=make_shop(integration=integration, store=store, ext_shop_id="my-store"))
