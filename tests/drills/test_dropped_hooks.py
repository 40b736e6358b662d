"""A sender that drops hooks in silence, or forgets them altogether: what follows is put right and listed (WI-11)."""

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.syncs import queueing
from apps.syncs.models import Repair, SyncRun
from apps.webhooks.models import Inbox

from .pio import Warehouse
from .pio_orders import Orders
from .test_order_faults import orders  # noqa: F401 - fixture
from .test_pio_faults import pio, skus, stocked  # noqa: F401 - fixtures

pytestmark = pytest.mark.django_db
EVERY = 5  # moves, of which the last is not told of; each is told of by two hooks


def a_quarter_passes(pio: Warehouse) -> None:  # noqa: F811
    """What beat owes a quarter of an hour later, worked out."""
    SyncRun.objects.update(created_at=timezone.now() - timedelta(minutes=15))
    queueing.owe_regular_comparisons()
    queueing.owe_regular_reconciliations()
    for run in SyncRun.objects.unfinished():
        assert pio.work_out(run).state == SyncRun.State.SUCCEEDED


def move(pio: Warehouse, sku: str, *, is_told: bool) -> None:  # noqa: F811
    if not is_told:
        pio.sandbox.fault("hook_dropped", times=2)
    pio.move("store", sku, 1)
    assert pio.door.answers(2 if is_told else 0) == [200, 200] * is_told


def test_wi_11_every_nth_hook_that_is_dropped_is_made_good_within_a_quarter_and_listed(stocked: Warehouse):  # noqa: F811
    goods = skus(stocked)
    lost = goods[::2]
    for n, sku in enumerate(goods * 2 + lost * EVERY):
        move(stocked, sku, is_told=n < len(goods) * 2 or (n + 1) % EVERY > 0)
    for sku in lost:
        move(stocked, sku, is_told=False)
    stocked.open()
    before, truth = stocked.ours(), stocked.theirs()
    assert {sku for sku in goods if before[sku] != truth[sku]} == set(lost)
    a_quarter_passes(stocked)
    assert stocked.ours() == truth
    listed = Repair.objects.values_list("ref", "detail", "run__kind")
    assert sorted(listed) == sorted((sku, str(truth[sku]), "compare") for sku in lost)
    a_quarter_passes(stocked)
    assert Repair.objects.count() == len(lost)


def test_wi_11_what_left_untold_is_listed_with_the_reading_that_found_it(orders: Orders):  # noqa: F811
    orders.work_out()
    orders.prepared()
    orders.pio.sandbox.fault("hook_dropped", times=None)
    orders.pick_all()
    assert (orders.pio.door.answers(0), orders.here()) == ([], ["sent"] * 3)
    a_quarter_passes(orders.pio)
    assert orders.here() == ["shipped"] * 3
    listed = Repair.objects.filter(run__kind="fulfillments")
    assert {ref for ref, _ in listed.values_list("ref", "detail")} == set(orders.references)
    orders.pio.sandbox.control("DELETE", "faults")


def test_a_hook_that_the_other_side_forgot_is_registered_again_and_somebody_is_told(stocked: Warehouse):  # noqa: F811
    a_quarter_passes(stocked)
    inbox = Inbox.objects.get(integration=stocked.integration)
    assert (len(inbox.registered), inbox.mended) == (4, [])
    for hook in stocked.shop.good("GET", "hooks")["data"][:2]:
        assert stocked.shop.call("DELETE", f"hooks/{hook['id']}").ok
    Inbox.objects.update(checked_at=timezone.now() - timedelta(hours=1))
    a_quarter_passes(stocked)
    inbox.refresh_from_db()
    assert (len(inbox.mended), list(Inbox.objects.mended_lately())) == (2, [inbox])
    move(stocked, skus(stocked)[0], is_told=True)
    stocked.open()
    assert stocked.ours() == stocked.theirs()
