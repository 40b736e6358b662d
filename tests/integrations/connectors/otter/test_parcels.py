"""Telling Otter that an order has left: the published call to mark it as fulfilled."""

import pytest
import responses

from apps.egress import OutboundOAuthSession
from apps.integrations.connectors.base import Rejected, StoreRef, Unreachable
from apps.integrations.connectors.orders import ParcelNote, TakesParcels
from apps.integrations.connectors.otter.client import OtterClient
from apps.integrations.connectors.otter.connector import CONNECTOR
from tests.conftest import OTTER

from . import BRAND, STORE, recorded

AMSTERDAM = StoreRef(BRAND, STORE, "great-hats-amsterdam")
FULFILL = f"{OTTER}/manager/order/v1/sources/hat%20market/orders/o-1/fulfill"
LAST = ParcelNote("parcel-1", "hat market/o-1", {"l-1": 2}, is_last=True)


def bearer(token: str) -> OutboundOAuthSession:
    return OutboundOAuthSession("crossdock", token={"access_token": token, "token_type": "Bearer"})


@pytest.fixture
def client() -> OtterClient:
    return OtterClient(bearer("an-owners-token"), address=OTTER, application=bearer("an-applications-token"))


def test_with_the_last_parcel_the_order_is_handed_off_by_our_application(otter: responses.RequestsMock, client):
    otter.post(FULFILL, status=202)
    assert CONNECTOR.can(TakesParcels)
    assert client.put_parcel(AMSTERDAM, LAST) == "o-1"
    [call] = otter.calls
    assert call.request.headers["Authorization"] == "Bearer an-applications-token"
    assert call.request.headers["X-Store-Id"] == "great-hats-amsterdam"
    assert not call.request.body


def test_of_earlier_parcels_otter_is_told_nothing(otter, client):
    assert client.put_parcel(AMSTERDAM, ParcelNote("parcel-1", "hat market/o-1", {"l-1": 1})) == "o-1"
    assert len(otter.calls) == 0


@pytest.mark.parametrize(
    ("status", "error", "code"),
    [
        (404, Rejected, "order_not_found"),
        (403, Rejected, "forbidden"),
        (422, Rejected, "rejected"),
        (503, Unreachable, "server_error"),
    ],
)
def test_a_refusal_says_which(otter, client, status, error, code):
    otter.post(FULFILL, status=status, json=recorded("unprocessable"))
    with pytest.raises(error) as raised:
        client.put_parcel(AMSTERDAM, LAST)
    assert raised.value.code == code


def test_an_order_without_a_source_cannot_be_named_to_otter(otter, client):
    with pytest.raises(Rejected) as raised:
        client.put_parcel(AMSTERDAM, ParcelNote("parcel-1", "o-1", {}, is_last=True))
    assert (raised.value.code, len(otter.calls)) == ("no_source", 0)
