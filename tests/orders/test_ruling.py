"""An organization's rules: whom they fit, and what saving them changes (behaviour 75)."""

import pytest

from apps.api.errors import Problem
from apps.audit.models import Entry
from apps.audit.trail import Actor
from apps.orders import ruling
from apps.orders.models import Fulfillment, Order, RoutingRule
from apps.orders.sorting import sort_due
from tests.factories import (
    TO_ANN,
    make_fulfillment,
    make_level,
    make_location,
    make_order,
    make_organization,
    make_routing_rule,
    make_shop,
    make_warehouse,
)

pytestmark = pytest.mark.django_db

ANNA = Actor("anna@hats.example")


@pytest.fixture
def order():
    return make_order(tags=["vip", "gift"], shipping_method="Express", destination=TO_ANN | {"country": "nl"})


@pytest.mark.parametrize(
    ("conditions", "fits"),
    [
        ({}, True),
        ({"tags": ["gift"]}, True),
        ({"tags": ["VIP"]}, False),
        ({"tags": ["other", "vip"]}, True),
        ({"countries": ["NL"]}, True),
        ({"countries": ["BE"]}, False),
        ({"shipping_methods": ["Express"]}, True),
        ({"shipping_methods": ["express"]}, False),
        ({"tags": ["vip"], "countries": ["BE"]}, False),
    ],
)
def test_a_rule_fits_when_all_its_conditions_hold(order, conditions, fits):
    rule = make_routing_rule(organization=order.organization, **conditions)
    assert ruling.fits(rule, order) is fits
    ruling.reprioritize(order.organization_id)
    order.refresh_from_db()
    assert order.priority == (10 if fits else 0)


def test_a_rule_may_be_for_a_shop(order):
    assert ruling.fits(make_routing_rule(shops=[order.shop_id]), order)
    assert not ruling.fits(make_routing_rule(shops=[make_shop().pk]), order)


def test_an_order_without_a_country_fits_no_rule_for_one(order):
    order.destination = {}
    assert not ruling.fits(make_routing_rule(countries=["NL"]), order)


def test_priorities_add_up_and_go_on_to_whoever_picks(order):
    make_level(product=order.lines.get().product)
    for priority, fields in ((5, {"tags": ["vip"]}), (7, {}), (100, {"is_active": False}), (-2, {"countries": ["NL"]})):
        make_routing_rule(organization=order.organization, priority=priority, **fields)
    make_routing_rule(priority=1_000)
    sort_due()
    order.refresh_from_db()
    assert (order.priority, Fulfillment.objects.get().priority) == (10, 10)


def test_people_pick_the_most_urgent_first_then_the_oldest():
    shop, place = make_shop(), None
    orders = [make_order(shop=shop, tags=[tag]) for tag in ("", "vip", "", "vip")]
    make_routing_rule(organization=shop.organization, tags=["vip"])
    for order in orders:
        level = make_level(product=order.lines.get().product, location=place)
        place = level.location
    sort_due()
    picked = [one.order for one in Fulfillment.objects.to_be_picked()]
    assert picked == [orders[1], orders[3], orders[0], orders[2]]


def test_a_rule_that_blocks_keeps_an_order_from_picking(order):
    level = make_level(product=order.lines.get().product)
    make_routing_rule(organization=order.organization, kind="block", priority=0, name="Check", tags=["vip"])
    sort_due()
    order.refresh_from_db()
    level.refresh_from_db()
    assert (order.state, level.reserved, Fulfillment.objects.count()) == ("blocked", 0, 0)
    assert list(order.hindrances.values_list("code", "ref", "who")) == [("blocked", "Check", "operator")]


def test_a_changed_rule_reorders_what_people_have_not_begun_to_pick():
    shop = make_shop()
    manual, begun, sent = (make_order(shop=shop, tags=["vip"]) for _ in range(3))
    done = make_order(shop=shop, tags=["vip"], state="fulfilled")
    warehouse = make_warehouse(organization=shop.organization).integration.locations.get()
    make_fulfillment(order=manual)
    make_fulfillment(order=begun, state="picking")
    make_fulfillment(order=sent, location=warehouse)
    Order.objects.update(due_at=None)
    rule = RoutingRule(organization=shop.organization, kind="priority", name="vip", tags=["vip"], priority=9)
    ruling.save(rule, actor=ANNA)
    sort_due()
    assert [Fulfillment.objects.get(order=one).priority for one in (manual, begun, sent)] == [9, 0, 0]
    assert [Order.objects.get(pk=one.pk).priority for one in (manual, begun, sent, done)] == [9, 9, 9, 0]


def drafts(organization, *names):
    return [RoutingRule(organization=organization, name=name, kind="block", tags=[name]) for name in names]


def test_the_whole_list_is_replaced_in_its_order_and_written_down():
    organization = make_organization()
    make_routing_rule(organization=organization, name="old")
    other = make_routing_rule(name="other")
    ruling.replace(organization, drafts(organization, "b", "a"), actor=ANNA)
    assert list(RoutingRule.objects.filter(organization=organization).values_list("name", "position")) == [
        ("b", 1),
        ("a", 2),
    ]
    assert RoutingRule.objects.filter(pk=other.pk).exists()
    entry = Entry.objects.get()
    said = [[(rule["name"], rule["position"]) for rule in side["rules"]] for side in (entry.before, entry.after)]
    assert (entry.action, said) == ("rules.save", [[("old", 0)], [("b", 1), ("a", 2)]])
    assert entry.after["rules"][0]["tags"] == ["b"]


def test_the_same_list_changes_nothing():
    organization = make_organization()
    ruling.replace(organization, drafts(organization, "a"), actor=ANNA)
    before = RoutingRule.objects.get()
    ruling.replace(organization, drafts(organization, "a"), actor=ANNA)
    assert (RoutingRule.objects.get().pk, Entry.objects.count()) == (before.pk, 1)


def test_rules_made_from_an_older_list_are_refused():
    organization = make_organization()
    based_on = ruling.version_of([])
    ruling.replace(organization, drafts(organization, "a"), actor=ANNA, based_on=based_on)
    with pytest.raises(Problem, match="stale_version"):
        ruling.replace(organization, drafts(organization, "b"), actor=ANNA, based_on=based_on)
    assert ruling.names(ruling.rules_of(organization)) == ["a"]


def test_what_is_wrong_with_a_rule_is_said():
    organization, shop = make_organization(), make_shop()
    of = {"organization": organization, "name": "x"}
    wrong = [
        RoutingRule(**of, kind="route"),
        RoutingRule(**of, kind="route", location=make_location()),
        RoutingRule(**of, kind="block", location=make_location(organization=organization)),
        RoutingRule(**of, kind="block", priority=3),
        RoutingRule(**of, kind="priority", shops=[shop.pk]),
        RoutingRule(**of, kind="priority", countries=["N1"]),
    ]
    assert [[attribute for attribute, _text in ruling.problems(rule)] for rule in wrong] == [
        ["location_id"], ["location_id"], ["location_id"], ["priority"], ["shops"], ["countries"],
    ]  # fmt: skip
    for shared in (True, False):
        place = make_location(organization=organization, shared=shared)
        assert list(ruling.problems(RoutingRule(**of, kind="route", location=place))) == []
