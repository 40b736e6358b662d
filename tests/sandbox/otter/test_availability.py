"""Taking items off sale and putting them back, as Otter's published contract says it."""

import pytest

pytestmark = pytest.mark.usefixtures("sandbox")
AVAILABILITY = "/manager/menu/v1/menus/entities/availability"
GOOD = {"note": "Out of stock", "status": {"isIndefinite": True}}


@pytest.fixture
def application(running):
    return running.application()


@pytest.fixture
def token(application):
    return application.own_token(scope="catalog manager.menus")


@pytest.fixture
def store(running, application):
    """A store of five products, connected as `my-store`."""
    store = running.new_store(brand="Great Shoes", products=5)
    application.connect(store, brand="Great Shoes", who="shoes")
    return store


def post(sandbox, verb, bearer, *, store="my-store", **body):
    headers = {"Authorization": f"Bearer {bearer}"} | ({"X-Store-Id": store} if store else {})
    return sandbox.ask("POST", f"{AVAILABILITY}/{verb}", json=body, headers=headers)


def sellable(sandbox, store) -> dict[str, int]:
    return {item["externalId"]: item["sellableQuantity"] for item in sandbox.truth(store)}


def test_a_suspended_item_has_nothing_to_sell_until_it_is_unsuspended(sandbox, store, token):
    before = sellable(sandbox, store)
    sku, other = sorted(before, key=lambda sku: -before[sku])[:2]
    answer = post(sandbox, "suspend", token, entityIds=[sku, other], **GOOD)
    assert (answer.status_code, answer.json()["jobType"]) == (202, "UPDATE_AVAILABILITY")
    assert set(answer.json()["jobReference"]) == {"id", "status"}
    assert sellable(sandbox, store) == before | {sku: 0, other: 0}
    assert post(sandbox, "unsuspend", token, entityIds=[sku]).status_code == 202
    assert sellable(sandbox, store) == before | {other: 0}


def test_its_page_says_so(sandbox, store, token):
    [item, *_] = sandbox.truth(store)
    post(sandbox, "suspend", token, entityIds=[item["externalId"]], **GOOD)
    page = sandbox.ask("GET", f"/products/{item['id']}/").text
    assert "Suspended" in page
    assert "Out of stock" in page
    assert "suspended" in sandbox.ask("GET", f"/stores/{store}/").text


def test_an_unknown_item_refuses_the_whole_call_and_nothing_changes(sandbox, store, token):
    before = sellable(sandbox, store)
    answer = post(sandbox, "suspend", token, entityIds=[*before, "NOBODYS"], **GOOD)
    assert answer.status_code == 422
    assert answer.json()["details"] == [{"attribute": "entityIds", "message": "unknown: NOBODYS"}]
    assert sellable(sandbox, store) == before


@pytest.mark.parametrize(
    "body",
    [
        {},
        GOOD | {"entityIds": []},
        GOOD | {"entityIds": "HAT"},
        GOOD | {"entityIds": [7]},
        {"entityIds": ["HAT"], "note": "Out of stock"},
        {"entityIds": ["HAT"], "status": {"isIndefinite": True}},
        {"entityIds": ["HAT"], "note": "Out of stock", "status": {"isIndefinite": "yes"}},
    ],
)
def test_a_body_that_is_not_as_published_is_refused(sandbox, store, token, body):
    assert post(sandbox, "suspend", token, **body).status_code == 422


def test_who_may_call(sandbox, application, store, token):
    body = GOOD | {"entityIds": ["HAT"]}
    assert post(sandbox, "suspend", "nobodys", **body).status_code == 401
    assert post(sandbox, "suspend", application.own_token(scope="catalog"), **body).status_code == 403
    assert post(sandbox, "suspend", token, store="another", **body).status_code == 403
    assert post(sandbox, "suspend", token, store="", **body).status_code == 422


def test_it_is_in_the_ledger_and_meets_faults(sandbox, store, token):
    sandbox.fault("rate_limited", retry_after=7)
    [item, *_] = sandbox.truth(store)
    answer = post(sandbox, "suspend", token, entityIds=[item["externalId"]], **GOOD)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "7")
    line = sandbox.control("GET", "requests").json()["requests"][-1]
    assert (line["path"], line["store"], line["faults"]) == (f"{AVAILABILITY}/suspend", "my-store", ["rate_limited"])
