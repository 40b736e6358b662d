"""The page of an integration says how it is doing, why, and who must act; its deeds are written down (behaviour 97)."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from apps.audit.models import Entry
from apps.desk import cockpit, days
from apps.desk.causes import Who
from apps.desk.cockpit_admin import IntegrationCockpitAdmin
from apps.desk.days import How
from apps.integrations.connectors.base import Unreachable
from apps.onboarding import connecting
from apps.orders.models import Hindrance
from apps.shops.models import Connection
from apps.syncs.models import SyncRun
from apps.webhooks.models import Delivery, Endpoint, Receipt
from tests.conftest import signed_in
from tests.factories import (
    make_connection,
    make_custom_integration,
    make_delivery,
    make_draft,
    make_endpoint,
    make_event,
    make_feed,
    make_hindrance,
    make_hook,
    make_integration,
    make_key,
    make_listing,
    make_mapping,
    make_member,
    make_order,
    make_order_feed,
    make_partner_integration,
    make_receipt,
    make_run,
    make_unlinked,
    make_user,
    make_warehouse,
)

State = Connection.State
DEEDS = {
    "reconnect_link": ({}, "integration.reconnect-link"),
    "test_connection": ({}, "integration.test-connection"),
    "sync_now": ({}, "integration.sync-now"),
    "sync_part": ({"kind": "products"}, "integration.sync"),
    "pause_stores": ({"reason": "Holiday"}, "integration.pause"),
    "disable": ({"reason": "Holiday"}, "integration.disable"),
    "export_configuration": ({}, "configuration.export"),
    "compare_stock": ({}, "integration.compare-stock"),
    "keep_back": ({"pieces": 3}, "integration.change"),
    "hold_orders": ({"order_hold_seconds": 60}, "integration.change"),
    "enable": ({}, "integration.enable"),
    "resume_stores": ({"reason": ""}, "integration.resume"),
}
# Held by test_integration_deeds, test_settings_deeds, test_looking, or below; `revisions` only shows.
ELSEWHERE = {"new_key", "import_configuration", "apply_definition", "change_settings", "look_as_owner", "replace_id"}
ELSEWHERE |= {"revisions"}
BEFORE = {"enable": {"state": "disabled", "state_before": "connected"}}


@pytest.fixture
def store(db) -> Connection:
    """A connected store at a platform."""
    there = {"settings": {"address": "https://93.184.216.34"}, "secrets": {"api_key": "x"}}
    integration = make_integration(connector="vendure", name="Hats", **there)
    return make_connection(integration=integration, name="Hats of Delft")


def address(integration, deed: str = "change") -> str:
    return reverse(f"admin:integrations_integration_{deed}", args=[integration.pk])


def told(integration) -> tuple:
    """What the sentence says in short: look, who must act, and what the button says."""
    integration.refresh_from_db()
    found = cockpit.verdict(integration)
    return (found.look, found.who, found.mend and found.mend.label)


def ran(when, **fields) -> None:
    SyncRun.objects.filter(pk=make_run(**fields).pk).update(created_at=when)


# ---- The sentence


def test_all_is_well(store):
    assert told(store.integration) == ("success", None, None)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"state": "disabled", "state_reason": "Holiday."}, ("warning", Who.US, "Enable")),
        ({"state": "needs_reconnect", "state_reason": "401"}, ("danger", Who.OWNER, "Link to send")),
        ({"state": "not_configured"}, ("info", Who.OWNER, "Link to send")),
        ({"deleted_at": "2026-01-01T00:00Z"}, ("default", None, None)),
        ({"connector": "gone"}, ("danger", Who.US, None)),
    ],
)
def test_what_stops_everything_is_said_first(store, fields, expected):
    make_run(connection=store, state="failed", error="unreachable")
    type(store.integration).objects.update(**fields)
    assert told(store.integration) == expected


def test_what_the_platform_answered_stays_out_of_the_sentence(store):
    type(store.integration).objects.update(state="needs_reconnect", state_reason="They said no.")
    store.integration.refresh_from_db()
    text = "Vendure no longer lets us in. Its stores wait until their owner logs in there."
    assert cockpit.verdict(store.integration).text == text


def test_an_application_that_its_developer_has_ended_is_theirs(db):
    integration = make_partner_integration()
    type(integration.partner).objects.update(deactivated_at=timezone.now())
    assert told(type(integration).objects.get())[:2] == ("danger", Who.PARTNER)


def test_stores_that_are_paused_are_resumed_by_us_and_missing_ones_connected_by_their_owner(store):
    Connection.objects.update(state=State.PAUSED)
    assert told(store.integration) == ("warning", Who.US, "Resume")
    Connection.objects.update(state=State.DISCONNECTED)
    assert told(store.integration) == ("info", Who.OWNER, "Link to send")


@pytest.mark.parametrize(
    ("error", "who", "button"),
    [
        ("unreachable", Who.PLATFORM, "Sync again"),
        ("forbidden", Who.OWNER, "Link to send"),
        ("may_not_read_orders", Who.OWNER, "Read the reason"),
        ("bug", Who.US, "Read the reason"),
    ],
)
def test_a_failed_run_is_theirs_who_can_mend_it(store, error, who, button):
    make_run(connection=store, state="failed", error=error)
    assert told(store.integration) == ("danger", who, button)
    assert cockpit.verdict(store.integration).text.startswith(f"Products of {store.shop}: ")


def test_a_later_run_mends_an_earlier_one(store):
    ran(timezone.now() - timedelta(hours=1), connection=store, state="failed", error="bug")
    make_run(connection=store, state="succeeded")
    assert told(store.integration)[0] == "success"


def test_what_a_platform_or_a_warehouse_does_not_hear_is_said(store):
    make_feed(shop=store.shop, error="may_not_write", tries=5)
    assert told(store.integration) == ("danger", Who.OWNER, "Read the reason")
    warehouse = make_warehouse()
    make_order_feed(integration=warehouse.integration, error="unreachable", tries=5)
    assert told(warehouse.integration) == ("danger", Who.PLATFORM, "Read the reason")


def test_an_address_that_takes_nothing_is_the_partners(store):
    now = timezone.now()
    endpoint = make_endpoint(integration=store.integration, failing_since=now, failures=3, last_error="timeout")
    assert told(store.integration) == ("warning", Who.PARTNER, "Look at the address")
    Endpoint.objects.filter(pk=endpoint.pk).update(state="disabled", reason="failing")
    assert told(store.integration) == ("danger", Who.PARTNER, "Look at the address")
    Endpoint.objects.filter(pk=endpoint.pk).update(deleted_at=now)
    assert told(store.integration)[0] == "success"


def test_orders_that_wait_are_counted_with_the_way_to_free_them(store, staff_client):
    for _ in range(2):
        make_hindrance(order=make_order(shop=store.shop), code=Hindrance.Code.UNKNOWN_SKU)
    found = cockpit.verdict(store.integration)
    assert (found.look, found.text[:14], found.mend.label) == (
        "warning",
        "2 orders wait,",
        "Say which products they are",
    )
    assert staff_client.get(found.mend.link).status_code == 200
    Hindrance.objects.update(code=Hindrance.Code.INCOMPLETE_ADDRESS)
    assert told(store.integration)[2] == "See these orders"
    assert staff_client.get(cockpit.verdict(store.integration).mend.link).status_code == 200


def test_messages_that_are_put_aside_are_ours_to_look_at(store, staff_client):
    make_receipt(integration=store.integration, state=Receipt.State.PARKED, error="unknown_shop")
    assert told(store.integration) == ("warning", Who.US, "See these messages")
    assert staff_client.get(cockpit.verdict(store.integration).mend.link).status_code == 200


def test_the_page_says_it_with_a_button_for_who_may_press_it(store, staff_client):
    type(store.integration).objects.update(state="disabled", state_reason="Holiday")
    page = staff_client.get(address(store.integration)).text
    assert "It is disabled (Holiday)" in page
    assert "Who must act: You." in page
    assert f'href="{address(store.integration, "enable")}"' in page.partition("cockpit-health")[0]
    reader = make_user(is_staff=True)
    reader.user_permissions.set(Permission.objects.filter(codename="view_integration"))
    page = signed_in(reader).get(address(store.integration)).text
    assert ("It is disabled (Holiday)" in page, address(store.integration, "enable") in page) == (True, False)


# ---- Thirty days


def went(integration) -> dict[int, str]:
    """The days on which something happened, by how long ago they are."""
    found = reversed(days.days(integration))
    return {back: day.how for back, day in enumerate(found) if day.how != How.NOTHING}


def at(back: int):
    return timezone.localtime().replace(hour=0, minute=0, second=1, microsecond=0) - timedelta(days=back)


@pytest.mark.parametrize(
    ("states", "how"),
    [
        (["succeeded"], How.WELL),
        (["succeeded", "succeeded", "failed"], How.PARTLY),
        (["succeeded", "partial"], How.PARTLY),
        (["failed", "failed", "succeeded"], How.BADLY),
        (["cancelled"], None),
    ],
)
def test_a_day_goes_as_its_runs_go(store, states, how):
    for state in states:
        ran(at(3), connection=store, state=state)
    ran(at(3), state="failed")  # of another integration
    assert went(store.integration) == ({3: how} if how else {})


def test_each_run_counts_for_its_own_day_and_none_before_the_thirty(store):
    for back in (0, 1, 29, 30):
        ran(at(back), connection=store, state="succeeded")
    ran(at(29) - timedelta(seconds=2), connection=store, state="failed")
    assert went(store.integration) == {0: How.WELL, 1: How.WELL, 29: How.WELL}


def test_a_failure_is_seen_however_many_went_well_after_it(store, monkeypatch):
    monkeypatch.setattr(days, "NEWEST_RUNS", 2)
    ran(at(2), connection=store, state="failed")
    for _ in range(3):
        ran(at(2) + timedelta(hours=1), connection=store, state="succeeded")
    assert went(store.integration) == {2: How.PARTLY}


def test_messages_that_went_out_count_as_well(store):
    endpoint = make_endpoint(integration=store.integration, organization=store.organization)
    hook = make_hook(endpoint=endpoint, event="order.created")
    for back, state in [(9, "delivered"), (5, "failed"), (4, "waiting"), (0, "pending")]:
        event = make_event(organization=store.organization, created_at=at(back))
        make_delivery(hook=hook, event=event, state=state, created_at=at(back))
    make_delivery(state=Delivery.State.FAILED, created_at=at(7))  # of somebody else
    assert went(store.integration) == {9: How.WELL, 5: How.BADLY, 4: How.PARTLY}


def test_each_cell_leads_to_that_days_list(store, staff_client):
    ran(at(3), connection=store, state="failed")
    ran(at(2), connection=store, state="succeeded")
    endpoint = make_endpoint(integration=store.integration, organization=store.organization)
    event = make_event(organization=store.organization, created_at=at(1))
    make_delivery(hook=make_hook(endpoint=endpoint), event=event, state="failed", created_at=at(1))
    found = days.days(store.integration)
    lists = [staff_client.get(found[-1 - back].link) for back in (3, 2, 1, 0)]
    assert [page.status_code for page in lists] == [200] * 4
    assert [len(page.context["cl"].result_list) for page in lists] == [1, 1, 1, 0]
    assert "/webhooks/delivery/" in found[-2].link


def test_a_day_tells_how_many_messages_failed_however_many_they_are(store, staff_client, monkeypatch):
    monkeypatch.setattr(days, "NEWEST_SENT", 2)
    endpoint = make_endpoint(integration=store.integration, organization=store.organization)
    hook = make_hook(endpoint=endpoint, event="order.created")
    for state in ["failed", "failed", "failed", "delivered", "waiting"]:
        event = make_event(organization=store.organization, created_at=at(3))
        make_delivery(hook=hook, event=event, state=state, created_at=at(3))
    day = days.days(store.integration)[-4]
    assert (day.how, day.text.rpartition(", ")[2]) == (How.PARTLY, "messages that did not arrive: 3")
    page = staff_client.get(day.link)
    assert [row.state for row in page.context["cl"].result_list] == ["failed"] * 3
    monkeypatch.setattr(days, "MOST_FAILED", 2)
    assert days.days(store.integration)[-4].text.endswith("messages that did not arrive: 2+")


def test_what_is_tried_again_may_still_arrive(store):
    endpoint = make_endpoint(integration=store.integration, organization=store.organization)
    event = make_event(organization=store.organization, created_at=at(3))
    make_delivery(hook=make_hook(endpoint=endpoint), event=event, state="waiting", created_at=at(3))
    day = days.days(store.integration)[-4]
    assert (day.how, "did not arrive" in day.text) == (How.PARTLY, False)


def test_thirty_days_take_three_statements(store, django_assert_num_queries):
    make_hook(endpoint=make_endpoint(integration=store.integration, organization=store.organization))
    with django_assert_num_queries(3):
        assert len(days.days(store.integration)) == 30


# ---- The page as a whole


def fill(store, number: int = 1) -> None:
    """One more of everything that the page lists."""
    make_run(connection=store, state="failed", error="bug")
    listing = make_listing(shop=store.shop)
    make_unlinked(shop=store.shop)
    make_mapping(integration=store.integration, number=number)
    make_hindrance(order=make_order(shop=store.shop), code=Hindrance.Code.INCOMPLETE_ADDRESS)
    endpoint = make_endpoint(integration=store.integration, organization=store.organization)
    hook = make_hook(endpoint=endpoint, shop=listing.shop, event="order.created")
    make_delivery(hook=hook, state=Delivery.State.FAILED)
    make_receipt(integration=store.integration)
    make_key(integration=store.integration)


def test_each_tab_shows_the_newest_and_leads_to_all(store, staff_client):
    fill(store)
    page = staff_client.get(address(store.integration))
    tabs = {dataset.model.__name__: dataset.cl.result_list for dataset in page.context["datasets"]}
    assert {name: len(rows) for name, rows in tabs.items()} == {
        "SyncRun": 1,
        "Delivery": 1,
        "Receipt": 1,
        "Order": 1,
        "Listing": 2,
        "WaitingSku": 1,
        "SkuMapping": 1,
        "ApiKey": 1,
        "Revision": 0,
        "Entry": 0,
    }


def test_the_page_costs_the_same_however_much_there_is(store, staff_client):
    staff_client.get(address(store.integration))  # what is read once and kept
    counts = []
    for numbers in ([1], [2, 3]):
        for number in numbers:
            fill(make_connection(integration=store.integration), number)
        with CaptureQueriesContext(connection) as asked:
            assert staff_client.get(address(store.integration)).status_code == 200
        counts.append(len(asked))
    assert counts[0] == counts[1]


def test_whoever_may_not_see_keys_sees_no_tab_of_them(store, settings):
    settings.DEMO = True
    reader = make_user(is_staff=True)
    reader.user_permissions.set(Permission.objects.filter(codename__in=["view_integration", "view_syncrun"]))
    page = signed_in(reader).get(address(store.integration))
    assert [dataset.model.__name__ for dataset in page.context["datasets"]] == ["SyncRun"]


# ---- Deeds


def test_97_no_deed_of_the_page_is_forgotten_here():
    groups = [deed["items"] if isinstance(deed, dict) else [deed] for deed in IntegrationCockpitAdmin.actions_detail]
    assert {deed for group in groups for deed in group} == {*DEEDS, *ELSEWHERE}


@pytest.mark.parametrize("deed", DEEDS)
def test_97_each_deed_asks_first_and_is_written_down_under_who_did_it(store, staff_client, deed):
    takes, action = DEEDS[deed]
    type(store.integration).objects.update(**BEFORE.get(deed, {"state": "connected"}))
    Connection.objects.update(state=State.PAUSED if deed == "resume_stores" else State.ACTIVE)
    if deed != "export_configuration":
        assert staff_client.get(address(store.integration, deed)).status_code == 200
        assert not Entry.objects.exists()
    answer = staff_client.post(address(store.integration, deed), takes)
    assert answer.status_code in {200, 302}
    assert [(entry.action, entry.actor) for entry in Entry.objects.all()] == [(action, "admin@foo-3pl.example")]


@pytest.mark.parametrize("deed", DEEDS)
def test_97_who_may_only_read_does_nothing(store, deed, settings):
    settings.DEMO = True
    reader = make_user(is_staff=True)
    reader.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    assert signed_in(reader).post(address(store.integration, deed), DEEDS[deed][0]).status_code == 403
    assert not Entry.objects.exists()


def test_the_link_to_send_says_who_can_open_it(store, staff_client):
    make_member(organization=store.organization, email="owner@hats.example")
    make_member(organization=store.organization, email="viewer@hats.example", role="viewer")
    page = staff_client.post(address(store.integration, "reconnect_link")).text
    link = f"http://testserver/stores/{store.pk}/log-in/"
    shown = (link, "owner@hats.example", "viewer@hats.example", "mailto:owner%40hats.example?subject=")
    assert [text in page for text in shown] == [True, True, False, True]


def test_a_link_that_nobody_can_open_says_so(store, staff_client):
    page = staff_client.post(address(store.integration, "reconnect_link")).text
    assert ("invite somebody first" in page, "mailto:" in page) == (True, False)


def test_one_store_is_paused_and_resumed_and_the_other_goes_on(store, staff_client):
    other = make_connection(integration=store.integration)
    takes = {"store": store.pk, "reason": "Holiday"}
    staff_client.post(address(store.integration, "pause_stores"), takes)
    states = Connection.objects.in_bulk([store.pk, other.pk])
    assert (states[store.pk].state, states[other.pk].state) == (State.PAUSED, State.ACTIVE)
    staff_client.post(address(store.integration, "resume_stores"), takes)
    assert Connection.objects.get(pk=store.pk).state == State.ACTIVE
    entries = Entry.objects.order_by("pk").values_list("action", "target", "reason")
    assert list(entries) == [
        ("connection.pause", "Hats of Delft", "Holiday"),
        ("connection.resume", "Hats of Delft", "Holiday"),
    ]


def test_a_store_of_somebody_else_is_not_paused(store, staff_client):
    other = make_connection()
    answer = staff_client.post(address(store.integration, "pause_stores"), {"store": other.pk})
    assert (answer.status_code, Connection.objects.filter(state=State.PAUSED).exists()) == (422, False)


@pytest.mark.parametrize("kind", ["orders", "products", "product-stocks", "shipping-services"])
def test_one_kind_of_one_store_is_synced(store, staff_client, kind):
    make_connection(integration=store.integration)
    staff_client.post(address(store.integration, "sync_part"), {"kind": kind, "store": store.pk})
    assert list(SyncRun.objects.values_list("kind", "shop", "since")) == [(kind, store.shop_id, None)]


def test_orders_are_synced_from_a_day_on(store, staff_client):
    staff_client.post(address(store.integration, "sync_part"), {"kind": "orders", "since": "2026-02-03"})
    run = SyncRun.objects.get()
    assert timezone.localtime(run.since).isoformat()[:19] == "2026-02-03T00:00:00"
    assert Entry.objects.get().after["since"].startswith("2026-02-0")


@pytest.mark.parametrize(
    ("takes", "error"),
    [
        ({"kind": "products", "since": "2026-02-03"}, "Only orders can be read from a day on."),
        ({"kind": "orders", "since": "2999-02-03"}, "This day is still to come."),
        ({"kind": "orders", "since": "yesterday"}, "Enter a valid date."),
        ({"kind": "nonsense"}, "Select a valid choice."),
        ({"kind": "products", "store": "nonsense"}, "Select a valid choice."),
    ],
)
def test_a_sync_that_makes_no_sense_is_refused_with_a_reason(store, staff_client, takes, error):
    answer = staff_client.post(address(store.integration, "sync_part"), takes)
    assert (answer.status_code, error in answer.text, SyncRun.objects.exists()) == (422, True, False)


def test_no_day_is_asked_of_who_has_no_orders_to_read(staff_client, db):
    integration = make_connection(integration=make_integration(connector="otter")).integration
    page = staff_client.get(address(integration, "sync_part")).text
    assert ("Orders placed since" in page, "Products" in page) == (False, True)


def test_an_id_is_replaced_with_a_reason(store, staff_client, staff, monkeypatch):
    asked = []

    def change(store, wanted, *, by, reason):
        Connection.objects.filter(pk=store.pk).update(ext_shop_id=wanted)
        asked.append((wanted, by.user_id, by.address, reason))

    monkeypatch.setattr(connecting, "change_id", change)
    takes = {"store": store.pk, "ext_shop_id": "new-id", "reason": "Typed wrong"}
    assert staff_client.post(address(store.integration, "replace_id"), takes).status_code == 302
    assert asked == [("new-id", staff.pk, "127.0.0.1", "Typed wrong")]
    assert not Entry.objects.exists()


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (connecting.IdTaken(), "Another store has this ID already."),
        (connecting.HeldElsewhere("old"), "under another ID than we thought: “old”"),
        (Unreachable("no", code="unreachable"), "could not be reached"),
    ],
)
def test_an_id_that_is_not_replaced_says_why_and_is_written_down_as_refused(
    store, staff_client, monkeypatch, error, said
):
    def fail(*_given, **_more):
        raise error

    monkeypatch.setattr(connecting, "change_id", fail)
    takes = {"store": store.pk, "ext_shop_id": "new-id", "reason": "Typed wrong"}
    answer = staff_client.post(address(store.integration, "replace_id"), takes)
    entry = Entry.objects.get()
    assert (answer.status_code, said in answer.text) == (422, True)
    assert (entry.outcome, entry.reason.startswith("Typed wrong ")) == ("refused", True)


@pytest.mark.parametrize("wanted", ["", "ü", "x" * 256])
def test_an_id_that_no_platform_takes_is_refused_before_any_is_asked(store, staff_client, wanted):
    takes = {"store": store.pk, "ext_shop_id": wanted, "reason": "Typed wrong"}
    assert staff_client.post(address(store.integration, "replace_id"), takes).status_code == 422
    assert not Entry.objects.exists()


def test_without_a_reason_no_id_is_replaced(store, staff_client):
    takes = {"store": store.pk, "ext_shop_id": "new-id"}
    assert staff_client.post(address(store.integration, "replace_id"), takes).status_code == 422


def test_a_partners_stores_are_neither_paused_nor_given_another_id(staff_client, db):
    integration = make_custom_integration()
    for deed in ("pause_stores", "resume_stores", "replace_id", "reconnect_link", "sync_part"):
        assert staff_client.get(address(integration, deed)).status_code == 403


def test_looking_as_its_owner_begins_at_the_organization(store, staff_client):
    make_draft(organization=store.organization)
    answer = staff_client.get(address(store.integration, "look_as_owner"))
    assert answer.headers["Location"] == f"/admin/accounts/organization/{store.organization_id}/look/"
