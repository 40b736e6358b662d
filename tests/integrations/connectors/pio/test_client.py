import json
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import responses
from responses.matchers import json_params_matcher

from apps.integrations.connectors.base import (
    BadItem,
    Connects,
    CountsStock,
    Handed,
    Page,
    Rejected,
    RemoteOrganization,
    RemoteProduct,
    RemoteStock,
    SignsWebhooks,
    Subscribes,
    Taken,
    TakesProducts,
    Unauthorized,
    Unreachable,
)
from apps.integrations.connectors.pio.connector import CONNECTOR
from tests.conftest import PIO

from . import API, HATS, ROOT, recorded, refusal

INBOX = "https://portal.example.com/receive/an-unguessable-token"
EVENTS = ("inventory_levels.update", "inventory_log.create", "fulfillments.create", "fulfillments.update")
HAT = RemoteProduct(ext_product_id="12", sku="HAT-1", name="Top hat")


def test_it_is_a_warehouse_that_connects_takes_products_counts_stock_and_signs_webhooks():
    capabilities = (Connects, TakesProducts, CountsStock, SignsWebhooks, Subscribes)
    assert [CONNECTOR.can(capability) for capability in capabilities] == [True] * 5
    assert CONNECTOR.category == "logistics"


def test_its_login_page_is_asked_without_scopes_for_pio_publishes_none():
    address = CONNECTOR.auth.authorization_address(PIO, client_id="crossdock", redirect_uri="https://x/", state="s")
    asked = parse_qs(urlsplit(address).query)
    assert urlsplit(address).path == "/raw/openapi_auth/authorize_form"
    assert (asked["client_id"], asked["redirect_uri"], asked["state"]) == (["crossdock"], ["https://x/"], ["s"])
    assert "scope" not in asked


def test_every_call_carries_the_shops_own_token(pio, client):
    pio.get(f"{API}/shops/self", json=recorded("shop"))
    assert client.connection(HATS) == "great-hats"
    assert [call.request.headers["Authorization"] for call in pio.calls] == ["Bearer a-shops-token"]


@pytest.mark.parametrize(("code", "status"), [("shop_not_found", 404), ("shop_not_found", 403), ("", 404)])
def test_behaviour_49_a_token_without_a_shop_is_connected_under_no_id(pio, client, code, status):
    pio.get(f"{API}/shops/self", **refusal(code, status))
    assert (client.connection(HATS), client.organization()) == (None, RemoteOrganization("pio", "Pio"))


def test_whose_account_it_is_is_taken_where_an_installation_says_it(pio, client):
    pio.get(f"{API}/shops/self", json=recorded("shop") | {"organization": {"id": 3, "name": "Foo Warehouse"}})
    assert client.organization() == RemoteOrganization("3", "Foo Warehouse")


def test_behaviour_46_the_tokens_one_shop_is_opened_under_our_id(pio, client):
    wanted = {"name": "Great Hats", "ext_shop_id": "great-hats"}
    pio.post(f"{API}/shops", json=recorded("shop"), match=[json_params_matcher(wanted)])
    client.connect(HATS)
    assert len(pio.calls) == 1


def test_behaviour_46_a_second_shop_of_one_token_is_refused_with_pios_code(pio, client):
    pio.post(f"{API}/shops", **refusal("access_token_already_created_store", 403))
    with pytest.raises(Rejected) as refused:
        client.connect(HATS)
    assert (refused.value.code, refused.value.status) == ("access_token_already_created_store", 403)


def test_behaviour_47_an_id_that_is_taken_in_the_organization_is_told_as_a_conflict(pio, client):
    pio.post(f"{API}/shops", **refusal("ext_shop_id_already_exists", 422))
    with pytest.raises(Rejected) as refused:
        client.connect(HATS)
    assert (refused.value.code, refused.value.status) == ("id_taken", 409)


def test_disconnecting_deletes_every_hook_and_then_the_shop(pio, client):
    pio.get(f"{API}/shops/self", json=recorded("shop"))
    pio.get(f"{API}/hooks", json=recorded("hooks"))
    pio.delete(f"{API}/hooks/31", status=204)
    pio.delete(f"{API}/hooks/32", **refusal("hook_not_found", 404))
    pio.delete(f"{API}/shops/self", status=204)
    client.disconnect(HATS)
    assert [call.request.path_url for call in pio.calls if call.request.method == "DELETE"] == [
        f"{ROOT}/hooks/31", f"{ROOT}/hooks/32", f"{ROOT}/shops/self",
    ]  # fmt: skip


def test_a_token_without_a_shop_has_nothing_to_disconnect(pio, client):
    pio.get(f"{API}/shops/self", **refusal("shop_not_found", 404))
    client.disconnect(HATS)
    assert len(pio.calls) == 1


def test_behaviour_81_hooks_are_made_only_where_they_lack_and_moved_where_they_point_elsewhere(pio, client):
    pio.get(f"{API}/hooks", json=recorded("hooks"))
    for hook in (31, 32):
        pio.put(f"{API}/hooks/{hook}", json={})
    pio.post(f"{API}/hooks", json={})
    client.subscribe(HATS, INBOX)
    sent = [(call.request.method, json.loads(call.request.body)) for call in pio.calls if call.request.body]
    assert sent == [
        ("PUT", {"event_type": "inventory_levels.update", "target_url": INBOX}),
        ("POST", {"event_type": "inventory_log.create", "target_url": INBOX}),
        ("POST", {"event_type": "fulfillments.create", "target_url": INBOX}),
        ("PUT", {"event_type": "fulfillments.update", "target_url": INBOX}),
    ]


def test_hooks_that_are_as_they_should_be_are_left_alone(pio, client):
    there = [{"id": n, "event_type": event, "target_url": INBOX} for n, event in enumerate(EVENTS)]
    pio.get(f"{API}/hooks", json=there)
    client.subscribe(HATS, INBOX)
    assert [call.request.method for call in pio.calls] == ["GET"]


def test_behaviour_57_a_product_is_added_with_all_we_know_of_it_and_never_with_stock(pio, client):
    known = RemoteProduct(
        ext_product_id="12",
        sku="HAT-1",
        name="Top hat",
        barcodes=("8719324012345",),
        image_src="https://img.example.com/hat.png",
        weight=250,
        brand="Great Hats",
        type="Hat",
        tags=("warm",),
        quantity=7,
    )
    pio.post(f"{API}/products", json=recorded("product"))
    assert client.put_products(HATS, [Handed(known)]) == [Taken("501")]
    assert json.loads(pio.calls[0].request.body) == {
        "name": "Top hat",
        "sku": "HAT-1",
        "ext_product_id": "12",
        "image_src": "https://img.example.com/hat.png",
        "barcodes": ["8719324012345"],
        "brand": "Great Hats",
        "type": "Hat",
        "tags": ["warm"],
        "hs_code": "",
        "country_of_origin": "",
        "weight": 250.0,
    }


def test_a_product_that_is_there_is_changed(pio, client):
    pio.put(f"{API}/products/501", json=recorded("product"))
    assert client.put_products(HATS, [Handed(HAT, "501")]) == [Taken("501")]


def test_a_product_that_somebody_threw_away_there_is_made_anew(pio, client):
    pio.put(f"{API}/products/400", **refusal("product_not_found", 404))
    pio.post(f"{API}/products", json=recorded("product"))
    assert client.put_products(HATS, [Handed(HAT, "400")]) == [Taken("501")]


def test_behaviour_59_a_refused_product_fails_alone_with_a_code(pio, client):
    pio.post(f"{API}/products", json=recorded("in_use"), status=400)
    pio.post(f"{API}/products", json=recorded("product"))
    first, second = client.put_products(HATS, [Handed(HAT), Handed(HAT)])
    assert (first.failure.code, first.remote_id, second) == ("sku_in_use", "", Taken("501"))


@pytest.mark.parametrize(
    ("answer", "error", "code"),
    [
        ({"status": 503}, Unreachable, "server_error"),
        ({"status": 429, "headers": {"Retry-After": "7"}}, Unreachable, "rate_limited"),
        ({"body": requests.ConnectionError()}, Unreachable, "unreachable"),
        ({"body": "{"}, Unreachable, "garbled"),
        ({"status": 401}, Unauthorized, "unauthorized"),
        (refusal("could_not_validate_credentials", 403), Unauthorized, "unauthorized"),
    ],
)
def test_silence_and_a_lost_permission_end_a_batch_and_what_was_taken_stays_known(pio, client, answer, error, code):
    pio.post(f"{API}/products", json=recorded("product"))
    pio.add(responses.POST, f"{API}/products", **answer)
    taken = client.put_products(HATS, [Handed(HAT)] * 3)
    assert [one.remote_id for one in taken] == ["501", ""]
    assert (type(taken[1].failure), taken[1].failure.code) == (error, code)


def test_behaviour_65_a_product_with_stock_is_not_dropped(pio, client):
    pio.delete(f"{API}/products/501", **refusal("product_has_stock", 422))
    pio.delete(f"{API}/products/502", status=204)
    pio.delete(f"{API}/products/503", **refusal("product_not_found", 404))
    kept, *dropped = client.drop_products(HATS, ["501", "502", "503"])
    assert (kept.failure.code, dropped) == ("product_has_stock", [Taken("502"), Taken("503")])


def test_behaviour_62_the_stock_is_read_page_by_page_and_a_line_nobody_understands_fails_alone(pio, client):
    pio.get(f"{API}/inventory", json=recorded("inventory_first"))
    first = client.stock(HATS)
    assert first == Page(
        [RemoteStock("HAT-1", 5, ext_product_id="12", version=9)],
        "after/502=&?",
        bad=[BadItem("HAT-2", "unreadable", first.bad[0].detail)],
    )
    pio.replace(responses.GET, f"{API}/inventory", json=recorded("inventory_last"))
    assert client.stock(HATS, first.next_cursor) == Page([RemoteStock("HAT-3", 0, ext_product_id="14")])
    assert [parse_qs(urlsplit(call.request.url).query) for call in pio.calls] == [
        {"limit": ["200"]},
        {"limit": ["200"], "cursor": ["after/502=&?"]},
    ]
