import json
import secrets

import pytest

from .driver import PRODUCT, error_of

NOTHING = {"in_stock": 0, "reserved": 0, "available": 0}
FULL = {
    "image_src": "http://localhost:3000/assets/beanie.png",
    "barcodes": ["4006381333931", "0012345678905"],
    "tags": ["winter", "🎩"],
    "brand": "Häts & Co",
    "type": "beanie",
    "price": 19.9,
    "currency": "EUR",
    "weight": 120.5,
    "length": 300.0,
    "width": 200.0,
    "height": 20.0,
    "hs_code": "650500",
    "country_of_origin": "NL",
}


def test_adding_stores_what_is_said_of_a_product_and_no_stock(shop):
    sku = f" HAT-{secrets.token_hex(4)} ß'\"%"
    product = shop.add(sku=sku, **FULL)
    assert product == PRODUCT | FULL | {
        "id": product["id"],
        "sku": sku,
        "mappings": [{"ext_product_id": "p1", "ext_variant_id": "v1"}],
        "inventory": NOTHING,
    }
    assert shop.good("GET", f"products/{product['id']}") == product
    assert shop.good("GET", "products") == {"data": [product], "next": None}


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_no_call_sets_a_stock_number(shop, method):
    product = shop.own_product()
    shop.move("store", product, 5)
    stock = {"in_stock": 9, "quantity": 9, "available": 9, "reserved": 9, "inventory": {"in_stock": 9}, "version": 9}
    path = "products" if method == "POST" else f"products/{product['id']}"
    answer = shop.good(method, path, json=PRODUCT | {"sku": product["sku"]} | stock)
    assert answer["inventory"] == {"in_stock": 5, "reserved": 0, "available": 5}
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        assert error_of(shop.call(method, "inventory", json=stock)) == (405, "method_not_allowed")


def test_adding_it_again_changes_nothing(shop):
    product = shop.own_product()
    assert shop.add(sku=product["sku"], name="Another name") == product


def test_the_same_sku_from_a_second_shop_is_linked_and_not_made_again(shop):
    product, other = shop.own_product(name="Beanie", brand="Ours"), shop.client.shop()
    linked = other.add(sku=product["sku"], name="Muts", ext_product_id="theirs", ext_variant_id="")
    assert linked == product | {
        "ext_product_id": "theirs",
        "ext_variant_id": "",
        "mappings": [{"ext_product_id": "theirs", "ext_variant_id": ""}],
    }
    assert shop.good("GET", f"products/{product['id']}") == product


def test_a_product_can_have_several_names_in_a_shop(shop):
    product = shop.own_product()
    second = shop.add(sku=product["sku"], ext_variant_id="v2")
    names = [{"ext_product_id": "p1", "ext_variant_id": variant} for variant in ("v1", "v2")]
    assert second == product | {"mappings": names}
    assert len(shop.good("GET", "products")["data"]) == 1


def test_external_ids_lead_to_one_product_of_a_shop(shop):
    product = shop.own_product()
    body = PRODUCT | {"sku": "another-sku"}
    assert error_of(shop.call("POST", "products", json=body)) == (400, "product_mapping_already_exists")
    assert shop.good("GET", "products")["data"] == [product]
    assert "another-sku" not in shop.client.sandbox.control("GET", "pio/products").text


def test_a_product_of_another_shop_is_not_there(shop):
    path = f"products/{shop.client.shop().own_product()['id']}"
    answers = [shop.call("GET", path), shop.call("PUT", path, json={}), shop.call("DELETE", path)]
    assert [error_of(answer) for answer in answers] == [(404, "product_not_found")] * 3


@pytest.mark.parametrize("product_id", ["0", "99999999999999999999999", "-1", "x", "1.5", "%00"])
def test_a_product_that_never_was_is_not_there(shop, product_id):
    assert shop.call("GET", f"products/{product_id}").status_code == 404


def test_a_change_is_of_the_given_fields_only(shop):
    product = shop.own_product(**FULL)
    change = {"name": "Renamed", "brand": "Other", "sku": product["sku"] + "-2", "ext_variant_id": "v9"}
    changed = shop.good("PUT", f"products/{product['id']}", json=change | {"tags": None})
    expected = product | change | {"mappings": [{"ext_product_id": "p1", "ext_variant_id": "v9"}]}
    del expected["tags"]
    assert changed == expected


def test_a_sku_of_another_product_is_refused(shop):
    first = shop.own_product()
    second = shop.own_product(ext_product_id="p2")
    answer = shop.call("PUT", f"products/{second['id']}", json={"sku": first["sku"], "name": "Lost"})
    assert error_of(answer) == (400, "product_sku_already_exists_and_in_use_by_other_product")
    assert shop.good("GET", f"products/{second['id']}") == second


@pytest.fixture
def twice(shop):
    """A product with the names p1/v1, p1/v2 and p2/v1."""
    product = shop.own_product()
    shop.add(sku=product["sku"], ext_variant_id="v2")
    return shop.add(sku=product["sku"], ext_product_id="p2")


@pytest.mark.parametrize(
    ("old", "expected"),
    [
        ({}, (400, "duplicate_products_found")),
        ({"old_ext_product_id": "p9"}, (400, "mismatched_ext_product_id")),
        ({"old_ext_product_id": "p1", "old_ext_variant_id": "v9"}, (400, "mismatched_ext_variant_id")),
        ({"old_ext_product_id": "p1"}, (422, "old_ext_variant_id_required")),
        ({"old_ext_variant_id": "v9"}, (400, "mismatched_ext_variant_id")),
        ({"old_ext_variant_id": "v1"}, (400, "duplicate_products_found")),
    ],
)
@pytest.mark.parametrize("place", ["json", "params"])
def test_a_change_that_does_not_say_which_name_is_meant_is_refused(shop, twice, old, expected, place):
    sent = {"json": {"ext_product_id": "new", "ext_variant_id": "new"}}
    sent[place] = sent.get(place, {}) | old
    assert error_of(shop.call("PUT", f"products/{twice['id']}", **sent)) == expected
    assert shop.good("GET", f"products/{twice['id']}") == twice


@pytest.mark.parametrize(("old", "place"), [({"old_ext_product_id": "p2"}, 2), ({"old_ext_variant_id": "v2"}, 1)])
def test_a_change_that_says_which_name_is_meant_changes_that_one(shop, twice, old, place):
    change = {"ext_product_id": "new", "ext_variant_id": "new"}
    changed = shop.good("PUT", f"products/{twice['id']}", json=change | old)
    assert changed["mappings"] == [*twice["mappings"][:place], change, *twice["mappings"][place + 1 :]]


def test_a_change_that_repeats_both_ids_means_that_name(shop, twice):
    names = {"ext_product_id": "p1", "ext_variant_id": "v2"}
    assert shop.good("PUT", f"products/{twice['id']}", json=names | {"name": "Renamed"}) == twice | {"name": "Renamed"}


def test_query_and_body_that_disagree_are_refused(shop, twice):
    answer = shop.call(
        "PUT", f"products/{twice['id']}", params={"old_ext_product_id": "p1"}, json={"old_ext_product_id": "p2"}
    )
    assert error_of(answer) == (422, "old_ext_variant_id_required")


def test_a_change_to_external_ids_of_another_product_is_refused(shop):
    first, second = shop.own_product(), shop.own_product(ext_product_id="p2")
    answer = shop.call("PUT", f"products/{second['id']}", json={"ext_product_id": "p1", "name": "Lost"})
    assert error_of(answer) == (400, "product_mapping_already_exists")
    assert shop.good("GET", "products")["data"] == [first, second]


def test_a_product_with_stock_cannot_be_deleted(shop):
    product = shop.own_product()
    shop.move("store", product, 1)
    assert error_of(shop.call("DELETE", f"products/{product['id']}")) == (422, "product_has_stock")
    shop.move("pick", product, 1)
    assert shop.call("DELETE", f"products/{product['id']}").status_code == 204
    assert error_of(shop.call("GET", f"products/{product['id']}")) == (404, "product_not_found")


def test_a_product_deleted_by_one_shop_stays_for_the_other(shop):
    product, other = shop.own_product(), shop.client.shop()
    linked = other.add(sku=product["sku"])
    assert shop.call("DELETE", f"products/{product['id']}").status_code == 204
    assert shop.good("GET", "products")["data"] == []
    assert other.good("GET", f"products/{product['id']}") == linked


@pytest.mark.parametrize("path", ["products", "inventory"])
def test_lists_are_paged_in_a_stable_order_and_a_cursor_is_good_for_its_own_list(shop, path):
    shop.client.sandbox.control("POST", "pio/products", json={"count": 5, "shop": shop.id, "in_stock": 3})
    whole = shop.good("GET", path)
    pages = [shop.good("GET", path, params={"limit": 2})]
    while cursor := pages[-1]["next"]:
        pages.append(shop.good("GET", path, params={"limit": 2, "cursor": cursor}))
    assert [len(page["data"]) for page in pages] == [2, 2, 1]
    assert [row for page in pages for row in page["data"]] == whole["data"]
    other = {"products": "inventory", "inventory": "products"}[path]
    for wrong in (pages[0]["next"] + "x", "nonsense"):
        assert error_of(shop.call("GET", path, params={"cursor": wrong})) == (400, "bad_request")
    assert error_of(shop.call("GET", other, params={"cursor": pages[0]["next"]})) == (400, "bad_request")


@pytest.mark.parametrize("limit", ["0", "501", "-1", "x", "1_0", "٣", "99999999"])
def test_a_limit_that_is_none_is_refused(shop, limit):
    assert error_of(shop.call("GET", "products", params={"limit": limit})) == (422, "validation_error")


def test_the_inventory_says_how_many_and_where(shop):
    product = shop.own_product()
    other = shop.own_product(ext_product_id="p2")
    shop.move("store", product, 5, kind="grid", name="B 12")
    shop.move("store", product, 2, kind="shelf", name="Ünder the stairs")
    shop.move("store", product, 1, kind="shelf", name="emptied")
    shop.move("pick", product, 1, kind="shelf", name="emptied")
    row = {
        "sku": product["sku"],
        "product_id": product["id"],
        "ext_product_id": "p1",
        "ext_variant_id": "v1",
        "in_stock": 7,
        "reserved": 0,
        "available": 7,
        "version": 4,
        "storage": [
            {"kind": "grid", "name": "B 12", "quantity": 5},
            {"kind": "shelf", "name": "Ünder the stairs", "quantity": 2},
        ],
    }
    assert shop.good("GET", "inventory", params={"sku": product["sku"]}) == {"data": [row], "next": None}
    assert [found["sku"] for found in shop.good("GET", "inventory")["data"]] == [product["sku"], other["sku"]]
    assert shop.good("GET", "inventory", params={"sku": "nothing"}) == {"data": [], "next": None}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": None}, "name"),
        ({"name": 5}, "name"),
        ({"name": "nul\0"}, "name"),
        ({"sku": ""}, "sku"),
        ({"sku": ["HAT-1"]}, "sku"),
        ({"sku": "x" * 256}, "sku"),
        ({"ext_product_id": ""}, "ext_product_id"),
        ({"ext_product_id": True}, "ext_product_id"),
        ({"ext_variant_id": {}}, "ext_variant_id"),
        ({"image_src": "no address"}, "image_src"),
        ({"image_src": "javascript:alert(1)"}, "image_src"),
        ({"barcodes": "4006381333931"}, "barcodes"),
        ({"barcodes": [5]}, "barcodes"),
        ({"tags": {}}, "tags"),
        ({"weight": -1}, "weight"),
        ({"weight": "heavy"}, "weight"),
        ({"weight": "NaN"}, "weight"),
        ({"weight": [1]}, "weight"),
        ({"price": 1e999}, "price"),
    ],
)
@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_bad_product_is_refused_and_the_field_is_named(shop, method, changes, field):
    product = shop.own_product()
    path = "products" if method == "POST" else f"products/{product['id']}"
    answer = shop.call(method, path, data=dumped(PRODUCT | {"sku": product["sku"]} | changes))
    assert error_of(answer) == (422, "validation_error")
    assert [detail["attribute"] for detail in answer.json()["details"]] == [field]
    assert shop.good("GET", "products")["data"] == [product]


def dumped(body):
    """JSON as loose as some clients send it: requests would refuse Infinity."""
    return json.dumps(body).encode()


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b'"x"', b"{}" * 2, b'{"name": "\\ud800"}', b"[" * 100_000])
@pytest.mark.parametrize(("method", "path"), [("POST", "products"), ("POST", "hooks"), ("PUT", "products/{id}")])
def test_a_body_that_is_no_object_is_refused(shop, method, path, body):
    product = shop.own_product()
    answer = shop.call(method, path.format(id=product["id"]), data=body)
    if body == b"" and method == "PUT":
        assert answer.json() == product
    else:
        assert answer.status_code in (400, 422) and error_of(answer)[1] in ("bad_request", "validation_error")
    assert shop.good("GET", "products")["data"] == [product]


def test_a_wrong_method_and_a_wrong_path_are_errors_of_pio(shop):
    assert error_of(shop.call("PATCH", "products")) == (405, "method_not_allowed")
    assert error_of(shop.call("GET", "nothing")) == (404, "not_found")
