"""Routing rules on the 3PL's own site."""

import re

import pytest

from apps.audit.models import Entry
from apps.audit.trail import Actor
from apps.orders import ruling
from apps.orders.models import Nudge, RoutingRule
from tests.conftest import save_as_shown
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
    save_as_shown(staff_client, f"{PAGE}{rule.pk}/change/", form(organization, priority="7"))
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


def test_a_rule_that_somebody_changed_meanwhile_stays_as_they_made_it(staff_client):
    rule = make_routing_rule()
    address = f"{PAGE}{rule.pk}/change/"
    shown = staff_client.get(address).context["adminform"].form["as_shown"].value()
    RoutingRule.objects.update(is_active=False)
    answer = staff_client.post(address, form(rule.organization, as_shown=shown))
    assert "Somebody changed this after you opened the page." in answer.text
    assert RoutingRule.objects.get().is_active is False


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


@pytest.mark.parametrize("changes", [1, 3])
def test_a_rules_page_shows_who_changed_what_of_it(staff, staff_client, changes):
    organization = make_organization()
    staff_client.post(f"{PAGE}add/", form(organization))
    rule = RoutingRule.objects.get()
    for number in range(changes):
        save_as_shown(
            staff_client, f"{PAGE}{rule.pk}/change/", form(organization, priority=str(7 + number), position="2")
        )
    ruling.replace(make_organization(), [], actor=Actor("elsewhere"))
    page = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", staff_client.get(f"{PAGE}{rule.pk}/change/").text))
    assert "position before: 1 → after: 2" in page
    assert "priority before: 5 → after: 7" in page
    assert page.count("priority before:") == 1 + changes
    assert staff.email in page
    assert "elsewhere" not in page


def test_a_rules_page_shows_what_was_done_to_all_rules_at_once(staff_client):
    organization = make_organization()
    make_routing_rule(organization=organization, name="Old", kind="block")
    kept = make_routing_rule(organization=organization, name="Kept", kind="block", position=1)
    changed = RoutingRule(organization=organization, name="Kept", kind="block", tags=["vip"])
    ruling.replace(organization, [changed], actor=Actor("anna"))
    rule = RoutingRule.objects.get()
    assert rule.pk != kept.pk
    page = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", staff_client.get(f"{PAGE}{rule.pk}/change/").text))
    assert "Old before: there → after: not there" in page
    assert "Kept: tags before: – → after: vip" in page
