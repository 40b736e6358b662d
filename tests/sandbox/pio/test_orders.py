import secrets
from concurrent.futures import ThreadPoolExecutor

import pytest

from .driver import error_of

ADDRESS = {
    "first_name": "Ann",
    "last_name": "O'Neil",
    "company": "",
    "address1": "Gracht 1",
    "address2": "",
    "city": "Délft",
    "province": "",
    "zip": "2611 AB",
    "country": "NL",
    "phone": "+31",
    "email": "ann@example.com",
}
CHANGEABLE = {"tags": ["vip", "gift"], "notes": " Wrap it.\nTwice 🎁", "destination_address": ADDRESS}


def body_of(product, **changes):
    line = {"sku": product["sku"], "quantity": 3, "ext_order_line_item_id": "a"}
    return {"ext_order_id": secrets.token_hex(6), "ext_fulfillment_order_id": "f1", "lines": [line]} | changes


@pytest.fixture
def product(shop):
    return shop.own_product()


def test_behaviour_70_an_order_is_kept_with_all_that_was_said_of_it(shop, product):
    said = body_of(product, order_number="#1001", shipping_method="express", **CHANGEABLE)
    order = shop.good("POST", "orders", json=said)
    assert order == said | {
        "id": order["id"],
        "state": "open",
        "lines": [{"sku": product["sku"], "ext_order_line_item_id": "a", "quantity": 3, "sent": 0}],
        "created_at": order["created_at"],
    }
    assert shop.good("GET", f"orders/{order['id']}") == order


def test_the_least_an_order_can_say(shop, product):
    order = shop.good("POST", "orders", json={"ext_order_id": "1", "lines": [{"sku": product["sku"], "quantity": 1}]})
    assert (order["ext_fulfillment_order_id"], order["tags"], order["notes"]) == ("", [], "")
    assert order["destination_address"] == {}


def test_behaviour_71_a_pair_of_external_ids_is_of_one_order_until_that_is_deleted(shop, product):
    order = shop.order(product)
    pair = {name: order[name] for name in ("ext_order_id", "ext_fulfillment_order_id")}
    assert error_of(shop.call("POST", "orders", json=body_of(product, **pair))) == (400, "order_already_exists")
    for other in pair:
        shop.order(product, **pair | {other: "another"})
    shop.good("DELETE", f"orders/{order['id']}")
    assert shop.order(product, **pair)["id"] != order["id"]


def test_behaviour_71_of_many_that_come_at_once_one_is_taken(shop, product):
    body = body_of(product)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: shop.call("POST", "orders", json=body).status_code, range(16)))
    assert sorted(answers) == [200] + [400] * 15
    assert len(shop.good("GET", "orders")["data"]) == 1


def test_a_pair_of_another_shop_is_another_one(shop, product):
    other = shop.client.shop()
    order, theirs = shop.order(product, ext_order_id="1"), other.order(other.own_product(), ext_order_id="1")
    assert order["id"] != theirs["id"]
    for method, body in (("GET", None), ("PUT", {"notes": "mine"}), ("DELETE", None)):
        assert error_of(shop.call(method, f"orders/{theirs['id']}", json=body)) == (404, "order_not_found")
    assert [found["id"] for found in shop.good("GET", "orders")["data"]] == [order["id"]]


def test_a_sku_that_the_shop_has_not_linked_is_refused_and_nothing_is_kept(shop, product):
    theirs = shop.client.shop().own_product()
    for sku in ("nothing", theirs["sku"]):
        lines = [{"sku": product["sku"], "quantity": 1}, {"sku": sku, "quantity": 1}]
        answer = shop.call("POST", "orders", json=body_of(product, lines=lines))
        assert error_of(answer) == (422, "product_not_found")
        assert answer.json()["details"] == [{"attribute": sku, "message": "is no product of this shop"}]
    assert shop.good("GET", "orders")["data"] == []


@pytest.mark.parametrize(
    ("wrong", "attribute"),
    [
        ({"ext_order_id": ""}, "ext_order_id"),
        ({"ext_order_id": 7}, "ext_order_id"),
        ({"ext_order_id": "x" * 256}, "ext_order_id"),
        ({"lines": []}, "lines"),
        ({"lines": None}, "lines"),
        ({"lines": {"sku": "x"}}, "lines"),
        ({"lines": ["x"]}, "lines"),
        ({"lines": [{"sku": "x", "quantity": 0}]}, "lines"),
        ({"lines": [{"sku": "x", "quantity": "many"}]}, "lines"),
        ({"lines": [{"quantity": 1}]}, "lines"),
        ({"lines": [{"sku": "x", "quantity": 1, "ext_order_line_item_id": "a"}] * 2}, "lines"),
        ({"lines": [{"sku": "x", "quantity": 1}] * 1001}, "lines"),
        ({"tags": "vip"}, "tags"),
        ({"notes": ["x"]}, "notes"),
        ({"destination_address": "Main St 1"}, "destination_address"),
        ({"destination_address": {"city": 7}}, "destination_address"),
    ],
)
def test_what_makes_no_sense_is_refused(shop, product, wrong, attribute):
    answer = shop.call("POST", "orders", json=body_of(product, **wrong))
    assert error_of(answer) == (422, "validation_error")
    assert [detail["attribute"] for detail in answer.json()["details"]] == [attribute]


def test_orders_are_listed_page_by_page_and_found_by_either_external_id(shop, product):
    orders = [shop.order(product) for _ in range(3)]
    first = shop.good("GET", "orders", params={"limit": 2})
    last = shop.good("GET", "orders", params={"limit": 2, "cursor": first["next"]})
    assert [order["id"] for order in first["data"] + last["data"]] == [order["id"] for order in orders]
    assert last["next"] is None
    for name in ("ext_order_id", "ext_fulfillment_order_id"):
        found = shop.good("GET", "orders", params={name: orders[1][name]})["data"]
        assert [order["id"] for order in found] == [orders[1]["id"]]
    assert shop.good("GET", "orders", params={"ext_order_id": "nothing"}) == {"data": [], "next": None}


def test_behaviour_72_tags_notes_and_destination_change_and_what_is_not_given_stays(shop, product):
    order = shop.order(product)
    path = f"orders/{order['id']}"
    assert shop.good("PUT", path, json=CHANGEABLE) == order | CHANGEABLE
    assert shop.good("PUT", path, json={"notes": ""}) == order | CHANGEABLE | {"notes": ""}
    assert shop.good("GET", path)["tags"] == ["vip", "gift"]


@pytest.mark.parametrize("field", ["lines", "shipping_method", "ext_order_id", "ext_fulfillment_order_id", "state"])
def test_behaviour_72_a_change_of_anything_else_is_refused_as_a_whole(shop, product, field):
    order = shop.order(product)
    path = f"orders/{order['id']}"
    answer = shop.call("PUT", path, json={"notes": "new", field: order[field]})
    assert error_of(answer) == (422, "field_not_changeable")
    assert shop.good("GET", path) == order


def test_a_change_that_makes_no_sense_is_refused(shop, product):
    path = f"orders/{shop.order(product)['id']}"
    assert error_of(shop.call("PUT", path, json={"tags": [1]})) == (422, "validation_error")


def test_behaviour_77_an_order_that_waits_is_deleted_and_found_no_more(shop, product):
    path = f"orders/{shop.order(product)['id']}"
    assert shop.call("DELETE", path).status_code == 204
    for method in ("GET", "DELETE"):
        assert error_of(shop.call(method, path)) == (404, "order_not_found")
    assert shop.good("GET", "orders")["data"] == []


def test_behaviour_77_deleting_a_prepared_order_frees_its_stock_and_tells_of_it(shop, listener):
    product = shop.stocked(5)
    order = shop.order(product, 3)
    fulfillment = shop.fulfillment(order)
    assert shop.numbers(product) == [5, 3, 2]
    shop.hook("fulfillments.update", listener.url)
    shop.good("DELETE", f"orders/{order['id']}")
    assert shop.numbers(product) == [5, 0, 5]
    said = listener.hears(1)[0].data
    assert (said["id"], said["state"], said["closed"], said["version"]) == (fulfillment["id"], "cancelled", True, 2)


def test_behaviour_77_an_order_that_is_picked_or_was_is_not_deleted(shop):
    product = shop.stocked(5)
    order = shop.order(product, 3)
    path, fulfillment = f"orders/{order['id']}", shop.fulfillment(order)
    shop.at_port("start", fulfillment)
    assert error_of(shop.call("DELETE", path)) == (422, "picking_in_progress")
    assert shop.good("PUT", path, json={"notes": "Please hurry"})["state"] == "in_progress"
    shop.at_port("send", fulfillment, pieces={"a": 1}, rest_follows=True)
    assert error_of(shop.call("DELETE", path)) == (422, "order_already_fulfilled")
    shop.at_port("send", fulfillment)
    for method, body in (("DELETE", None), ("PUT", {"notes": "Too late"})):
        assert error_of(shop.call(method, path, json=body)) == (422, "order_already_fulfilled")
    assert shop.good("GET", path)["notes"] == "Please hurry"
    assert shop.numbers(product) == [2, 0, 2]


def test_an_order_that_the_port_has_rejected_can_be_deleted_and_created_anew(shop):
    product = shop.stocked(5)
    order = shop.order(product, 3)
    shop.at_port("reject", shop.fulfillment(order), reason="Broken")
    assert shop.good("GET", f"orders/{order['id']}")["state"] == "deviated"
    shop.good("DELETE", f"orders/{order['id']}")
    pair = {name: order[name] for name in ("ext_order_id", "ext_fulfillment_order_id")}
    assert shop.fulfillment(shop.order(product, 3, **pair))["state"] == "open"
    assert shop.numbers(product) == [5, 3, 2]


def test_who_may_not_call_is_refused(shop, product):
    answer = shop.client.call("POST", "orders", token="nonsense", json=body_of(product))
    assert error_of(answer) == (403, "could_not_validate_credentials")
    assert error_of(shop.client.sandbox.ask("GET", "/api/v1/orders")) == (401, "unauthorized")
    token = shop.client.token()
    assert error_of(shop.client.call("GET", "orders", token=token)) == (404, "shop_not_found")
    assert error_of(shop.call("DELETE", "orders")) == (405, "method_not_allowed")


def test_the_faults_hit_orders_too(sandbox, shop, product):
    sandbox.fault("server_error", path="/api/v1/orders")
    body = body_of(product)
    assert error_of(shop.call("POST", "orders", json=body)) == (500, "internal_server_error")
    assert shop.good("GET", "orders")["data"] == []


def test_an_order_whose_answer_is_lost_was_taken_all_the_same(sandbox, shop, product):
    sandbox.fault("lost_answer", path="/api/v1/orders")
    assert shop.good("GET", "orders")["data"] == []
    body = body_of(product)
    assert error_of(shop.call("POST", "orders", json=body | {"ext_order_id": ""}))[0] == 422
    with pytest.raises(OSError, match="Connection aborted"):
        shop.call("POST", "orders", json=body)
    assert [order["ext_order_id"] for order in shop.good("GET", "orders")["data"]] == [body["ext_order_id"]]
    assert error_of(shop.call("POST", "orders", json=body)) == (400, "order_already_exists")
    assert sandbox.control("GET", "state").json()["faults"] == []


def test_the_state_of_an_order_follows_from_its_fulfilment_alone(shop):
    """Behaviour 79."""
    product = shop.stocked(3)
    order = shop.order(product, 3)

    def state():
        return shop.good("GET", f"orders/{order['id']}")["state"]

    fulfillment = shop.fulfillment(order)
    states = [state()]
    for deed, details in (("start", {}), ("send", {"pieces": {"a": 1}, "rest_follows": True}), ("send", {})):
        shop.at_port(deed, fulfillment, **details)
        states.append(state())
    assert states == ["open", "in_progress", "partly_fulfilled", "fulfilled"]


def test_shipping_rates_are_listed(shop):
    rates = shop.good("GET", "shipping_rates")
    assert [rate["id"] for rate in rates["data"]] == ["standard", "express", "pickup"]
    assert rates["next"] is None


def test_a_removed_product_leaves_the_orders_of_it_there_and_they_wait(shop, product):
    order = shop.order(product)
    shop.good("DELETE", f"products/{product['id']}")
    assert shop.good("GET", f"orders/{order['id']}")["lines"][0]["sku"] == product["sku"]
