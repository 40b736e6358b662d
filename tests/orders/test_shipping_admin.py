"""Shipping methods and services in the admin: a pair is changed in place, as part of its whole mapping."""

import pytest
from django.utils import timezone

from apps.audit.models import Entry
from apps.orders import shipping
from apps.orders.models import Hindrance, Nudge, ShippingMethod
from apps.orders.shipping import Methods
from tests.factories import make_integration, make_shipping_method, make_shipping_service

METHODS = "/admin/orders/shippingmethod/"


@pytest.fixture
def warehouse(db):
    return make_integration(name="Quay")


def said(answer):
    return answer.content.decode()


def test_a_pair_is_added_with_who_did_it_and_orders_are_looked_at_again(staff, staff_client, warehouse):
    make_shipping_method(integration=warehouse, name="Express", code="DHL-X")
    given = {"integration": warehouse.pk, "name": "Standard", "code": "POST"}
    assert staff_client.post(f"{METHODS}add/", given).status_code == 302
    assert shipping.methods_of(warehouse) == Methods({"Express": "DHL-X", "Standard": "POST"})
    assert ShippingMethod.objects.get(name="Standard").organization == warehouse.organization
    assert Entry.objects.get(action="shipping.save").actor == staff.email
    assert Nudge.objects.filter(code=Hindrance.Code.UNMAPPED_METHOD, ref="Standard").exists()


def test_the_one_without_a_name_is_the_fallback(staff_client, warehouse):
    staff_client.post(f"{METHODS}add/", {"integration": warehouse.pk, "name": "", "code": "POST"})
    assert shipping.methods_of(warehouse) == Methods({}, "POST")


def test_a_pair_is_changed_and_renamed_in_place(staff_client, warehouse):
    pair = make_shipping_method(integration=warehouse, name="Express", code="DHL-X")
    staff_client.post(f"{METHODS}{pair.pk}/change/", {"name": "Overnight", "code": "UPS"})
    assert shipping.methods_of(warehouse) == Methods({"Overnight": "UPS"})


def test_a_pair_is_deleted(staff_client, warehouse):
    make_shipping_method(integration=warehouse, name="", code="POST")
    pair = make_shipping_method(integration=warehouse, name="Express", code="DHL-X")
    staff_client.post(f"{METHODS}{pair.pk}/delete/", {"post": "yes"})
    assert shipping.methods_of(warehouse) == Methods({}, "POST")


def test_a_name_that_is_there_and_a_service_that_is_not_are_refused(staff_client, warehouse):
    make_shipping_service(integration=warehouse, code="DHL-X", name="DHL Express")
    make_shipping_method(integration=warehouse, name="Express", code="DHL-X")
    twice = staff_client.post(f"{METHODS}add/", {"integration": warehouse.pk, "name": "Express", "code": "DHL-X"})
    assert "There is a pair of this name already." in said(twice)
    unknown = staff_client.post(f"{METHODS}add/", {"integration": warehouse.pk, "name": "Standard", "code": "UPS"})
    assert "There is no service UPS." in said(unknown)
    assert shipping.methods_of(warehouse) == Methods({"Express": "DHL-X"})


def test_services_are_shown_with_whether_they_are_still_offered(staff_client, warehouse):
    make_shipping_service(integration=warehouse, code="DHL-X", name="DHL Express", removed_at=timezone.now())
    page = said(staff_client.get("/admin/orders/shippingservice/"))
    assert "DHL Express" in page
    assert staff_client.get("/admin/orders/shippingservice/add/").status_code == 403
