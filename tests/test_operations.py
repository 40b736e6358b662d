"""The 3PL's own site as a whole: who gets in, and that each of its pages works and stays cheap."""

import re
import time

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db import connection
from django.db.models import CharField, TextField, Value
from django.db.models.functions import Cast, Concat
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode

from apps.audit import sealing
from apps.audit.trail import Actor, record
from apps.integrations.models import Integration
from apps.operations import address_of
from apps.orders.models import Fulfillment, Parcel
from apps.webhooks.models import Delivery, Receipt

from .conftest import signed_in
from .factories import (
    PASSWORD,
    make_application_token,
    make_attempt,
    make_authorization,
    make_connection,
    make_custom_integration,
    make_dismissal,
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
    make_job,
    make_key,
    make_level,
    make_listing,
    make_location,
    make_mapping,
    make_member,
    make_notice,
    make_order,
    make_order_feed,
    make_organization,
    make_outgoing,
    make_pair,
    make_parcel,
    make_publication,
    make_receipt,
    make_revision,
    make_routing_rule,
    make_run,
    make_shipping_method,
    make_shipping_service,
    make_signing_secret,
    make_try,
    make_unlinked,
    make_user,
    make_view,
)

OURS = ("audit", "accounts", "integrations", "shops", "webhooks", "catalog", "orders", "syncs")
# Django's admin does not know primary keys of several columns; of tokens and sealed settings there is nothing to see.
WITHOUT = {"Sighting", "KnownPage", "CountedPage", "SecretSettings", "ReachableStore", "InboxSecret"}
# Shown on the pages of their orders; or nobody's business but the work's own.
WITHOUT |= {"OrderLine", "Hindrance", "Entry", "FulfillmentLine", "Nudge", "Bookmark", "Repair"}
WITHOUT |= {"Attempt", "SigningSecret", "Sealed"}  # of a delivery, of an endpoint, of the audit trail
WITHOUT |= {"Application", "Grant", "AccessToken", "RefreshToken", "IDToken"}
SECRET = "JBSWY3DPEHPK3PXP"


@pytest.fixture
def demo(settings):
    settings.DEMO = True


def code() -> str:
    """That of the phone, at a moment when it stays good long enough to be typed."""
    if (left := 30 - time.time() % 30) < 3:
        time.sleep(left)
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
    make_notice(endpoint=make_try().delivery.endpoint)
    make_signing_secret()
    make_outgoing()
    make_inbox()
    make_receipt()
    make_job()
    make_dismissal()
    make_view()
    make_revision(integration=run.integration)
    make_invitation(organization=run.organization, token=str(run.pk), invited_by=make_user())
    member = make_member()
    make_attempt(user=member, state=str(run.pk))
    TOTP.activate(member, SECRET)
    Group.objects.create(name=str(run.pk))
    integration = make_authorization(user=member).integration
    make_key(integration=make_custom_integration(organization=member.organization))
    record(Actor("somebody"), "key.issue", on=integration, before={"name": "a"}, after={"name": "b"})
    sealing.seal()


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


def not_by_texts() -> list[type]:
    """Those whose rows have a number or a UUID: any text may be one's id otherwise."""
    return [model for model in registered() if not isinstance(model._meta.pk, CharField | TextField)]


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
    page = staff_client.get(address_of(row))
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


@pytest.mark.parametrize(("page", "first"), [("2", 21), ("²", 1), ("0", 1), ("-1", 1), ("9" * 5000, 1), ("9", 1)])
def test_what_is_no_page_of_related_rows_is_the_first(page, first, staff_client):
    organization = make_organization()
    for number in range(1, 22):
        organization.brands.create(name=f"Brand {number:02}")
    shown = staff_client.get(address_of(organization), {"brands-page": page})
    [brands] = [one.formset for one in shown.context["inline_admin_formsets"] if one.formset.prefix == "brands"]
    assert str(brands.forms[0].instance) == f"Brand {first:02}"


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
        *("Drift", "Event", "Handover", "HeldReport", "Listing", "Product", "Publication", "Receipt", "Shop"),
        *("SkuMapping", "SkuPair", "StockFeed", "StockLevel", "StockMovement", "Store", "SyncFailure", "SyncRun"),
        *("Delivery", "Endpoint", "Hook", "Message", "Notice", "Outgoing"),
        *("WaitingSku", "Order", "OrderFeed", "Fulfillment", "Parcel", "ShippingService", "Job", "View", "Dismissal"),
        *("Seal", "Revision"),
    }


# ---- Buttons: what unfold draws them as is a link, and links are followed by prefetchers, mails and restored tabs


WRITES = re.compile(r"\b(INSERT INTO|DELETE FROM|UPDATE \w*\"?\w+\"? SET|UPDATE \"\w+\")", re.IGNORECASE)
NOTED = {"export_configuration"}  # a file, and that somebody took it is written down
ON_LISTS, ON_ROWS = ("actions_list",), ("actions_detail", "actions_row")


def buttons(pages, places: tuple[str, ...]) -> list[str]:
    """The names of the deeds in these places, those in menus as well."""
    found = [one for place in places for one in getattr(pages, place)]
    return [name for one in found for name in (one["items"] if isinstance(one, dict) else [one])]


def make_all_want_somebody() -> None:
    """So that each button does something."""
    Delivery.objects.update(state=Delivery.State.FAILED)
    Receipt.objects.update(state=Receipt.State.PARKED)
    Fulfillment.objects.update(owes=Fulfillment.Owes.SEND, due_at=timezone.now(), tries=3, error="rejected")
    Parcel.objects.update(due_at=timezone.now())


def written(client: Client, address: str) -> list[str]:
    with CaptureQueriesContext(connection) as asked:
        client.get(address)
    return [one["sql"] for one in asked if WRITES.search(one["sql"]) and "django_session" not in one["sql"]]


@pytest.mark.parametrize("model", registered(), ids=lambda model: model._meta.label)
def test_no_button_does_anything_before_it_was_asked(model, staff_client):
    pages = admin.site._registry[model]
    on_lists, on_rows = (set(buttons(pages, places)) - NOTED for places in (ON_LISTS, ON_ROWS))
    if on_lists | on_rows:
        make_everything()
        make_all_want_somebody()
    addresses = [reverse(f"{pages_of(model)}_{name}") for name in on_lists]
    addresses += [
        reverse(f"{pages_of(model)}_{name}", args=[row.pk]) for row in model.objects.all() for name in on_rows
    ]
    assert {address: found for address in addresses if (found := written(staff_client, address))} == {}
    assert list(pages.actions_submit_line) == []


EVIL = '<b hx-get="/admin/" hx-trigger="load"></b>'


NAMED = {
    "accounts": {"Organization": "name", "Brand": "name", "Store": "name address", "User": "first_name last_name"},
    "integrations": {"Integration": "name account_name", "PartnerConnector": "name", "ApiKey": "name"},
    "catalog": {
        "Product": "name brand",
        "Listing": "name",
        "Location": "name",
        "IgnoredSku": "sku",
        "Handover": "detail",
    },
    "orders": {
        "Order": "number notes",
        "Fulfillment": "reason detail",
        "RoutingRule": "name",
    },
    "desk": {"View": "name", "Dismissal": "title reason", "Job": "detail"},
    "shops": {"Shop": "name", "Connection": "name"},
    "syncs": {"SyncFailure": "detail", "SyncRun": "detail", "OrderFeed": "detail"},
    "webhooks": {"Endpoint": "name", "Receipt": "detail event_type"},
}


def call_everything(text: str) -> None:
    """What others choose the name of, what they note, and what platforms answer, begins with this text."""
    own = Concat(Value(text), Cast("pk", TextField()))  # some names are there once only
    for label, models in NAMED.items():
        for model, names in models.items():
            apps.get_model(label, model).objects.update(**dict.fromkeys(names.split(), own))


def test_no_page_takes_what_others_wrote_for_html(staff_client):
    make_everything()
    call_everything(EVIL)
    addresses = [reverse(f"{pages_of(model)}_changelist") for model in registered()]
    addresses += [address_of(row) for model in registered() if (row := model.objects.order_by("pk").first())]
    addresses += [
        f"{reverse('admin:search')}?{urlencode({'s': 'hx-get'})}",
        reverse("admin:index"),
        reverse("problems"),
    ]
    pages = {address: staff_client.get(address, follow=True).text for address in addresses}
    assert [address for address, text in pages.items() if EVIL in text] == []
    assert sum("&lt;b hx-get" in text for text in pages.values()) > 30


# ---- Finding things


def test_staff_see_only_what_they_may(demo, db):
    colleague = make_user(is_staff=True)
    page = signed_in(colleague).get("/admin/")
    assert [group["title"] for group in page.context["sidebar_navigation"] if "title" in group] == []
    assert page.context["concerns"] == []
    assert signed_in(colleague).get("/admin/search/", {"s": "hats"}).context["groups"] == []


def test_somebody_who_lost_their_phone_gets_their_second_factor_deleted(staff_client):
    locked_out = make_user()
    lost = TOTP.activate(locked_out, SECRET).instance
    staff_client.post(reverse("admin:mfa_authenticator_delete", args=[lost.pk]), {"post": "yes"})
    assert Authenticator.objects.filter(user=locked_out).exists() is False


def test_an_integration_of_a_connector_that_was_removed_still_has_its_pages(staff_client):
    make_connection()
    Integration.objects.update(connector="gone")
    assert "gone" in staff_client.get("/admin/integrations/integration/").text


@pytest.mark.parametrize("model", not_by_texts(), ids=lambda model: model._meta.label)
@pytest.mark.parametrize("text", ["x", "\x00"])
def test_rows_chosen_by_what_is_no_id_are_refused(model, text, staff_client):
    address = reverse(f"{pages_of(model)}_changelist")
    deeds = [str(getattr(deed, "__name__", deed)) for deed in admin.site._registry[model].actions or ()]
    for deed in [*deeds, "delete_selected"]:
        sent = {"action": deed, "_selected_action": [text], "index": "0"}
        assert staff_client.post(address, sent).status_code == 400, deed


@pytest.mark.parametrize("text", ["x", "\x00", "9" * 40])
def test_a_person_chosen_by_what_is_no_id_is_not_chosen(text, staff_client):
    page = staff_client.post(reverse("admin:account_emailaddress_add"), {"user": text, "email": "a@hats.example"})
    assert (page.status_code, EmailAddress.objects.filter(email="a@hats.example").exists()) == (200, False)
