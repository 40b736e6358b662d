"""The mail-room under trouble: real dispatchers, a real receiver, and what each of them knows at the end."""

import os
import signal
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from django.utils import timezone

from apps.audit.trail import Actor
from apps.catalog import stocking
from apps.catalog.stocking import By, Change
from apps.integrations.connectors.orders import Tracking
from apps.orders import picking
from apps.orders.models import Fulfillment, Order
from apps.webhooks import hooking
from apps.webhooks.models import Attempt, Delivery, Endpoint, Event, Hook, Notice
from config.local.child import wait_until
from config.local.guard import Guard
from config.local.ports import HOST, port
from tests.catalog.partners import open_shop
from tests.factories import (
    make_endpoint,
    make_hook,
    make_organization,
    make_partner_integration,
    make_signing_secret,
)
from tests.orders.buying import placed
from tests.orders.goods import HERE, handed, line_ids, stock
from tests.webhooks.receiver import Answering, Got, Receiver, receiver

from .dispatcher import SHORT_LEASES, Dispatchers, ended

pytestmark = pytest.mark.django_db(transaction=True)
State = Delivery.State
ACTOR = Actor("somebody")
HANGS = 15.0
LANES = 8


@pytest.fixture
def dispatchers(transactional_db, tmp_path: Path) -> Iterator[Dispatchers]:
    with Guard() as guard, ExitStack() as rooms:
        yield Dispatchers(tmp_path, guard, rooms)


@pytest.fixture
def sink(settings) -> Iterator[Receiver]:
    settings.EGRESS_ALLOWED_HOSTS = ["127.0.0.1"]
    with receiver() as sink:
        yield sink


@pytest.fixture
def hook(sink: Receiver, transactional_db) -> Hook:
    return listening(sink.url)


def listening(url: str) -> Hook:
    """A hook of somebody else than all others."""
    endpoint = make_endpoint(organization=make_organization(), url=url)
    make_signing_secret(endpoint=endpoint)
    return make_hook(endpoint=endpoint, event="stock.changed")


def happens(hook: Hook, sequences: Iterable[int], *, lanes: int = LANES) -> None:
    """So many levels change so often, all in one transaction."""
    Event.objects.bulk_create(
        Event(
            organization=hook.organization,
            type="stock.changed",
            entity="stock_level",
            entity_id=str(level),
            sequence=sequence,
            data={"sku": f"HAT-{level}", "in_stock": sequence},
        )
        for sequence in sequences
        for level in range(1, lanes + 1)
    )


def until(condition, *, within: float) -> None:
    assert wait_until(condition, within=within), f"not within {within} s"


def states(hook: Hook) -> dict[str, int]:
    return dict(Counter(Delivery.objects.filter(hook=hook).values_list("state", flat=True)))


def heard(got: Iterable[Got]) -> dict[str, list[int]]:
    """The sequences that were told of each level, as they came. A repeat of the last, with its own id, is left out."""
    told: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for message in got:
        lane, known = told[message.json["entity_id"]], (message.json["sequence"], message.id)
        if lane[-1:] != [known]:
            lane.append(known)
    return {entity: [sequence for sequence, _ in lane] for entity, lane in told.items()}


def all_in_order(last: int, *, lanes: int = LANES) -> dict[str, list[int]]:
    return {str(level): list(range(1, last + 1)) for level in range(1, lanes + 1)}


def test_the_commit_wakes_it_and_no_clock(hook: Hook, sink: Receiver, dispatchers: Dispatchers):
    dispatchers.start(**{"apps.webhooks.dispatching.POLL_SECONDS": 600})
    delays = []
    for sequence in range(1, 6):
        began = time.monotonic()
        happens(hook, [sequence], lanes=1)
        until(lambda count=sequence: len(sink.got) == count, within=10)
        delays.append(time.monotonic() - began)
        time.sleep(0.7 * sequence)  # longer each time than it keeps an endpoint with nothing to be sent
    print(f"arrived after {', '.join(f'{delay * 1000:.0f}' for delay in delays)} ms, with no broker")
    assert sorted(delays)[2] < 1


def test_asked_to_stop_it_ends_what_is_on_its_way_and_writes_it_down(
    hook: Hook, sink: Receiver, dispatchers: Dispatchers
):
    sink.answers = slowly(1.5)
    child = dispatchers.start()
    happens(hook, range(1, 4))
    until(lambda: len(sink.got) == LANES, within=10)

    os.kill(child.pid, signal.SIGTERM)

    assert ended(child, within=16) == 0
    assert len(sink.got) == LANES
    assert states(hook) == {State.DELIVERED: LANES, State.PENDING: 2 * LANES}
    assert Attempt.objects.filter(status=200).count() == LANES
    assert Endpoint.objects.get().lease_until is None


def test_what_is_left_by_one_that_was_asked_to_stop_is_taken_up_at_once(
    hook: Hook, sink: Receiver, dispatchers: Dispatchers
):
    first = dispatchers.start()
    happens(hook, range(1, 11))
    until(lambda: sink.got, within=10)
    os.kill(first.pid, signal.SIGTERM)
    assert ended(first, within=16) == 0

    dispatchers.start()

    until(lambda: states(hook) == {State.DELIVERED: 10 * LANES}, within=15)
    assert heard(sink.got) == all_in_order(10)
    assert len(sink.got) == 10 * LANES


def test_killed_in_the_middle_nothing_is_lost_and_repeats_have_their_own_id(
    hook: Hook, sink: Receiver, dispatchers: Dispatchers
):
    """WO-13. Its receiver fails three times of ten, once after it has taken the message."""
    taken: list[Got] = []

    def answer(message: Got) -> int:
        time.sleep(0.02)
        status = {3: 500, 6: 503, 9: 0}.get(message.number % 10, 200)
        if status in (200, 0):
            taken.append(message)
        return status

    sink.answers = answer
    for _ in range(3):
        dispatchers.start(**SHORT_LEASES)
    happens(hook, range(1, 41))
    for number, child in enumerate(dispatchers.started[:2], start=1):
        until(lambda share=number: len(taken) > share * 60, within=20)
        os.kill(child.pid, signal.SIGKILL)

    until(lambda: states(hook) == {State.DELIVERED: 40 * LANES}, within=60)
    assert heard(taken) == all_in_order(40)
    print(f"{len(taken) - 40 * LANES} repeats, all with their own id")


def test_one_that_was_frozen_beyond_its_lease_sends_nothing_late(hook: Hook, sink: Receiver, dispatchers: Dispatchers):
    sink.answers = slowly(0.02)
    first = dispatchers.start(**SHORT_LEASES)
    happens(hook, range(1, 41))
    until(lambda: len(sink.got) > 60, within=20)
    os.kill(first.pid, signal.SIGSTOP)
    dispatchers.start(**SHORT_LEASES)
    until(lambda: len(sink.got) > 120, within=20)

    os.kill(first.pid, signal.SIGCONT)

    until(lambda: states(hook) == {State.DELIVERED: 40 * LANES}, within=40)
    assert heard(sink.got) == all_in_order(40)
    assert len(sink.got) - 40 * LANES <= 10
    assert first.running()


def test_an_endpoint_that_hangs_delays_nobody_else(hook: Hook, sink: Receiver, dispatchers: Dispatchers):
    """WO-16: of 10,000 events for one that takes 15 seconds each, those of others know nothing."""
    awake = threading.Event()
    with receiver() as hanging:
        hanging.answers = waiting_for(awake)
        stuck = listening(hanging.url)
        dispatchers.start()
        happens(stuck, range(1, 1251))
        until(lambda: len(hanging.got) >= LANES, within=10)
        delays = []
        for sequence in range(1, 101):
            began = time.monotonic()
            happens(hook, [sequence], lanes=1)
            until(lambda count=sequence: len(sink.got) == count, within=10)
            delays.append(time.monotonic() - began)
        beside = list(hanging.got)
        awake.set()
    slowest = sorted(delays)[94]
    print(f"95 of 100 arrive within {slowest * 1000:.0f} ms beside one that hangs")
    assert slowest < 5
    assert all(later.at - first.at > HANGS - 1 for first, later in zip(beside, beside[10:], strict=False))


def test_what_cannot_be_told_neither_delays_nor_undoes_what_happened(sink: Receiver, dispatchers: Dispatchers):
    """Behaviour 87: storing, ordering and picking, told to one that hangs, one that is gone, one we may not call."""
    never = threading.Event()
    sink.answers = waiting_for(never)
    here = handed(2, by_hand=True)
    partner = make_partner_integration(organization=here.organization)
    nobody = port("NOBODYS_PORT", default=0)
    for url in (sink.url, f"http://{HOST}:{nobody}/", "http://10.0.0.1/"):
        endpoint = make_endpoint(organization=here.organization, url=url)
        for event in ("stock.changed", "order.created", "fulfillment.updated"):
            make_hook(endpoint=endpoint, event=event)
    dispatchers.start()
    _, token = open_shop(partner)

    began = time.monotonic()
    more = Change(here.lines.get().order_line.product_id, here.location_id, on_hand=5, occurred_at=timezone.now())
    stocking.change(here.organization, [more], by=By("adjustment", "anna"))
    order = placed(token)
    begun = picking.begin(here, by=ACTOR, version=1)
    pieces = dict.fromkeys(line_ids(here), 2)
    picking.ship(begun, by=ACTOR, version=2, pieces=pieces, tracking=Tracking("DHL", "3S1"), entry="")
    took = time.monotonic() - began
    until(lambda: Attempt.objects.values("delivery__endpoint").distinct().count() == 2 and sink.got, within=20)
    never.set()

    print(f"storing, ordering and picking took {took * 1000:.0f} ms together")
    assert took < 5
    assert set(Attempt.objects.values_list("error", flat=True)) >= {"unreachable", "refused"}
    assert stock(here) == [(HERE + 5 - 2, 0)]
    assert Fulfillment.objects.get(pk=here.pk).state == "shipped"
    assert Order.objects.filter(pk=order).exists()


def test_an_endpoint_that_was_dead_is_told_of_left_alone_and_then_hears_all_in_order(
    hook: Hook, sink: Receiver, dispatchers: Dispatchers
):
    sink.answers = lambda message: 500
    dispatchers.start()
    happens(hook, range(1, 6))
    until(lambda: Notice.objects.filter(stage=Notice.Stage.STREAK).exists(), within=20)
    asked = len(sink.got)
    time.sleep(3)
    seldom = len(sink.got) - asked
    taken: list[Got] = []

    sink.answers = lambda message: taken.append(message) or 200

    until(lambda: states(hook) == {State.DELIVERED: 5 * LANES}, within=40)
    endpoint = Endpoint.objects.get()
    assert heard(taken) == all_in_order(5)
    assert seldom <= 5
    assert (endpoint.state, endpoint.failures, endpoint.failing_since, endpoint.probe_at) == ("active", 0, None, None)
    assert list(Notice.objects.values_list("stage", flat=True)) == [Notice.Stage.STREAK]


@pytest.mark.parametrize(
    ("choice", "sent"), [("all", all_in_order(4)), ("newest", {str(level): [1, 4] for level in range(1, 9)})]
)
def test_what_was_held_for_a_paused_endpoint_is_sent_as_its_owner_chooses(
    hook: Hook, sink: Receiver, dispatchers: Dispatchers, choice, sent
):
    """Held, and then all of it in order, or the newest of each entity."""
    held_by(hook, sink, dispatchers)
    hooking.resume(hook.endpoint, choice=choice, actor=ACTOR)
    until(lambda: heard(sink.got) == sent, within=10)
    happens(hook, [5])
    until(lambda: heard(sink.got) == {level: [*before, 5] for level, before in sent.items()}, within=10)
    assert len(sink.got) == sum(map(len, sent.values())) + LANES


def test_what_was_held_and_dropped_is_never_sent(hook: Hook, sink: Receiver, dispatchers: Dispatchers):
    held_by(hook, sink, dispatchers)
    hooking.resume(hook.endpoint, choice="drop", actor=ACTOR)
    happens(hook, [5])
    until(lambda: states(hook) == {State.DELIVERED: 2 * LANES, State.DROPPED: 3 * LANES}, within=10)
    assert heard(sink.got) == {str(level): [1, 5] for level in range(1, LANES + 1)}


def held_by(hook: Hook, sink: Receiver, dispatchers: Dispatchers) -> None:
    """It has heard once of each level when somebody pauses it; then each changes three times more."""
    dispatchers.start()
    happens(hook, [1])
    until(lambda: states(hook) == {State.DELIVERED: LANES}, within=10)
    hooking.pause(hook.endpoint, actor=ACTOR)
    until(lambda: Endpoint.objects.get().lease_until is None, within=5)
    for sequence in (2, 3, 4):
        happens(hook, [sequence])
    until(lambda: Delivery.objects.held().count() == 3 * LANES, within=10)
    time.sleep(1)
    assert len(sink.got) == LANES


def slowly(seconds: float) -> Answering:
    return waiting_for(threading.Event(), seconds=seconds)


def waiting_for(event: threading.Event, *, seconds: float = HANGS) -> Answering:
    """Until the event, so many seconds at most."""

    def answer(message: Got) -> int:
        event.wait(seconds)
        return 200

    return answer
