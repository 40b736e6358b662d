"""Routing rules over the API."""

import json

import pytest

from apps.orders.models import RoutingRule
from tests.factories import make_custom_integration, make_key, make_location, make_member, make_routing_rule, make_shop

PLAIN = {
    "is_active": True,
    "shops": [],
    "tags": [],
    "countries": [],
    "shipping_methods": [],
    "location_id": None,
    "may_split": False,
    "priority": 0,
}


@pytest.fixture
def anna(db):
    return make_member()


@pytest.fixture
def call(client, anna):
    """A call with a person's key."""
    key = make_key(user=anna)

    def send(method, body=None, *, key=key, of=anna.organization):
        address = f"/api/v1/organizations/{of.pk}/routing-rules"
        content = "" if body is None else json.dumps(body)
        return client.generic(method, address, content, "application/json", headers={"X-Api-Key": key})

    return send


def test_rules_are_saved_and_read_in_their_order(call, anna):
    place = make_location(organization=anna.organization)
    shop = make_shop(integration=make_custom_integration(organization=anna.organization, category="shop"))
    rules = [
        {"name": "Dutch orders", "kind": "route", "location_id": str(place.pk), "countries": ["nl"], "may_split": True},
        {"name": "Gifts first", "kind": "priority", "tags": ["gift"], "priority": 5, "shops": [str(shop.pk)]},
        {"name": "Check", "kind": "block", "shipping_methods": ["Drone"], "is_active": False},
    ]
    saved = call("PUT", {"rules": rules}).json()
    assert saved["rules"] == [
        PLAIN | rules[0] | {"countries": ["NL"]},
        PLAIN | rules[1],
        PLAIN | rules[2],
    ]
    assert call("GET").json() == saved
    again = call("PUT", {"rules": saved["rules"][::-1], "based_on": saved["version"]})
    assert [rule["name"] for rule in again.json()["rules"]] == ["Check", "Gifts first", "Dutch orders"]
    stale = call("PUT", {"rules": [], "based_on": saved["version"]})
    assert (stale.status_code, stale.json()["code"]) == (409, "stale_version")


@pytest.mark.parametrize(
    ("rule", "attribute"),
    [
        ({"kind": "route"}, "rules.0.location_id"),
        ({"kind": "route", "location_id": "5e4b1c7e-0000-4000-8000-000000000000"}, "rules.0.location_id"),
        ({"kind": "block", "priority": 1}, "rules.0.priority"),
        ({"kind": "block", "countries": ["1!"]}, "rules.0.countries"),
        ({"kind": "block", "shops": ["5e4b1c7e-0000-4000-8000-000000000000"]}, "rules.0.shops"),
    ],
)
def test_a_rule_that_makes_no_sense_saves_nothing(call, anna, rule, attribute):
    make_routing_rule(organization=anna.organization, name="stays")
    answer = call("PUT", {"rules": [{"name": "x"} | rule]})
    assert (answer.status_code, answer.json()["code"]) == (422, "validation_error")
    assert [detail["attribute"] for detail in answer.json()["details"]] == [attribute]
    assert RoutingRule.objects.get().name == "stays"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"rules": "x"},
        {"rules": [{"kind": "block"}]},
        {"rules": [{"name": "x", "kind": "other"}]},
        {"rules": [{"name": "x", "kind": "block", "odd": 1}]},
        {"rules": [{"name": "x", "kind": "block"}, {"name": "x", "kind": "block"}]},
        {"rules": [{"name": "x", "kind": "priority", "priority": 10**9}]},
        {"rules": [{"name": "x", "kind": "block", "tags": [1]}]},
        {"rules": [], "based_on": 3},
    ],
)
def test_a_body_that_makes_no_sense_is_refused(call, body):
    assert call("PUT", body).status_code == 422


def test_a_place_of_another_organization_cannot_be_named(call):
    rule = {"name": "x", "kind": "route", "location_id": str(make_location().pk)}
    assert call("PUT", {"rules": [rule]}).json()["details"][0]["attribute"] == "rules.0.location_id"


def test_a_machine_sees_the_rules_only_with_the_whole_organization_and_saves_none(call, anna):
    make_routing_rule(organization=anna.organization, name="Gifts first")
    for org_wide, names in ((False, []), (True, ["Gifts first"])):
        integration = make_custom_integration(organization=anna.organization, org_wide_access=org_wide)
        key = make_key(integration=integration)
        assert [rule["name"] for rule in call("GET", key=key).json()["rules"]] == names
        assert call("PUT", {"rules": []}, key=key).status_code == 403


def test_another_organization_is_not_found(call):
    other = make_member().organization
    assert (call("GET", of=other).status_code, call("PUT", {"rules": []}, of=other).status_code) == (404, 404)
