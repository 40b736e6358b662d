import json

import pytest
import requests
import responses

from apps.egress import OutboundSession
from apps.integrations.connectors.base import (
    ConnectorError,
    Rejected,
    RemoteBrand,
    RemoteOrganization,
    RemoteStore,
    StoreRef,
    Unauthorized,
    Unreachable,
)
from apps.integrations.connectors.vendure import client as graphql
from apps.integrations.connectors.vendure.client import VendureClient

from .conftest import ADDRESS, ENDPOINT, recorded

JAPAN = StoreRef(brand_id="2", store_id="2")


def many_variants(count):
    [first, *_] = recorded("variants")["data"]["productVariants"]["items"]
    return [first | {"id": str(number), "sku": f"SKU-{number}"} for number in range(1, count + 1)]


def failure(call, kind=ConnectorError):
    with pytest.raises(kind) as raised:
        call()
    return raised.value


def test_the_server_is_known_by_its_default_channel_and_called_by_its_host(vendure, client):
    assert client.organization() == RemoteOrganization(id="mszp4ofi0iyf3zfm7e3", name="shop.example.com")


@pytest.mark.parametrize("typed", [ADDRESS, f"{ADDRESS}/", f"{ADDRESS}/admin-api", f"{ADDRESS}/admin-api/"])
def test_the_address_may_name_the_admin_api_or_not(vendure, typed):
    VendureClient(OutboundSession(), address=typed).organization()
    assert [request.url for request in vendure.asked] == [ENDPOINT]


def test_brands_are_the_sellers_of_the_channels(vendure, client):
    page = client.brands()
    assert page.next_cursor == ""
    assert page.items == [
        RemoteBrand("1", "Default Seller"),
        RemoteBrand("2", "Second Seller"),
        RemoteBrand("no-seller", "No seller"),
    ]


@pytest.mark.parametrize(
    ("brand", "stores"),
    [
        ("1", [RemoteStore("1", "Default channel")]),
        ("2", [RemoteStore("2", "japan")]),
        ("no-seller", [RemoteStore("3", "wholesale")]),
        ("9", []),
    ],
)
def test_stores_are_the_channels_of_a_seller(vendure, client, brand, stores):
    assert client.stores(brand).items == stores


def test_channels_are_read_page_by_page(vendure, client):
    answer = recorded("channels")
    answer["data"]["channels"]["totalItems"] = 6
    vendure.answers[graphql.CHANNELS] = answer
    assert client.stores("1").next_cursor == "3"
    assert client.brands("3").next_cursor == ""
    asked = [json.loads(request.body)["variables"] for request in vendure.asked]
    assert asked == [{"skip": 0, "take": 100}, {"skip": 3, "take": 100}]


def test_one_store_is_found_by_its_two_ids(vendure, client):
    assert client.store("2", "2") == RemoteStore("2", "japan")


def test_a_store_of_another_brand_is_not_found(vendure, client):
    assert failure(lambda: client.store("1", "2"), Rejected).code == "not_found"


def test_a_store_that_is_gone_is_not_found(vendure, client):
    vendure.answers[graphql.CHANNEL] = recorded("channel_missing")
    assert failure(lambda: client.store("2", "99"), Rejected).code == "not_found"
    assert failure(lambda: client.products(JAPAN), Rejected).code == "not_found"


def test_products_are_asked_of_the_stores_own_channel(vendure, client):
    vendure.answers[graphql.VARIANTS] = recorded("variants_in_yen")
    page = client.products(JAPAN)
    assert vendure.asked[-1].headers["vendure-token"] == "japan-token"
    assert [item.sku for item in page.items] == ["L2201308", "L2201508", "TBL200032"]
    assert (page.next_cursor, page.total) == ("", 3)


def read_all(client, after_page=None, do=lambda: None):
    """The ids of all products, in the order they came; `do` runs once so many pages are read."""
    ids, cursor, pages = [], "", 0
    while cursor or not pages:
        page = client.products(JAPAN, cursor)
        ids += [item.ext_variant_id for item in page.items]
        cursor, pages = page.next_cursor, pages + 1
        if pages == after_page:
            do()
    return ids


@pytest.mark.parametrize("count", [1, 99, 100, 101, 199, 200, 250])
def test_every_product_comes_once(vendure, client, count):
    vendure.variants = many_variants(count)
    assert read_all(client) == [item["id"] for item in vendure.variants]


@pytest.mark.parametrize(
    "gone", [slice(0, 1), slice(299, 300), slice(298, 302), slice(0, 250), slice(10, 600), slice(640, 650)], ids=str
)
def test_products_deleted_while_we_read_make_us_miss_no_other(vendure, client, gone):
    vendure.variants = many_variants(650)

    def delete():
        del vendure.variants[gone]

    ids = read_all(client, after_page=3, do=delete)
    read_before, left = {str(n) for n in range(1, 301)}, {item["id"] for item in vendure.variants}
    assert set(ids) == read_before | left


def test_a_product_made_while_we_read_comes_too(vendure, client):
    vendure.variants = many_variants(150)
    ids = read_all(client, after_page=1, do=lambda: vendure.variants.append(many_variants(151)[-1]))
    assert ids == [str(number) for number in range(1, 152)]


def test_deleting_everything_while_we_read_ends_the_list(vendure, client):
    vendure.variants = many_variants(150)
    cursor = client.products(JAPAN).next_cursor
    vendure.variants = []
    vendure.answers[graphql.VARIANTS] = recorded("variants_empty")
    page = client.products(JAPAN, cursor)
    assert (page.items, page.next_cursor, page.total) == ([], "", 0)


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        (200, Unreachable, "garbled"),
        (302, Rejected, "rejected"),
        (400, Rejected, "rejected"),
        (401, Unauthorized, "unauthorized"),
        (403, Rejected, "forbidden"),
        (404, Rejected, "not_found"),
        (408, Unreachable, "server_error"),
        (429, Unreachable, "rate_limited"),
        (500, Unreachable, "server_error"),
        (503, Unreachable, "server_error"),
    ],
)
def test_a_status_says_who_must_act(web, client, status, kind, code):
    web.add(responses.POST, ENDPOINT, status=status, body="<h1>No</h1>", headers={"Location": "/login"})
    error = failure(client.organization)
    assert (type(error), error.code) == (kind, code)
    assert len(web.calls) == 1


def test_a_named_time_to_try_again_is_told(web, client):
    web.add(responses.POST, ENDPOINT, status=429, headers={"Retry-After": "120"})
    assert failure(client.organization, Unreachable).retry_after == 120


@pytest.mark.parametrize(
    ("name", "kind", "code"),
    [
        ("forbidden", Unauthorized, "unauthorized"),
        ("channel_unknown", Rejected, "not_found"),
        ("limit_exceeded", Rejected, "rejected"),
        ("bad_request", Rejected, "rejected"),
    ],
)
def test_an_error_of_graphql_says_who_must_act(vendure, client, name, kind, code):
    vendure.answers[graphql.SERVER] = recorded(name)
    error = failure(client.organization)
    assert (type(error), error.code) == (kind, code)


def test_a_shop_that_fails_inside_is_tried_again_later(vendure, client):
    vendure.answers[graphql.SERVER] = {
        "errors": [{"message": "database is down", "extensions": {"code": "INTERNAL_SERVER_ERROR"}}],
        "data": None,
    }
    assert failure(client.organization, Unreachable).code == "server_error"


@pytest.mark.parametrize(
    "body",
    [
        "",
        "<html>",
        '{"data": {"activeChannel": {"tok',
        "[]",
        "null",
        "7",
        "{}",
        '{"data": null}',
        '{"data": {"activeChannel": null}}',
        '{"data": {"activeChannel": {"token": ""}}}',
        '{"data": {"activeChannel": {"token": 7}}}',
        '{"errors": 5}',
        '{"errors": ["no"]}',
        "[" * 100_000,
        b"\xff\xfe\x00",
    ],
    ids=lambda body: repr(body[:30]),
)
def test_an_answer_that_cannot_be_read_is_tried_again_later(web, client, body):
    web.add(responses.POST, ENDPOINT, body=body)
    assert failure(client.organization, Unreachable).code == "garbled"


@pytest.mark.parametrize(
    "page",
    [
        {"items": [], "totalItems": 5},
        {"items": None, "totalItems": 0},
        {"items": [{}], "totalItems": 1},
        {"items": [5], "totalItems": 1},
        {"items": [{"id": None}], "totalItems": 1},
        {"items": [], "totalItems": "0"},
        {"items": [], "totalItems": None},
    ],
    ids=str,
)
def test_a_list_that_cannot_be_read_is_tried_again_later(vendure, client, page):
    variants, channels = recorded("variants"), recorded("channels")
    variants["data"]["productVariants"] = channels["data"]["channels"] = page
    vendure.answers |= {graphql.VARIANTS: variants, graphql.CHANNELS: channels}
    assert failure(lambda: client.products(JAPAN), Unreachable).code == "garbled"
    assert failure(client.brands, Unreachable).code == "garbled"


@pytest.mark.parametrize("token", ["ja\npan", "日本", "", None])
def test_a_channel_token_that_no_header_can_carry_is_an_unreadable_answer(vendure, client, token):
    answer = recorded("channel")
    answer["data"]["channel"]["token"] = token
    vendure.answers[graphql.CHANNEL] = answer
    assert failure(lambda: client.products(JAPAN), Unreachable).code == "garbled"


@pytest.mark.parametrize(
    ("trouble", "code"),
    [
        (requests.ConnectionError("refused"), "unreachable"),
        (requests.ReadTimeout("slow"), "timeout"),
        (requests.exceptions.ChunkedEncodingError("cut off"), "unreachable"),
        (requests.exceptions.SSLError("expired"), "unreachable"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_network_that_fails_is_tried_again_later(web, client, trouble, code):
    web.add(responses.POST, ENDPOINT, body=trouble)
    assert failure(client.organization, Unreachable).code == code


@pytest.mark.parametrize("cursor", ["x", "-1", "5:y"])
def test_a_cursor_that_is_not_ours_is_refused(vendure, client, cursor):
    assert failure(lambda: client.products(JAPAN, cursor), Rejected).code == "bad_cursor"
