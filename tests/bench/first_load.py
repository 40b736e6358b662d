"""A first load through the whole engine, beside one COPY and merge, and beside Django's bulk_create."""

from collections.abc import Iterator

from . import catalogue, engine, limits, peer, tables
from .figures import Figure, seconds


def rounds(rows: int) -> Iterator[list[Figure]]:
    pages = catalogue.pages(rows)
    whole = limits.serialised(pages)
    while True:
        tables.empty()
        store, bare, of_peer = (engine.connected_store() for _ in range(3))
        limit = seconds(limits.put, whole, bare)
        own = seconds(engine.load, store, pages.__getitem__)
        others = seconds(peer.load, of_peer.shop, pages)
        yield [
            Figure("first_load", "one COPY and merge", limit / own, goal=0.5),
            Figure("first_load", "bulk_create(update_conflicts)", others / own, goal=3),
        ]
