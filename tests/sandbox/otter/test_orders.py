"""Customer orders at the simulated Otter: told by signed webhooks, and marked as its published calls say."""

import base64
import hashlib
import hmac
import json
import time
from dataclasses import dataclass
from datetime import datetime

import pytest

from tests.sandbox.driver import Application, Browser, Sandbox
from tests.sandbox.pio.driver import Listener, listening

SECRET = "s3cret/+ of the endpoint"


@dataclass
class Stall:
    """A connected store of five products, whose orders a listener hears of."""

    application: Application
    listener: Listener
    id: str
    token: str
    skus: list[str]

    @property
    def sandbox(self) -> Sandbox:
        return self.application.sandbox

    def order(self, **wishes: object) -> str:
        [made] = self.sandbox.control("POST", f"stores/{self.id}/orders", json=wishes).json()["orders"]
        return made

    def ledger(self) -> list[dict]:
        return [json.loads(line) for line in self.sandbox.control("GET", f"stores/{self.id}/orders").text.splitlines()]

    def told(self, count: int) -> list[dict]:
        """The events heard of, once they are so many."""
        return [json.loads(message.body) for message in self.listener.hears(count)]

    def step(self, order: str, verb: str, *, source: str = "sandbox-market", token: str = "", store: str = "my-store"):
        path = f"/manager/order/v1/sources/{source}/orders/{order}/{verb}".rstrip("/")
        headers = {"X-Store-Id": store}
        return self.application.call("POST" if verb else "GET", path, token=token or self.token, headers=headers)

    def deliveries(self) -> list[dict]:
        every = self.sandbox.control("GET", "deliveries").json()["deliveries"]
        return [one for one in every if one["application"] == self.application.client_id]


@pytest.fixture
def stall(sandbox):
    application = sandbox.application()
    store = sandbox.new_store(brand="Great Shoes", products=5)
    application.connect(store, brand="Great Shoes", who="shoes")
    with listening() as listener:
        details = {"client_id": application.client_id, "client_secret": application.secret, "redirect_uris": ["x://y"]}
        details |= {"webhook_url": listener.url, "webhook_secret": SECRET}
        sandbox.control("POST", "applications", json=details)
        skus = [item["externalId"] for item in sandbox.truth(store)]
        yield Stall(application, listener, store, application.own_token(scope="manager.orders"), skus)
    sandbox.control("POST", "applications", json=details | {"webhook_url": "", "webhook_secret": ""})


def test_a_new_order_is_told_in_the_published_envelope_and_signed_over_its_bytes(stall):
    order = stall.order(items=[{"sku": stall.skus[0], "quantity": 2}])
    [message] = stall.listener.hears(1)
    signature = hmac.new(SECRET.encode(), message.body, hashlib.sha256).digest()
    assert message.headers["x-hmac-sha256"] == base64.b64encode(signature).decode()
    told = json.loads(message.body)
    assert set(told) == {"eventId", "eventTime", "eventType", "metadata"}
    assert (told["eventType"], datetime.fromisoformat(told["eventTime"]).tzinfo is None) == ("orders.new_order", False)
    metadata = told["metadata"]
    assert (metadata["storeId"], metadata["applicationId"]) == ("my-store", stall.application.client_id)
    assert metadata["resourceId"] == order == metadata["payload"]["externalIdentifiers"]["id"]
    assert metadata["payload"] == stall.ledger()[0]["order"]
    assert metadata["payload"]["status"] == "NEW_ORDER"
    [item] = metadata["payload"]["items"]
    assert (item["id"], item["quantity"]) == (stall.skus[0], 2)
    assert metadata["payload"]["orderTotal"]["total"] == pytest.approx(item["price"] * 2 + 4.95)
    assert set(metadata["payload"]["deliveryInfo"]["destination"]) >= {"postalCode", "city", "countryCode"}


def test_without_items_something_that_is_there_is_ordered_many_times_if_wanted(stall):
    stall.sandbox.control("POST", f"stores/{stall.id}/orders", json={"count": 5})
    events = stall.told(5)
    ordered = [item["id"] for event in events for item in event["metadata"]["payload"]["items"]]
    assert set(ordered) <= set(stall.skus)
    assert len({event["eventId"] for event in events}) == len(stall.ledger()) == 5


def test_an_order_may_name_what_the_store_does_not_have_and_say_anything_else(stall):
    stall.order(items=[{"sku": "NOBODYS", "quantity": 1}], details={"customer": None}, source="other-market")
    [event] = stall.told(1)
    payload = event["metadata"]["payload"]
    assert (payload["items"][0]["id"], payload["customer"]) == ("NOBODYS", None)
    assert payload["externalIdentifiers"]["source"] == "other-market"


@pytest.mark.parametrize(
    "wishes",
    [
        {"count": 0},
        {"count": 1_001},
        {"items": [{"sku": "A"}]},
        {"items": [{"sku": 7, "quantity": 1}]},
        {"items": [{"sku": "A", "quantity": 0}]},
        {"details": ["x"]},
        {"source": "A B"},
    ],
)
def test_what_makes_no_sense_is_refused_and_nothing_is_ordered(stall, wishes):
    answer = stall.sandbox.ask("POST", f"/_control/stores/{stall.id}/orders", json=wishes)
    assert (answer.status_code, stall.ledger()) == (422, [])


def test_a_store_with_nothing_to_sell_takes_no_order_of_just_anything(sandbox):
    empty = sandbox.new_store(brand="Great Shoes")
    assert sandbox.ask("POST", f"/_control/stores/{empty}/orders", json={}).status_code == 422


def test_the_store_says_how_far_it_is_and_each_time_is_in_the_ledger(stall):
    order = stall.order()
    verbs = ("confirm", "ready-to-pickup", "fulfill")
    assert [stall.step(order, verb).status_code for verb in verbs for _ in range(2)] == [
        202
    ] * 6  # again changes nothing
    assert stall.step(order, "").json()["order"]["status"] == "FULFILLED"
    assert [event["eventType"] for event in stall.told(4)] == [
        "orders.new_order", "orders.confirm", "orders.order_ready", "orders.order_fulfilled",
    ]  # fmt: skip
    history = [one["what"] for one in stall.ledger()[0]["history"]]
    assert history == ["placed", *(verb for verb in verbs for _ in range(2))]


def test_an_order_that_is_over_stays_as_it_is(stall):
    order = stall.order()
    assert stall.sandbox.control("DELETE", f"orders/{order}").json()["order"]["status"] == "CANCELED"
    assert stall.step(order, "fulfill").status_code == 422
    assert stall.sandbox.ask("DELETE", f"/_control/orders/{order}").status_code == 409
    event = stall.told(2)[1]
    assert (event["eventType"], event["metadata"]["payload"]["status"]) == ("orders.update", "CANCELED")


def test_a_change_is_told_as_the_whole_order(stall):
    order = stall.order()
    stall.sandbox.control("PATCH", f"orders/{order}", json={"customerNote": "It is a present."})
    first, second = (event["metadata"]["payload"] for event in stall.told(2))
    assert second == first | {"customerNote": "It is a present."}


def test_who_may_say_how_far_an_order_is(stall):
    order = stall.order()
    assert stall.step(order, "fulfill", token="nobodys").status_code == 401
    assert stall.step(order, "fulfill", token=stall.application.own_token(scope="catalog")).status_code == 403
    assert stall.step(order, "fulfill", store="another").status_code == 403
    assert stall.step(order, "fulfill", source="other-market").status_code == 404
    assert stall.step("57030000-0000-4000-8000-000000000001", "fulfill").status_code == 404
    assert [one["what"] for one in stall.ledger()[0]["history"]] == ["placed"]


def test_what_is_not_taken_is_sent_again_the_same(stall):
    stall.listener.answer = lambda message: time.sleep(0.5) or 500 if len(stall.listener.messages) == 1 else 200
    stall.order()
    stall.listener.hears(1)
    stall.sandbox.control("POST", "deliveries/retry")
    first, second = stall.listener.hears(2)
    assert first.body == second.body
    ends = time.monotonic() + 5
    while stall.deliveries()[0]["state"] != "delivered" and time.monotonic() < ends:
        time.sleep(0.01)
    assert [(one["state"], one["attempts"]) for one in stall.deliveries()] == [("delivered", 2)]


def test_webhooks_are_dropped_doubled_late_and_signed_by_others_on_order(stall):
    stall.sandbox.fault("hook_dropped", path="orders.")
    stall.order()
    assert [one["state"] for one in stall.deliveries()] == ["dropped"]
    stall.sandbox.fault("hook_duplicated", path="orders.")
    stall.order()
    first, second = stall.told(2)
    assert first == second
    stall.sandbox.fault("hook_late", path="orders.", delay=0.6)
    began = time.monotonic()
    stall.order()
    stall.listener.hears(3)
    assert time.monotonic() - began > 0.5
    stall.sandbox.fault("hook_wrong_signature", path="orders.")
    stall.order()
    forged = stall.listener.hears(4)[3]
    signature = hmac.new(SECRET.encode(), forged.body, hashlib.sha256).digest()
    assert forged.headers["x-hmac-sha256"] != base64.b64encode(signature).decode()


def test_an_application_is_pinged(stall):
    stall.sandbox.control("POST", "ping", json={"client_id": stall.application.client_id, "store_id": "any"})
    [event] = stall.told(1)
    assert (event["eventType"], event["metadata"]["storeId"]) == ("ping.ping", "any")


def test_on_the_stores_page_a_button_orders_and_another_cancels(stall):
    page = f"/stores/{stall.id}/"
    assert "Nobody has ordered yet." in stall.sandbox.ask("GET", page).text
    with Browser(stall.sandbox) as browser:
        assert browser.post(f"{page}orders/", {}, page=page).headers["Location"] == page
        [made] = stall.ledger()
        assert made["order"]["customer"]["name"] in stall.sandbox.ask("GET", page).text
        browser.post(f"/orders/{made['id']}/cancel/", {}, page=page)
    assert "CANCELED" in stall.sandbox.ask("GET", page).text
    assert [event["eventType"] for event in stall.told(2)] == ["orders.new_order", "orders.update"]
