import signal
import time
from datetime import UTC, datetime

import pytest

from tests.sandbox.driver import Sandbox, start, stop

from .driver import Client

LEVELS, LOG = "inventory_levels.update", "inventory_log.create"


@pytest.fixture
def product(shop, listener):
    """A product of the shop, whose levels are listened to."""
    shop.hook(LEVELS, listener.url)
    return shop.own_product(name="Bonnet d'été 🎩")


def settled(shop, *, attempts=1):
    """The shop's only delivery, once it has been attempted so often."""
    ends = time.monotonic() + 8
    while (only := shop.deliveries()[0])["attempts"] < attempts and time.monotonic() < ends:
        time.sleep(0.01)
    assert only["attempts"] == attempts
    return only


def seconds_until(moment):
    return (datetime.fromisoformat(moment) - datetime.now(UTC)).total_seconds()


def test_a_delivery_has_the_six_headers_and_is_signed_over_the_body_as_it_comes(shop, listener, product):
    shop.move("store", product, 5)
    message = listener.hears(1)[0]
    assert {name: value for name, value in message.headers.items() if name.startswith("x-pio-")} == {
        "x-pio-event-type": LEVELS,
        "x-pio-shop-id": str(shop.id),
        "x-pio-ext-shop-id": shop.ext_shop_id,
        "x-pio-delivery-id": settled(shop)["id"],
        "x-pio-timestamp": message.headers["x-pio-timestamp"],
        "x-pio-hmac-sha256": message.headers["x-pio-hmac-sha256"],
    }
    assert abs(int(message.headers["x-pio-timestamp"]) - time.time()) < 10
    assert message.is_signed_with(shop.client.secret)
    assert not message.is_signed_with("another secret")
    assert message.body.decode() == settled(shop)["body"]
    assert "Bonnet d'été 🎩".encode() in message.body


@pytest.mark.parametrize("status", [200, 204, 299])
def test_any_2xx_is_delivered(shop, listener, product, status):
    listener.answer = lambda message: status
    shop.move("store", product, 5)
    delivery = settled(shop)
    assert (delivery["state"], delivery["last_status"]) == ("delivered", status)


@pytest.mark.parametrize("status", [302, 401, 500])
def test_any_other_answer_is_tried_again_with_the_same_id_and_body(shop, listener, product, status):
    listener.answer = lambda message: status if len(listener.messages) == 1 else 200
    shop.move("store", product, 5)
    delivery = settled(shop)
    assert (delivery["state"], delivery["last_status"]) == ("waiting", status)
    assert 3 < seconds_until(delivery["next_attempt_at"]) <= 5
    shop.client.sandbox.control("POST", "pio/deliveries/retry")
    first, second = listener.hears(2)
    assert (first.id, first.body) == (second.id, second.body)
    assert second.is_signed_with(shop.client.secret)
    assert settled(shop, attempts=2)["state"] == "delivered"


def test_a_second_attempt_asked_for_during_the_first_follows_it_at_once(shop, listener, product):
    listener.answer = lambda message: time.sleep(0.5) or 500 if len(listener.messages) == 1 else 200
    shop.move("store", product, 5)
    listener.hears(1)
    shop.client.sandbox.control("POST", "pio/deliveries/retry")
    listener.hears(2, within=4)
    assert settled(shop, attempts=2)["state"] == "delivered"


def test_an_answer_that_keeps_silent_or_drips_for_5_seconds_is_none(shop, listener, product):
    shop.hook(LOG, listener.url)
    listener.answer = lambda message: time.sleep(9 if message.event == LOG else 0) or 200
    listener.dripped = 6
    began = time.monotonic()
    shop.move("store", product, 5)
    listener.hears(2)
    while any(delivery["attempts"] == 0 for delivery in shop.deliveries()):
        assert time.monotonic() - began < 8.5
        time.sleep(0.05)
    assert [(delivery["state"], delivery["last_status"]) for delivery in shop.deliveries()] == [("waiting", None)] * 2


def test_the_gaps_grow_and_after_24_hours_it_is_given_up(shop, listener, product):
    listener.answer = lambda message: 500
    shop.move("store", product, 5)
    gaps = []
    for attempt in range(1, 8):
        gaps.append(round(seconds_until(settled(shop, attempts=attempt)["next_attempt_at"])))
        shop.client.sandbox.control("POST", "pio/deliveries/pass", json={"seconds": gaps[-1]})
    assert gaps == [5, 30, 120, 600, 3600, 3600, 3600]
    settled(shop, attempts=8)
    shop.client.sandbox.control("POST", "pio/deliveries/pass", json={"seconds": 23 * 3600})
    assert settled(shop, attempts=9)["state"] == "given_up"
    assert len({message.id for message in listener.messages}) == 1
    shop.client.sandbox.control("POST", "pio/deliveries/retry")
    assert settled(shop, attempts=9)["state"] == "given_up"


def test_what_waits_is_delivered_by_the_next_process_with_the_same_id(tmp_path, listener):
    listener.answer = lambda message: 500
    process, url = start(tmp_path / "sandbox.sqlite3")
    shop = Client(Sandbox(url)).register().shop()
    product = shop.own_product()
    shop.hook(LEVELS, listener.url)
    shop.move("store", product, 3)
    waiting = settled(shop)
    shop.client.sandbox.close()
    assert stop(process, by=signal.SIGTERM) == 0
    listener.answer = lambda message: 200
    process, url = start(tmp_path / "sandbox.sqlite3")
    shop.client.sandbox = Sandbox(url)
    shop.client.sandbox.control("POST", "pio/deliveries/retry")
    first, second = listener.hears(2)
    assert (first.id, first.body, first.id) == (second.id, second.body, waiting["id"])
    assert settled(shop, attempts=2)["state"] == "delivered"
    shop.client.sandbox.close()
    assert stop(process) == 0
