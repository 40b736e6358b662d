"""First load, unchanged and rewritten catalogue: the engine, its limits and its peer, one after another each round."""

import json
from typing import Any

from django.db import connection

from apps.catalog import importing
from apps.catalog.models import Listing, Product, Sighting
from apps.integrations.connectors.otter import mapping
from tests.catalog.goods import rows_updated

from . import catalogue, engine, limits, peer
from .figures import Figures


def measure(figures: Figures, *, rounds: int) -> None:
    pages = [catalogue.pages(figures.rows, revision=revision) for revision in (0, 1)]
    copied = [[_copied(body) for body in revision.values()] for revision in pages]
    for _ in range(rounds):
        empty()
        _round(figures, pages, copied)
    for limit, goal in (("limit", 0.5), ("limit by page", 0.5), ("peer", 3)):
        figures.ratio("first load: engine", f"first load: {limit}", goal=goal)
    for limit, goal in (("limit", 0.6), ("limit by page", 0.6)):
        figures.ratio("unchanged: engine", f"unchanged: {limit}", goal=goal)
    figures.ratio("unchanged: engine", "rewritten: engine", goal=2.5)


def _round(figures: Figures, pages: list[dict[int, bytes]], copied: list[list[bytes]]) -> None:
    whole = [b"".join(revision) for revision in copied]
    store, of_peer, own, bare, by_page = (engine.connected_store() for _ in range(5))
    limits.make_bare_tables()

    figures.time("first load: limit, bare tables", lambda: limits.put(whole[0], _names(bare), tables=limits.BARE))
    figures.time("first load: limit", lambda: limits.put(whole[0], _names(own)))
    figures.time("first load: limit by page", lambda: [limits.put(page, _names(by_page)) for page in copied[0]])
    figures.time("first load: engine", lambda: engine.load(store, pages[0].__getitem__))
    figures.time("first load: peer", lambda: peer.load(of_peer.shop, pages[0]))
    figures.time("decoding and sorting out alone", lambda: _sort_out(pages[0]))

    figures.time("unchanged: limit", lambda: limits.compare(whole[0], _names(own)))
    figures.time("unchanged: limit by page", lambda: [limits.compare(page, _names(own)) for page in copied[0]])
    figures.facts["rows updated by an unchanged catalogue"] = _updates(
        lambda: figures.time("unchanged: engine", lambda: engine.load(store, pages[0].__getitem__))
    )
    figures.facts["rows updated by one changed product"] = _updates(lambda: engine.load(store, _one_changed(pages)))
    figures.time("rewritten: limit", lambda: limits.put(whole[1], _names(own)))
    figures.time("rewritten: engine", lambda: engine.load(store, pages[1].__getitem__))
    figures.time("rewritten: peer", lambda: peer.load(of_peer.shop, pages[1]))


def _names(store: Any) -> dict[str, Any]:
    return {"organization": store.organization_id, "shop": store.shop_id}


def empty() -> None:
    tables = ", ".join(model._meta.db_table for model in (Listing, Product, Sighting))
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {tables}")


def _copied(body: bytes) -> bytes:
    """A page as lines of COPY's text format."""
    names = ("ext_product_id", "sku", "name", "barcode", "price", "currency", "image_src", "quantity")
    items = mapping.products(json.loads(body)).items
    return "".join("\t".join(str(getattr(item, name)) for name in names) + "\n" for item in items).encode()


def _sort_out(pages: dict[int, bytes]) -> None:
    for body in pages.values():
        importing.sort_out(mapping.products(json.loads(body)).items)


def _one_changed(pages: list[dict[int, bytes]]) -> engine.Source:
    """The first revision, with the first product of the second."""
    first = json.loads(pages[0][0])
    first["items"][0] = json.loads(pages[1][0])["items"][0]
    return (pages[0] | {0: json.dumps(first).encode()}).__getitem__


def _updates(work: Any) -> str:
    """PostgreSQL's own count of updated products and listings."""
    tables = ("catalog_product", "catalog_listing")
    before = [rows_updated(table) for table in tables]
    work()
    products, listings = (rows_updated(table) - was for table, was in zip(tables, before, strict=True))
    return f"{products} + {listings}"
