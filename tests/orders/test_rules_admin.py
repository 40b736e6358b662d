"""Routing rules on the 3PL's own site."""

import pytest

from apps.audit.models import Entry
from apps.orders.models import Nudge, RoutingRule
from tests.factories import make_location, make_organization, make_routing_rule

pytestmark = pytest.mark.django_db
PAGE = "/admin/orders/routingrule/"


def form(organization, **fields):
    return {
        "name": "Gifts first", "organization": str(organization.pk), "position": "1", "is_active": "on",
        "kind": "priority", "shops": "", "tags": "gift,vip", "countries": "nl", "shipping_methods": "", "location": "",
        "priority": "5",
    } | fields  # fmt: skip


def test_a_rule_is_made_changed_and_deleted(staff_client):
    organization = make_organization()
    answer = staff_client.post(f"{PAGE}add/", form(organization))
    assert answer.status_code == 302, answer.text
    rule = RoutingRule.objects.get()
    assert (rule.tags, rule.countries, rule.priority) == (["gift", "vip"], ["NL"], 5)
    staff_client.post(f"{PAGE}{rule.pk}/change/", form(organization, priority="7"))
    rule.refresh_from_db()
    assert rule.priority == 7
    staff_client.post(f"{PAGE}{rule.pk}/delete/", {"post": "yes"})
    assert not RoutingRule.objects.exists()
    assert list(Entry.objects.order_by("pk").values_list("action", flat=True)) == [
        "rule.save",
        "rule.save",
        "rule.delete",
    ]
    assert Nudge.objects.filter(organization=organization, code="blocked").count() == 3


def test_a_rule_that_makes_no_sense_is_refused_with_a_sentence(staff_client):
    organization = make_organization()
    answer = staff_client.post(
        f"{PAGE}add/", form(organization, kind="route", location=str(make_location().pk), priority="0")
    )
    assert (answer.status_code, RoutingRule.objects.count()) == (200, 0)
    assert "Choose the location that these orders are shipped from." in answer.text


@pytest.mark.parametrize("field", ["shops", "tags", "countries", "position", "priority", "location", "organization"])
def test_nonsense_is_refused(staff_client, field):
    answer = staff_client.post(f"{PAGE}add/", form(make_organization()) | {field: "\x00," * 300})
    assert (answer.status_code, RoutingRule.objects.count()) == (200, 0)


def test_the_list_shows_the_rules_in_their_order(staff_client):
    organization = make_organization()
    for position, name in ((2, "Second rule"), (1, "First rule")):
        make_routing_rule(organization=organization, name=name, position=position)
    text = staff_client.get(PAGE).text
    assert text.index("First rule") < text.index("Second rule")
