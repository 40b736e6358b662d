import html

import pytest

from tests.sandbox.driver import LOGINS, Browser


@pytest.fixture
def browser(sandbox):
    with Browser(sandbox) as browser:
        yield browser
    sandbox.steered = True


def test_the_first_page_lists_every_simulated_account(sandbox):
    page = sandbox.ask("GET", "/").text
    for email, password in LOGINS.values():
        assert f"<code>{email}</code></td><td><code>{password}</code>" in page


def test_a_fault_is_ordered_and_lifted_by_buttons(sandbox, browser):
    page = sandbox.ask("GET", "/").text
    assert "Nothing. All calls are answered as the contract says." in page
    form = {"kind": "rate_limited", "times": "", "path": "", "retry_after": "5", "delay": ""}
    assert browser.post("/faults/", form, page="/").headers["Location"] == "/"
    fault = sandbox.control("GET", "state").json()["faults"][0]
    assert (fault["kind"], fault["times"], fault["retry_after"]) == ("rate_limited", None, 5)
    assert "until lifted" in sandbox.ask("GET", "/").text
    browser.post("/faults/lift/", {}, page="/")
    assert sandbox.control("GET", "state").json()["faults"] == []


def test_a_bad_fault_is_explained_on_the_page(sandbox, browser):
    answer = browser.post("/faults/", {"kind": "slow", "times": "0", "delay": "x"}, page="/")
    assert answer.status_code == 422
    assert "Enter a number." in answer.text
    assert sandbox.control("GET", "state").json()["faults"] == []


def test_a_post_without_the_page_is_refused(sandbox):
    assert sandbox.ask("POST", "/faults/lift/").status_code == 403


def test_switches_are_set_on_the_page(sandbox, browser):
    browser.post("/switches/", {"refresh_tokens": "on", "token_seconds": "90"}, page="/")
    assert sandbox.control("GET", "state").json()["switches"] == {
        "refresh_tokens": True,
        "rate_limits": False,
        "published_inventory_names": False,
        "token_seconds": 90,
    }


def test_a_product_is_found_and_edited(sandbox, browser):
    store = sandbox.new_store(brand="Little Brims", products=50)
    product = sandbox.truth(store)[4]
    page = sandbox.ask("GET", f"/stores/{store}/?q={product['externalId'][-7:]}").text
    assert html.escape(product["name"]) in page
    path = f"/products/{product['id']}/"
    answer = browser.post(path, {"name": "Edited <b>", "sellableQuantity": "3", "externalId": product["externalId"]})
    assert answer.headers["Location"] == f"/stores/{store}/"
    changed = sandbox.truth(store)[4]
    assert (changed["name"], changed["sellableQuantity"]) == ("Edited <b>", 3)
    assert "Edited &lt;b&gt;" in sandbox.ask("GET", f"/stores/{store}/").text


def test_a_bad_edit_is_explained_and_saves_nothing(sandbox, browser):
    store = sandbox.new_store(brand="Little Brims", products=5)
    before = sandbox.truth(store)
    answer = browser.post(f"/products/{before[0]['id']}/", {"name": "", "sellableQuantity": "-2"})
    assert answer.status_code == 422
    assert "This field is required." in answer.text
    assert sandbox.truth(store) == before


@pytest.mark.parametrize("path", ["/stores/00000000-0000-0000-0000-000000000000/", "/products/x/", "/nowhere"])
def test_unknown_pages_are_not_found(sandbox, path):
    assert sandbox.ask("GET", path).status_code == 404


def test_the_same_product_always_looks_the_same(sandbox):
    path = "/pictures/hats/0f0e0d0c-0b0a-4908-8706-050403020100.svg"
    assert sandbox.ask("GET", path).text == sandbox.ask("GET", path).text
    assert sandbox.ask("GET", path.replace("0f0e", "0f0f")).text != sandbox.ask("GET", path).text
    assert sandbox.ask("GET", path.replace("hats", "cars")).status_code == 404


def test_the_stylesheet_is_served_and_nothing_beside_it(sandbox):
    assert sandbox.ask("GET", "/static/sandbox/sandbox.css").status_code == 200
    assert sandbox.ask("GET", "/static/sandbox/%2e%2e/%2e%2e/pyproject.toml").status_code == 400
