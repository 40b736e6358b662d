"""The owner's page of a warehouse's shipping methods."""

import re

import pytest
from django.utils import timezone

from apps.audit.models import Entry
from apps.orders import shipping, shipping_views
from apps.orders.models import Hindrance
from apps.orders.shipping import Methods
from tests.conftest import signed_in
from tests.factories import (
    make_fulfillment,
    make_hindrance,
    make_integration,
    make_location,
    make_member,
    make_order,
    make_shipping_method,
    make_shipping_service,
    make_shop,
)


@pytest.fixture
def owner(db):
    return make_member()


@pytest.fixture
def site(owner):
    return signed_in(owner)


@pytest.fixture
def warehouse(owner):
    return make_integration(organization=owner.organization, name="Quay")


def path(warehouse):
    return f"/shipping-methods/{warehouse.pk}/"


def shown(site, warehouse):
    return re.sub(r"\s+", " ", site.get(path(warehouse)).content.decode())


def send(site, warehouse, *pairs, fallback=""):
    names, codes = zip(*pairs, strict=True) if pairs else ((), ())
    return site.post(path(warehouse), {"name": names, "service": codes, "fallback": fallback}, follow=True)


def test_where_nothing_is_set_up_the_page_says_what_happens(site, warehouse):
    assert "every name is passed on to Quay as it is" in shown(site, warehouse)


def test_the_mapping_is_shown_with_services_by_their_names(site, warehouse):
    make_shipping_service(integration=warehouse, code="DHL-X", name="DHL Express")
    make_shipping_service(integration=warehouse, code="OLD", name="Pigeon", removed_at=timezone.now())
    make_shipping_service(integration=warehouse, code="OLDER", name="Horse", removed_at=timezone.now())
    make_shipping_method(integration=warehouse, name="Express", code="DHL-X")
    make_shipping_method(integration=warehouse, name="", code="OLD")
    page = shown(site, warehouse)
    assert 'value="Express"' in page
    assert '<option value="DHL-X" selected>DHL Express</option>' in page
    assert '<option value="OLD" selected>Pigeon (no longer offered)</option>' in page
    assert "Horse" not in page


def test_names_nobody_has_said_the_meaning_of_stand_there_with_how_many_wait(site, warehouse):
    make_shipping_method(integration=warehouse, name="Express", code="DHL-X")
    make_shipping_method(integration=warehouse, name="", code="POST")
    shop = make_shop(integration=warehouse)
    make_hindrance(order=make_order(shop=shop), code=Hindrance.Code.UNMAPPED_METHOD, ref="<Pigeon>")
    place = make_location(organization=warehouse.organization, integration=warehouse)
    make_fulfillment(order=make_order(shop=shop, shipping_method="Donkey"), location=place, is_fallback=True)
    page = shown(site, warehouse)
    assert 'value="&lt;Pigeon&gt;"' in page
    assert "1 order waits for it" in page
    assert 'value="Donkey"' in page
    assert "1 order goes as every other method" in page


def test_what_is_sent_takes_the_place_of_all_of_it(site, warehouse, owner):
    make_shipping_method(integration=warehouse, name="Old", code="GONE")
    answer = send(site, warehouse, ("Express", "DHL-X"), ("Left open", ""), ("", ""), fallback="POST")
    assert "Orders that waited for it go on by themselves." in answer.content.decode()
    assert shipping.methods_of(warehouse) == Methods({"Express": "DHL-X"}, "POST")
    assert Entry.objects.get(action="shipping.save").actor == owner.email


def test_a_mistake_is_said_and_what_was_typed_stays_on_the_page(site, warehouse):
    answer = send(site, warehouse, ("Express", "DHL-X"), ("Express", "POST"), ("", "UPS"))
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "Express stands there twice." in page
    assert "A pair is a name and a service" in page
    assert 'value="UPS"' in page
    assert shipping.methods_of(warehouse) == Methods({})


@pytest.mark.parametrize("name", ["a\x00b", "x" * 256])
def test_what_could_not_be_stored_is_a_sentence(site, warehouse, name):
    assert "A pair is a name and a service" in send(site, warehouse, (name, "DHL-X")).content.decode()


def test_a_long_mapping_is_not_typed_over(site, warehouse, monkeypatch):
    monkeypatch.setattr(shipping_views, "TYPED", 1)
    for name in ("Express", "Standard"):
        make_shipping_method(integration=warehouse, name=name, code="POST")
    assert "There are 2 pairs, to be changed over the API." in shown(site, warehouse)
    assert "too many pairs to type" in send(site, warehouse, ("Express", "DHL-X")).content.decode()
    assert shipping.methods_of(warehouse) == Methods({"Express": "POST", "Standard": "POST"})


def test_who_may_only_look_changes_nothing(owner, warehouse):
    make_shipping_method(integration=warehouse, name="Express", code="DHL-X")
    viewer = signed_in(make_member(organization=owner.organization, role="viewer"))
    assert "<form" not in viewer.get(path(warehouse)).content.decode().split("<main")[1].split("</main")[0]
    assert viewer.post(path(warehouse), {"name": "Express", "service": "POST"}).status_code == 403
    assert shipping.methods_of(warehouse) == Methods({"Express": "DHL-X"})


def test_another_organizations_warehouse_is_not_there(site, db):
    other = make_integration()
    assert site.get(path(other)).status_code == 404
    assert site.post(path(other), {"name": "Express", "service": "POST"}).status_code == 404


def test_a_form_that_did_not_come_whole_empties_nothing(site, warehouse):
    make_shipping_method(integration=warehouse, name="Express", code="DHL-X")
    for body in ({}, {"fallback": ""}, {"name": "Express", "service": "POST"}, {"name": "Express", "fallback": "POST"}):
        assert "did not come whole" in site.post(path(warehouse), body).content.decode()
    assert shipping.methods_of(warehouse) == Methods({"Express": "DHL-X"})


# ---- All warehouses


def test_of_one_warehouse_its_page_is_shown_at_once(site, warehouse):
    assert "No warehouse ships for you yet." in site.get("/shipping-methods/").text
    make_location(organization=warehouse.organization, integration=warehouse)
    assert site.get("/shipping-methods/")["Location"] == path(warehouse)


def test_of_several_each_is_listed_with_the_names_that_are_open(site, warehouse):
    other = make_integration(organization=warehouse.organization, name="Wharf")
    for one in (warehouse, other):
        for hall in ("A", "B"):
            make_location(organization=one.organization, integration=one, ext_location_id=hall)
    make_integration(organization=warehouse.organization, name="A shop")
    make_location(integration=make_integration(name="Of another"))
    make_shipping_method(integration=other, name="Express", code="DHL-X")
    order = make_order(shop=make_shop(integration=warehouse))
    make_hindrance(order=order, code=Hindrance.Code.UNMAPPED_METHOD, ref="Pigeon")
    page = site.get("/shipping-methods/")
    assert [(one.name, count) for one, count in page.context["rows"]] == [("Quay", 0), ("Wharf", 1)]
    assert "1 name is open" in page.text
