import html
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


@pytest.mark.parametrize("path", ["/port/", "/port/products/1/"])
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


def test_a_product_of_another_organization_is_not_there(shop, product):
    control = shop.client.sandbox.control
    organization = control("POST", "pio/organizations", json={"name": "Baz 3PL"}).json()["id"]
    account = ("admin@baz-3pl.example", "yet another")
    user = {"organization": organization, "email": account[0], "password": account[1], "role": "admin"}
    control("POST", "pio/users", json=user)
    with logged_in(shop.client.sandbox, account) as stranger:
        assert "0 products." in stranger.sandbox.ask("GET", "/port/").text
        assert stranger.sandbox.ask("GET", f"/port/products/{product['id']}/").status_code == 404


def test_a_move_without_the_page_is_refused(product, picker):
    form = {"reason": "store", "quantity": "1", "kind": "grid", "name": "A1"}
    assert picker.sandbox.ask("POST", f"/port/products/{product['id']}/", data=form).status_code == 403


def test_the_first_page_of_the_sandbox_leads_to_the_port_and_lists_the_accounts(sandbox):
    page = sandbox.ask("GET", "/").text
    assert '<a href="/port/">' in page
    for email, password in (ADMIN, PICKER):
        assert f"<code>{email}</code></td><td><code>{password}</code>" in page
