import time

import pytest

from .driver import error_of

LEVELS, LOG = "inventory_levels.update", "inventory_log.create"
API = "/api/v1/"


@pytest.fixture
def product(shop, listener):
    for event in (LEVELS, LOG):
        shop.hook(event, listener.url)
    return shop.own_product()


def test_a_fault_with_pios_path_hits_pio_in_its_own_words(sandbox, shop):
    sandbox.fault("server_error", path=API)
    sandbox.fault("rate_limited", path=API, retry_after=7)
    sandbox.fault("unauthorized", path=API)
    answers = [shop.call("GET", "products") for _ in range(4)]
    assert [error_of(answer) for answer in answers[:3]] == [
        (500, "internal_server_error"),
        (429, "too_many_requests"),
        (401, "unauthorized"),
    ]
    assert answers[1].headers["Retry-After"] == "7"
    assert answers[3].status_code == 200


def test_a_fault_without_a_path_is_otters_and_leaves_pio_alone(sandbox, shop):
    sandbox.fault("server_error")
    assert shop.call("GET", "products").status_code == 200
    assert sandbox.ask("GET", "/v1/ping").status_code == 500


def test_a_slow_answer_comes(sandbox, shop):
    sandbox.fault("slow", path=API, delay=0.4)
    began = time.monotonic()
    assert shop.call("GET", "products").status_code == 200
    assert time.monotonic() - began >= 0.4


def test_expire_token_revokes_the_token_for_good(sandbox, shop):
    sandbox.fault("expire_token", path=API)
    assert [error_of(shop.call("GET", "products")) for _ in range(2)] == [(401, "unauthorized")] * 2
    assert shop.client.shop(ext_shop_id=shop.ext_shop_id).id == shop.id


def test_the_consent_faults_hit_pio_too(sandbox, client):
    sandbox.fault("deny_consent")
    assert client.approval() == {"error": "access_denied", "state": "a state/+&"}
    sandbox.fault("wrong_state")
    assert client.approval()["state"] != "a state/+&"
    code = client.approval()["code"]
    sandbox.fault("invalid_grant")
    assert client.exchange(code).json()["error"] == "invalid_grant"
    assert client.exchange(code).status_code == 200


def test_a_wrong_signature_is_of_one_attempt_and_the_next_is_right(sandbox, shop, product, listener):
    sandbox.fault("hook_wrong_signature", path=LEVELS)
    listener.answer = lambda message: 200 if message.is_signed_with(shop.client.secret) else 401
    shop.move("store", product, 1)
    listener.hears(2)
    sandbox.control("POST", "pio/deliveries/retry")
    messages = [message for message in listener.hears(3) if message.event == LEVELS]
    assert [message.is_signed_with(shop.client.secret) for message in messages] == [False, True]
    assert len({message.id for message in messages}) == 1


def test_a_dropped_delivery_is_never_sent(sandbox, shop, product, listener):
    sandbox.fault("hook_dropped", path=LEVELS)
    shop.move("store", product, 1)
    assert [message.event for message in listener.hears(1)] == [LOG]
    sandbox.control("POST", "pio/deliveries/retry")
    assert [delivery["event_type"] for delivery in shop.deliveries(state="dropped")] == [LEVELS]
    shop.move("store", product, 1)
    assert [m.data["version"] for m in listener.hears(3) if m.event == LEVELS] == [2]


def test_a_duplicated_delivery_comes_twice_with_one_id(sandbox, shop, product, listener):
    sandbox.fault("hook_duplicated", path=LEVELS)
    shop.move("store", product, 1)
    ids = [message.id for message in listener.hears(3) if message.event == LEVELS]
    assert len(ids) == 2 and len(set(ids)) == 1


def test_a_late_delivery_comes_after_a_newer_one(sandbox, shop, product, listener):
    sandbox.fault("hook_late", path=LEVELS, delay=60)
    shop.move("store", product, 1)
    shop.move("store", product, 1)
    listener.hears(3)
    sandbox.control("POST", "pio/deliveries/retry")
    assert [m.data["version"] for m in listener.hears(4) if m.event == LEVELS] == [2, 1]


def test_shuffled_deliveries_all_come_and_not_in_order(sandbox, shop, product, listener):
    sandbox.fault("hook_shuffled", path=LEVELS, delay=1.5, times=20)
    for _ in range(20):
        shop.move("store", product, 1)
    versions = [message.data["version"] for message in listener.hears(40) if message.event == LEVELS]
    assert sorted(versions) == [*range(1, 21)]
    assert versions != sorted(versions)
    assert sandbox.control("GET", "state").json()["faults"] == []
