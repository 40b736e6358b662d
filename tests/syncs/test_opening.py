"""Opening receipts: once each, with all that follows or nothing of it."""

import itertools
import json
from datetime import timedelta

import pytest
from django.db import OperationalError
from django.utils import timezone

from apps.catalog import stocking
from apps.catalog.models import HeldReport, StockLevel, StockMovement
from apps.shops.models import Shop
from apps.syncs import opening, schedule, tasks
from apps.webhooks.models import Receipt
from tests.concurrency import at_once
from tests.factories import make_pair, make_product, make_receipt, make_warehouse
from tests.webhooks.sending import stock_of

State = Receipt.State


@pytest.fixture
def warehouse(db):
    return make_warehouse()


@pytest.fixture
def hat(warehouse):
    return make_product(organization=warehouse.organization, sku="HAT-1")


def arrived(warehouse, told, **fields):
    """A receipt of this warehouse's that waits."""
    body = told if isinstance(told, bytes) else json.dumps(told).encode()
    place = {"integration": warehouse.integration, "shop_ref": warehouse.ext_shop_id}
    return make_receipt(**place | fields, body=body)


def now_of(receipt):
    receipt.refresh_from_db()
    return receipt.state, receipt.error, receipt.detail


def on_hand(product):
    return list(StockLevel.objects.filter(product=product).values_list("on_hand", flat=True))


def test_behaviour_64_a_message_about_stock_sets_the_level_with_its_cause_in_the_ledger(warehouse, hat):
    told = stock_of("HAT-1", 10, version=3, reason="store", storage={"kind": "grid", "name": "G-1"})
    receipt = arrived(warehouse, told | {"occurred_at": "2026-03-01T12:00:00Z"})
    assert opening.open_waiting() is False
    assert now_of(receipt) == (State.DONE, "", "HAT-1: applied")
    [line] = StockMovement.objects.filter(level__product=hat)
    assert (line.cause, line.reference, line.note) == ("receipt", str(receipt.pk), "store grid G-1")
    assert (line.on_hand_change, line.on_hand, line.source_version) == (10, 10, 3)
    assert (line.integration, line.level.location.integration) == (warehouse.integration, warehouse.integration)
    assert line.occurred_at.isoformat() == "2026-03-01T12:00:00+00:00"


def test_both_events_of_one_change_count_once(warehouse, hat):
    told = stock_of("HAT-1", 10, version=3, occurred_at="2026-03-01T12:00:00Z")
    first = arrived(warehouse, told)
    second = arrived(warehouse, told, event_type="inventory_log.create")
    opening.open_waiting()
    assert (now_of(first)[2], now_of(second)[2]) == ("HAT-1: applied", "HAT-1: duplicate")
    assert (on_hand(hat), StockMovement.objects.count()) == ([10], 1)


@pytest.mark.parametrize("order", list(itertools.permutations([(5, 50), (3, 30), (4, 40)]))[::2])
def test_wi_05_versions_in_any_order_and_twice_end_at_the_newest(warehouse, hat, order):
    for version, pieces in [*order, *order]:
        arrived(warehouse, stock_of("HAT-1", pieces, version=version))
        opening.open_waiting()
    assert on_hand(hat) == [50]


def test_a_sku_is_taken_in_the_warehouses_own_words(warehouse, hat):
    make_pair(integration=warehouse.integration, first="HAT-1", second="P-0001")
    arrived(warehouse, stock_of("P-0001", 4))
    opening.open_waiting()
    assert on_hand(hat) == [4]


def test_a_sku_that_is_nobodys_is_held_until_it_is_somebodys(warehouse):
    receipt = arrived(warehouse, stock_of("HAT-9", 4, version=1))
    opening.open_waiting()
    assert now_of(receipt) == (State.DONE, "", "HAT-9: held")
    assert list(HeldReport.objects.values_list("sku", "on_hand")) == [("HAT-9", 4)]


@pytest.mark.parametrize(
    ("told", "fields", "ended"),
    [
        (b"{", {}, (State.FAILED, "unreadable")),
        (stock_of("HAT-1", -1), {}, (State.FAILED, "unreadable")),
        (stock_of("HAT-1", 1), {"shop_ref": "another"}, (State.PARKED, "unknown_shop")),
        (b"", {"event_type": "purchase_orders.sync"}, (State.PARKED, "unknown_event")),
    ],
)
def test_wi_07_what_makes_no_sense_fails_and_what_nobody_knows_is_parked(warehouse, hat, told, fields, ended):
    receipt = arrived(warehouse, told, **fields)
    good = arrived(warehouse, stock_of("HAT-1", 3))
    opening.open_waiting()
    assert now_of(receipt)[:2] == ended
    assert (now_of(good)[0], on_hand(hat)) == (State.DONE, [3])


def test_another_organizations_shop_is_unknown_here(warehouse, hat):
    other = make_warehouse()
    foreign = make_product(organization=other.organization, sku="HAT-1")
    receipt = arrived(warehouse, stock_of("HAT-1", 9), shop_ref=other.ext_shop_id)
    opening.open_waiting()
    assert (now_of(receipt)[:2], on_hand(hat), on_hand(foreign)) == ((State.PARKED, "unknown_shop"), [], [])


def test_a_closed_shop_is_told_of_in_vain(warehouse, hat):
    Shop.objects.filter(pk=warehouse.shop_id).close()
    receipt = arrived(warehouse, stock_of("HAT-1", 3))
    opening.open_waiting()
    assert now_of(receipt)[:2] == (State.PARKED, "unknown_shop")


def test_without_a_place_that_is_in_use_it_is_parked(warehouse, hat):
    warehouse.integration.locations.update(is_active=False)
    receipt = arrived(warehouse, stock_of("HAT-1", 3))
    opening.open_waiting()
    assert now_of(receipt)[:2] == (State.PARKED, "no_location")


def test_what_was_parked_is_opened_again_as_the_same_row(warehouse, hat):
    receipt = arrived(warehouse, stock_of("HAT-1", 3), shop_ref="later")
    opening.open_waiting()
    Shop.objects.filter(pk=warehouse.shop_id).update(ext_shop_id="later")
    assert Receipt.objects.replay() == 1
    opening.open_waiting()
    assert (now_of(receipt)[0], receipt.tries, on_hand(hat)) == (State.DONE, 1, [3])
    assert Receipt.objects.replay() == 0


def test_a_worker_killed_before_the_commit_leaves_nothing_and_the_next_one_does_it_once(warehouse, hat, monkeypatch):
    receipt = arrived(warehouse, stock_of("HAT-1", 3))

    class Killed(BaseException):
        pass

    def killed(*args, **kwargs):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(opening, "_end", killed)
        with pytest.raises(Killed):
            opening.open_waiting()
    assert (now_of(receipt)[0], on_hand(hat)) == (State.RECEIVED, [])
    assert opening.open_waiting() is False  # it is still under the dead one's lease
    assert on_hand(hat) == []
    Receipt.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    opening.open_waiting()
    assert (now_of(receipt)[0], receipt.tries, on_hand(hat)) == (State.DONE, 2, [3])


def test_whoever_lost_the_lease_changes_nothing(warehouse, hat):
    arrived(warehouse, stock_of("HAT-1", 3))
    [slow] = Receipt.objects.claim(most=1)
    Receipt.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    [quick] = Receipt.objects.claim(most=1)
    opening.open_receipt(slow)
    assert (now_of(slow)[0], on_hand(hat)) == (State.RECEIVED, [])
    opening.open_receipt(quick)
    assert (now_of(quick)[0], on_hand(hat)) == (State.DONE, [3])


def test_a_bug_is_tried_again_and_then_waits_for_somebody(warehouse, hat, monkeypatch):
    def buggy(*args, **kwargs):
        raise RuntimeError("oops")

    monkeypatch.setattr(stocking, "report", buggy)
    receipt = arrived(warehouse, stock_of("HAT-1", 3))
    for tries in range(1, opening.MOST_TRIES + 1):
        assert now_of(receipt)[0] == State.RECEIVED
        Receipt.objects.update(next_attempt_at=timezone.now())
        opening.open_waiting()
        receipt.refresh_from_db()
        assert receipt.tries == tries
    assert now_of(receipt) == (State.FAILED, "bug", "RuntimeError('oops')")


def test_one_that_kills_its_workers_comes_to_an_end(warehouse, hat):
    receipt = arrived(warehouse, stock_of("HAT-1", 3), tries=opening.MOST_TRIES)
    opening.open_waiting()
    assert (now_of(receipt)[:2], on_hand(hat)) == ((State.FAILED, "bug"), [])


def test_a_database_in_trouble_is_not_the_receipts_fault(warehouse, hat, monkeypatch):
    def down(*args, **kwargs):
        raise OperationalError

    monkeypatch.setattr(stocking, "report", down)
    receipt = arrived(warehouse, stock_of("HAT-1", 3))
    with pytest.raises(OperationalError):
        opening.open_waiting()
    assert now_of(receipt) == (State.RECEIVED, "", "")


@pytest.mark.django_db(transaction=True)
def test_workers_at_once_open_each_receipt_once():
    warehouse = make_warehouse()
    hat = make_product(organization=warehouse.organization, sku="HAT-1")
    receipts = [arrived(warehouse, stock_of("HAT-1", n, version=n)) for n in range(1, 13)]
    assert at_once(4, opening.open_waiting) == [False] * 4
    assert on_hand(hat) == [12]
    assert set(Receipt.objects.values_list("state", "tries")) == {(State.DONE, 1)}
    assert len(receipts) == Receipt.objects.count()


def test_the_task_opens_what_waits_and_rings_again_when_more_may_wait(warehouse, hat, monkeypatch):
    receipt = arrived(warehouse, stock_of("HAT-1", 3))
    tasks.open_receipts()
    assert now_of(receipt)[0] == State.DONE
    rung = []
    monkeypatch.setattr(opening, "open_waiting", lambda: True)
    monkeypatch.setattr(tasks.open_receipts, "apply_async", lambda **options: rung.append(options))
    tasks.open_receipts()
    assert rung == [{"expires": tasks.RING_SECONDS}]


def test_receipts_are_kept_for_thirty_days_unless_they_still_wait(warehouse):
    long_ago = timezone.now() - timedelta(days=30, seconds=1)
    ended = [make_receipt(state=state, received_at=long_ago) for state in State if state != State.RECEIVED]
    kept = [make_receipt(received_at=long_ago), make_receipt(state=State.DONE)]
    schedule.forget_old_receipts()
    assert set(Receipt.objects.all()) == set(kept)
    assert len(ended) == 4
