"""Several people, tabs and impatient fingers at the same moment: real threads, real transactions."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection as database
from django.db import transaction

from apps.integrations.connectors.base import ConnectorError
from apps.onboarding import connecting, schedule
from apps.shops.models import Connection, Shop
from apps.syncs.models import SyncRun
from tests.concurrency import in_thread, wait_until_blocked
from tests.conftest import signed_in
from tests.factories import make_actor, make_member

from ..platform import let_lease_run_out

pytestmark = pytest.mark.django_db(transaction=True)

State = Connection.State


def connect(draft, person) -> None:
    connecting.connect(draft, by=make_actor(person))


def at_once(*works: Callable[[], object]) -> list[object]:
    """What each returned, or raised, when all began at the same moment."""
    start = Barrier(len(works))

    def work(one: Callable[[], object]) -> object:
        start.wait()
        try:
            return one()
        except (connecting.IdTaken, connecting.StoreTaken, connecting.HeldElsewhere, ConnectorError) as error:
            return error
        finally:
            database.close()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(work, works))


def counts() -> dict[str, int]:
    live = Connection.objects.live().count()
    return {"live": live, "shops": Shop.objects.count(), "runs": SyncRun.objects.count()}


def test_pressing_connect_eight_times_at_once_connects_once(draft, owner, platform):
    platform.forget_calls()
    assert at_once(*[lambda: connect(draft, owner)] * 8) == [None] * 8
    assert counts() == {"live": 1, "shops": 1, "runs": 1}
    assert platform.writes() == ["POST"]


def test_eight_browsers_that_press_connect_at_once_all_see_the_import(draft, owner, platform):
    people = [owner] + [make_member(organization=owner.organization) for _ in range(3)]
    clients = [signed_in(person) for person in people * 2]
    platform.forget_calls()
    answers = at_once(*[lambda c=client: c.post(f"/connect/{draft.pk}/check/") for client in clients])
    assert {(answer.status_code, answer.url) for answer in answers} == {(302, f"/connect/{draft.pk}/import/")}
    assert counts() == {"live": 1, "shops": 1, "runs": 1}
    assert platform.writes() == ["POST"]


def test_of_two_drafts_for_one_store_one_wins(draft, owner, platform):
    second = platform.draft(owner, integration=draft.integration, ext_shop_id="hats-2")
    platform.forget_calls()
    outcomes = at_once(
        lambda: connect(draft, owner),
        lambda: connect(second, owner),
    )
    assert [type(outcome) for outcome in outcomes].count(connecting.StoreTaken) == 1
    assert counts() == {"live": 1, "shops": 1, "runs": 1}
    assert platform.writes() == ["POST"]
    assert Connection.objects.drafts().count() == 1


def test_of_two_stores_for_one_id_one_wins(draft, owner, platform):
    second = platform.draft(owner, integration=draft.integration, store="Great Hats Antwerp")
    outcomes = at_once(
        lambda: connect(draft, owner),
        lambda: connect(second, owner),
    )
    assert [type(outcome) for outcome in outcomes].count(connecting.IdTaken) == 1
    assert counts() == {"live": 1, "shops": 1, "runs": 1}


def test_two_organizations_that_connect_the_same_store_at_once_do_not_both_get_it(draft, owner, stranger, platform):
    theirs = platform.draft(stranger, ext_shop_id="hats-2")
    at_once(
        lambda: connect(draft, owner),
        lambda: connect(theirs, stranger),
    )
    assert counts() == {"live": 1, "shops": 1, "runs": 1}
    assert platform.held() == {"Great Hats Online": Connection.objects.live().get().ext_shop_id}


def test_two_new_ids_for_one_store_at_once_leave_one_of_them(draft, owner, platform):
    connecting.connect(draft, by=make_actor(owner))
    connected = Connection.objects.get()
    at_once(*[lambda new=f"new-{n}": connecting.change_id(connected, new, by=make_actor(owner)) for n in range(4)])
    left = Connection.objects.get()
    assert (left.state, left.ext_shop_id) == (State.ACTIVE, left.shop.ext_shop_id)
    assert platform.held() == {"Great Hats Online": left.ext_shop_id}


def test_two_sweeps_finish_a_hanging_connection_once(draft, owner, platform):
    Connection.objects.filter(pk=draft.pk).update(state=State.CONNECTING, connected_by=owner)
    let_lease_run_out(draft)
    platform.forget_calls()
    at_once(*[schedule.finish_hanging_connections] * 4)
    assert counts() == {"live": 1, "shops": 1, "runs": 1}
    assert platform.writes() == ["POST"]


def test_whoever_waited_for_a_hanging_connection_leaves_it_to_who_was_first(draft, owner):
    Connection.objects.filter(pk=draft.pk).update(state=State.CONNECTING, connected_by=owner)
    let_lease_run_out(draft)
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            first = Connection.objects.hanging().claim(draft.pk)
            second = in_thread(pool, lambda: Connection.objects.hanging().claim(draft.pk))
            wait_until_blocked()
        assert (first and first.pk, second.result()) == (draft.pk, None)


def test_pausing_resuming_and_disconnecting_at_once_end_in_one_honest_state(draft, owner):
    connecting.connect(draft, by=make_actor(owner))
    connected = Connection.objects.get()
    works = [connecting.pause, connecting.resume, connecting.disconnect, connecting.undo_disconnect]
    at_once(*[lambda work=work: work(connected, by=make_actor(owner)) for work in works])
    left = Connection.objects.get()
    assert left.state in {State.ACTIVE, State.PAUSED, State.DISCONNECTING}
    assert (left.disconnect_at is not None) == (left.state == State.DISCONNECTING)
    assert SyncRun.objects.unfinished().count() == 1
