"""Shipping methods and services in the API (Pipe17: contracts 2.11; pack.cloud: 4.3)."""

import pytest
from django.utils import timezone

from apps.orders.models import Hindrance
from tests.api.calling import call, said
from tests.factories import (
    make_hindrance,
    make_integration,
    make_key,
    make_member,
    make_order,
    make_shipping_method,
    make_shipping_service,
    make_shop,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner():
    return make_member()


@pytest.fixture
def warehouse(owner):
    return make_integration(organization=owner.organization)


@pytest.fixture
def key(owner):
    return make_key(user=owner)


def path(integration, what="shipping-methods"):
    return f"v1/organizations/{integration.organization_id}/integrations/{integration.pk}/{what}"


def put(warehouse, key, **body):
    return call("PUT", path(warehouse), body, token=key)


def test_what_holds_is_read_with_the_names_nobody_has_said_the_meaning_of(warehouse, key):
    make_shipping_method(integration=warehouse, name="Express", code="DHL-X")
    make_shipping_method(integration=warehouse, name="", code="POST")
    order = make_order(shop=make_shop(integration=warehouse))
    make_hindrance(order=order, code=Hindrance.Code.UNMAPPED_METHOD, ref="Pigeon")
    assert call("GET", path(warehouse), token=key).json() == {
        "pairs": [["Express", "DHL-X"]],
        "fallback": "POST",
        "unmapped": [{"name": "Pigeon", "waiting": 1, "by_fallback": 0}],
    }


def test_the_whole_mapping_is_saved_and_answered(warehouse, key):
    make_shipping_method(integration=warehouse, name="Old", code="GONE")
    answer = put(warehouse, key, pairs=[["Standard", "POST"], ["Express", "DHL-X"]], fallback="POST")
    saved = {"pairs": [["Express", "DHL-X"], ["Standard", "POST"]], "fallback": "POST", "unmapped": []}
    assert (answer.status_code, answer.json()) == (200, saved)
    assert call("GET", path(warehouse), token=key).json() == saved
    for nothing in ({}, {"fallback": None}, {"fallback": ""}):
        emptied = {"pairs": [], "fallback": None, "unmapped": []}
        answer = put(warehouse, key, pairs=[], **nothing)
        assert (answer.status_code, answer.json()) in [(200, emptied), (422, answer.json())]
    assert call("GET", path(warehouse), token=key).json() == emptied


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"pairs": {"Express": "DHL-X"}},
        {"pairs": [["Express"]]},
        {"pairs": [["Express", "DHL-X", "more"]]},
        {"pairs": [["Express", 7]]},
        {"pairs": [["", "DHL-X"]]},
        {"pairs": [["x" * 256, "DHL-X"]]},
        {"pairs": [["Express", "DHL-X"], ["Express", "POST"]]},
        {"pairs": [[f"Method {n}", "DHL-X"] for n in range(1_001)]},
        {"pairs": [], "fallback": 7},
        {"pairs": [], "more": True},
    ],
)
def test_what_makes_no_sense_is_refused_and_nothing_is_saved(warehouse, key, body):
    make_shipping_method(integration=warehouse, name="Express", code="DHL-X")
    assert said(put(warehouse, key, **body)) == (422, "validation_error")
    assert call("GET", path(warehouse), token=key).json()["pairs"] == [["Express", "DHL-X"]]


def test_a_service_that_the_warehouse_does_not_list_is_named(warehouse, key):
    make_shipping_service(integration=warehouse, code="DHL-X", name="DHL Express")
    answer = put(warehouse, key, pairs=[["Express", "UPS"]])
    assert said(answer) == (422, "validation_error")
    assert answer.json()["details"] == [{"attribute": "Express", "message": "There is no service UPS."}]


def test_services_are_listed_by_name_also_those_that_are_gone(warehouse, key):
    make_shipping_service(integration=warehouse, code="POST", name="Letter post")
    gone = make_shipping_service(integration=warehouse, code="DHL-X", name="DHL Express", removed_at=timezone.now())
    make_shipping_service(code="OTHER", name="Of another organization")
    page = call("GET", path(warehouse, "shipping-services"), token=key).json()
    assert [(one["code"], one["name"], bool(one["removed_at"])) for one in page["data"]] == [
        ("DHL-X", gone.name, True),
        ("POST", "Letter post", False),
    ]
    assert (page["prev"], page["next"], page["per_page"]) == (None, None, 25)


def test_services_are_paged(warehouse, key):
    for n in range(3):
        make_shipping_service(integration=warehouse, code=f"S{n}", name="Same name")
    first = call("GET", path(warehouse, "shipping-services") + "?per_page=2", token=key).json()
    second = call("GET", first["next"].partition("/api/")[2], token=key).json()
    assert [one["code"] for one in first["data"] + second["data"]] == ["S0", "S1", "S2"]
    assert second["next"] is None
