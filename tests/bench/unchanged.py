"""A catalogue that is as it was: beside the join that only counts what differs, and beside a catalogue all changed."""

from collections.abc import Iterator

from apps.catalog.models import Listing, Product
from apps.webhooks.models import Event
from tests.catalog.goods import rows_updated

from . import catalogue, engine, limits, tables
from .figures import Figure, seconds


def rounds(rows: int) -> Iterator[list[Figure]]:
    pages, revised = (catalogue.pages(rows, revision=revision) for revision in (0, 1))
    whole = limits.serialised(pages)
    while True:
        tables.empty()
        store, bare = engine.connected_store(), engine.connected_store()
        limits.put(whole, bare)
        engine.load(store, pages.__getitem__)
        tables.settle()
        limit = seconds(limits.compare, whole, bare)
        before = written()
        own = seconds(engine.load, store, pages.__getitem__)
        versions, events = (now - was for now, was in zip(written(), before, strict=True))
        rewrite = seconds(engine.load, store, revised.__getitem__)
        yield [
            Figure("unchanged", "the join that finds what differs", limit / own, goal=0.6),
            Figure("unchanged", "a catalogue that changed throughout", rewrite / own, goal=2.5),
            Figure("unchanged", "row versions written", versions, goal=0, at_most=True),
            Figure("unchanged", "events", events, goal=0, at_most=True),
        ]


def written() -> tuple[int, int]:
    """Rows of products and listings ever updated, by PostgreSQL's own count, and events."""
    return sum(rows_updated(model._meta.db_table) for model in (Product, Listing)), Event.objects.count()
