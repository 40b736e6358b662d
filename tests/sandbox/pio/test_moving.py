import json
from concurrent.futures import ThreadPoolExecutor

import pytest

LEVELS, LOG = "inventory_levels.update", "inventory_log.create"


def entries(shop, product):
    lines = shop.client.sandbox.control("GET", "pio/log").text.splitlines()
    return [entry for entry in map(json.loads, lines) if entry["product"] == product["id"]]


@pytest.mark.parametrize(
    ("reason", "quantity", "change"), [("store", 4, 4), ("pick", 3, -3), ("count", 2, -8), ("count", 12, 2)]
)
def test_each_move_writes_one_entry_and_sends_one_message_per_hook_in_one_format(
    shop, listener, reason, quantity, change
):
    product = shop.own_product()
    shop.move("store", product, 10, kind="shelf", name="C 3")
    for event in (LEVELS, LOG):
        shop.hook(event, listener.url)
    entry = shop.move(reason, product, quantity, kind="shelf", name="C 3")
    assert entries(shop, product)[1:] == [entry]
    now = 10 + change
    assert entry == {
        "id": entry["id"],
        "product": product["id"],
        "reason": reason,
        "change": change,
        "in_stock": now,
        "kind": "shelf",
        "name": "C 3",
        "occurred_at": entry["occurred_at"],
    }
    message = {
        "product": {name: product[name] for name in ("id", "sku", "ext_product_id", "ext_variant_id", "name")},
        "in_stock": now,
        "reserved": 0,
        "available": now,
        "change": change,
        "reason": reason,
        "storage": {"kind": "shelf", "name": "C 3"},
        "log_id": entry["id"],
        "version": 2,
        "occurred_at": entry["occurred_at"],
    }
    said = {heard.event: heard.data for heard in listener.hears(2)}
    assert said == {event: message | {"event_type": event} for event in (LEVELS, LOG)}


def test_a_count_that_finds_what_was_known_writes_and_sends_nothing(shop, listener):
    product = shop.own_product()
    shop.move("store", product, 10)
    shop.hook(LEVELS, listener.url)
    assert shop.move("count", product, 10) == {}
    assert len(entries(shop, product)) == 1
    assert shop.deliveries() == []


def test_every_shop_that_has_the_product_is_told_by_its_own_names_and_no_other(shop, listener):
    product = shop.own_product()
    other, stranger = shop.client.shop(), shop.client.shop()
    stranger.own_product()
    other.add(sku=product["sku"], ext_product_id="theirs", ext_variant_id="")
    for each in (shop, other, stranger):
        each.hook(LEVELS, listener.url)
    shop.move("store", product, 1)
    told = {m.headers["x-pio-ext-shop-id"]: m.data["product"]["ext_product_id"] for m in listener.hears(2)}
    assert told == {shop.ext_shop_id: "p1", other.ext_shop_id: "theirs"}
    assert stranger.deliveries() == []


def test_a_move_is_not_held_up_by_a_receiver_that_fails(shop, listener):
    listener.answer = lambda message: 500
    product = shop.own_product()
    shop.hook(LEVELS, listener.url)
    shop.move("store", product, 1)
    listener.hears(1)
    shop.move("pick", product, 1)
    assert shop.good("GET", f"products/{product['id']}")["inventory"]["in_stock"] == 0


def test_the_versions_of_a_product_grow_by_one_however_many_move_at_once(shop):
    product = shop.own_product()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: shop.move("store", product, 1), range(40)))
    known = entries(shop, product)
    assert [entry["in_stock"] for entry in known] == [*range(1, 41)]
    truth = map(json.loads, shop.client.sandbox.control("GET", "pio/products").text.splitlines())
    found = next(row for row in truth if row["id"] == product["id"])
    assert (found["in_stock"], found["version"]) == (40, 40)
    assert found["storage"] == [{"kind": "grid", "name": "A1", "quantity": 40}]
