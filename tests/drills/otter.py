"""A connected store at a sandbox, and the portal's runs of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from apps.catalog.models import Listing, Product
from apps.shops.models import Connection
from apps.syncs import pulling, running
from apps.syncs.models import SyncRun
from tests.factories import make_brand, make_connection, make_integration, make_run, make_shop, make_store
from tests.sandbox.driver import Application, Sandbox, start, stop
from tests.syncs.platform import nothing_on_its_way

PRODUCTS, PAGE = 250, 100
BRAND = "Great Hats"
MOST_TURNS = 20
DESCRIBED = ("sku", "name", "barcodes__0", "price", "currency", "image_src")


@contextmanager
def serving(folder: Path) -> Iterator[Sandbox]:
    process, url = start(folder / "sandbox.sqlite3")
    sandbox = Sandbox(url)
    yield sandbox
    sandbox.close()
    assert stop(process) == 0


@dataclass(frozen=True)
class Otter:
    sandbox: Sandbox
    store: str
    connection: Connection

    def truth(self) -> dict[str, tuple[Any, ...]]:
        """What the store sells, by Otter's id, in our words."""
        return {item["id"]: _in_our_words(item) for item in self.sandbox.truth(self.store)}

    def listed(self) -> dict[str, tuple[Any, ...]]:
        """What we list, by Otter's id. The products behind it say the same."""
        listings = Listing.objects.current().filter(shop=self.connection.shop)
        products = Product.objects.current().filter(organization=self.connection.organization)
        assert sorted(products.values_list("sku")) == sorted(listings.values_list("sku"))
        assert {*products.values_list(*DESCRIBED)} == {*listings.values_list(*DESCRIBED)}
        return {ref: tuple(row) for ref, *row in listings.values_list("ext_product_id", *DESCRIBED, "quantity")}

    def begin(self) -> SyncRun:
        """An import whose first page is in. It gives way then; the pages that were on their way are dropped."""
        run = make_run(connection=self.connection)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(pulling, "SLICE_SECONDS", 0.0)
            assert running.run(run.pk)
        nothing_on_its_way()
        return run

    def work_on(self, run: SyncRun) -> SyncRun:
        """The run after one turn."""
        running.run(run.pk)
        return SyncRun.objects.get(pk=run.pk)

    def work_out(self, run: SyncRun) -> SyncRun:
        """The run after as many turns as it takes, without the waits in between."""
        for _ in range(MOST_TURNS):
            SyncRun.objects.filter(pk=run.pk, state="queued").update(next_attempt_at=run.created_at)
            run = self.work_on(run)
            if run.is_finished:
                return run
        raise AssertionError(f"{run} does not come to an end")

    def import_all(self) -> SyncRun:
        return self.work_out(make_run(connection=self.connection))

    def becomes_complete(self) -> None:
        """Checks that an import without any fault brings everything, as it is."""
        self.sandbox.control("DELETE", "faults")
        run = self.import_all()
        assert (run.state, run.done, self.listed()) == ("succeeded", PRODUCTS, self.truth())


def connected(sandbox: Sandbox, application: Application) -> Otter:
    """A new store, connected on both sides."""
    store = sandbox.new_store(brand=BRAND, products=PRODUCTS)
    application.connect(store, brand=BRAND)
    brand = make_brand(ext_id=sandbox.brand(BRAND)["id"])
    shop = make_shop(
        integration=make_integration(organization=brand.organization),
        store=make_store(brand=brand, ext_id=store),
        ext_shop_id="my-store",
    )
    return Otter(sandbox, store, make_connection(shop=shop))


def _in_our_words(item: dict[str, Any]) -> tuple[Any, ...]:
    price = item.get("price") or {}
    return (
        item.get("externalId") or item["id"],
        item["name"],
        item.get("gtin") or None,
        Decimal(str(price["amount"])) if price else None,
        price.get("currencyCode", ""),
        item.get("imageUrl") or "",
        item.get("sellableQuantity"),
    )
