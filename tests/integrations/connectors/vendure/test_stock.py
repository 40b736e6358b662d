"""Telling Vendure how many there are: what is available there becomes what we say."""

import json

import pytest

from apps.integrations.connectors.base import Rejected, StockRow, StoreRef, TakesStock, Unreachable
from apps.integrations.connectors.vendure import client as graphql
from apps.integrations.connectors.vendure.connector import CONNECTOR

from .conftest import recorded

JAPAN = StoreRef(brand_id="2", store_id="2")


def row(variant: str, quantity: int) -> StockRow:
    return StockRow(f"product of {variant}", variant, f"SKU-{variant}", quantity)


@pytest.fixture
def writable(vendure):
    vendure.answers |= {graphql.STOCK: recorded("stock"), graphql.PUT_STOCK: recorded("updated")}
    return vendure


def written(vendure) -> list[list[dict]]:
    questions = [json.loads(request.body) for request in vendure.asked]
    return [question["variables"]["input"] for question in questions if question["query"] == graphql.PUT_STOCK]


def test_it_takes_stock_in_pieces():
    assert (CONNECTOR.can(TakesStock), CONNECTOR.stock.counts_pieces) == (True, True)


def test_what_vendure_has_allocated_is_added_so_that_what_is_left_is_what_we_say(writable, client):
    assert client.put_stock(JAPAN, [row("4", 20)]) == [""]
    assert written(writable) == [[{"id": "4", "stockLevels": [{"stockLocationId": "1", "stockOnHand": 22}]}]]


def test_several_places_add_up_to_what_we_say(writable, client):
    assert client.put_stock(JAPAN, [row("1", 7)]) == [""]
    [[change]] = written(writable)
    assert change["stockLevels"] == [
        {"stockLocationId": "1", "stockOnHand": 10},
        {"stockLocationId": "2", "stockOnHand": 1},
    ]
    assert sum(level["stockOnHand"] for level in change["stockLevels"]) - (3 + 1) == 7


def test_a_variant_that_lies_nowhere_yet_gets_its_stock_at_the_default_place(writable, client):
    assert client.put_stock(JAPAN, [row("3", 0)]) == [""]
    assert written(writable) == [[{"id": "3", "stockOnHand": 0}]]


def test_what_is_so_already_is_not_written(writable, client):
    assert client.put_stock(JAPAN, [row("4", 7)]) == [""]
    assert written(writable) == []


def test_variants_that_are_gone_or_not_counted_fail_alone_and_are_not_written(writable, client):
    assert client.put_stock(JAPAN, [row("9", 1), row("2", 1), row("4", 1)]) == ["not_found", "not_counted", ""]
    assert [[change["id"] for change in changes] for changes in written(writable)] == [["4"]]


def test_all_calls_name_the_stores_channel_and_ask_for_the_batch_at_once(writable, client):
    client.put_stock(JAPAN, [row("4", 20), row("3", 5)])
    channel, asked, changed = writable.asked
    assert "vendure-token" not in channel.headers
    token = recorded("channel")["data"]["channel"]["token"]
    assert [request.headers["vendure-token"] for request in (asked, changed)] == [token, token]
    assert json.loads(asked.body)["variables"] == {"ids": ["4", "3"], "take": 2}


def test_one_bad_variant_fails_alone_though_vendure_takes_all_of_a_call_or_nothing(writable, client):
    class Refusing(dict):
        def __getitem__(self, query):
            if query != graphql.PUT_STOCK:
                return super().__getitem__(query)
            asked = json.loads(writable.asked[-1].body)["variables"]["input"]
            return recorded("variant_unknown" if "4" in {change["id"] for change in asked} else "updated")

    writable.answers = Refusing(writable.answers)
    assert client.put_stock(JAPAN, [row("1", 1), row("3", 1), row("4", 1)]) == ["", "", "rejected"]


def test_a_key_that_may_only_read_says_so_and_the_permission_is_not_taken_for_lost(writable, client):
    writable.answers[graphql.PUT_STOCK] = recorded("forbidden")
    with pytest.raises(Rejected) as raised:
        client.put_stock(JAPAN, [row("4", 20)])
    assert raised.value.code == "may_not_write"


@pytest.mark.parametrize("allocated", ["3", None, 2.5])
def test_an_answer_that_cannot_be_read_changes_nothing(writable, client, allocated):
    answer = recorded("stock")
    answer["data"]["productVariants"]["items"][3]["stockLevels"][0]["stockAllocated"] = allocated
    writable.answers[graphql.STOCK] = answer
    with pytest.raises(Unreachable):
        client.put_stock(JAPAN, [row("4", 20)])
    assert written(writable) == []
