"""Telling Otter what there is none of: the published calls to suspend and unsuspend."""

import json

import pytest
import responses

from apps.egress import OutboundOAuthSession
from apps.integrations.connectors.base import Rejected, StockRow, StoreRef, TakesStock, Unauthorized, Unreachable
from apps.integrations.connectors.otter.client import OtterClient
from apps.integrations.connectors.otter.connector import CONNECTOR
from tests.conftest import OTTER

from . import BRAND, STORE, recorded

AMSTERDAM = StoreRef(BRAND, STORE, "great-hats-amsterdam")
AVAILABILITY = f"{OTTER}/manager/menu/v1/menus/entities/availability"


def bearer(token: str) -> OutboundOAuthSession:
    return OutboundOAuthSession("crossdock", token={"access_token": token, "token_type": "Bearer"})


@pytest.fixture
def client() -> OtterClient:
    return OtterClient(bearer("an-owners-token"), address=OTTER, application=bearer("an-applications-token"))


def row(sku: str, quantity: int) -> StockRow:
    return StockRow(f"id of {sku}", "", sku, quantity)


def asked(otter: responses.RequestsMock) -> list[tuple[str, list[str]]]:
    return [(call.request.url.rsplit("/", 1)[1], json.loads(call.request.body)["entityIds"]) for call in otter.calls]


def take(otter: responses.RequestsMock, *, bad: str = "") -> None:
    """Otter takes all calls but those that name this SKU."""

    def answer(request):
        if bad in json.loads(request.body)["entityIds"]:
            return 422, {}, json.dumps(recorded("unprocessable"))
        return 202, {}, json.dumps(recorded("availability"))

    for verb in ("suspend", "unsuspend"):
        otter.add_callback(responses.POST, f"{AVAILABILITY}/{verb}", callback=answer)


def test_it_takes_stock_but_no_numbers():
    assert CONNECTOR.can(TakesStock)
    assert (CONNECTOR.stock.counts_pieces, CONNECTOR.stock.burst) == (False, 16)
    assert CONNECTOR.auth.application_scopes == ("catalog", "manager.menus", "manager.orders")


def test_what_there_is_none_of_is_suspended_and_the_rest_unsuspended_in_two_calls(otter, client):
    take(otter)
    assert client.put_stock(AMSTERDAM, [row("A", 0), row("B", 3), row("C", 0)]) == ["", "", ""]
    first, second = otter.calls
    assert json.loads(first.request.body) == {
        "entityIds": ["A", "C"],
        "note": "Out of stock",
        "status": {"isIndefinite": True},
    }
    assert json.loads(second.request.body) == {"entityIds": ["B"], "note": "In stock again"}
    assert [call.request.url for call in otter.calls] == [f"{AVAILABILITY}/suspend", f"{AVAILABILITY}/unsuspend"]
    assert {call.request.headers["Authorization"] for call in otter.calls} == {"Bearer an-applications-token"}
    assert {call.request.headers["X-Store-Id"] for call in otter.calls} == {"great-hats-amsterdam"}


def test_one_bad_sku_fails_alone(otter, client):
    take(otter, bad="C")
    rows = [row(sku, 0) for sku in "ABCD"]
    assert client.put_stock(AMSTERDAM, rows) == ["", "", "rejected", ""]
    assert asked(otter) == [
        ("suspend", ["A", "B", "C", "D"]),
        ("suspend", ["A", "B"]),
        ("suspend", ["C", "D"]),
        ("suspend", ["C"]),
        ("suspend", ["D"]),
    ]


@pytest.mark.parametrize(
    ("status", "error", "code"),
    [
        (403, Rejected, "forbidden"),
        (401, Unauthorized, "application_refused"),
        (429, Unreachable, "rate_limited"),
        (500, Unreachable, "server_error"),
    ],
)
def test_a_refusal_that_is_not_about_a_row_is_raised_after_one_call(otter, client, status, error, code):
    otter.post(f"{AVAILABILITY}/suspend", status=status, json=recorded("unauthorized"))
    with pytest.raises(error) as raised:
        client.put_stock(AMSTERDAM, [row("A", 0), row("B", 0)])
    assert (raised.value.code, len(otter.calls)) == (code, 1)
