"""Asking a warehouse, or a platform, for its shipping services."""

from datetime import timedelta

import pytest
import responses
from django.utils import timezone

from apps.orders.models import Hindrance, Nudge, ShippingService
from apps.syncs import queueing, schedule
from apps.syncs.models import SyncRun
from tests.conftest import PIO
from tests.factories import make_connection, make_shipping_service, make_shop, make_warehouse

from .platform import work_on

State, Kind = SyncRun.State, SyncRun.Kind
RATES = f"{PIO}/api/v1/shipping_rates"


@pytest.fixture
def warehouse(pio, db):
    return make_warehouse()


def lists(pio, *services, **answer):
    """The warehouse lists these from now on: pairs of code and name."""
    rows = [{"id": code, "name": name} for code, name in services]
    pio.upsert(responses.GET, RATES, **{"json": {"data": rows}} | answer)


def asked(warehouse):
    return work_on(queueing.owe(warehouse, kind=Kind.SERVICES))


def known(warehouse):
    """All services by code, with whether each is still offered."""
    rows = ShippingService.objects.filter(integration=warehouse.integration)
    return {row.code: (row.name, row.removed_at is None) for row in rows}


def counts(run):
    return run.state, run.created_count, run.updated_count, run.removed_count, run.failed_count


def test_what_a_warehouse_lists_is_kept(pio, warehouse):
    lists(pio, ("DHL-X", "DHL Express"), ("POST", "Letter post"))
    run = asked(warehouse)
    assert known(warehouse) == {"DHL-X": ("DHL Express", True), "POST": ("Letter post", True)}
    assert (counts(run), run.done, run.total) == ((State.SUCCEEDED, 2, 0, 0, 0), 2, 2)


def test_what_it_no_longer_lists_is_marked_and_kept_and_comes_back_as_it_was(pio, warehouse):
    lists(pio, ("DHL-X", "DHL Express"), ("POST", "Letter post"))
    asked(warehouse)
    lists(pio, ("POST", "Post NL"))
    assert counts(asked(warehouse)) == (State.SUCCEEDED, 0, 1, 1, 0)
    assert known(warehouse) == {"DHL-X": ("DHL Express", False), "POST": ("Post NL", True)}
    lists(pio, ("POST", "Post NL"), ("DHL-X", "DHL Express"))
    asked(warehouse)
    assert known(warehouse) == {"DHL-X": ("DHL Express", True), "POST": ("Post NL", True)}
    assert ShippingService.objects.count() == 2


def test_orders_that_wait_are_looked_at_again_only_when_a_name_is_new(pio, warehouse):
    lists(pio, ("POST", "Letter post"))
    asked(warehouse)
    again = Nudge.objects.filter(code=Hindrance.Code.UNMAPPED_METHOD)
    assert [nudge.ref for nudge in again] == [""]
    lists(pio, ("POST", "Letter post"))
    asked(warehouse)
    assert again.count() == 1


def test_one_that_makes_no_sense_fails_alone(pio, warehouse):
    lists(pio, ("POST", "Letter post"), ("x" * 256, "Too long"), ("LONG", "x" * 256))
    run = asked(warehouse)
    assert (counts(run), sorted(known(warehouse))) == ((State.PARTIAL, 1, 0, 0, 2), ["POST"])
    assert [failure.code for failure in run.failures.all()] == ["unreadable"] * 2


def test_a_silence_changes_nothing_and_is_tried_again(pio, warehouse):
    make_shipping_service(integration=warehouse.integration, code="POST", name="Letter post")
    lists(pio, status=503)
    run = asked(warehouse)
    assert (run.state, run.error, known(warehouse)) == (State.QUEUED, "server_error", {"POST": ("Letter post", True)})


def test_an_installation_without_such_a_list_is_no_trouble_and_what_is_known_stays(pio, warehouse):
    make_shipping_service(integration=warehouse.integration, code="POST", name="Letter post")
    lists(pio, status=404, json={"code": "not_found", "message": "No."})
    assert (asked(warehouse).state, known(warehouse)) == (State.SUCCEEDED, {"POST": ("Letter post", True)})
    lists(pio, status=403, json={"code": "forbidden", "message": "No."})
    assert (asked(warehouse).state, known(warehouse)) == (State.FAILED, {"POST": ("Letter post", True)})


def test_services_of_another_customer_of_the_warehouse_are_left_alone(pio, warehouse):
    other = make_shipping_service(integration=make_warehouse().integration, code="POST", name="Theirs")
    lists(pio, ("DHL-X", "DHL Express"))
    asked(warehouse)
    other.refresh_from_db()
    assert (other.name, other.removed_at) == ("Theirs", None)


def test_of_several_stores_of_an_integration_one_asks_for_all(pio, warehouse):
    integration = warehouse.integration
    other = make_connection(shop=make_shop(integration=integration))
    lists(pio, ("POST", "Letter post"))
    first, second = (queueing.owe(one, kind=Kind.SERVICES) for one in (warehouse, other))
    assert [work_on(run).state for run in (first, second)] == [State.SUCCEEDED] * 2
    assert (len(pio.calls), known(warehouse)) == (2, {"POST": ("Letter post", True)})


def test_every_connection_that_can_tell_is_asked_once_a_day(pio, warehouse):
    make_connection()  # Otter lists none
    schedule.queue_regular_runs()
    schedule.queue_regular_runs()
    assert [run.shop for run in SyncRun.objects.filter(kind=Kind.SERVICES)] == [warehouse.shop]
    yesterday = timezone.now() - timedelta(hours=25)
    SyncRun.objects.filter(kind=Kind.SERVICES).update(state=State.SUCCEEDED, created_at=yesterday)
    schedule.queue_regular_runs()
    assert SyncRun.objects.filter(kind=Kind.SERVICES).count() == 2
