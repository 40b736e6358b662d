import uuid

import pytest

from tests.sandbox.driver import READ

ORGANIZATION = "/organization/v1/organization"
UNAUTHORIZED = {"message": "Unauthorized", "details": []}


@pytest.fixture
def token(application):
    return application.user_token("hats")


@pytest.fixture(scope="module")
def reader(running):
    """Ask as one application and user for all tests that change nothing."""
    application = running.application()
    token = application.user_token("hats")
    return lambda method, path, **options: application.call(method, path, token=token, **options)


@pytest.fixture
def get(sandbox, reader):
    return lambda path, **query: reader("GET", ORGANIZATION + path, params=query)


@pytest.fixture
def place(sandbox):
    """The path of a seeded store of Great Hats."""
    brand = sandbox.brand("Hat Attic")
    return f"{ORGANIZATION}/brands/{brand['id']}/stores/{brand['stores'][0]['id']}"


def walk(get, path, *, limit):
    """Every item of a list, and the size of each page."""
    items, sizes, query = [], [], {"limit": limit}
    while True:
        body = get(path, **query).json()
        items += body["items"]
        sizes.append(len(body["items"]))
        if "offsetToken" not in body:
            return items, sizes
        query["token"] = body["offsetToken"]


def test_the_organization_is_the_users_own(application, get):
    assert get("").json()["name"] == "Great Hats"
    shoes = application.call("GET", ORGANIZATION, token=application.user_token("shoes")).json()
    assert sorted(shoes) == ["id", "name"]
    assert shoes["name"] == "Great Shoes"


def test_brands_come_page_by_page_and_the_last_has_no_token(get):
    items, sizes = walk(get, "/brands", limit=2)
    assert [item["name"] for item in items] == ["Great Hats", "Hat Attic", "Little Brims"]
    assert sizes == [2, 1]


def test_a_brand_and_a_store_can_be_read_alone(sandbox, get):
    brand = sandbox.brand("Little Brims")
    assert get(f"/brands/{brand['id']}").json() == {"id": brand["id"], "name": "Little Brims"}
    store = get(f"/brands/{brand['id']}/stores/{brand['stores'][0]['id']}").json()
    assert store["name"] == "Little Brims Köln"
    assert store["address"]["fullAddress"] == "Ehrenstraße 45, 50672 Köln, DE"
    assert store["address"]["location"] == {"latitude": 50.9385, "longitude": 6.942}


def test_an_address_may_be_null(sandbox, get):
    stores = get(f"/brands/{sandbox.brand('Great Hats')['id']}/stores", limit=100).json()["items"]
    assert [store["name"] for store in stores if store["address"] is None] == ["Great Hats Online"]


def test_three_thousand_stores_come_exactly_once_each(sandbox, application):
    brand = sandbox.brand("Great Gloves")["id"]
    made = sandbox.control("POST", "stores", json={"brand": brand, "count": 3000}).json()["stores"]
    token = application.user_token("gloves")
    items, sizes = walk(
        lambda path, **query: application.call("GET", ORGANIZATION + path, token=token, params=query),
        f"/brands/{brand}/stores",
        limit=100,
    )
    assert [item["id"] for item in items][-3000:] == made
    assert len({item["id"] for item in items}) == sum(sizes)


@pytest.mark.parametrize("limit", [None, "", "0", "101", "-1", "1.5", "abc", "1_0", "١٢", " 5", "9" * 50])
def test_a_list_without_a_good_limit_is_refused(get, limit):
    answer = get("/brands", **({} if limit is None else {"limit": limit}))
    assert answer.status_code == 422
    assert answer.json()["details"] == [{"attribute": "limit", "message": "must be a number from 1 to 100"}]


@pytest.mark.parametrize("change", [lambda t: t[:-1], lambda t: "x" + t, lambda t: "\0", lambda t: "é:é"])
def test_a_tampered_token_is_refused(get, change):
    token = get("/brands", limit=1).json()["offsetToken"]
    assert get("/brands", limit=1, token=change(token)).status_code == 400


def test_a_token_of_another_list_is_refused(sandbox, get):
    token = get("/brands", limit=1).json()["offsetToken"]
    stores = f"/brands/{sandbox.brand('Great Hats')['id']}/stores"
    assert get(stores, limit=1, token=token).status_code == 400


def test_what_belongs_to_another_organization_is_not_found(sandbox, get):
    hats, shoes = sandbox.brand("Great Hats"), sandbox.brand("Great Shoes")
    theirs = shoes["stores"][0]["id"]
    paths = [
        f"/brands/{shoes['id']}",
        f"/brands/{shoes['id']}/stores/{theirs}",
        f"/brands/{hats['id']}/stores/{theirs}",
        f"/brands/{shoes['id']}/stores/{theirs}/connection",
        f"/brands/{uuid.uuid4()}",
        "/brands/not-an-id",
    ]
    answers = [get(path) for path in [*paths]]
    assert [answer.status_code for answer in answers] == [404] * 6
    assert {answer.text for answer in answers} == {'{"message": "Resource not found", "details": []}'}
    assert get(f"/brands/{shoes['id']}/stores", limit=5).status_code == 404


@pytest.mark.parametrize("authorization", [None, "", "Bearer", "Bearer nonsense", "Basic eDp5", "Bearer é"])
def test_a_bad_token_is_refused_without_saying_why(sandbox, authorization):
    headers = {} if authorization is None else {"Authorization": authorization.encode()}
    answer = sandbox.ask("GET", ORGANIZATION, headers=headers)
    assert (answer.status_code, answer.json()) == (401, UNAUTHORIZED)


def test_a_token_of_the_application_itself_has_no_organization(application):
    answer = application.call("GET", ORGANIZATION, token=application.own_token())
    assert (answer.status_code, answer.json()["message"]) == (403, "The scope organization.read is required")


def test_a_token_that_may_only_read_cannot_touch_connections(application, place):
    token = application.user_token(scope=READ)
    calls = [("GET", None), ("POST", {"storeId": "mine"}), ("DELETE", None)]
    statuses = [
        application.call(method, place + "/connection", token=token, json=body).status_code for method, body in calls
    ]
    assert statuses == [403, 403, 403]


def test_a_store_that_is_not_connected_answers_404(application, token, place):
    assert application.call("GET", place + "/connection", token=token).status_code == 404
    assert application.call("DELETE", place + "/connection", token=token).status_code == 404


def test_connecting_answers_204_and_a_second_time_409_and_changes_nothing(application, token, place):
    def post(store_id):
        return application.call("POST", place + "/connection", token=token, json={"storeId": store_id})

    first = post("mine")
    assert (first.status_code, first.content) == (204, b"")
    assert post("other").status_code == 409
    assert application.call("GET", place + "/connection", token=token).json() == {"storeId": "mine"}


def test_delete_and_post_replace_the_id(application, token, place):
    for method, body, status in [
        ("POST", {"storeId": "old"}, 204),
        ("DELETE", None, 204),
        ("POST", {"storeId": "new"}, 204),
    ]:
        assert application.call(method, place + "/connection", token=token, json=body).status_code == status
    assert application.call("GET", place + "/connection", token=token).json() == {"storeId": "new"}


@pytest.mark.parametrize("store_id", ["", "x" * 256, "naïve", "tab\there", "\0", "\x7f", "🎩", 5, None, ["x"], {}])
def test_a_store_id_that_is_no_printable_ascii_text_is_refused(reader, place, store_id):
    answer = reader("POST", place + "/connection", json={"storeId": store_id})
    assert answer.status_code == 422
    assert answer.json()["details"][0]["attribute"] == "storeId"
    assert reader("GET", place + "/connection").status_code == 404


@pytest.mark.parametrize("store_id", ["x" * 255, "~ !\"'<>&", "0"])
def test_any_printable_ascii_text_is_a_store_id(application, token, place, store_id):
    assert application.call("POST", place + "/connection", token=token, json={"storeId": store_id}).status_code == 204
    assert application.call("GET", place + "/connection", token=token).json() == {"storeId": store_id}


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b'{"storeId": "\\ud800"}', b"[" * 100_000])
def test_a_body_that_is_no_json_object_is_refused(reader, place, body):
    answer = reader("POST", place + "/connection", data=body)
    assert answer.status_code == (400 if body else 422)


def test_two_applications_connect_the_same_store_under_different_ids(sandbox, application, token, place):
    other = sandbox.application()
    others_token = other.user_token("hats")
    assert application.call("POST", place + "/connection", token=token, json={"storeId": "a"}).status_code == 204
    assert other.call("POST", place + "/connection", token=others_token, json={"storeId": "b"}).status_code == 204
    assert application.call("GET", place + "/connection", token=token).json() == {"storeId": "a"}
    assert other.call("GET", place + "/connection", token=others_token).json() == {"storeId": "b"}


def test_an_id_names_one_store_of_an_application_only(sandbox, application, token, place):
    application.connect(sandbox.new_store(brand="Hat Attic"), brand="Hat Attic", store_id="same")
    answer = application.call("POST", place + "/connection", token=token, json={"storeId": "same"})
    assert answer.status_code == 409


def test_an_unknown_method_is_refused(application, token, place):
    assert application.call("PUT", place + "/connection", token=token, json={"storeId": "x"}).status_code == 405
