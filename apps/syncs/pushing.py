"""Telling a warehouse of our products, before it can store them: new and changed ones, and those to be taken away.

A few at a time, each batch recorded before the next one: whoever goes on after a crash tells again what was not
recorded, which changes nothing there. One that is refused fails alone, and is tried again by the next run.
"""

import time
from collections.abc import Sequence
from functools import partial
from itertools import takewhile
from typing import Any

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from apps.catalog import importing
from apps.catalog.handing import owed_to
from apps.catalog.models import Handover
from apps.integrations.connectors.base import BadItem, Handed, RemoteProduct, Taken, Unauthorized, Unreachable
from apps.integrations.sessions import call
from apps.shops.models import Connection

from .keeping import LONGEST_DETAIL, SliceOver, connection_of, end, note_failures, write
from .models import SyncRun

BATCH = 10  # a call for each, within one lease
SLICE_SECONDS = 60.0


def push_products(found: SyncRun) -> None:
    """Tell of every product that is owed, by their ids from the run's cursor on. Raises as `running.run` expects."""
    live = connection_of(found.shop_id)
    until = time.monotonic() + SLICE_SECONDS
    owed = owed_to(found.integration, organization=found.organization).order_by("pk")
    if found.total is None:
        write(found, total=owed.count())
    while batch := list(owed.filter(pk__gt=int(found.cursor or 0))[:BATCH]):
        _push(found, live, _alike(batch))
        if time.monotonic() > until:
            raise SliceOver
    _finish(found)


def _alike(products: Sequence[Any]) -> list[Any]:
    """Those up to the first that is to be treated otherwise than the first of all: taken away, or put there."""
    return list(takewhile(lambda product: _is_gone(product) == _is_gone(products[0]), products))


def _is_gone(product: Any) -> bool:
    return product.archived_at is not None


def _push(found: SyncRun, live: Connection, batch: Sequence[Any]) -> None:
    """Put a batch there, or take it away, and record what came of each."""
    known = Handover.objects.filter(integration=found.integration, product__in=batch)
    ids = dict(known.values_list("product_id", "remote_id"))
    ask = _drop if _is_gone(batch[0]) else _put
    taken = call(found.integration, partial(ask, live=live, products=batch, ids=ids))
    _record(found, list(zip(batch, taken, strict=False)), ids=ids)
    failure = taken[-1].failure
    if isinstance(failure, Unreachable):
        raise failure
    if isinstance(failure, Unauthorized):
        raise SliceOver  # the next turn meets it first, and tells a passing refusal from a lost permission


def _put(client: Any, *, live: Connection, products: Sequence[Any], ids: dict[int, str]) -> list[Taken]:
    items = [Handed(_described(product), ids.get(product.pk, "")) for product in products]
    return _answered(client.put_products(live.ref, items))


def _drop(client: Any, *, live: Connection, products: Sequence[Any], ids: dict[int, str]) -> list[Taken]:
    """Those it never took are not there to be taken away."""
    there = [product for product in products if ids.get(product.pk)]
    answers = iter(_answered(client.drop_products(live.ref, [ids[product.pk] for product in there])))
    taken: list[Taken] = []
    for product in products:
        answer = next(answers, None) if product in there else Taken()
        if answer is None:
            break
        taken.append(answer)
    return taken


def _answered(taken: list[Taken]) -> list[Taken]:
    """Raises the first answer's failure when it is the warehouse's: then nothing was done, and `call` may try again."""
    if taken and isinstance(taken[0].failure, Unauthorized | Unreachable):
        raise taken[0].failure
    return taken


def _described(product: Any) -> RemoteProduct:
    """Our product in the warehouse's SKU (`theirs`), under our own id of it."""
    same = (
        "name", "price", "currency", "image_src", "weight", "length", "width", "height", "hs_code",
        "country_of_origin", "brand", "type",
    )  # fmt: skip
    return RemoteProduct(
        ext_product_id=str(product.pk),
        sku=product.theirs,
        barcodes=tuple(product.barcodes),
        tags=tuple(product.tags),
        **{name: getattr(product, name) for name in same},
    )


@transaction.atomic
def _record(found: SyncRun, told: Sequence[tuple[Any, Taken]], *, ids: dict[int, str]) -> None:
    """What was answered. What was not tried, or met a lost permission or silence, is still owed."""
    known = [(product, taken) for product, taken in told if not isinstance(taken.failure, Unauthorized | Unreachable)]
    good = [product for product, taken in known if not taken.failure]
    gone = [product for product in good if _is_gone(product)]
    new = [product for product in good if not _is_gone(product) and not ids.get(product.pk)]
    bad = [BadItem(product.sku, taken.failure.code, str(taken.failure)) for product, taken in known if taken.failure]
    Handover.objects.filter(integration=found.integration, product__in=gone).delete()
    Handover.objects.bulk_create(
        [_handover(found, product, taken, ids.get(product.pk, "")) for product, taken in known if product not in gone],
        update_conflicts=True,
        unique_fields=["integration", "product"],
        update_fields=["sku", "remote_id", "version", "error", "detail", "told_at"],
    )
    note_failures(found, bad)
    found.cursor = str(known[-1][0].pk)
    write(
        found,
        cursor=found.cursor,
        pages=F("pages") + 1,
        done=F("done") + len(known),
        created_count=F("created_count") + len(new),
        updated_count=F("updated_count") + len(good) - len(new) - len(gone),
        removed_count=F("removed_count") + len(gone),
        failed_count=F("failed_count") + len(bad),
        tries=0,
        error="",
        detail="",
    )


def _handover(found: SyncRun, product: Any, taken: Taken, remote_id: str) -> Handover:
    failure = taken.failure
    return Handover(
        organization_id=found.organization_id,
        integration=found.integration,
        product=product,
        sku=product.theirs,
        remote_id=taken.remote_id or remote_id,
        version=product.version,
        error=failure.code[:50] if failure else "",
        detail=importing.legible(str(failure), most=LONGEST_DETAIL) if failure else "",
    )


@transaction.atomic
def _finish(found: SyncRun) -> None:
    """The warehouse knows all it has to, but for what it refused."""
    write(found)
    found.refresh_from_db(fields=["failed_count", "done"])
    state = SyncRun.State.PARTIAL if found.failed_count else SyncRun.State.SUCCEEDED
    end(found, state, total=found.done)
    Connection.objects.filter(shop=found.shop).held_stores().update(heard_at=Now())
