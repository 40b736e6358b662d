import json
import signal
from concurrent.futures import ThreadPoolExecutor

from tests.sandbox.driver import Sandbox, start, stop

from .driver import Client, becomes


def step_of(shop, order):
    lines = shop.client.sandbox.control("GET", "pio/orders").text.splitlines()
    return next(found["step"] for found in map(json.loads, lines) if found["id"] == order["id"])


def waits(shop, order):
    becomes(lambda: step_of(shop, order) == "waiting")
    return order


def test_behaviours_73_and_74_an_order_becomes_a_fulfilment_later_which_reserves_its_stock(shop, listener):
    product = shop.stocked(5)
    shop.hook("fulfillments.create", listener.url)
    order = shop.order(product, 3)
    message = listener.hears(1)[0]
    assert message.is_signed_with(shop.client.secret)
    assert message.data == {
        "event_type": "fulfillments.create",
        "id": message.data["id"],
        "order_id": order["id"],
        "ext_order_id": order["ext_order_id"],
        "ext_fulfillment_order_id": order["ext_fulfillment_order_id"],
        "state": "open",
        "closed": False,
        "reason": "",
        "version": 1,
        "created_at": message.data["created_at"],
        "updated_at": message.data["updated_at"],
        "lines": [{"sku": product["sku"], "ext_order_line_item_id": "a", "quantity": 3, "sent": 0}],
        "parcels": [],
    }
    assert shop.numbers(product) == [5, 3, 2]


def test_behaviour_73_without_enough_stock_nothing_is_reserved_and_the_order_waits_until_more_is_stored(shop):
    product, other = shop.stocked(2), shop.stocked(9)
    lines = [{"sku": product["sku"], "quantity": 3}, {"sku": other["sku"], "quantity": 1}]
    order = waits(shop, shop.order(product, lines=lines))
    assert (shop.numbers(product), shop.numbers(other)) == ([2, 0, 2], [9, 0, 9])
    shop.move("store", product, 1)
    assert shop.fulfillment(order)["state"] == "open"
    assert (shop.numbers(product), shop.numbers(other)) == ([3, 3, 0], [9, 1, 8])


def test_two_lines_of_one_product_need_the_sum_of_their_pieces(shop):
    product = shop.stocked(3)
    lines = [{"sku": product["sku"], "quantity": 2, "ext_order_line_item_id": line} for line in "ab"]
    order = waits(shop, shop.order(product, lines=lines))
    shop.move("count", product, 4)
    assert shop.fulfillment(order)["lines"][1]["ext_order_line_item_id"] == "b"
    assert shop.numbers(product) == [4, 4, 0]


def test_an_order_that_waits_gets_what_another_gives_back(shop):
    product = shop.stocked(3)
    first = shop.order(product, 3)
    shop.fulfillment(first)
    second = waits(shop, shop.order(product, 2))
    shop.good("DELETE", f"orders/{first['id']}")
    assert shop.fulfillment(second)["state"] == "open"
    assert shop.numbers(product) == [3, 2, 1]


def test_a_deleted_order_is_never_prepared(shop):
    product = shop.own_product()
    order = waits(shop, shop.order(product))
    shop.good("DELETE", f"orders/{order['id']}")
    shop.move("store", product, 1)
    other = shop.order(product)
    assert shop.fulfillment(other)["order_id"] == other["id"]
    assert [found["order_id"] for found in shop.fulfillments()] == [other["id"]]


def test_what_is_there_is_reserved_once_however_many_want_it(shop):
    product = shop.stocked(10)
    with ThreadPoolExecutor(8) as pool:
        orders = list(pool.map(lambda _: shop.order(product), range(25)))
    becomes(lambda: "new" not in {step_of(shop, order) for order in orders})
    assert len(shop.fulfillments()) == 10
    assert shop.numbers(product) == [10, 10, 0]


def test_what_waits_when_the_process_is_killed_is_prepared_by_the_next(tmp_path):
    process, url = start(tmp_path / "sandbox.sqlite3")
    shop = Client(Sandbox(url)).register().shop()
    product = shop.own_product()
    order = waits(shop, shop.order(product))
    shop.client.sandbox.close()
    assert stop(process, by=signal.SIGKILL) == -signal.SIGKILL
    process, url = start(tmp_path / "sandbox.sqlite3")
    shop.client.sandbox = Sandbox(url)
    shop.move("store", product, 1)
    assert shop.fulfillment(order)["state"] == "open"
    shop.client.sandbox.close()
    assert stop(process) == 0


def test_what_may_be_picked_by_itself_is_sent_whole_and_with_tracking(sandbox, shop, auto_pick):
    product = shop.stocked(5)
    orders = [shop.order(product, quantity) for quantity in (2, 3)]
    auto_pick(enabled=True)
    sent = [becomes(lambda order=order: closed(shop, order)) for order in orders]
    assert [(one["state"], one["lines"][0]["sent"]) for one in sent] == [("fulfilled", 2), ("fulfilled", 3)]
    number = f"PIO{sent[0]['id']:09}"
    parcel = sent[0]["parcels"][0]
    assert parcel == {
        "id": parcel["id"],
        "version": 2,
        "carrier": "Pio Post",
        "number": number,
        "url": f"https://track.pio.example/{number}",
        "lines": [{"sku": product["sku"], "ext_order_line_item_id": "a", "quantity": 2}],
        "shipped_at": parcel["shipped_at"],
    }
    assert shop.numbers(product) == [0, 0, 0]
    assert sandbox.control("GET", "state").json()["pio"]["auto_pick"] == {"enabled": True, "delay": 0}


def test_what_may_be_picked_by_itself_later_is_left_alone_so_long(shop, auto_pick):
    auto_pick(enabled=True, delay=600)
    fulfillment = shop.fulfillment(shop.order(shop.stocked(1)))
    other = shop.fulfillment(shop.order(shop.stocked(1)))
    assert [fulfillment["state"], other["state"]] == ["open", "open"]


def test_what_is_not_where_it_should_be_is_rejected_by_itself(shop, auto_pick):
    product = shop.stocked(2)
    order = shop.order(product, 2)
    shop.fulfillment(order)
    shop.move("pick", product, 1)
    auto_pick(enabled=True)
    found = becomes(lambda: closed(shop, order))
    assert (found["state"], found["reason"]) == ("rejected", f"Only 1 of {product['sku']} lie here.")
    assert shop.numbers(product) == [1, 0, 1]


def closed(shop, order):
    found = shop.fulfillment(order)
    return found if found["closed"] else None
