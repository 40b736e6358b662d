"""The events that can be heard of: each with a schema that its example keeps, and Pio's as its own documents say."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from apps.api.grants import READS
from apps.audit.trail import Actor
from apps.catalog import stocking
from apps.catalog.stocking import By, Change
from apps.integrations.connectors import get_connector
from apps.integrations.connectors.base import StockNews
from apps.integrations.connectors.orders import FulfillmentNews, Step, Tracking
from apps.orders import changing, fulfilling, telling
from apps.orders.models import Fulfillment
from apps.syncs.models import SyncRun
from apps.webhooks import pios_words, schemas
from apps.webhooks.catalogue import EVENTS, Happened, body_of, sample_of
from apps.webhooks.models import Event
from tests.factories import make_location, make_product
from tests.orders.goods import handed, line_ids

from .hearing import fits

PIOS = {
    "inventory_log.create": "stock.changed",
    "inventory_levels.update": "stock.changed",
    "fulfillments.create": "fulfillment.created",
    "fulfillments.update": "fulfillment.updated",
}
DESCRIBE = {"stock_level": lambda ids: {}, "fulfillment": telling.fulfillments}  # of stock an event says all itself
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def news(name: str, body: bytes):
    """What our own client of Pio's makes of a message."""
    return get_connector("pio").client.news(name, body)


def newest(type: str) -> Event:
    return Event.objects.filter(type=type).latest("id")


def told(name: str, event: Event) -> bytes:
    """The message about an event, with what its room says of it, as it goes out under this name."""
    data = DESCRIBE[event.entity]([event.entity_id]).get(event.entity_id, {}) | event.data
    said = json.dumps(data, default=str)
    happened = Happened(event.type, event.entity, event.entity_id, event.sequence, event.created_at, said)
    return body_of(EVENTS[name], happened)


def test_every_event_can_be_heard_of_under_our_name_and_four_under_pios():
    ours = {name: published.source for name, published in EVENTS.items() if not published.is_pios}
    pios = {name: published.source for name, published in EVENTS.items() if published.is_pios}
    assert (ours, pios) == ({name: name for name in Event.Type.values}, PIOS)


@pytest.mark.parametrize("name", EVENTS)
def test_an_event_says_what_it_is_about_and_who_may_hear_of_it(name):
    published = EVENTS[name]
    assert published.grant in READS
    assert str(published.summary).endswith(".")
    assert published.name == name == published.message["title"]
    assert published.message["$schema"] == "https://json-schema.org/draft/2020-12/schema"


@pytest.mark.parametrize("name", EVENTS)
def test_the_example_of_an_event_is_as_its_schemas_say(name):
    published = EVENTS[name]
    assert fits(published.sample, published.schema) == []
    assert fits(json.loads(body_of(published, sample_of(published))), published.message) == []


def test_a_value_that_a_schema_does_not_allow_is_found():
    order = EVENTS["order.created"]
    for wrong in ({"state": "lost"}, {"id": "1"}, {"version": -1}, {"total": 1.5}, {"placed_at": "noon"}, {"new": 1}):
        assert fits(order.sample | wrong, order.schema) != []


def test_our_own_events_come_in_an_envelope_with_their_data_as_it_is():
    happened = Happened("order.created", "order", "0197", 3, NOON, '{"number": "#1", "note": "é \\"quoted\\""}')
    assert body_of(EVENTS["order.created"], happened).decode() == (
        '{"type": "order.created", "timestamp": "2026-11-21T12:00:00.000Z", "entity": "order", "entity_id": "0197", '
        '"sequence": 3, "data": {"number": "#1", "note": "é \\"quoted\\""}}'
    )


def test_the_moment_is_told_in_utc_whatever_its_zone():
    sample = sample_of(EVENTS["order.created"])
    there = replace(sample, created_at=sample.created_at.astimezone(timezone(timedelta(hours=2))))
    assert body_of(EVENTS["order.created"], there) == body_of(EVENTS["order.created"], sample)


def test_the_states_in_the_schemas_are_the_models():
    assert list(schemas.RUNS) == SyncRun.Kind.values
    assert list(schemas.RUN_STATES) == [state for state in SyncRun.State.values if state not in SyncRun.UNFINISHED]
    assert list(pios_words.STATES) == Fulfillment.State.values
    assert list(schemas.PIOS_STATES) == list(dict.fromkeys(pios_words.STATES.values()))
    assert list(pios_words.OPEN) == [state for state in Fulfillment.State.values if state not in Fulfillment.FINAL]


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["inventory_levels.update", "inventory_log.create"])
def test_a_client_of_pios_reads_what_we_say_of_stock(name):
    product = make_product(sku="HAT-1")
    place = make_location(organization=product.organization, name="Rotterdam")
    by = By("operator", "Anna")
    for pieces in (7, -2):
        stocking.change(product.organization, [Change(product.pk, place.pk, on_hand=pieces)], by=by)
    event = newest("stock.changed")
    body = told(name, event)
    assert fits(json.loads(body), EVENTS[name].message) == []
    at = event.created_at.replace(microsecond=event.created_at.microsecond // 1000 * 1000)
    assert news(name, body) == [
        StockNews(sku="HAT-1", on_hand=5, version=2, occurred_at=at, note="operator shelf Rotterdam")
    ]


@pytest.mark.django_db
def test_a_client_of_pios_reads_what_we_say_of_a_fulfillment():
    one = handed(3, order={"ext_order_id": "1001", "ext_fulfillment_order_id": "part-1"})
    line, by = line_ids(one)[0], Actor("Anna")
    changing.announce([one], "fulfillment.created")
    first = news("fulfillments.create", told("fulfillments.create", newest("fulfillment.created")))
    fulfilling.ship(one, by=by, pieces={line: 2}, tracking=Tracking("DHL", "3S1", "https://t.example/1"))
    second = news("fulfillments.update", told("fulfillments.update", newest("fulfillment.updated")))
    fulfilling.ship(one, by=by, tracking=Tracking("DHL", "3S2", ""))
    third = news("fulfillments.update", told("fulfillments.update", newest("fulfillment.updated")))
    one.refresh_from_db()
    assert [[_seen(each) for each in said] for said in (first, second, third)] == [
        [(Step.TAKEN, {}, False, 1, Tracking())],
        [(Step.SHIPPED, {"0": 2}, False, 2, Tracking("DHL", "3S1", "https://t.example/1"))],
        [
            (Step.SHIPPED, {"0": 2}, False, None, Tracking("DHL", "3S1", "https://t.example/1")),
            (Step.SHIPPED, {"0": 3}, True, one.version, Tracking("DHL", "3S2", "")),
        ],
    ]
    assert {(each.reference, each.remote_id) for said in (first, second, third) for each in said} == {
        ("part-1", str(one.order_id))
    }


def _seen(each: FulfillmentNews):
    return each.step, each.shipped, each.is_final, each.version, each.tracking


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("state", "step"),
    [("picking", Step.PICKING), ("rejected", Step.REJECTED), ("cancelled", Step.CANCELLED)],
)
def test_a_client_of_pios_knows_each_state(state, step):
    one = handed(1)
    changing.advance(one, state=state, reason="broken")
    body = told("fulfillments.update", newest("fulfillment.updated"))
    assert fits(json.loads(body), EVENTS["fulfillments.update"].message) == []
    (said,) = news("fulfillments.update", body)
    assert (said.step, said.reason, json.loads(body)["closed"]) == (step, "broken", state != "picking")


@pytest.mark.parametrize("name", PIOS)
@pytest.mark.parametrize("data", ["{}", "null"])
def test_a_message_in_pios_words_can_be_made_of_next_to_nothing(name, data):
    """Of an event whose entity is gone meanwhile there is nothing to add."""
    sample = replace(sample_of(EVENTS[name]), data=data)
    assert json.loads(body_of(EVENTS[name], sample))["event_type"] == name
