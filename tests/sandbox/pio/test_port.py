import html
import re
import secrets

import pytest

from .driver import ADMIN, LOGIN, PICKER, logged_in


@pytest.fixture
def picker(sandbox):
    with logged_in(sandbox, PICKER) as browser:
        yield browser


@pytest.fixture
def product(shop):
    name = f"Käpt'n <b>Müßig</b> {secrets.token_hex(6)}"
    return shop.own_product(name=name, image_src="http://localhost:3000/cap.png?w=1&h=2")


def do(browser, product, reason, quantity, *, kind="shelf", name="A1"):
    form = {"reason": reason, "quantity": str(quantity), "kind": kind, "name": name}
    return browser.post(f"/port/products/{product['id']}/", form)


@pytest.mark.parametrize("path", ["/port/", "/port/products/1/", "/port/orders/", "/port/orders/1/"])
def test_the_port_needs_a_login_and_comes_back(sandbox, path):
    assert sandbox.ask("GET", path).headers["Location"].startswith(f"{LOGIN}?next=%2Fport%2F")


def test_a_product_is_found_with_its_picture_how_many_there_are_and_where(shop, product, picker):
    shop.move("store", product, 5, kind="grid", name="B 12")
    shop.move("store", product, 2, kind="shelf", name="C 3")
    for words in (product["name"][-12:], product["sku"][4:]):
        page = picker.sandbox.ask("GET", "/port/", params={"q": words}).text
        assert "1 product." in page
        assert html.escape(product["name"]) in page
        assert html.escape(product["image_src"]) in page
        assert "grid B 12: 5, shelf C 3: 2" in page
        assert "7 in stock, 0 reserved, 7 available" in page


def test_what_is_not_there_is_not_found(picker, product):
    assert "0 products." in picker.sandbox.ask("GET", "/port/", params={"q": "nothing like it\0"}).text


def test_pieces_are_stored_picked_and_counted_by_hand(shop, product, picker):
    moves = [("store", 10, "grid"), ("store", 3, "shelf"), ("pick", 4, "grid"), ("count", 1, "shelf")]
    answers = [do(picker, product, reason, quantity, kind=kind) for reason, quantity, kind in moves]
    assert [answer.headers["Location"] for answer in answers] == [f"/port/products/{product['id']}/"] * 4
    row = shop.good("GET", "inventory")["data"][0]
    assert (row["in_stock"], row["available"]) == (7, 7)
    assert row["storage"] == [
        {"kind": "grid", "name": "A1", "quantity": 6},
        {"kind": "shelf", "name": "A1", "quantity": 1},
    ]
    page = picker.sandbox.ask("GET", f"/port/products/{product['id']}/").text
    assert "7 in stock, 0 reserved, 7 available" in page
    assert [page.count(f">{change}</td>") for change in ("+10", "+3", "-4", "-2")] == [1] * 4


@pytest.mark.parametrize(
    ("reason", "quantity", "sentence"),
    [
        ("pick", 3, "Only 2 of it at shelf A1."),
        ("pick", 0, "must be 1 or more"),
        ("store", -1, "greater than or equal to 0"),
        ("store", 10**30, "less than or equal to 1000000"),
        ("store", "many", "Enter a whole number."),
        ("steal", 1, "Select a valid choice."),
    ],
)
def test_a_move_that_cannot_be_is_explained_and_moves_nothing(shop, product, picker, reason, quantity, sentence):
    shop.move("store", product, 2, kind="shelf")
    answer = do(picker, product, reason, quantity)
    assert answer.status_code == 422
    assert sentence in answer.text
    assert shop.good("GET", f"products/{product['id']}")["inventory"]["in_stock"] == 2


def test_a_place_needs_a_name(shop, product, picker):
    assert do(picker, product, "store", 1, name=" ").status_code == 422
    assert do(picker, product, "store", 1, kind="cellar").status_code == 422


@pytest.fixture
def stranger(sandbox):
    """Somebody of another organization."""
    organization = sandbox.control("POST", "pio/organizations", json={"name": "Baz 3PL"}).json()["id"]
    account = (f"{secrets.token_hex(4)}@baz-3pl.example", "yet another")
    user = {"organization": organization, "email": account[0], "password": account[1], "role": "admin"}
    sandbox.control("POST", "pio/users", json=user)
    with logged_in(sandbox, account) as browser:
        yield browser


def test_a_product_of_another_organization_is_not_there(product, stranger):
    assert "0 products." in stranger.sandbox.ask("GET", "/port/").text
    assert stranger.sandbox.ask("GET", f"/port/products/{product['id']}/").status_code == 404


def test_a_move_without_the_page_is_refused(product, picker):
    form = {"reason": "store", "quantity": "1", "kind": "grid", "name": "A1"}
    assert picker.sandbox.ask("POST", f"/port/products/{product['id']}/", data=form).status_code == 403


def act(browser, fulfillment, deed, **form):
    return browser.post(f"/port/orders/{fulfillment['id']}/", {"deed": deed} | form)


def line_field(browser, fulfillment):
    """The name of the form's one field for pieces."""
    page = browser.sandbox.ask("GET", f"/port/orders/{fulfillment['id']}/").text
    return re.search(r'name="(line_\d+)"', page)[1]


def test_behaviour_70_the_picker_sees_the_notes_and_all_else_of_an_order(shop, picker):
    product = shop.stocked(3)
    fulfillment = shop.fulfillment(
        shop.order(
            product,
            3,
            order_number="#1001",
            notes="Wrap it <twice>",
            tags=["vip"],
            shipping_method="express",
            destination_address={"city": "Délft"},
        )
    )
    listed = picker.sandbox.ask("GET", "/port/orders/").text
    page = picker.sandbox.ask("GET", f"/port/orders/{fulfillment['id']}/").text
    for words in ("#1001", "Wrap it &lt;twice&gt;", "<code>vip</code>", "express"):
        assert words in listed and words in page
    assert f"3 × {product['sku']}" in listed and "Délft" in page


def test_orders_are_picked_in_two_parcels_by_hand(shop, picker):
    fulfillment = shop.fulfillment(shop.order(shop.stocked(3), 3))
    assert act(picker, fulfillment, "start").headers["Location"] == f"/port/orders/{fulfillment['id']}/"
    field = line_field(picker, fulfillment)
    tracking = {"carrier": "PostNL", "number": "3S1", "url": "https://track.example/3S1"}
    assert act(picker, fulfillment, "send_some", **{field: "1"}, **tracking).status_code == 302
    assert shop.fulfillments()[0]["state"] == "partly_fulfilled"
    assert act(picker, fulfillment, "send", **{field: "2"}, number="3S2").status_code == 302
    sent = shop.fulfillments()[0]
    assert (sent["state"], [parcel["number"] for parcel in sent["parcels"]]) == ("fulfilled", ["3S1", "3S2"])
    assert {name: sent["parcels"][0][name] for name in tracking} == tracking
    page = picker.sandbox.ask("GET", f"/port/orders/{fulfillment['id']}/").text
    assert "Fulfilled, closed" in page and "<button name" not in page


def test_an_order_is_rejected_by_hand_with_a_reason(shop, picker):
    fulfillment = shop.fulfillment(shop.order(shop.stocked(1)))
    assert act(picker, fulfillment, "reject", reason=" ").status_code == 422
    assert act(picker, fulfillment, "reject", reason="Broken").status_code == 302
    assert [(found["state"], found["reason"]) for found in shop.fulfillments()] == [("rejected", "Broken")]


@pytest.mark.parametrize(
    ("deed", "form", "sentence"),
    [
        ("start", {}, "Somebody is picking it already."),
        ("send", {"pieces": "0"}, "Nothing was picked"),
        ("send", {"pieces": "4"}, "less than or equal to 3"),
        ("send", {"pieces": "-1"}, "greater than or equal to 0"),
        ("send", {}, "Nothing was picked"),
        ("reject", {}, "Say why."),
        ("send", {"pieces": "1", "url": "no address"}, "Enter a valid URL."),
        ("steal", {}, "Select a valid choice."),
        ("", {}, "This field is required."),
    ],
)
def test_what_cannot_be_done_about_an_order_is_explained_and_sends_nothing(shop, picker, deed, form, sentence):
    fulfillment = shop.fulfillment(shop.order(shop.stocked(3), 3))
    act(picker, fulfillment, "start")
    before, field = shop.fulfillments(), line_field(picker, fulfillment)
    answer = act(picker, fulfillment, deed, **{field if name == "pieces" else name: form[name] for name in form})
    assert answer.status_code == 422
    assert sentence in answer.text
    assert shop.fulfillments() == before


def test_an_order_of_another_organization_is_not_there(shop, stranger):
    fulfillment = shop.fulfillment(shop.order(shop.stocked(1), order_number="#1001"))
    assert "#1001" not in stranger.sandbox.ask("GET", "/port/orders/").text
    assert stranger.sandbox.ask("GET", f"/port/orders/{fulfillment['id']}/").status_code == 404


def test_the_first_page_of_the_sandbox_leads_to_the_port_and_lists_the_accounts(sandbox):
    page = sandbox.ask("GET", "/").text
    assert '<a href="/port/">' in page
    for email, password in (ADMIN, PICKER):
        assert f"<code>{email}</code></td><td><code>{password}</code>" in page
