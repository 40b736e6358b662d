import pytest

from .driver import Client, error_of, listening

LEVELS = "inventory_levels.update"


def create(client, token, **changes):
    return client.call("POST", "shops", token=token, json={"name": "Great Hats", "ext_shop_id": "42-hats"} | changes)


def test_a_shop_binds_the_token_that_made_it(client):
    token = client.token()
    made = create(client, token, ext_shop_id="binds")
    assert (made.status_code, made.json()) == (
        200,
        {"id": made.json()["id"], "name": "Great Hats", "ext_shop_id": "binds"},
    )
    assert client.call("GET", "shops/self", token=token).json() == made.json()


def test_a_token_makes_one_shop_only(client):
    token = client.token()
    create(client, token, ext_shop_id="first")
    again = create(client, token, ext_shop_id="second")
    assert error_of(again) == (403, "access_token_already_created_store")


def test_an_integration_can_have_several_shops_each_with_its_own_token(client):
    shops = [client.shop(), client.shop(), client.shop()]
    assert [shop.good("GET", "shops/self")["ext_shop_id"] for shop in shops] == [shop.ext_shop_id for shop in shops]
    assert len({shop.token for shop in shops}) == 3


def test_an_ext_shop_id_is_unique_in_the_organization(client):
    client.shop(ext_shop_id="taken")
    for asking in (client, Client(client.sandbox).register()):
        answer = create(asking, asking.token(), ext_shop_id="taken")
        assert error_of(answer) == (422, "ext_shop_id_already_exists")
        assert answer.json()["details"] == [{"attribute": "ext_shop_id", "message": "is taken"}]


def test_another_organization_may_use_the_same_ext_shop_id(client):
    control = client.sandbox.control
    organization = control("POST", "pio/organizations", json={"name": "Bar 3PL"}).json()["id"]
    account = ("admin@bar-3pl.example", "another one")
    user = {"organization": organization, "email": account[0], "password": account[1], "role": "admin"}
    control("POST", "pio/users", json=user)
    ours, theirs = client.shop(ext_shop_id="both"), client.shop(ext_shop_id="both", token=client.token(account))
    product = ours.add(sku="in-both")
    assert theirs.good("GET", "products")["data"] == []
    assert theirs.add(sku="in-both")["id"] != product["id"]


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "products"), ("POST", "products"), ("GET", "inventory"), ("POST", "hooks"), ("GET", "shops/self")],
)
def test_nothing_else_works_before_there_is_a_shop(client, method, path):
    assert error_of(client.call(method, path, token=client.token(), json={})) == (404, "shop_not_found")


def test_a_deactivated_shop_loses_its_token_and_no_other_shop_does(client):
    ended, other = client.shop(ext_shop_id="ended"), client.shop()
    assert ended.call("DELETE", "shops/self").status_code == 204
    assert error_of(ended.call("GET", "shops/self")) == (401, "unauthorized")
    assert other.good("GET", "shops/self")["id"] == other.id
    assert client.shop(ext_shop_id="ended").id != ended.id


def test_a_deactivated_shop_is_told_nothing_more(client):
    with listening() as listener:
        listener.answer = lambda message: 500
        ended, other = client.shop(), client.shop()
        product = ended.own_product()
        other.add(sku=product["sku"])
        hooks = [shop.hook(LEVELS, listener.url) for shop in (ended, other)]
        ended.move("store", product, 1)
        listener.hears(len(hooks))
        ended.call("DELETE", "shops/self")
        assert [delivery["state"] for delivery in ended.deliveries()] == ["given_up"]
        ended.move("store", product, 1)
        assert [delivery["attempts"] for delivery in ended.deliveries()] == [1]
        assert [message.headers["x-pio-shop-id"] for message in listener.hears(3)[2:]] == [str(other.id)]


def test_a_new_approval_takes_up_the_shop_whose_token_was_revoked(client):
    shop = client.shop()
    product = shop.own_product()
    revoked = client.sandbox.control("POST", "pio/revoke", json={"shop": shop.id}).json()
    assert revoked == {"revoked": 1}
    assert error_of(shop.call("GET", "products")) == (401, "unauthorized")
    stranger = Client(client.sandbox).register()
    refused = create(stranger, stranger.token(), ext_shop_id=shop.ext_shop_id)
    assert error_of(refused) == (422, "ext_shop_id_already_exists")
    again = client.shop(ext_shop_id=shop.ext_shop_id)
    assert (again.id, again.good("GET", "products")["data"]) == (shop.id, [product])


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": 5}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"ext_shop_id": ""}, "ext_shop_id"),
        ({"ext_shop_id": None}, "ext_shop_id"),
        ({"ext_shop_id": {}}, "ext_shop_id"),
        ({"ext_shop_id": "ü"}, "ext_shop_id"),
        ({"ext_shop_id": "a\r\nX-Pio-Shop-Id: 7"}, "ext_shop_id"),
        ({"ext_shop_id": " a"}, "ext_shop_id"),
        ({"ext_shop_id": "x" * 256}, "ext_shop_id"),
    ],
)
def test_a_bad_shop_is_refused_and_the_token_can_still_make_one(client, changes, field):
    token = client.token()
    answer = create(client, token, **changes)
    assert error_of(answer) == (422, "validation_error")
    assert [detail["attribute"] for detail in answer.json()["details"]] == [field]
    assert client.shop(token=token).good("GET", "products")["data"] == []
