"""What a shop's shipping method means at a warehouse (behaviour 80)."""

import time

import pytest
from django.utils import timezone

from apps.api.errors import Problem
from apps.audit.models import Entry
from apps.audit.trail import Actor
from apps.orders import shipping
from apps.orders.models import Hindrance, Nudge, ShippingMethod
from apps.orders.shipping import Choice, Methods, Unmapped
from tests.concurrency import at_once
from tests.factories import (
    make_fulfillment,
    make_hindrance,
    make_integration,
    make_location,
    make_order,
    make_shipping_method,
    make_shipping_service,
    make_shop,
)

ANNA = Actor("anna@great-hats.example")
UNMAPPED = Hindrance.Code.UNMAPPED_METHOD


@pytest.fixture
def warehouse(db):
    return make_integration(name="Quay")


@pytest.fixture
def configured(warehouse):
    """Lists two services, and knows what Express is."""
    make_shipping_service(integration=warehouse, code="DHL-X", name="DHL Express")
    make_shipping_service(integration=warehouse, code="POST", name="Letter post")
    make_shipping_method(integration=warehouse, name="Express", code="DHL-X")
    return warehouse


def save(integration, *pairs, fallback=""):
    return shipping.save(integration, Methods(dict(pairs), fallback), actor=ANNA)


def nudges():
    """Names whose orders are looked at again."""
    return sorted(Nudge.objects.filter(code=UNMAPPED).values_list("ref", flat=True))


def test_where_nothing_is_configured_every_name_is_passed_on_as_it_is(warehouse):
    assert shipping.service_for(warehouse, "Express") == Choice("Express", "Express")
    assert shipping.service_for(warehouse, "") == Choice("", "")


def test_people_who_pick_by_hand_take_any_name():
    assert shipping.service_for(None, "Express") == Choice("Express", "Express")


def test_behaviour_80_a_method_is_what_the_mapping_says(configured):
    assert shipping.service_for(configured, "Express") == Choice("DHL-X", "DHL Express")


def test_a_method_may_have_the_name_or_the_code_of_a_service(configured):
    assert shipping.service_for(configured, "Letter post") == Choice("POST", "Letter post")
    assert shipping.service_for(configured, "POST") == Choice("POST", "Letter post")


def test_the_mapping_comes_before_what_services_are_called(configured):
    make_shipping_method(integration=configured, name="Letter post", code="DHL-X")
    assert shipping.service_for(configured, "Letter post") == Choice("DHL-X", "DHL Express")


@pytest.mark.parametrize("name", ["express", "Express ", "EXPRESS", "Expres", "Standard"])
def test_names_match_exactly_or_not_at_all(configured, name):
    assert shipping.service_for(configured, name) is None


def test_behaviour_80_the_fallback_applies_when_no_entry_matches(configured):
    make_shipping_method(integration=configured, name="", code="POST")
    assert shipping.service_for(configured, "Standard") == Choice("POST", "Letter post", is_fallback=True)
    assert shipping.service_for(configured, "") == Choice("POST", "Letter post")  # nobody asked for anything else
    assert shipping.service_for(configured, "Express") == Choice("DHL-X", "DHL Express")


def test_an_order_that_asks_for_nothing_needs_no_mapping(configured):
    assert shipping.service_for(configured, "") == Choice("", "")


def test_a_name_of_two_services_or_of_one_that_is_gone_means_nothing_by_itself(configured):
    make_shipping_service(integration=configured, code="POST-2", name="Letter post")
    make_shipping_service(integration=configured, code="GONE", name="Pigeon", removed_at=timezone.now())
    for name in ("Letter post", "Pigeon", "GONE"):
        assert shipping.service_for(configured, name) is None


def test_where_all_services_are_gone_and_nothing_is_configured_names_are_passed_on(warehouse):
    make_shipping_service(integration=warehouse, removed_at=timezone.now())
    assert shipping.service_for(warehouse, "Pigeon") == Choice("Pigeon", "Pigeon")


def test_another_warehouse_of_the_organization_has_a_mapping_of_its_own(configured):
    other = make_integration(organization=configured.organization)
    assert shipping.service_for(other, "Express") == Choice("Express", "Express")


def test_many_names_cost_two_statements(configured, django_assert_num_queries):
    with django_assert_num_queries(2):
        found = shipping.services_for(configured, [f"Method {n}" for n in range(500)] + ["Express"])
    assert (len(found), [name for name, choice in found.items() if choice]) == (501, ["Express"])


# ---- Saving


def test_the_whole_mapping_is_saved_with_who_did_it(configured):
    assert save(configured, ("Standard", "POST"), ("Overnight", "DHL-X"), fallback="POST") == Methods(
        {"Overnight": "DHL-X", "Standard": "POST"}, "POST"
    )
    entry = Entry.objects.get(action="shipping.save")
    assert (entry.actor, entry.before) == (ANNA.text, {"pairs": {"Express": "DHL-X"}, "fallback": ""})
    assert entry.after == {"pairs": {"Standard": "POST", "Overnight": "DHL-X"}, "fallback": "POST"}


def test_what_is_as_it_was_is_not_written(configured):
    kept = ShippingMethod.objects.get()
    save(configured, ("Express", "DHL-X"))
    assert (list(ShippingMethod.objects.all()), nudges(), Entry.objects.count()) == ([kept], [], 0)
    save(configured, ("Express", "DHL-X"), ("Standard", "POST"))
    assert ShippingMethod.objects.get(name="Express").pk == kept.pk


def test_orders_that_wait_for_a_changed_name_are_looked_at_again(configured):
    save(configured, ("Standard", "POST"), ("Overnight", "DHL-X"))
    assert nudges() == ["Express", "Overnight", "Standard"]
    assert {nudge.organization for nudge in Nudge.objects.all()} == {configured.organization}


def test_a_changed_fallback_has_all_that_wait_looked_at_again(
    configured, django_capture_on_commit_callbacks, monkeypatch
):
    rung = []
    monkeypatch.setattr(shipping, "ring", lambda: rung.append(1))
    with django_capture_on_commit_callbacks(execute=True):
        save(configured, ("Standard", "POST"), fallback="POST")
    assert (nudges(), rung) == ([""], [1])


def test_a_service_that_the_warehouse_does_not_list_is_refused_and_nothing_is_saved(configured):
    with pytest.raises(Problem) as raised:
        save(configured, ("Standard", "UPS"), ("Overnight", "DHL-X"), fallback="DPD")
    assert raised.value.code == "validation_error"
    assert raised.value.details == [
        ("Standard", "There is no service UPS."),
        ("fallback", "There is no service DPD."),
    ]
    assert shipping.methods_of(configured) == Methods({"Express": "DHL-X"})


def test_what_held_may_stay_when_its_service_is_gone(configured):
    shipping.services_of(configured).filter(code="DHL-X").update(removed_at=timezone.now())
    save(configured, ("Express", "DHL-X"), ("Standard", "POST"))
    assert shipping.service_for(configured, "Express") == Choice("DHL-X", "DHL-X")


def test_where_no_services_are_known_any_code_is_taken(warehouse):
    save(warehouse, ("Express", "whatever they call it"))
    assert shipping.service_for(warehouse, "Express") == Choice("whatever they call it", "whatever they call it")


@pytest.mark.django_db(transaction=True)
def test_of_several_that_save_at_once_each_is_whole(monkeypatch):
    monkeypatch.setattr(shipping, "check", lambda *mapping: time.sleep(0.2))  # between reading and writing
    warehouse = make_integration()
    wanted = [Methods({f"Method {n}": f"service {n}", "Shared": f"service {n}"}, f"service {n}") for n in range(4)]
    answers = at_once(4, lambda: shipping.save(warehouse, wanted.pop(), actor=ANNA))
    assert [answer for answer in answers if isinstance(answer, BaseException)] == []
    found = shipping.methods_of(warehouse)
    [n] = [name.removeprefix("Method ") for name in found.pairs if name != "Shared"]
    assert found == Methods({f"Method {n}": f"service {n}", "Shared": f"service {n}"}, f"service {n}")


def test_a_mapping_is_written_down_to_the_letter():
    pairs = [("Express ", "DHL"), ("express", "DHL")]
    assert shipping.written(pairs, fallback="POST") == Methods({"Express ": "DHL", "express": "DHL"}, "POST")


@pytest.mark.parametrize(
    ("pairs", "fallback", "where"),
    [
        ([("A", "1"), ("A", "2")], "", ["pairs.1"]),
        ([("", "1"), ("B", ""), (" ", "1")], " ", ["pairs.0", "pairs.1", "pairs.2", "fallback"]),
        ([("x" * 256, "1"), ("B", "x" * 256)], "", ["pairs.0", "pairs.1"]),
        ([("A\x00", "1")], "", ["pairs.0"]),
        ([], "x" * 256, ["fallback"]),
        ([(f"Method {n}", "1") for n in range(1_001)], "", ["pairs"]),
    ],
)
def test_what_makes_no_sense_is_refused_pair_by_pair(pairs, fallback, where):
    with pytest.raises(Problem) as raised:
        shipping.written(pairs, fallback=fallback)
    assert (raised.value.code, [place for place, _ in raised.value.details]) == ("validation_error", where)


# ---- Names nobody has said the meaning of


def test_unmapped_names_are_counted_those_of_the_most_orders_first(configured):
    make_shipping_method(integration=configured, name="", code="POST")
    shop = make_shop(integration=configured)
    for _ in range(2):
        make_hindrance(order=make_order(shop=shop), code=UNMAPPED, ref="Pigeon")
    make_hindrance(order=make_order(shop=shop), code=UNMAPPED, ref="Express")  # known by now
    make_hindrance(order=make_order(shop=shop), ref="Standard")  # it waits for something else
    make_hindrance(code=UNMAPPED, ref="Of another organization")
    place = make_location(organization=configured.organization, integration=configured)
    for method, ended in (("Donkey", {}), ("Done", {"state": "shipped", "finished_at": timezone.now()})):
        order = make_order(shop=shop, shipping_method=method)
        make_fulfillment(order=order, location=place, is_fallback=True, **ended)
    assert shipping.unmapped(configured) == [Unmapped("Pigeon", 2, 0), Unmapped("Donkey", 0, 1)]


def test_where_nothing_is_configured_no_name_is_unmapped(warehouse):
    make_hindrance(order=make_order(shop=make_shop(integration=warehouse)), code=UNMAPPED, ref="Pigeon")
    assert shipping.unmapped(warehouse) == []
