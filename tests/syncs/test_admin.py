from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse
from django.utils import timezone

from apps.audit.models import Entry
from apps.shops.models import Connection
from apps.syncs.models import SyncRun

from ..conftest import signed_in
from ..factories import make_connection, make_custom_integration, make_failure, make_run, make_user, make_warehouse

State = SyncRun.State
RUNS = "/admin/syncs/syncrun/"
CONNECTIONS = "/admin/shops/connection/"


def chosen(client, address: str, action: str, *rows) -> list[str]:
    """Choose rows of a list and do this to them; what the page then says."""
    page = client.post(address, {"action": action, "_selected_action": [row.pk for row in rows]}, follow=True)
    return [str(message) for message in page.context["messages"]]


def ended(**fields) -> SyncRun:
    return make_run(**{"state": State.FAILED, "finished_at": timezone.now()} | fields)


def test_a_failed_run_is_run_again_at_once(staff, staff_client):
    failed = ended(error="server_error")
    assert chosen(staff_client, RUNS, "run_chosen", failed) == ["1 sync begins now."]
    again = SyncRun.objects.unfinished().get()
    assert (again.shop, again.asked_by, again.next_attempt_at <= timezone.now()) == (failed.shop, staff, True)


def test_two_runs_of_one_store_are_run_again_once(staff_client):
    first = ended()
    second = ended(connection=first.shop.connections.get())
    assert chosen(staff_client, RUNS, "run_chosen", first, second) == ["1 sync begins now."]
    assert SyncRun.objects.unfinished().count() == 1


def test_connections_are_run_and_what_cannot_run_is_said(staff_client):
    live, held = make_connection(), make_connection()
    held.integration.lose_permission("invalid_grant")
    paused = make_connection(state=Connection.State.PAUSED)
    assert chosen(staff_client, CONNECTIONS, "run_chosen", live, held, paused) == [
        "1 sync begins now.",
        "1 sync waits for its owner to log in.",
        "1 store is not connected.",
    ]
    assert {run.shop for run in SyncRun.objects.unfinished()} == {live.shop, held.shop}


def test_runs_of_a_store_that_left_and_came_back_are_run_once_and_others_are_left_out(staff_client):
    back = ended()
    make_connection(shop=back.shop, state=Connection.State.DISCONNECTED)
    left = ended(connection=make_connection(state=Connection.State.DISCONNECTED))
    assert chosen(staff_client, RUNS, "run_chosen", back, left) == ["1 sync begins now.", "1 store is not connected."]
    assert [run.shop for run in SyncRun.objects.unfinished()] == [back.shop]


def test_too_many_at_once_are_refused_and_none_is_run(staff_client, monkeypatch):
    monkeypatch.setattr("apps.syncs.admin.MOST_AT_ONCE", 1)
    rows = [make_connection(), make_connection()]
    assert chosen(staff_client, CONNECTIONS, "run_chosen", *rows) == ["Choose 1 at most."]
    assert SyncRun.objects.count() == 0


def test_runs_that_have_not_ended_are_called_off_and_it_is_on_record(staff, staff_client):
    waiting = make_run()
    working = make_run(state=State.RUNNING, lease_until=timezone.now() + timedelta(seconds=30))
    over = ended()
    assert chosen(staff_client, RUNS, "cancel_chosen", waiting, working, over) == ["2 syncs are called off."]
    for run in (waiting, working, over):
        run.refresh_from_db()
    assert (waiting.state, working.cancel_requested, over.state) == (State.CANCELLED, True, State.FAILED)
    assert sorted(Entry.objects.values_list("user_id", "target_id")) == sorted(
        (staff.pk, str(run.pk)) for run in (waiting, working)
    )


# ---- The buttons of a row's own page


@pytest.mark.parametrize("kind", ["shops_connection", "syncs_syncrun"])
def test_the_button_asks_first_and_runs_only_when_told_to(kind, staff_client):
    run = ended()
    row = run if kind == "syncs_syncrun" else run.shop.connections.get()
    button = reverse(f"admin:{kind}_run_this", args=[row.pk])
    assert "now?" in staff_client.get(button).text
    assert SyncRun.objects.unfinished().count() == 0
    answer = staff_client.post(button, {"_form_submitted": "True"})
    assert answer.headers["Location"] == reverse(f"admin:{kind}_change", args=[row.pk])
    assert SyncRun.objects.unfinished().count() == 1


def test_the_button_pressed_in_its_dialog_leads_to_the_page_as_it_is_now(staff_client):
    run = ended()
    button = reverse("admin:syncs_syncrun_run_this", args=[run.pk])
    answer = staff_client.post(button, {"_form_submitted": "True"}, headers={"HX-Request": "true"})
    assert answer.headers["HX-Redirect"] == reverse("admin:syncs_syncrun_change", args=[run.pk])


def test_a_run_is_called_off_from_its_own_page(staff_client):
    run = make_run()
    staff_client.post(reverse("admin:syncs_syncrun_cancel_this", args=[run.pk]), {"_form_submitted": "True"})
    run.refresh_from_db()
    assert run.state == State.CANCELLED


@pytest.mark.parametrize("pk", ["x", "3f2b1c9a-0000-4000-8000-000000000000"])
def test_the_button_of_a_row_that_is_not_there_is_not_found(pk, staff_client):
    button = reverse("admin:syncs_syncrun_run_this", args=[pk])
    assert staff_client.post(button, {"_form_submitted": "True"}).status_code == 404


def test_whoever_may_only_look_can_run_nothing(staff_client):
    onlooker = make_user(is_staff=True)
    onlooker.user_permissions.set(Permission.objects.filter(codename__in=["view_syncrun", "view_connection"]))
    client, run = signed_in(onlooker), ended()
    button = reverse("admin:syncs_syncrun_run_this", args=[run.pk])
    assert client.post(button, {"_form_submitted": "True"}).status_code == 403
    client.post(RUNS, {"action": "run_chosen", "_selected_action": [run.pk]})
    assert SyncRun.objects.unfinished().count() == 0


# ---- What the pages show


def test_the_page_of_a_run_shows_its_failures_page_by_page(staff_client):
    run = ended(state=State.PARTIAL)
    for n in range(25):
        make_failure(run=run, ref=f"SKU-{n:03}")
    make_failure(ref="SKU-OTHER")
    address = reverse("admin:syncs_syncrun_change", args=[run.pk])
    first, second = (staff_client.get(address, {"failures-page": n}).text for n in (1, 2))
    assert ("SKU-019" in first, "SKU-020" in first, "SKU-OTHER" in first) == (True, False, False)
    assert ("SKU-019" in second, "SKU-024" in second) == (False, True)


def test_the_page_of_a_connection_shows_its_own_runs(staff_client):
    mine, other = ended(), ended()
    page = staff_client.get(reverse("admin:shops_connection_change", args=[mine.shop.connections.get().pk])).text
    links = [reverse("admin:syncs_syncrun_change", args=[run.pk]) in page for run in (mine, other)]
    assert links == [True, False]


@pytest.mark.parametrize("text", ["Corner", "shop-4711", "server_error"])
def test_a_run_is_found_by_shop_id_and_reason(text, staff_client):
    run = ended(error="server_error")
    type(run.shop).objects.filter(pk=run.shop_id).update(name="Hat Corner", ext_shop_id="shop-4711")
    ended(error="timeout")
    assert list(staff_client.get(RUNS, {"q": text}).context["cl"].result_list) == [run]


def test_what_was_left_out_is_found_and_leads_to_its_run(staff_client):
    failure = make_failure(ref="SKU-LEFT-OUT")
    make_failure()
    page = staff_client.get("/admin/syncs/syncfailure/", {"q": "sku-left-out"})
    assert list(page.context["cl"].result_list) == [failure]
    assert reverse("admin:syncs_syncrun_change", args=[failure.run_id]) in page.text


def deed(client, integration, name: str) -> list[str]:
    """Ask for an action on an integration's page, and confirm it; what the page then says."""
    address = reverse(f"admin:integrations_integration_{name}", args=[integration.pk])
    assert client.get(address).status_code == 200
    return [str(message) for message in client.post(address, follow=True).context["messages"]]


def test_an_integrations_stores_are_paused_resumed_and_synced(staff, staff_client):
    integration = make_connection().integration
    assert deed(staff_client, integration, "pause_stores") == ["1 store is paused."]
    assert Connection.objects.get().state == Connection.State.PAUSED
    assert deed(staff_client, integration, "resume_stores") == ["1 store goes on."]
    assert deed(staff_client, integration, "sync_now") == ["Syncs asked for: 2."]
    shop, kinds = Connection.objects.get().shop_id, (SyncRun.Kind.PRODUCTS, SyncRun.Kind.STOCK)
    assert set(SyncRun.objects.values_list("shop", "kind")) == {(shop, kind) for kind in kinds}
    assert {entry.user_id for entry in Entry.objects.of_integration(integration.pk)} == {staff.pk}


def test_what_stands_in_the_way_of_an_action_is_said(staff_client):
    integration = make_connection(state=Connection.State.PAUSED).integration
    page = staff_client.post(reverse("admin:integrations_integration_sync_now", args=[integration.pk]))
    assert (page.status_code, "Its stores are paused." in page.text) == (422, True)


def test_a_partners_connection_is_tested_by_its_last_call(staff_client):
    integration = make_custom_integration()
    assert deed(staff_client, integration, "test_connection") == ["It has not called us yet."]
    sync = staff_client.post(reverse("admin:integrations_integration_sync_now", args=[integration.pk]))
    assert sync.status_code == 403


def test_a_warehouse_is_told_of_products_again_and_its_stock_is_read(staff_client):
    assert chosen(staff_client, CONNECTIONS, "run_chosen", make_warehouse()) == ["1 sync begins now."]
    assert sorted(SyncRun.objects.values_list("kind", flat=True)) == ["count", "items"]
