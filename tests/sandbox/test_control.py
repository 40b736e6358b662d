import uuid

import pytest

from tests.sandbox.driver import LOGINS


@pytest.fixture
def store(sandbox):
    return sandbox.new_store(brand="Little Brims", products=60)


def is_valid_gtin(text):
    """GS1: with weights 3 and 1 from the right, beside the check digit, the sum is a multiple of ten."""
    total = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(reversed(text)))
    return total % 10 == 0


def seeded(sandbox):
    """The state as at the first start."""
    sandbox.control("POST", "reset")
    return sandbox.control("GET", "state").json()


def test_the_seeded_world_is_what_the_manual_says(sandbox):
    state = seeded(sandbox)
    assert [(user["email"], user["password"]) for user in state["users"]] == list(LOGINS.values())
    assert [owner["name"] for owner in state["organizations"]] == ["Great Hats", "Great Shoes", "Great Gloves"]
    stores = [[len(brand["stores"]) for brand in owner["brands"]] for owner in state["organizations"]]
    assert stores == [[3, 1, 1], [3, 2], [1]]
    counts = [s["products"] for owner in state["organizations"] for b in owner["brands"] for s in b["stores"]]
    assert sum(counts) == 1475
    assert (state["connections"], state["faults"]) == ([], [])


def test_a_reset_makes_the_same_products_with_the_same_ids(sandbox):
    store = seeded(sandbox)["organizations"][0]["brands"][0]["stores"][0]["id"]
    before = sandbox.truth(store)
    sandbox.control("DELETE", f"stores/{store}/products/{before[0]['id']}")
    sandbox.control("POST", "reset")
    assert sandbox.truth(store) == before


def test_the_seeded_products_are_proper(sandbox):
    state = seeded(sandbox)
    stores = [s["id"] for owner in state["organizations"] for b in owner["brands"] for s in b["stores"]]
    products = [product for store in stores for product in sandbox.truth(store)]
    for field in ("id", "externalId", "slug"):
        assert len({product[field] for product in products}) == len(products)
    gtins = [product["gtin"] for product in products if "gtin" in product]
    assert len(set(gtins)) == len(gtins) > 1400
    assert [gtin for gtin in gtins if len(gtin) != 14 or not is_valid_gtin(gtin)] == []
    names = {product["name"] for product in products}
    assert {"Käpt'n Müßiggang — Größe über alles", "🎩✨ Party 👨‍👩‍👧‍👦 Edition", "NULL"} <= names
    assert max(map(len, names)) > 200
    assert min(product["price"]["amount"] for product in products if "price" in product) > 0


def test_a_catalogue_is_made_to_measure_and_deterministic(sandbox, store):
    def made(**wanted):
        sandbox.control("POST", f"stores/{store}/catalogue", json=wanted)
        return sandbox.truth(store)

    first = made(products=500, seed=3)
    assert len(first) == 500
    assert made(products=500, seed=4) != first
    assert made(products=400, seed=3) == first[:400]
    assert made(products=0) == []


def test_patching_changes_the_given_fields_only(sandbox, store):
    before = sandbox.truth(store)
    path = f"stores/{store}/products/{before[3]['id']}"
    change = {"name": "  Renamed “hat” ", "sellableQuantity": 0, "price": {"amount": 12.34, "currencyCode": "USD"}}
    assert sandbox.control("PATCH", path, json=change).json() == before[3] | change
    assert sandbox.truth(store) == [*before[:3], before[3] | change, *before[4:]]


def test_a_price_can_be_taken_away(sandbox, store):
    product = next(product for product in sandbox.truth(store) if "price" in product)
    path = f"stores/{store}/products/{product['id']}"
    assert "price" not in sandbox.control("PATCH", path, json={"price": None}).json()


def test_a_product_can_be_added_even_with_a_sku_that_exists(sandbox, store):
    before = sandbox.truth(store)
    wanted = {"name": "Twin", "externalId": before[0]["externalId"], "sellableQuantity": 5}
    added = sandbox.control("POST", f"stores/{store}/products", json=wanted).json()
    assert {name: added[name] for name in wanted} == wanted
    assert sandbox.truth(store) == [*before, added]


def test_a_product_can_be_deleted(sandbox, store):
    before = sandbox.truth(store)
    sandbox.control("DELETE", f"stores/{store}/products/{before[7]['id']}")
    assert sandbox.truth(store) == before[:7] + before[8:]


@pytest.mark.parametrize(
    "change",
    [
        {"name": ""},
        {"name": "x" * 1001},
        {"name": "nul\0"},
        {"gtin": "12"},
        {"sellableQuantity": -1},
        {"sellableQuantity": "many"},
        {"inboundQuantity": 10**30},
        {"price": 5},
        {"price": {"amount": -1}},
        {"price": {"amount": "NaN"}},
        {"price": {"amount": 1, "currencyCode": "euro"}},
        {"colour": "red"},
        {"id": "other"},
    ],
)
def test_a_bad_change_is_refused_and_changes_nothing(sandbox, store, change):
    before = sandbox.truth(store)
    answer = sandbox.ask("PATCH", f"/_control/stores/{store}/products/{before[0]['id']}", json=change)
    assert answer.status_code == 422
    assert len(answer.json()["details"]) == 1
    assert sandbox.truth(store) == before


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "faults", {"kind": "unheard_of"}),
        ("POST", "faults", {}),
        ("POST", "faults", {"kind": "slow", "delay": -1}),
        ("POST", "faults", {"kind": "slow", "delay": "NaN"}),
        ("POST", "faults", {"kind": "slow", "times": 0}),
        ("POST", "faults", {"kind": "slow", "tiems": 1}),
        ("PATCH", "switches", {"token_seconds": -1}),
        ("PATCH", "switches", {"unheard_of": True}),
        ("POST", "stores", {"brand": "nonsense", "count": 1}),
        ("POST", "stores", {"brand": str(uuid.UUID(int=0)), "count": 0}),
        ("POST", "applications", {"client_id": "x", "client_secret": "y", "redirect_uris": "http://x/"}),
        ("POST", "applications", {"client_id": "x", "client_secret": "y", "redirect_uris": [5]}),
        ("POST", "applications", {"redirect_uris": ["http://x/"]}),
    ],
)
def test_bad_input_is_refused_with_its_reason(sandbox, method, path, body):
    answer = sandbox.ask(method, f"/_control/{path}", json=body)
    assert answer.status_code == 422
    assert answer.json()["details"] != []


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff", b'"text"'])
def test_a_body_that_is_no_object_is_refused(sandbox, body):
    assert sandbox.ask("POST", "/_control/faults", data=body).status_code == 400


def test_unknown_things_are_not_found(sandbox, store):
    nobody = uuid.UUID(int=0)
    paths = [
        ("GET", f"stores/{nobody}/products"),
        ("POST", f"stores/{nobody}/catalogue"),
        ("DELETE", f"stores/{store}/products/{nobody}"),
        ("GET", "nothing"),
    ]
    assert [sandbox.ask(method, f"/_control/{path}").status_code for method, path in paths] == [404] * 4
    brand = {"brand": str(nobody), "count": 1}
    assert sandbox.ask("POST", "/_control/stores", json=brand).status_code == 404


def test_a_wrong_method_is_refused(sandbox):
    assert sandbox.ask("GET", "/_control/reset").status_code == 405


def test_a_page_of_another_site_cannot_steer_the_sandbox(sandbox):
    answer = sandbox.ask("POST", "/_control/reset", headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403


def test_another_host_name_is_refused(sandbox):
    assert sandbox.ask("GET", "/_control/state", headers={"Host": "evil.example"}).status_code == 400


def test_the_ledger_tells_what_was_asked_and_hides_secrets(sandbox, application):
    sandbox.control("DELETE", "requests")
    sandbox.fault("server_error")
    sandbox.ask("GET", "/v1/ping?code=abc&limit=5", headers={"X-Store-Id": "mine"})
    ledger = sandbox.control("GET", "requests").json()["requests"]
    assert [entry.pop("at")[:2] for entry in ledger] == ["20"]
    assert ledger == [
        {
            "method": "GET",
            "path": "/v1/ping",
            "query": {"code": "(hidden)", "limit": "5"},
            "store": "mine",
            "status": 500,
            "faults": ["server_error"],
        }
    ]


def test_switches_are_answered_and_kept(sandbox):
    changed = sandbox.control("PATCH", "switches", json={"token_seconds": 60}).json()
    assert changed == {
        "refresh_tokens": False,
        "rate_limits": False,
        "published_inventory_names": False,
        "token_seconds": 60,
    }
    assert sandbox.control("GET", "state").json()["switches"] == changed
