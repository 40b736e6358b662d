"""The 3PL's own site as a whole: who gets in, and that each of its pages works and stays cheap."""

import time

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.audit.trail import Actor, record
from apps.integrations.models import Integration

from .conftest import signed_in
from .factories import (
    PASSWORD,
    make_application_token,
    make_attempt,
    make_authorization,
    make_connection,
    make_custom_integration,
    make_drift,
    make_entry,
    make_event,
    make_failure,
    make_feed,
    make_fulfillment,
    make_handover,
    make_held_report,
    make_hindrance,
    make_ignored_sku,
    make_inbox,
    make_invitation,
    make_key,
    make_level,
    make_listing,
    make_location,
    make_mapping,
    make_member,
    make_order,
    make_order_feed,
    make_pair,
    make_parcel,
    make_publication,
    make_receipt,
    make_routing_rule,
    make_run,
    make_shipping_method,
    make_shipping_service,
    make_store,
    make_unlinked,
    make_user,
)

OURS = ("audit", "accounts", "integrations", "shops", "webhooks", "catalog", "orders", "syncs")
# Django's admin does not know primary keys of several columns; of tokens and sealed settings there is nothing to see.
WITHOUT = {"Sighting", "KnownPage", "CountedPage", "SecretSettings", "ReachableStore"}
# Shown on the pages of their orders; or nobody's business but the work's own.
WITHOUT |= {"OrderLine", "Hindrance", "Entry", "FulfillmentLine", "Nudge", "Bookmark"}
WITHOUT |= {"Application", "Grant", "AccessToken", "RefreshToken", "IDToken"}
SECRET = "JBSWY3DPEHPK3PXP"


@pytest.fixture
def demo(settings):
    settings.DEMO = True


def code() -> str:
    return format_hotp_value(hotp_value(SECRET, next(yield_hotp_counters_from_time())))


def log_in(user) -> Client:
    """A browser in which this person typed their password, and the code of their phone when asked for one."""
    client = Client()
    answer = client.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
    if answer.headers.get("Location") == reverse("mfa_authenticate"):
        client.post(reverse("mfa_authenticate"), {"code": code()})
    return client


# ---- Who gets in


def test_somebody_who_is_not_signed_in_is_sent_to_the_login_page_and_back(client, db):
    answer = client.get("/admin/shops/connection/", follow=True)
    assert answer.redirect_chain[-1][0] == "/accounts/login/?next=%2Fadmin%2Fshops%2Fconnection%2F"
    assert client.post("/admin/login/", {"username": "a@b.example", "password": "guess"}).headers["Location"] == (
        "/accounts/login/?next=%2Fadmin%2Flogin%2F"
    )


def test_an_owner_is_refused(owner_client):
    assert owner_client.get("/admin/", follow=True).status_code == 403


def test_an_owner_is_refused_in_the_demo_too(owner_client, demo):
    assert owner_client.get("/admin/", follow=True).status_code == 403


def test_staff_without_a_second_factor_are_sent_to_add_one_and_told_why(staff):
    client = log_in(staff)
    answer = client.get("/admin/syncs/syncrun/", follow=True)
    again = "/accounts/reauthenticate/?next=%2Faccounts%2F2fa%2Ftotp%2Factivate%2F"
    assert answer.redirect_chain[-1][0] == again
    assert "you need a code from your phone" in answer.text
    answer = client.post(again, {"password": PASSWORD}, follow=True)
    assert (answer.redirect_chain[-1][0], answer.status_code) == (reverse("mfa_activate_totp"), 200)


def test_staff_with_a_second_factor_get_in(staff):
    TOTP.activate(staff, SECRET)
    assert log_in(staff).get("/admin/").status_code == 200


def test_staff_who_added_their_second_factor_just_now_give_a_code_and_go_on(staff):
    client = log_in(staff)
    TOTP.activate(staff, SECRET)
    answer = client.get("/admin/syncs/syncrun/", follow=True)
    assert answer.redirect_chain[-1][0] == "/accounts/2fa/reauthenticate/?next=%2Fadmin%2Fsyncs%2Fsyncrun%2F"
    answer = client.post(answer.redirect_chain[-1][0], {"code": code()}, follow=True)
    assert (answer.redirect_chain, answer.status_code) == ([("/admin/syncs/syncrun/", 302)], 200)


def test_a_session_of_staff_that_gave_no_code_does_not_get_in(staff):
    TOTP.activate(staff, SECRET)
    assert signed_in(staff).get("/admin/").status_code == 302


def test_a_code_given_in_the_session_of_somebody_else_does_not_count(staff):
    client = signed_in(staff)
    session = client.session
    record = {"method": "mfa", "at": time.time()}
    session.update({"account_authentication_methods": [record], "account_authentication_methods_user": "0"})
    session.save()
    assert client.get("/admin/").status_code == 302


def test_staff_need_no_second_factor_in_the_demo(staff, demo):
    assert log_in(staff).get("/admin/").status_code == 200


def test_signing_in_never_leads_to_another_site(staff, demo):
    assert log_in(staff).get("/admin/login/?next=https://evil.example/").headers["Location"] == "/admin/"


# ---- Every page


def make_everything() -> None:
    """One more of each row, none sharing anything with those before."""
    run = make_run(connection=make_connection(created_by=make_user(), connected_by=make_user()), asked_by=make_user())
    make_failure(run=run)
    listing = make_listing(shop=run.shop)
    make_publication(listing=listing)
    make_feed(shop=run.shop)
    make_drift(listing=listing)
    make_level(product=listing.product)
    make_held_report()
    make_handover()
    make_mapping()
    make_pair()
    make_unlinked()
    make_ignored_sku()
    make_order_with_everything(shop=run.shop)
    make_event()
    make_inbox()
    make_receipt()
    make_invitation(organization=run.organization, token=str(run.pk), invited_by=make_user())
    member = make_member()
    make_attempt(user=member, state=str(run.pk))
    TOTP.activate(member, SECRET)
    Group.objects.create(name=str(run.pk))
    integration = make_authorization(user=member).integration
    make_key(integration=make_custom_integration(organization=member.organization))
    record(Actor("somebody"), "key.issue", on=integration, before={"name": "a"}, after={"name": "b"})


def make_order_with_everything(*, shop) -> None:
    """One that waits, with parts of it at a warehouse and on their way; and what its organization decides by."""
    order = make_order(shop=shop)
    parcel = make_parcel(
        fulfillment=make_fulfillment(order=order, location=make_location(integration=shop.integration))
    )
    make_hindrance(order=order)
    make_entry(order=order, data={"receipt": str(make_receipt(integration=shop.integration).pk)})
    record(Actor("somebody"), "order.release", on=order)
    make_order_feed(integration=shop.integration)
    make_routing_rule(organization=parcel.organization)
    make_shipping_service(integration=shop.integration)
    make_shipping_method(integration=shop.integration)


def pages_of(model) -> str:
    return f"admin:{model._meta.app_label}_{model._meta.model_name}"


def registered() -> list[type]:
    return sorted(admin.site._registry, key=lambda model: model._meta.label)


def test_every_model_has_pages():
    models = [model for label in OURS for model in apps.get_app_config(label).get_models()]
    assert {model.__name__ for model in models if not admin.site.is_registered(model)} == WITHOUT


@pytest.mark.parametrize("model", registered(), ids=lambda model: model._meta.label)
def test_a_list_costs_the_same_whatever_its_length(model, staff_client):
    make_everything()
    address = reverse(f"{pages_of(model)}_changelist")
    staff_client.get(address)
    with CaptureQueriesContext(
        connection,
    ) as one:
        assert staff_client.get(address).status_code == 200
    make_everything()
    make_everything()
    with CaptureQueriesContext(connection) as three:
        assert staff_client.get(address).status_code == 200
    assert len(three) == len(one)


@pytest.mark.parametrize("model", registered(), ids=lambda model: model._meta.label)
def test_each_page_of_a_row_opens_and_shows_no_secret(model, staff_client):
    make_everything()
    make_application_token()
    row = model.objects.first()
    page = staff_client.get(reverse(f"{pages_of(model)}_change", args=[row.pk]))
    assert page.status_code == 200
    sealed = [getattr(row, "sealed", "no secret"), SECRET, "md5$"]
    assert [text for text in sealed if text in page.text] == []


@pytest.mark.parametrize("model", registered(), ids=lambda model: model._meta.label)
@pytest.mark.parametrize("query", ["q=hats+'%3Cscript%3E", "p=x", "o=x", "organization__id__exact=x", "unknown=1"])
def test_a_senseless_query_is_answered(model, query, staff_client):
    address = reverse(f"{pages_of(model)}_changelist")
    assert staff_client.get(f"{address}?{query}", follow=True).status_code == 200


@pytest.mark.parametrize("model", registered(), ids=lambda model: model._meta.label)
def test_the_page_of_a_row_that_is_not_there_leads_home(model, staff_client):
    address = reverse(f"{pages_of(model)}_change", args=["no-such-row"])
    assert staff_client.get(address).headers["Location"] == "/admin/"


def test_what_the_work_keeps_can_be_neither_added_nor_changed_nor_deleted(staff_client, rf, staff):
    request = rf.get("/admin/")
    request.user = staff
    kept = {
        model.__name__
        for model, pages in admin.site._registry.items()
        if not pages.has_add_permission(request)
        and not pages.has_change_permission(request)
        and not pages.has_delete_permission(request)
    }
    assert kept == {
        *("Authorization", "AuthorizationAttempt", "Brand", "Connection", "Credential", "Entry", "Integration"),
        *("Drift", "Event", "Handover", "HeldReport", "Inbox", "Listing", "Product", "Publication", "Receipt", "Shop"),
        *("SkuMapping", "SkuPair", "StockFeed", "StockLevel", "StockMovement", "Store", "SyncFailure", "SyncRun"),
        *("WaitingSku", "Order", "OrderFeed", "Fulfillment", "Parcel", "ShippingService"),
    }


def test_the_admin_has_a_policy_of_its_own_and_the_portal_keeps_the_strict_one(staff_client):
    theirs = staff_client.get("/admin/").headers["Content-Security-Policy"]
    assert "script-src 'self' 'unsafe-eval';" in theirs
    assert "script-src 'self';" in staff_client.get("/accounts/2fa/").headers["Content-Security-Policy"]


# ---- Finding things


def test_one_box_finds_stores_people_and_connections(staff_client):
    made = make_connection(connected_by=make_user(email="anna@hats.example"))
    for _ in range(2):
        make_member(organization=made.organization)
    make_store(name="Somewhere else")
    page = staff_client.get("/admin/search/", {"s": made.store.name})
    links = [(row.description, row.link) for row in page.context["results"]]
    assert links == [
        ("Store", f"/admin/accounts/store/{made.store.pk}/change/"),
        ("Connection", f"/admin/shops/connection/{made.pk}/change/"),
    ]
    page = staff_client.get("/admin/search/", {"s": "anna@hats"})
    assert [row.title for row in page.context["results"]] == [made.name, "anna@hats.example"]


@pytest.mark.parametrize("page", ["0", "2", "x", "-1"])
def test_a_page_of_the_box_that_is_not_there_is_not_found(page, staff_client):
    assert staff_client.get("/admin/search/", {"s": "store", "page": page}).status_code == 404


def test_staff_see_only_what_they_may(demo, db):
    colleague = make_user(is_staff=True)
    page = signed_in(colleague).get("/admin/")
    assert [group["title"] for group in page.context["sidebar_navigation"] if "title" in group] == []
    assert page.context["concerns"] == []
    assert signed_in(colleague).get("/admin/search/", {"s": "hats"}).context["results"].object_list == []


def test_somebody_who_lost_their_phone_gets_their_second_factor_deleted(staff_client):
    locked_out = make_user()
    lost = TOTP.activate(locked_out, SECRET).instance
    staff_client.post(reverse("admin:mfa_authenticator_delete", args=[lost.pk]), {"post": "yes"})
    assert Authenticator.objects.filter(user=locked_out).exists() is False


def test_an_integration_of_a_connector_that_was_removed_still_has_its_pages(staff_client):
    make_connection()
    Integration.objects.update(connector="gone")
    assert "gone" in staff_client.get("/admin/integrations/integration/").text
