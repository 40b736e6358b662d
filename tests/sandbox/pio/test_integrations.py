import pytest

from .driver import CALLBACK, Client, error_of

DETAILS = {"name": "Crossdock", "email": "dev@crossdock.example", "callback_url": CALLBACK}


def register(sandbox, **changes):
    return sandbox.ask("POST", "/api/v1/integrations", json=DETAILS | changes)


def own(client, method="GET", secret=None):
    return client.sandbox.ask(method, "/api/v1/integrations/self", auth=(client.client_id, secret or client.secret))


def test_registering_gives_an_id_and_a_secret_that_is_never_shown_again(sandbox):
    made = register(sandbox).json()
    assert made == DETAILS | {"client_id": made["client_id"], "client_secret": made["client_secret"]}
    client = Client(sandbox, client_id=made["client_id"], secret=made["client_secret"])
    assert own(client).json() == DETAILS | {"client_id": made["client_id"]}
    assert client.shop().good("GET", "shops/self")["name"] == "Great Hats"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": None}, "name"),
        ({"name": ["x"]}, "name"),
        ({"name": "nul\0"}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"email": "nobody"}, "email"),
        ({"email": None}, "email"),
        ({"callback_url": ""}, "callback_url"),
        ({"callback_url": "nonsense"}, "callback_url"),
        ({"callback_url": "javascript:alert(1)"}, "callback_url"),
        ({"callback_url": "http://shop.example/"}, "callback_url"),
    ],
)
def test_a_bad_registration_is_refused_and_the_field_is_named(sandbox, changes, field):
    answer = register(sandbox, **changes)
    assert error_of(answer) == (422, "validation_error")
    assert [detail["attribute"] for detail in answer.json()["details"]] == [field]


def test_the_details_need_the_clients_own_credentials(client):
    assert error_of(own(client, secret="wrong")) == (401, "unauthorized")
    assert error_of(client.sandbox.ask("GET", "/api/v1/integrations/self")) == (401, "unauthorized")


def test_a_deactivated_integration_and_the_tokens_of_its_shops_stop_working(client):
    shops, unused = [client.shop(), client.shop()], client.token()
    stranger = Client(client.sandbox).register().shop()
    code = client.approval()["code"]
    assert own(client, "DELETE").status_code == 204
    tokens = [shops[0].token, shops[1].token, unused]
    assert [client.call("GET", "shops/self", token=token).status_code for token in tokens] == [401] * 3
    assert error_of(own(client)) == (401, "unauthorized")
    assert client.exchange(code).json()["error"] == "invalid_client"
    assert client.sandbox.ask("GET", client.authorize_path()).status_code == 400
    assert stranger.good("GET", "shops/self")["id"] == stranger.id
