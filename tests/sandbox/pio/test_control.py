import json

import pytest

from tests.sandbox.driver import Sandbox, start, stop

from .driver import ADMIN, CALLBACK, PICKER, PRODUCT, Client, error_of

OWN = {"SANDBOX_PIO_CLIENT_ID": "own", "SANDBOX_PIO_CLIENT_SECRET": "s3cret"}
USERS = [
    {"email": ADMIN[0], "password": ADMIN[1], "role": "admin", "organization": "Foo 3PL"},
    {"email": PICKER[0], "password": PICKER[1], "role": "picker", "organization": "Foo 3PL"},
]


def state(sandbox):
    return sandbox.control("GET", "state").json()["pio"]


def truth(sandbox):
    return [json.loads(line) for line in sandbox.control("GET", "pio/products").text.splitlines()]


def test_the_seeded_world_is_a_3pl_with_an_admin_and_a_picker_and_a_reset_brings_it_back(sandbox, listener):
    shop = Client(sandbox).register().shop()
    product = shop.own_product()
    shop.hook("inventory_levels.update", listener.url)
    shop.move("store", product, 1)
    sandbox.control("POST", "reset")
    sandbox.brands.clear()
    seeded = state(sandbox)
    assert [organization.pop("id") > 0 for organization in seeded["organizations"]] == [True]
    assert seeded == {
        "users": USERS,
        "organizations": [{"name": "Foo 3PL"}],
        "integrations": [],
        "shops": [],
        "products": 0,
        "orders": 0,
        "auto_pick": {"enabled": False, "delay": 0},
        "waiting_deliveries": 0,
    }
    assert (truth(sandbox), shop.deliveries()) == ([], [])
    assert error_of(shop.call("GET", "products"))[0] == 403


def test_the_state_shows_each_shop_and_its_hooks_and_no_secret(shop, listener):
    shop.hook("inventory_levels.update", listener.url)
    told = shop.client.sandbox.control("GET", "state")
    found = next(each for each in told.json()["pio"]["shops"] if each["id"] == shop.id)
    assert found == {
        "id": shop.id,
        "organization": found["organization"],
        "integration": shop.client.client_id,
        "name": "Great Hats",
        "ext_shop_id": shop.ext_shop_id,
        "active": True,
        "authorized": True,
        "hooks": [{"event_type": "inventory_levels.update", "target_url": listener.url}],
    }
    assert shop.token not in told.text and shop.client.secret not in told.text


def test_the_integration_of_the_environment_is_registered_at_every_start(tmp_path):
    def registered(addresses):
        process, url = start(tmp_path / "sandbox.sqlite3", **OWN, SANDBOX_PIO_REDIRECT_URIS=addresses)
        sandbox = Sandbox(url)
        known = state(sandbox)["integrations"]
        sandbox.close()
        assert stop(process) == 0
        return known

    own = {"client_id": "own", "name": "Crossdock"}
    assert registered(f"{CALLBACK}, http://b/") == [own | {"callback_urls": [CALLBACK, "http://b/"]}]
    assert registered("https://c/") == [own | {"callback_urls": ["https://c/"]}]


def test_products_are_made_to_measure_with_pictures_and_stock(shop):
    sandbox = shop.client.sandbox
    for _ in range(2):
        body = {"count": 3, "shop": shop.id, "in_stock": 4}
        assert sandbox.control("POST", "pio/products", json=body).json() == {"made": 3}
    own = shop.good("GET", "products")["data"]
    assert len({product["sku"] for product in own}) == 6
    assert [product["inventory"]["in_stock"] for product in own] == [4] * 6
    picture = own[0]["image_src"].removeprefix(sandbox.url)
    assert sandbox.ask("GET", picture).headers["Content-Type"] == "image/svg+xml"
    assert [row["in_stock"] for row in shop.good("GET", "inventory")["data"]] == [4] * 6


def test_the_truth_says_what_lies_where_and_what_each_shop_calls_it(shop):
    product = shop.own_product(image_src="http://localhost:3000/x.png")
    shop.move("store", product, 3)
    assert truth(shop.client.sandbox)[-1] == {
        "id": product["id"],
        "organization": state(shop.client.sandbox)["organizations"][0]["id"],
        "sku": product["sku"],
        "name": PRODUCT["name"],
        "image_src": "http://localhost:3000/x.png",
        "in_stock": 3,
        "reserved": 0,
        "available": 3,
        "version": 1,
        "storage": [{"kind": "grid", "name": "A1", "quantity": 3}],
        "mappings": [{"shop": shop.id, "ext_product_id": "p1", "ext_variant_id": "v1"}],
    }


def test_a_move_finds_its_product_by_sku_too(shop):
    product = shop.own_product()
    body = {"sku": product["sku"], "quantity": 2}
    assert shop.client.sandbox.control("POST", "pio/store", json=body).json()["product"] == product["id"]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("store", {}, 422),
        ("store", {"sku": "nothing", "quantity": 1}, 404),
        ("store", {"product": 0, "quantity": 1}, 404),
        ("store", {"product": 10**30, "quantity": 1}, 404),
        ("store", {"product": "x", "quantity": 1}, 422),
        ("store", {"sku": "x", "quantity": 0}, 422),
        ("pick", {"sku": "x", "quantity": -1}, 422),
        ("pick", {"sku": "x", "quantity": 1, "kind": "cellar"}, 422),
        ("count", {"sku": "x", "quantity": 1, "name": ""}, 422),
        ("count", {"sku": "x", "quantity": 1, "reserved": 5}, 422),
        ("products", {"count": 0}, 422),
        ("products", {"count": 1, "shop": 0}, 422),
        ("products", {"count": 1, "shop": "x"}, 422),
        ("users", {"organization": 0, "email": "a@b.example", "password": "x", "role": "admin"}, 422),
        ("users", {"email": "nobody", "role": "king"}, 422),
        ("users", {"email": ADMIN[0], "password": "x", "role": "admin"}, 422),
        ("organizations", {"name": ""}, 422),
        ("integrations", {"client_id": "x", "client_secret": "y", "redirect_uris": "http://x/"}, 422),
        ("revoke", {"shop": 0}, 422),
        ("fulfillments/0/reject", {}, 422),
        ("fulfillments/0/reject", {"reason": "x"}, 404),
        ("fulfillments/0/send", {"pieces": [1]}, 422),
        ("fulfillments/0/send", {"pieces": {"a": 1.5}}, 422),
        ("fulfillments/0/send", {"pieces": {"a": True}}, 422),
        ("deliveries/pass", {"seconds": -1}, 422),
        ("deliveries/pass", {}, 422),
    ],
)
def test_bad_input_is_refused_with_its_reason(sandbox, path, body, status):
    answer = sandbox.ask("POST", f"/_control/pio/{path}", json=body)
    assert answer.status_code == status, answer.text
    assert answer.json()["message"]


def test_less_than_is_asked_for_cannot_be_picked(shop):
    product = shop.own_product()
    shop.move("store", product, 2)
    body = {"product": product["id"], "quantity": 3}
    answer = shop.client.sandbox.ask("POST", "/_control/pio/pick", json=body)
    assert (answer.status_code, answer.json()["message"]) == (409, "Only 2 of it at grid A1.")
    body = {"product": product["id"], "quantity": 1, "name": "elsewhere"}
    assert shop.client.sandbox.ask("POST", "/_control/pio/pick", json=body).status_code == 409
    assert truth(shop.client.sandbox)[-1]["storage"] == [{"kind": "grid", "name": "A1", "quantity": 2}]


@pytest.mark.parametrize("path", ["products", "store", "deliveries/retry", "revoke"])
def test_a_page_of_another_site_cannot_steer_pio(sandbox, path):
    answer = sandbox.ask("POST", f"/_control/pio/{path}", headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403


def test_the_ledger_tells_what_was_asked_of_pio_and_hides_secrets(client):
    client.sandbox.control("DELETE", "requests")
    shop = client.shop()
    shop.good("GET", "products", params={"limit": 5})
    told = client.sandbox.control("GET", "requests")
    entries = told.json()["requests"]
    calls = [(entry["method"], entry["path"], entry["status"]) for entry in entries]
    assert [call for call in calls if call[1].startswith("/api/")] == [
        ("POST", "/api/v1/oauth/access_token", 200),
        ("POST", "/api/v1/shops", 200),
        ("GET", "/api/v1/products", 200),
    ]
    assert entries[-1]["query"] == {"limit": "5"}
    for secret in (shop.token, client.secret, ADMIN[1]):
        assert secret not in told.text


def test_the_ledger_of_orders_keeps_every_one_that_was_accepted_and_counts_the_pairs(sandbox):
    sandbox.control("POST", "reset")
    sandbox.brands.clear()
    shop = Client(sandbox).register().shop()
    product = shop.stocked(1)
    pair = {"ext_order_id": "1", "ext_fulfillment_order_id": "f1"}
    first = shop.order(product, 2, **pair)
    shop.good("DELETE", f"orders/{first['id']}")
    second = shop.order(product, 1, **pair, tags=["vip"])
    fulfillment = shop.fulfillment(second)
    kept = [json.loads(line) for line in sandbox.control("GET", "pio/orders").text.splitlines()]
    assert [(order["id"], order["step"], order["fulfillment"]) for order in kept] == [
        (first["id"], "deleted", None),
        (second["id"], "prepared", {"id": fulfillment["id"], "state": "open"}),
    ]
    shared = ("tags", "notes", "shipping_method", "destination_address", "order_number", "lines", *pair)
    assert kept[1] == {name: second[name] for name in shared} | {
        "id": second["id"],
        "shop": shop.id,
        "step": "prepared",
        "accepted_at": second["created_at"],
        "fulfillment": kept[1]["fulfillment"],
    }
    assert sandbox.control("GET", "pio/orders/pairs").json() == {
        "accepted": 2,
        "pairs": 1,
        "more_than_once": [{"shop": shop.id, **pair, "count": 2, "living": 1}],
    }


@pytest.mark.parametrize("wrong", [{"enabled": True, "delay": -1}, {"delay": "x"}, {"on": True}])
def test_an_auto_pick_that_makes_no_sense_is_refused(sandbox, wrong):
    assert sandbox.ask("PUT", "/_control/pio/auto_pick", json=wrong).status_code == 422
    assert sandbox.control("GET", "pio/auto_pick").json() == {"enabled": False, "delay": 0}
