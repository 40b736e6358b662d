"""Shipping methods and services in the admin: a pair is changed in place, as part of its whole mapping."""

import re
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from django.db import transaction
from django.utils import timezone

from apps.audit.models import Entry
from apps.audit.trail import Actor
from apps.orders import shipping
from apps.orders.models import Hindrance, Nudge, ShippingMethod
from apps.orders.shipping import Methods
from tests.concurrency import in_thread, wait_until_blocked
from tests.conftest import press, signed_in
from tests.factories import make_integration, make_shipping_method, make_shipping_service, make_user

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


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("deed", ["add", "delete"])
def test_of_two_who_change_pairs_at_once_neither_loses_what_the_other_did(deed, settings):
    settings.DEMO = True
    warehouse = make_integration()
    kept = make_shipping_method(integration=warehouse, name="Kept", code="K")
    gone = make_shipping_method(integration=warehouse, name="Gone", code="G")
    sent = [(f"{METHODS}add/", {"integration": warehouse.pk, "name": "Express", "code": "DHL-X"})]
    more = {"integration": warehouse.pk, "name": "Standard", "code": "POST"}
    sent.append((f"{METHODS}add/", more) if deed == "add" else (f"{METHODS}{gone.pk}/delete/", {"post": "yes"}))
    clients = [signed_in(make_user(is_staff=True, is_superuser=True)) for _ in range(2)]
    with ThreadPoolExecutor(2) as pool:
        with transaction.atomic():
            shipping.lock(warehouse)
            answers = [in_thread(pool, partial(clients.pop().post, *one)) for one in sent]
            wait_until_blocked(2)
        assert [answer.result(timeout=10).status_code for answer in answers] == [302, 302]
    expected = {"Express": "DHL-X", kept.name: kept.code}
    expected |= {"Gone": "G", "Standard": "POST"} if deed == "add" else {}
    assert shipping.methods_of(warehouse) == Methods(expected)


@pytest.mark.django_db(transaction=True)
def test_a_pair_that_somebody_changes_meanwhile_is_not_written_over(settings):
    settings.DEMO = True
    pair = make_shipping_method(integration=make_integration(), name="Express", code="DHL-X")
    client = signed_in(make_user(is_staff=True, is_superuser=True))
    given = {"name": "Express", "code": "PNL"}
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            shipping.save(pair.integration, Methods({"Overnight": "UPS"}), actor=Actor("ben"))
            answer = in_thread(pool, partial(client.post, f"{METHODS}{pair.pk}/change/", given))
            wait_until_blocked()
        assert "Somebody changed this after you opened the page." in said(answer.result(timeout=10))
    assert shipping.methods_of(pair.integration) == Methods({"Overnight": "UPS"})


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


# ---- The way back


def change_back(warehouse):
    return f"{METHODS}{ShippingMethod.objects.filter(integration=warehouse).first().pk}/change_back/"


def words(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", said(answer)))


def test_the_last_change_is_taken_back_after_it_was_shown(staff, staff_client, warehouse):
    shipping.save(warehouse, Methods({"Express": "DHL-X"}, "POST"), actor=Actor("anna"))
    shipping.save(warehouse, Methods({"Express": "UPS", "Standard": "PNL"}), actor=Actor("anna"))
    page = words(staff_client.get(change_back(warehouse)))
    assert "Express before: UPS → after: DHL-X" in page
    assert "Any other name before: – → after: POST" in page
    press(staff_client, change_back(warehouse))
    assert shipping.methods_of(warehouse) == Methods({"Express": "DHL-X"}, "POST")
    newest = Entry.objects.filter(action="shipping.save").first()
    assert (newest.actor, newest.after) == (staff.email, {"pairs": {"Express": "DHL-X"}, "fallback": "POST"})


def test_a_way_back_that_was_shown_before_somebody_saved_is_not_gone_nor_twice(staff_client, warehouse):
    for code in ("DHL-X", "UPS"):
        shipping.save(warehouse, Methods({"Express": code}), actor=Actor("anna"))
    shown = staff_client.get(change_back(warehouse)).context["form"]["based_on"].value()
    shipping.save(warehouse, Methods({"Express": "PNL"}), actor=Actor("ben"))
    answer = staff_client.post(change_back(warehouse), {"based_on": shown})
    assert (answer.status_code, "Somebody changed the shipping methods meanwhile." in said(answer)) == (422, True)
    assert shipping.methods_of(warehouse) == Methods({"Express": "PNL"})
    shown = staff_client.get(change_back(warehouse)).context["form"]["based_on"].value()
    assert [staff_client.post(change_back(warehouse), {"based_on": shown}).status_code for _ in range(2)] == [302, 422]
    assert shipping.methods_of(warehouse) == Methods({"Express": "UPS"})


def test_what_changed_unseen_since_is_not_overwritten(staff_client, warehouse):
    shipping.save(warehouse, Methods({"Express": "DHL-X"}), actor=Actor("anna"))
    make_shipping_method(integration=warehouse, name="Standard", code="POST")
    answer = press(staff_client, change_back(warehouse))
    assert (answer.status_code, "There is no change to go back on." in said(answer)) == (422, True)
    assert shipping.methods_of(warehouse) == Methods({"Express": "DHL-X", "Standard": "POST"})


def test_a_way_back_to_a_service_that_is_gone_is_refused(staff_client, warehouse):
    shipping.save(warehouse, Methods({"Express": "DHL-X"}), actor=Actor("anna"))
    shipping.save(warehouse, Methods({"Express": "UPS"}), actor=Actor("anna"))
    make_shipping_service(integration=warehouse, code="UPS", name="UPS")
    answer = press(staff_client, change_back(warehouse))
    assert (answer.status_code, "There is no service DHL-X." in said(answer)) == (422, True)


@pytest.mark.parametrize("changes", [1, 3])
def test_a_pairs_page_shows_the_history_of_its_warehouse_alone(staff_client, warehouse, changes):
    for number in range(changes):
        shipping.save(warehouse, Methods({"Express": f"CODE-{number}"}), actor=Actor("anna"))
    shipping.save(make_integration(), Methods({"Elsewhere": "X"}), actor=Actor("ben"))
    page = words(staff_client.get(change_back(warehouse).replace("change_back", "change")))
    assert (page.count("anna"), "Elsewhere" in page) == (changes, False)
    assert "Express before: – → after: CODE-0" in page
