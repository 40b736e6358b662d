"""Telling a warehouse of our products: each once, the changed ones again, the refused ones alone."""

import json

import pytest
import responses
from django.utils import timezone

from apps.catalog.models import Handover, Product
from apps.integrations.models import Integration
from apps.shops.models import Connection
from apps.syncs import offering, pushing, queueing, running, schedule
from apps.syncs.models import SyncRun
from tests.conftest import PIO
from tests.factories import make_organization, make_pair, make_product, make_warehouse

from .platform import abandon, fresh, work_on, work_out

API = f"{PIO}/api/v1/products"
State, Kind = SyncRun.State, SyncRun.Kind


class Shelf:
    """A Pio that remembers products. `wrong` are answers that come first, by SKU: status and code."""

    def __init__(self, web):
        self.known, self.wrong, self.calls = {}, {}, []
        web.add_callback(responses.POST, API, callback=self.put)
        for method, answer in ((responses.PUT, self.put), (responses.DELETE, self.drop)):
            for number in range(1, 60):
                web.add_callback(method, f"{API}/{number}", callback=answer)

    def put(self, request):
        product = json.loads(request.body)
        self.calls.append(f"{request.method} {product['sku']}")
        if product["sku"] in self.wrong:
            return self.refusal(product["sku"])
        number = int(request.url.rsplit("/", 1)[-1]) if request.method == "PUT" else len(self.known) + 1
        self.known[number] = product
        return 200, {}, json.dumps(product | {"id": number})

    def drop(self, request):
        number = int(request.url.rsplit("/", 1)[-1])
        self.calls.append(f"DELETE {number}")
        if number in self.wrong:
            return self.refusal(number)
        del self.known[number]
        return 204, {}, ""

    def refusal(self, key):
        status, code = self.wrong[key]
        return status, {}, json.dumps({"code": code, "message": "No."})

    def skus(self):
        return sorted(product["sku"] for product in self.known.values())


@pytest.fixture
def shelf(pio):
    return Shelf(pio)


@pytest.fixture
def warehouse(shelf, db):
    return make_warehouse()


@pytest.fixture
def hats(warehouse):
    return [make_product(organization=warehouse.organization, sku=f"HAT-{n}") for n in (1, 2, 3)]


def push(warehouse):
    return work_out(queueing.owe(warehouse, kind=Kind.ITEMS))


def change(product, **fields):
    """As an import changes it: with a new version."""
    Product.objects.filter(pk=product.pk).update(**fields, version=product.version + 1)
    product.refresh_from_db()


def told(**fields):
    return list(Handover.objects.filter(**fields).order_by("sku").values_list("sku", "remote_id", "version", "error"))


def test_every_product_is_told_once_and_remembered(warehouse, hats, shelf):
    run = push(warehouse)
    assert (run.state, run.done, run.total, run.created_count, run.failed_count) == (State.SUCCEEDED, 3, 3, 3, 0)
    assert shelf.skus() == ["HAT-1", "HAT-2", "HAT-3"]
    assert told() == [("HAT-1", "1", 1, ""), ("HAT-2", "2", 1, ""), ("HAT-3", "3", 1, "")]
    assert {product["ext_product_id"] for product in shelf.known.values()} == {str(hat.pk) for hat in hats}
    assert Connection.objects.get(pk=warehouse.pk).heard_at is not None


def test_what_is_known_as_it_is_is_not_told_again(warehouse, hats, shelf):
    push(warehouse)
    shelf.calls.clear()
    run = push(warehouse)
    assert (run.state, run.done, shelf.calls) == (State.SUCCEEDED, 0, [])


def test_a_changed_product_is_told_alone(warehouse, hats, shelf):
    push(warehouse)
    shelf.calls.clear()
    change(hats[1], name="Another hat")
    run = push(warehouse)
    assert (shelf.calls, shelf.known[2]["name"]) == (["PUT HAT-2"], "Another hat")
    assert (run.created_count, run.updated_count) == (0, 1)


def test_no_other_organizations_product_is_told(warehouse, hats, shelf):
    make_product(organization=make_organization(), sku="FOREIGN")
    push(warehouse)
    assert shelf.skus() == ["HAT-1", "HAT-2", "HAT-3"]


def test_behaviour_66_a_warehouse_is_told_its_own_sku_and_anew_when_that_changes(warehouse, hats, shelf):
    pair = make_pair(integration=warehouse.integration, first="HAT-2", second="P-2")
    push(warehouse)
    assert shelf.skus() == ["HAT-1", "HAT-3", "P-2"]
    type(pair).objects.filter(pk=pair.pk).update(second="P-2b")
    shelf.calls.clear()
    push(warehouse)
    assert shelf.calls == ["PUT P-2b"]


def test_a_refused_product_fails_alone_and_is_tried_by_the_next_run(warehouse, hats, shelf):
    shelf.wrong["HAT-2"] = (400, "product_sku_already_exists_and_in_use_by_other_product")
    run = push(warehouse)
    assert (run.state, run.done, run.failed_count) == (State.PARTIAL, 3, 1)
    assert list(run.failures.values_list("ref", "code")) == [("HAT-2", "sku_in_use")]
    assert told(error="sku_in_use") == [("HAT-2", "", 1, "sku_in_use")]
    shelf.wrong.clear()
    shelf.calls.clear()
    assert push(warehouse).state == State.SUCCEEDED
    assert (shelf.calls, told()[1]) == (["POST HAT-2"], ("HAT-2", "3", 1, ""))


def test_an_archived_product_is_taken_away_unless_some_of_it_lies_there(warehouse, hats, shelf):
    push(warehouse)
    for hat in hats[:2]:
        change(hat, archived_at=timezone.now())
    shelf.wrong[2] = (422, "product_has_stock")
    run = push(warehouse)
    assert (run.state, run.removed_count, run.failed_count) == (State.PARTIAL, 1, 1)
    assert told() == [("HAT-2", "2", 2, "product_has_stock"), ("HAT-3", "3", 1, "")]
    shelf.wrong.clear()
    push(warehouse)
    assert (shelf.skus(), told()) == (["HAT-3"], [("HAT-3", "3", 1, "")])


def test_an_archived_product_it_never_knew_is_never_told(warehouse, hats, shelf):
    change(hats[0], archived_at=timezone.now())
    push(warehouse)
    assert shelf.calls == ["POST HAT-2", "POST HAT-3"]


def test_what_comes_back_is_told_anew(warehouse, hats, shelf):
    push(warehouse)
    change(hats[0], archived_at=timezone.now())
    push(warehouse)
    change(hats[0], archived_at=None)
    push(warehouse)
    assert "HAT-1" in shelf.skus()


def test_silence_waits_and_goes_on_with_what_was_not_told(warehouse, hats, shelf):
    shelf.wrong["HAT-2"] = (503, "")
    run = work_on(queueing.owe(warehouse, kind=Kind.ITEMS))
    assert (run.state, run.error, run.done) == (State.QUEUED, "server_error", 1)
    shelf.wrong.clear()
    run = work_out(run)
    assert (run.state, run.done, run.error) == (State.SUCCEEDED, 3, "")
    assert shelf.calls == ["POST HAT-1", "POST HAT-2", "POST HAT-2", "POST HAT-3"]


def test_a_lost_permission_holds_the_run_until_somebody_logs_in(warehouse, hats, shelf):
    shelf.wrong["HAT-2"] = (401, "unauthorized")
    run = work_out(queueing.owe(warehouse, kind=Kind.ITEMS))
    assert (run.state, run.error, run.done) == (State.QUEUED, "unauthorized", 1)
    integration = Integration.objects.get(pk=warehouse.integration_id)
    assert integration.state == Integration.State.NEEDS_RECONNECT
    shelf.wrong.clear()
    integration.connect("pio", "Pio")
    assert work_out(run).state == State.SUCCEEDED


def test_a_worker_killed_between_telling_and_recording_tells_again_and_nothing_is_lost(
    warehouse, hats, shelf, monkeypatch
):
    run = queueing.owe(warehouse, kind=Kind.ITEMS)

    class Killed(BaseException):
        pass

    def killed(*args, **kwargs):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(pushing, "_record", killed)
        with pytest.raises(Killed):
            running.run(run.pk)
    abandon(run)
    assert work_out(run).state == State.SUCCEEDED
    assert [len(told()), len(shelf.calls)] == [3, 6]


def test_batches_are_small_and_each_is_recorded_before_the_next(warehouse, shelf, monkeypatch):
    monkeypatch.setattr(pushing, "BATCH", 2)
    for n in range(5):
        make_product(organization=warehouse.organization, sku=f"HAT-{n}")
    run = push(warehouse)
    assert (run.pages, run.done, len(told())) == (3, 5, 5)


def test_a_long_run_makes_room_for_others_and_goes_on(warehouse, hats, shelf, monkeypatch):
    monkeypatch.setattr(pushing, "BATCH", 1)
    monkeypatch.setattr(pushing, "SLICE_SECONDS", 0)
    run = queueing.owe(warehouse, kind=Kind.ITEMS)
    assert running.run(run.pk) is True
    assert (fresh(run).state, fresh(run).done) == (State.QUEUED, 1)
    assert work_out(run).done == 3


def test_a_batch_takes_the_same_statements_for_one_as_for_three(warehouse, shelf, django_assert_num_queries):
    def statements():
        with django_assert_num_queries(100, exact=False) as asked:
            push(warehouse)
        return len(asked)

    make_product(organization=warehouse.organization, sku="ONE")
    first = statements()
    for n in range(3):
        make_product(organization=warehouse.organization, sku=f"MORE-{n}")
    assert statements() == first


def runs():
    return list(SyncRun.objects.values_list("kind", flat=True))


def test_new_and_changed_products_are_told_by_themselves(warehouse, hats, shelf):
    schedule.queue_pushes()
    assert runs() == ["items"]
    work_out(SyncRun.objects.get())
    schedule.queue_pushes()
    assert runs() == ["items"]
    change(hats[0], name="Another hat")
    schedule.queue_pushes()
    assert runs() == ["items", "items"]


def test_nothing_is_owed_where_the_sync_is_switched_off_or_the_warehouse_not_connected(warehouse, hats, shelf):
    Integration.objects.update(product_sync_enabled=False)
    schedule.queue_pushes()
    Integration.objects.update(product_sync_enabled=True)
    Connection.objects.update(state=Connection.State.PAUSED)
    schedule.queue_pushes()
    assert runs() == []


def test_a_refused_product_is_not_tried_again_and_again(warehouse, hats, shelf, settings):
    shelf.wrong["HAT-2"] = (400, "product_sku_already_exists_and_in_use_by_other_product")
    push(warehouse)
    schedule.queue_pushes()
    assert len(runs()) == 1
    long_ago = timezone.now() - timezone.timedelta(seconds=settings.SYNC_EVERY_SECONDS + 1)
    SyncRun.objects.update(created_at=long_ago)
    schedule.queue_pushes()
    assert len(runs()) == 2


def test_a_warehouse_that_cannot_be_reached_is_left_alone_for_a_while(warehouse, hats, shelf):
    for hat in hats:
        shelf.wrong[hat.sku] = (503, "")
    assert push(warehouse).state == State.FAILED
    schedule.queue_pushes()
    assert len(runs()) == 1


def test_a_warehouse_is_never_read_for_products(warehouse):
    schedule.queue_regular_runs()
    assert runs() == ["shipping-services"]


def test_the_syncs_of_a_warehouse_are_products_there_and_stock_here(warehouse):
    integration = warehouse.integration
    assert offering.supported(integration) == ["products", "shipping-services", "product-stocks"]
    for code in ("products", "product-stocks"):
        queueing.ask(integration, code, by=None)
    assert sorted(runs()) == ["count", "items"]


def test_a_resumed_warehouse_is_told_and_counted(warehouse, hats):
    connections = Connection.objects.filter(pk=warehouse.pk)
    queueing.pause(connections)
    assert queueing.resume(connections) == 1
    assert sorted(runs()) == ["count", "items"]
