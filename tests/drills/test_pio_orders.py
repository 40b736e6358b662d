"""Our half of Pio's orders against the simulated other half: both mean the same, and a fault leaves one order there."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
import requests

from apps.integrations.connectors.base import Rejected, StoreRef, Unauthorized, Unreachable
from apps.integrations.connectors.orders import (
    Address,
    FulfillmentNews,
    FulfillmentPage,
    HandedLine,
    HandedOrder,
    Step,
    Tracking,
)
from apps.integrations.connectors.pio.client import PioClient
from tests.sandbox.driver import Sandbox
from tests.sandbox.pio.driver import Client, Listener, Shop, listening

HATS = StoreRef("", "", "great-hats", "Great Hats")
ORDERS = "/api/v1/orders"


@pytest.fixture
def shop(sandbox: Sandbox) -> Iterator[Shop]:
    yield Client(sandbox).register().shop()
    sandbox.control("DELETE", "faults")


@pytest.fixture
def client(shop: Shop) -> Iterator[PioClient]:
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {shop.token}"
        session.trust_env = False
        yield PioClient(session, address=shop.client.sandbox.url)


@pytest.fixture
def listener(shop: Shop, client: PioClient) -> Iterator[Listener]:
    with listening() as listener:
        client.subscribe(HATS, listener.url)
        yield listener


@pytest.fixture
def order(shop: Shop) -> HandedOrder:
    """Three pieces of a product of which five lie there."""
    return HandedOrder(
        reference="our-reference",
        ext_order_id="1001",
        number="#1001",
        lines=(HandedLine("l1", shop.stocked(5)["sku"], 3),),
        destination=Address(first_name="Ann", city="Délft"),
        tags=("vip",),
        notes="Gift wrap 🎁",
    )


def kept(shop: Shop) -> list[dict]:
    return shop.good("GET", "orders")["data"]


def refusal(deed, *details) -> str:
    with pytest.raises(Rejected) as refused:
        deed(HATS, *details)
    return refused.value.code


def test_an_order_is_handed_over_found_changed_and_cancelled(shop, client, order):
    remote_id = client.put_order(HATS, order)
    assert client.find_order(HATS, "our-reference") == remote_id
    assert client.find_order(HATS, "another") is None
    assert refusal(client.put_order, order) == "order_already_exists"
    client.change_order(HATS, replace(order, notes="No paper", destination=Address(city="Leiden")))
    [there] = kept(shop)
    assert (there["notes"], there["destination_address"]["city"], there["tags"]) == ("No paper", "Leiden", ["vip"])
    for _ in range(2):
        client.cancel_order(HATS, replace(order, remote_id=remote_id))
    assert (client.find_order(HATS, "our-reference"), kept(shop)) == (None, [])
    assert client.put_order(HATS, order) != remote_id


def test_what_was_begun_or_sent_is_not_cancelled(shop, client, order):
    taken = replace(order, remote_id=client.put_order(HATS, order))
    fulfillment = shop.fulfillment({"id": int(taken.remote_id)})
    shop.at_port("start", fulfillment)
    assert refusal(client.cancel_order, taken) == "picking_in_progress"
    shop.at_port("send", fulfillment)
    assert refusal(client.cancel_order, taken) == "order_already_fulfilled"
    assert refusal(client.change_order, taken) == "order_already_fulfilled"


def test_a_sku_that_pio_does_not_know_is_refused_by_name(client, order):
    assert refusal(client.put_order, replace(order, lines=(HandedLine("l1", "nothing", 1),))) == "product_not_found"


def test_webhooks_and_the_list_say_the_same(shop, client, order, listener):
    remote_id = client.put_order(HATS, order)
    fulfillment = shop.fulfillment({"id": int(remote_id)})
    began = client.fulfillments(HATS)
    shop.at_port("start", fulfillment)
    shop.at_port("send", fulfillment, pieces={"l1": 1}, rest_follows=True, number="3S1")
    shop.at_port("send", fulfillment, number="3S2", carrier="PostNL")
    heard = [m for m in listener.hears(8) if m.event.startswith("fulfillments")]
    assert all(client.verify(m.headers, m.body, secrets=[shop.client.secret]).shop_ref for m in heard)
    told = sorted((client.news(m.event, m.body) for m in heard), key=lambda news: news[-1].version)
    assert [[(one.step, one.version, one.shipped, one.is_final) for one in news] for news in told] == [
        [(Step.TAKEN, 1, {}, False)],
        [(Step.PICKING, 2, {}, False)],
        [(Step.SHIPPED, 3, {"l1": 1}, False)],
        [(Step.SHIPPED, 3, {"l1": 1}, False), (Step.SHIPPED, 4, {"l1": 3}, True)],
    ]
    page = client.fulfillments(HATS, began.resume_from)
    assert page == FulfillmentPage(told[-1], resume_from=page.resume_from)
    assert client.fulfillments(HATS, page.resume_from) == page
    last = page.items[-1]
    assert last == FulfillmentNews(
        Step.SHIPPED,
        reference="our-reference",
        remote_id=remote_id,
        shipped={"l1": 3},
        tracking=Tracking("PostNL", "3S2", ""),
        is_final=True,
        version=4,
        occurred_at=last.occurred_at,
        entry=last.entry,
    )
    assert page.items[0].entry != last.entry != ""


def test_the_list_is_read_whole_over_its_pages(shop, client, order, monkeypatch):
    monkeypatch.setattr("apps.integrations.connectors.pio.client.PAGE", 2)
    for number in range(5):
        lines = (replace(order.lines[0], quantity=1),)
        remote_id = client.put_order(HATS, replace(order, reference=f"f{number}", lines=lines))
        shop.fulfillment({"id": int(remote_id)})
    page = client.fulfillments(HATS)
    found = [one.reference for one in page.items]
    while page.next_cursor:
        page = client.fulfillments(HATS, page.next_cursor)
        found += [one.reference for one in page.items]
    assert found == [f"f{number}" for number in range(5)]
    assert [one.reference for one in client.fulfillments(HATS, page.resume_from).items] == ["f4"]


def test_the_ways_to_ship_are_listed(client):
    assert [service.code for service in client.services(HATS)] == ["standard", "express", "pickup"]


@pytest.mark.parametrize("fault", ["lost_answer", "cut_off_json", "server_error", "rate_limited", "unauthorized"])
def test_after_any_fault_the_order_is_found_or_sent_again_and_is_there_once(sandbox, shop, client, order, fault):
    sandbox.fault(fault, path=ORDERS)
    with pytest.raises((Unreachable, Unauthorized)):
        client.put_order(HATS, order)
    remote_id = client.find_order(HATS, order.reference) or client.put_order(HATS, order)
    assert [str(one["id"]) for one in kept(shop)] == [remote_id]
