from concurrent.futures import ThreadPoolExecutor

import pytest

pytestmark = pytest.mark.usefixtures("sandbox")


@pytest.fixture(scope="module")
def application(running):
    """One application for all tests here."""
    return running.application()


@pytest.fixture(scope="module")
def token(application):
    return application.own_token()


@pytest.fixture(scope="module")
def store(running, application):
    """A store of 250 products, connected as `my-store`; no test changes it."""
    store = running.new_store(brand="Great Shoes", products=250)
    application.connect(store, brand="Great Shoes", who="shoes")
    return store


def walk(application, bearer, *, items="items", following="offsetToken", **query):
    """Every item of the summaries, page by page."""
    found = []
    while True:
        body = application.summaries(bearer, **query).json()
        found += body[items]
        if following not in body:
            return found
        query["token"] = body[following]


@pytest.mark.parametrize("limit", [7, 100, 250, 500])
def test_paging_gives_every_product_once_in_a_stable_order(sandbox, application, store, token, limit):
    assert walk(application, token, limit=limit) == sandbox.truth(store)


def test_a_summary_has_the_published_fields_and_a_price_and_a_picture(application, store, token):
    items = walk(application, token, limit=500)
    full = next(item for item in items if {"gtin", "price", "imageUrl"} <= set(item))
    assert sorted(full) == [
        "externalId",
        "gtin",
        "id",
        "imageUrl",
        "inboundQuantity",
        "name",
        "price",
        "sellableQuantity",
        "slug",
        "unsellableQuantity",
    ]
    assert sorted(full["price"]) == ["amount", "currencyCode"]


def test_the_picture_is_where_the_summary_says_and_needs_no_login(sandbox, application, store, token):
    url = next(item["imageUrl"] for item in walk(application, token, limit=500) if "imageUrl" in item)
    answer = sandbox.ask("GET", url.removeprefix(sandbox.url))
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/svg+xml")
    assert answer.text.startswith("<svg ")


def test_limit_may_be_left_out_here_and_is_a_hundred_then(application, store, token):
    assert len(application.summaries(token).json()["items"]) == 100


@pytest.mark.parametrize("limit", ["0", "501", "x"])
def test_a_bad_limit_is_refused(application, store, token, limit):
    assert application.summaries(token, limit=limit).status_code == 422


def test_products_that_come_and_go_between_pages_shift_nothing(sandbox, application, token):
    store = sandbox.new_store(brand="Great Shoes", products=25)
    application.connect(store, brand="Great Shoes", who="shoes", store_id="changing")
    truth = sandbox.truth(store)
    first = application.summaries(token, store_id="changing", limit=10).json()
    sandbox.control("DELETE", f"stores/{store}/products/{truth[0]['id']}")
    added = sandbox.control("POST", f"stores/{store}/products", json={"name": "Late"}).json()
    rest = walk(application, token, store_id="changing", limit=10, token=first["offsetToken"])
    assert first["items"] + rest == [*truth, added]


def test_the_header_names_the_store(application, store, token):
    missing = application.call("GET", "/inventories/v1/summaries", token=token)
    assert (missing.status_code, missing.json()["details"][0]["attribute"]) == (422, "X-Store-Id")
    unknown = application.summaries(token, store_id="unheard-of")
    assert (unknown.status_code, unknown.json()["message"]) == (403, "account could not be found")


def test_the_vendors_own_id_of_the_store_is_not_accepted(application, store, token):
    assert application.summaries(token, store_id=store).status_code == 403


def test_another_applications_store_is_not_found(sandbox, application, store):
    other = sandbox.application()
    assert other.summaries(other.own_token()).status_code == 403


def test_a_disconnected_store_is_not_found(sandbox, application, token):
    store = sandbox.new_store(brand="Great Shoes")
    application.connect(store, brand="Great Shoes", who="shoes", store_id="leaving")
    path = f"/organization/v1/organization/brands/{sandbox.brand('Great Shoes')['id']}/stores/{store}/connection"
    assert application.summaries(token, store_id="leaving").status_code == 200
    assert application.call("DELETE", path, token=application.user_token("shoes")).status_code == 204
    assert application.summaries(token, store_id="leaving").status_code == 403


def test_summaries_need_the_scope_catalog(application, store):
    assert application.summaries(application.own_token(scope="ping")).status_code == 403


def test_a_token_of_another_store_is_refused(sandbox, application, store, token):
    other = sandbox.new_store(brand="Great Shoes", products=10)
    application.connect(other, brand="Great Shoes", who="shoes", store_id="second")
    offset = application.summaries(token, limit=1).json()["offsetToken"]
    assert application.summaries(token, store_id="second", limit=1, token=offset).status_code == 400


def test_the_vendors_published_names_can_be_switched_on(sandbox, application, store, token):
    sandbox.control("PATCH", "switches", json={"published_inventory_names": True})
    found = walk(application, token, items="inventorySummaries", following="nextToken", limit=100)
    assert found == sandbox.truth(store)


def test_ping_answers_pong_or_the_error_that_is_asked_for(application, store, token):
    headers = {"X-Store-Id": "my-store"}
    assert application.call("GET", "/v1/ping", token=token, headers=headers).json()["response"] == "pong"
    headers["X-Echo-Error"] = "as you wish"
    answer = application.call("GET", "/v1/ping", token=token, headers=headers)
    assert (answer.status_code, answer.json()) == (418, {"message": "as you wish", "details": []})


def test_rate_limits_hold_when_switched_on(sandbox, application, store, token):
    sandbox.control("PATCH", "switches", json={"rate_limits": True})
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: application.ping(token), range(10)))
    assert sorted(answer.status_code for answer in answers) == [200] * 8 + [429] * 2
    assert [a.headers.get("Retry-After") for a in answers if a.status_code == 429] == [None, None]


def test_there_are_no_rate_limits_otherwise(application, store, token):
    assert [application.ping(token).status_code for _ in range(12)] == [200] * 12
