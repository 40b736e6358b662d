from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from apps.shops.models import Connection

from ..factories import (
    make_connection,
    make_draft,
    make_integration,
    make_member,
    make_partner,
    make_partner_integration,
    make_user,
)


def rows_in(page) -> list[Connection]:
    return list(page.context["cl"].result_list)


def page_of(connection: Connection) -> str:
    return reverse("admin:shops_connection_change", args=[connection.pk])


@pytest.mark.parametrize("text", ["store-17", "Main Street", "anna@hats.example", "owner@hats.example"])
def test_a_connection_is_found_by_id_address_who_connected_it_and_who_owns_it(text, staff_client):
    owner = make_member(email="owner@hats.example")
    anna = make_user(email="anna@hats.example")
    made = make_connection(organization=owner.organization, connected_by=anna, ext_shop_id="store-17")
    other = make_connection()
    other.store.address = ""
    other.store.save()
    assert rows_in(staff_client.get("/admin/shops/connection/", {"q": text})) == [made]


def test_its_page_shows_who_connected_it_and_why_it_stands_still(staff_client):
    made = make_connection(connected_by=make_user(email="anna@hats.example"))
    made.integration.lose_permission("invalid_grant")
    page = staff_client.get(page_of(made)).text
    assert ("anna@hats.example" in page, "Permission lost: invalid_grant" in page) == (True, True)


def test_a_draft_shows_the_step_its_owner_has_not_done(staff_client):
    draft = make_draft(integration=make_integration())
    assert "Next step: brand" in staff_client.get(page_of(draft)).text


def test_connections_that_hang_are_listed(staff_client):
    make_connection()
    now = timezone.now()
    make_draft(state=Connection.State.CONNECTING, ext_shop_id="busy", lease_until=now + timedelta(minutes=1))
    hanging = make_draft(state=Connection.State.CONNECTING, ext_shop_id="late", lease_until=now - timedelta(minutes=1))
    assert rows_in(staff_client.get("/admin/shops/connection/", {"needs": "hanging"})) == [hanging]


def test_the_page_of_a_store_shows_its_connections(staff_client):
    made = make_connection()
    page = staff_client.get(reverse("admin:accounts_store_change", args=[made.store_id]))
    (tab,) = page.context["inline_admin_formsets"]
    assert list(tab.formset.queryset) == [made]


@pytest.mark.parametrize("count", [1, 3])
def test_connections_name_the_partners_application_that_made_them(count, staff_client, django_assert_num_queries):
    for _ in range(count):
        made = make_connection(integration=make_partner_integration(partner=make_partner(name="Great Plugin")))
    with django_assert_num_queries(5):
        assert staff_client.get("/admin/shops/connection/").text.count("Great Plugin") >= count
    assert "Great Plugin" in staff_client.get(reverse("admin:accounts_store_change", args=[made.store_id])).text
