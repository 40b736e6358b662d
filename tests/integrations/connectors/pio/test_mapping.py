import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.integrations.connectors.base import BadSignature, BadTime, StockNews, Webhook
from apps.integrations.connectors.pio import mapping

from . import recorded

SECRET = "pio-test-secret"
BODY = b'{"sku":"HAT-1","in_stock":5,"reserved":2,"available":3}'
HEADERS = {  # the vector of contracts 1.8
    "X-Pio-Hmac-Sha256": "lLwge9h+eAvkvyrGJRFsUPJD6ua3rY+dZL6BIc9uYS0=",
    "X-Pio-Delivery-Id": "3f1c2a",
    "X-Pio-Event-Type": "inventory_levels.update",
    "X-Pio-Shop-Id": "7",
    "X-Pio-Ext-Shop-Id": "42",
    "X-Pio-Timestamp": "1700000000",
}
SENT = datetime.fromtimestamp(1_700_000_000, UTC)


def verify(headers=HEADERS, body=BODY, *, secrets=(SECRET,), now=SENT):
    return mapping.verify(headers, body, secrets=secrets, now=now)


def test_behaviour_84_the_published_vector_is_accepted():
    assert verify() == Webhook("3f1c2a", "inventory_levels.update", "42")


def test_names_of_headers_are_read_in_any_case():
    assert verify({name.upper(): value for name, value in HEADERS.items()}).shop_ref == "42"


@pytest.mark.parametrize("name", HEADERS)
def test_wi_01_each_of_the_six_headers_is_needed_and_signed(name):
    for changed in ("", HEADERS[name][:-1] + "1"):
        with pytest.raises(BadSignature):
            verify(HEADERS | {name: changed})
    with pytest.raises(BadSignature):
        verify({other: value for other, value in HEADERS.items() if other != name})


def test_wi_01_a_body_altered_in_any_byte_is_refused():
    for n in range(len(BODY)):
        with pytest.raises(BadSignature):
            verify(body=BODY[:n] + bytes([BODY[n] ^ 1]) + BODY[n + 1 :])


def test_wi_01_the_secret_of_somebody_else_or_none_is_refused():
    for secrets in (("another",), ("",), ()):
        with pytest.raises(BadSignature):
            verify(secrets=secrets)


def test_wi_06_the_bytes_are_signed_not_what_they_mean():
    for same in (json.dumps(json.loads(BODY)).encode(), b"\xef\xbb\xbf" + BODY, BODY + b"\n"):
        with pytest.raises(BadSignature):
            verify(body=same)


def test_wi_10_while_a_secret_is_replaced_both_hold():
    assert verify(secrets=("new", SECRET)) == verify(secrets=(SECRET, "former"))


@pytest.mark.parametrize(
    ("age", "accepted"),
    [
        (timedelta(hours=24), True),
        (timedelta(hours=24, minutes=59), True),
        (timedelta(hours=25, seconds=1), False),
        (timedelta(minutes=-4, seconds=-59), True),
        (timedelta(minutes=-5, seconds=-1), False),
    ],
)
def test_wi_03_a_delivery_may_be_as_old_as_its_last_retry_and_a_clock_a_little_fast(age, accepted):
    if accepted:
        assert verify(now=SENT + age).remote_id == "3f1c2a"
    else:
        with pytest.raises(BadTime):
            verify(now=SENT + age)


TEXT = st.text(max_size=40)


@given(st.dictionaries(st.sampled_from([*HEADERS, "Host"]), TEXT), st.binary(max_size=60))
def test_wi_02_nothing_that_arrives_raises_anything_else(headers, body):
    with pytest.raises(BadSignature):
        verify(headers, body)


def test_a_message_about_stock_tells_the_whole_number_its_version_and_why():
    assert mapping.news("inventory_levels.update", json.dumps(recorded("message")).encode()) == [
        StockNews(
            sku="HAT-1",
            on_hand=10,
            version=3,
            occurred_at=datetime(2026, 3, 1, 12, tzinfo=UTC),
            note="store grid G-1",
        )
    ]


def test_behaviour_64_both_events_about_stock_have_one_format():
    body = json.dumps(recorded("message")).encode()
    assert mapping.news("inventory_log.create", body) == mapping.news("inventory_levels.update", body)


def test_the_least_a_message_can_say_is_a_sku_and_a_number():
    assert mapping.news("inventory_levels.update", BODY) == [StockNews(sku="HAT-1", on_hand=5)]


def test_wi_07_an_event_that_is_not_about_stock_says_nothing_of_it():
    assert mapping.news("purchase_orders.update", b"") is None


@pytest.mark.parametrize(
    "change",
    [
        {"in_stock": -1},
        {"in_stock": 1.5},
        {"in_stock": True},
        {"in_stock": None},
        {"in_stock": 2**31},
        {"version": 2**63},
        {"version": "x"},
        {"product": {"sku": ""}},
        {"product": {"sku": "HAT\x001"}},
        {"product": []},
        {"storage": 3},
        {"occurred_at": "yesterday"},
        {"occurred_at": "0001-01-01T00:00:00+01:00"},
    ],
)
def test_a_message_that_makes_no_sense_is_refused_as_a_whole(change):
    with pytest.raises(ValueError, match="not a message about stock"):
        mapping.news("inventory_log.create", json.dumps(recorded("message") | change).encode())


@given(st.binary(max_size=80))
def test_wi_02_any_body_is_news_or_a_value_error(body):
    with pytest.raises(ValueError, match="not a message about stock"):
        mapping.news("inventory_log.create", body)


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"code": "product_not_found"}, "product_not_found"),
        ({"code": "x" * 80}, "x" * 50),
        ({"code": 7}, ""),
        ({"code": "a\x00b"}, ""),
        ([], ""),
        ("text", ""),
    ],
)
def test_a_code_is_pios_own_short_and_storable(said, code):
    class Answer:
        def json(self):
            return said

    assert mapping.code(Answer()) == code
