import time

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.accounts.models import Organization
from apps.desk import reckoning, selecting
from apps.integrations import standing
from apps.integrations.models import Integration
from apps.integrations.standing import Standing
from apps.orders.models import Hindrance, Order
from apps.syncs.models import SyncRun

from ..conftest import signed_in
from ..factories import (
    make_attempt,
    make_connection,
    make_custom_integration,
    make_delivery,
    make_drift,
    make_endpoint,
    make_feed,
    make_fulfillment,
    make_hindrance,
    make_hook,
    make_inbox,
    make_integration,
    make_order,
    make_order_feed,
    make_product,
    make_receipt,
    make_run,
    make_shop,
    make_user,
    make_warehouse,
)
from .broken import (
    HELD,
    ago,
    break_everything,
    make_failed,
    make_given_up,
    make_hanging,
    make_held,
    make_late,
    make_unheard,
    make_untaken,
)

pytestmark = pytest.mark.django_db
STATEMENTS = 22  # of somebody who may do everything; whoever may do less is asked two more for what that is


def opened(client, **asked):
    return client.get("/admin/", asked)


def broken(client) -> dict[str, tuple[str, list[str]]]:
    """By their keys: how many, and the names of the oldest."""
    return {
        one.concern.key: (str(one.count), [row.name for row in one.rows]) for one in opened(client).context["concerns"]
    }


# ---- What is broken


def test_the_first_page_counts_what_needs_somebody_and_names_the_oldest(staff_client):
    lost = make_integration(name="Otter: lost")
    lost.lose_permission("invalid_grant")
    failures = [make_failed(minutes=n) for n in range(6)]
    waiting = make_run(next_attempt_at=ago(minutes=2))
    make_hanging(name="Half way", lease_until=ago(minutes=1))
    differing = make_connection()
    make_drift(connection=differing, product=make_product(organization=differing.organization, sku="HAT-1"))
    deaf = make_feed(shop=make_connection().shop, tries=3, error="timeout")
    by_fallback = make_fulfillment(is_fallback=True)
    held = {key: make_held(code) for key, code in HELD.items()}
    untaken, unheard = make_untaken(), make_unheard()
    silent = make_order_feed(integration=make_warehouse().integration, tries=9, error="timeout")
    late, forgotten, given_up = make_late(), make_inbox(mended_at=timezone.now()), make_given_up()
    oldest = [str(SyncRun.objects.get(pk=run.pk)) for run in reversed(failures)]
    sku = Hindrance.objects.get(code="unknown_sku").ref
    assert broken(staff_client) == {
        "lost": ("1", ["Otter: lost"]),
        "failed": ("6", oldest[:5]),
        "overdue": ("1", [str(waiting)]),
        "drift": ("1", ["HAT-1: 5 here, 2 there"]),
        "deaf": ("1", [str(deaf)]),
        "skus": ("1", [sku]),
        **{key: ("1", [str(order)]) for key, order in held.items()},
        "silent": ("1", [str(silent)]),
        "untaken": ("1", [str(untaken)]),
        "untold": ("1", [str(unheard)]),
        "fallback": ("1", [str(by_fallback)]),
        "refused": ("3", [str(one) for one in late.integration.receipts.order_by("received_at")]),
        "given-up": ("1", [str(given_up)]),
        "clock": ("1", [str(late)]),
        "forgotten": ("1", [str(forgotten)]),
        "hanging": ("1", ["Half way"]),
    }


def test_each_number_opens_the_list_of_exactly_those_rows(staff_client):
    break_everything()
    found = opened(staff_client).context["concerns"]
    assert {one.concern.key for one in found} == {one.key for one in reckoning.concerns()}
    for one in found:
        listed = list(staff_client.get(one.concern.link).context["cl"].result_list)
        assert (one.concern.key, set(listed)) == (one.concern.key, set(one.concern.found))
        assert (one.concern.key, str(one.count)) == (one.concern.key, str(len(listed)))


def test_each_number_of_orders_at_risk_opens_the_list_of_exactly_these(staff_client):
    break_everything()
    make_order()
    page = opened(staff_client)
    found = [one for one in page.context["concerns"] if one.orders]
    assert len(found) > 5
    for one in found:
        assert f'id="risk-{one.concern.key}" href="{one.concern.held_up}"' in page.text
        listed = list(staff_client.get(one.concern.held_up).context["cl"].result_list)
        assert (one.concern.key, len(listed)) == (one.concern.key, one.orders.number)


def test_a_job_is_for_just_the_orders_at_risk(staff):
    held = make_held("bug")
    make_order()
    selection = selecting.select("orders.Order", "risk=orders-bug", user=staff)
    assert list(selection.rows) == [held]


@pytest.mark.parametrize("risk", ["nothing", "drift", "'"])
def test_a_list_of_orders_is_shown_whole_where_nothing_is_known_of_the_risk(staff_client, risk):
    make_held("bug")
    answer = staff_client.get("/admin/orders/order/", {"risk": risk})
    assert (answer.status_code, answer["Location"]) == (302, "/admin/orders/order/?e=1")


def test_orders_at_risk_are_no_way_around_what_somebody_may_look_at(settings):
    settings.DEMO = True
    make_integration().lose_permission("invalid_grant")
    people = make_user(is_staff=True)
    people.user_permissions.set(Permission.objects.filter(codename="view_order"))
    answer = signed_in(people).get("/admin/orders/order/", {"risk": "lost"})
    assert (answer.status_code, answer["Location"]) == (302, "/admin/orders/order/?e=1")


def test_a_concern_leads_to_the_problems_of_its_kind(staff_client):
    break_everything()
    page = opened(staff_client)
    with_causes = [one.concern for one in page.context["concerns"] if one.concern.kind]
    assert len(with_causes) > 10
    for concern in with_causes:
        assert f'href="{concern.causes}"' in page.text
        listed = {trouble.cause.kind.code for trouble in staff_client.get(concern.causes).context["problems"]}
        assert (concern.key, listed) == (concern.key, {concern.kind})


def test_a_concern_does_not_lead_where_somebody_may_not_look(settings):
    settings.DEMO = True
    make_held("unknown_sku")
    reader = make_user(is_staff=True)
    reader.user_permissions.add(Permission.objects.get(codename="view_order"))
    page = opened(signed_in(reader))
    assert [one.concern.kind for one in page.context["concerns"]] == ["unknown-sku"]
    assert "causes-orders-unknown_sku" not in page.text
    reader.user_permissions.add(Permission.objects.get(codename="view_waitingsku"))
    assert "causes-orders-unknown_sku" in opened(signed_in(reader)).text


def test_each_named_row_has_its_page_and_its_organization(staff_client):
    break_everything()
    for one in opened(staff_client).context["concerns"]:
        for row in one.rows:
            assert (one.concern.key, staff_client.get(row.link).status_code) == (one.concern.key, 200)
            assert str(row.organization) in set(Organization.objects.values_list("name", flat=True))


def test_what_holds_up_most_orders_comes_first_then_what_is_oldest(staff_client):
    make_failed(minutes=60)
    make_drift(found_at=ago(minutes=90))
    for _ in range(2):
        make_held("bug")
    for _ in range(3):
        make_held("no_location")
    lost = make_integration()
    lost.lose_permission("invalid_grant")
    make_order(shop=make_connection(integration=lost, organization=lost.organization).shop)
    found = [(one.concern.key, one.orders.number) for one in opened(staff_client).context["concerns"]]
    assert found == [("orders-no_location", 3), ("orders-bug", 2), ("lost", 1), ("drift", 0), ("failed", 0)]


def test_orders_at_a_warehouse_that_was_lost_are_at_risk_and_those_that_have_left_are_not(staff_client):
    going, gone = make_untaken(error=""), make_untaken(error="", due_at=timezone.now())
    type(gone).objects.filter(pk=gone.pk).update(state="shipped", owes="", due_at=None, finished_at=timezone.now())
    Order.objects.filter(pk=gone.order_id).update(state="fulfilled")
    for one in (going, gone):
        one.integration.lose_permission("invalid_grant")
    (lost,) = [one for one in opened(staff_client).context["concerns"] if one.concern.key == "lost"]
    assert (lost.count.number, lost.orders.number) == (2, 1)


def test_an_order_that_lacks_two_things_of_a_kind_is_counted_and_named_once(staff_client):
    order = make_order()
    make_hindrance(order=order, code="unmapped_shipping_method", ref="Pigeon", since=ago(minutes=1))
    make_hindrance(order=order, code="unmapped_shipping_method", ref="Carrier", since=ago(minutes=9))
    (one,) = opened(staff_client).context["concerns"]
    assert (str(one.count), str(one.orders), [row.name for row in one.rows]) == ("1", "1", [str(order)])
    assert one.since == Hindrance.objects.get(ref="Carrier").since


def test_messages_about_orders_that_a_partner_does_not_get_put_those_orders_at_risk(staff_client):
    shop = make_shop()
    orders = [make_order(shop=shop) for _ in range(2)]
    hook = make_hook(endpoint=make_endpoint(organization=shop.organization, state="paused", reason="asked"))
    for about in (orders[0], orders[0], orders[1]):
        make_delivery(hook=hook, lane=f"order:{about.pk}")
    make_delivery(hook=hook, lane=f"product:{orders[0].pk}")
    make_delivery(hook=hook, lane="order:of-nobody")
    (kept,) = opened(staff_client).context["concerns"]
    assert (kept.concern.key, kept.count.number, kept.orders.number) == ("holding", 5, 2)
    assert set(staff_client.get(kept.concern.held_up).context["cl"].result_list) == set(orders)


def test_nothing_is_counted_further_than_anybody_reads(staff_client, monkeypatch):
    monkeypatch.setattr(reckoning, "MOST", 2)
    for _ in range(3):
        make_held("bug")
    page = opened(staff_client)
    (one,) = page.context["concerns"]
    assert (str(one.count), str(one.orders)) == ("2+", "2+")
    assert "2+ orders at risk." in page.text


def test_what_was_too_late_is_shown_for_three_days(staff_client):
    flag = make_hindrance(order=make_order(), code="cancel_refused")
    Order.objects.filter(pk=flag.order_id).update(state="fulfilled")
    assert broken(staff_client) == {"orders-late": ("1", [str(flag.order)])}
    Hindrance.objects.filter(pk=flag.pk).update(since=ago(days=3, minutes=1))
    assert broken(staff_client) == {}


def test_on_a_quiet_day_the_page_says_so_in_one_line(staff_client):
    make_run(state=SyncRun.State.SUCCEEDED)
    page = opened(staff_client)
    assert (page.context["concerns"], len(page.context["fine"])) == ([], len(reckoning.concerns()))
    assert "Nothing is broken." in page.text
    assert f"{len(reckoning.concerns())} checks are fine" in page.text


# ---- What it costs


def test_the_page_asks_a_few_times_however_much_is_broken(staff_client):
    break_everything()
    opened(staff_client)
    with CaptureQueriesContext(connection) as one:
        opened(staff_client)
    for _ in range(9):
        break_everything()
    with CaptureQueriesContext(connection) as ten:
        opened(staff_client)
    assert (len(one), len(ten)) == (STATEMENTS, STATEMENTS)


def test_for_whoever_may_only_look_it_asks_no_more_than_25_times(settings):
    settings.DEMO = True
    break_everything()
    user = make_user(is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    client = signed_in(user)
    with CaptureQueriesContext(connection) as asked:
        page = opened(client)
    assert len(page.context["concerns"]) == len(reckoning.concerns())
    assert len(asked) <= 25


# ---- Who sees what


def test_people_see_what_they_may_look_at_and_nothing_else(settings):
    settings.DEMO = True
    make_failed()
    make_held("bug")
    make_receipt(next_attempt_at=ago(minutes=2))
    user = make_user(is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_syncrun"))
    page = opened(signed_in(user))
    assert [one.concern.key for one in page.context["concerns"]] == ["failed"]
    assert [one.model._meta.model_name for one in (chart.subject for chart in page.context["charts"])] == ["syncrun"]
    assert (len(page.context["oldest"]), page.context["standings"]) == (1, [])


def test_who_may_look_at_nothing_is_told_whom_to_ask(settings):
    settings.DEMO = True
    make_failed()
    page = opened(signed_in(make_user(is_staff=True)))
    assert "You may not look at anything here yet." in page.text
    assert (page.context["concerns"], page.context["fine"], page.context["charts"]) == ([], [], [])


def test_nobody_else_is_told_what_is_new(client, settings):
    settings.DEMO = True
    assert client.get("/admin/now/").status_code == 302
    assert signed_in(make_user()).get("/admin/now/").status_code == 302


# ---- What waits longest


def test_what_waits_longest_is_named_with_its_age_and_a_link(staff_client):
    order = make_order(state="waiting", created_at=ago(hours=3))
    make_order(state="waiting", created_at=ago(hours=1))
    make_order(created_at=ago(hours=9))
    receipt = make_receipt(received_at=ago(hours=4), next_attempt_at=ago(hours=4))
    make_receipt()
    delivery = make_delivery(created_at=ago(hours=5))
    make_delivery()
    run = make_run()
    SyncRun.objects.filter(pk=run.pk).update(created_at=ago(hours=6))
    make_run()
    found = {one.link: one.since for one in opened(staff_client).context["oldest"]}
    assert found == {
        f"/admin/orders/order/{order.pk}/change/": order.created_at,
        f"/admin/webhooks/receipt/{receipt.pk}/change/": receipt.received_at,
        f"/admin/webhooks/delivery/{delivery.pk}/change/": delivery.created_at,
        f"/admin/syncs/syncrun/{run.pk}/change/": SyncRun.objects.get(pk=run.pk).created_at,
    }


def test_a_message_that_is_tried_again_for_days_is_the_oldest(staff_client):
    make_delivery(created_at=ago(hours=5))
    tried = make_delivery(state="waiting", created_at=ago(days=2), next_attempt_at=ago(hours=-1))
    links = [one.link for one in opened(staff_client).context["oldest"]]
    assert f"/admin/webhooks/delivery/{tried.pk}/change/" in links


def test_where_nothing_waits_the_page_says_so(staff_client):
    page = opened(staff_client)
    assert [one.since for one in page.context["oldest"]] == [None] * 4
    assert "No sync waits" in page.text


# ---- How integrations stand


def stand_in_every_way() -> None:
    make_integration(state="not_configured")
    make_integration(state="disabled")
    make_integration(deleted_at=timezone.now())
    make_integration().lose_permission("invalid_grant")
    make_connection()
    make_hanging()
    make_integration(connector="gone")
    awaited = make_integration(state="not_configured")
    make_attempt(organization=awaited.organization, integration=awaited)
    ended = make_custom_integration()
    type(ended.partner).objects.filter(pk=ended.partner_id).update(deactivated_at=timezone.now())


def test_each_number_of_integrations_opens_the_list_of_those_that_stand_so(staff_client):
    stand_in_every_way()
    for one in opened(staff_client).context["standings"]:
        listed = list(staff_client.get(one.link).context["cl"].result_list)
        assert (one.word, len(listed)) == (one.word, one.number)
        assert one.number > 0


def test_integrations_are_counted_by_the_word_that_their_pages_have():
    stand_in_every_way()
    kept = Integration.objects.kept()
    for word in Standing:
        by_their_pages = {one for one in kept if standing.of(one).standing == word}
        assert (word, set(standing.standing(kept, word))) == (word, by_their_pages)


def test_a_state_that_there_is_not_filters_nothing(staff_client):
    make_integration()
    assert staff_client.get("/admin/integrations/integration/?standing=perfect").status_code == 200


def test_where_there_is_nothing_yet_the_page_says_what_to_do_first(staff_client):
    assert "/admin/accounts/invitation/add/" in opened(staff_client).text
    make_integration()
    assert "Nothing is connected yet" not in opened(staff_client).text


# ---- Fresh


def fresh(client, seen: str, **asked):
    return client.get("/admin/now/", {"seen": seen} | asked, headers={"HX-Request": "true"})


def test_while_nothing_is_new_nothing_is_sent(staff_client):
    make_failed(minutes=200)
    seen = opened(staff_client).context["digest"]
    answer = fresh(staff_client, seen)
    assert (answer.status_code, answer.content) == (204, b"")


def test_seconds_are_no_news(staff_client):
    make_run(next_attempt_at=ago(minutes=-5))
    page = opened(staff_client)
    assert "less than a minute ago" in page.text
    time.sleep(1.1)
    assert fresh(staff_client, page.context["digest"]).status_code == 204


def test_what_is_new_comes_with_what_is_then_seen(staff_client):
    seen = opened(staff_client).context["digest"]
    failed = make_failed(minutes=200)
    answer = fresh(staff_client, seen)
    assert (answer.status_code, str(failed.pk) in answer.text) == (200, True)
    assert "<html" not in answer.text
    assert fresh(staff_client, answer.context["digest"]).status_code == 204


def test_the_span_that_was_chosen_stays(staff_client):
    page = opened(staff_client, span="fortnight")
    assert "/admin/now/?span=fortnight&amp;seen=" in page.text
    assert fresh(staff_client, page.context["digest"], span="fortnight").status_code == 204
    assert fresh(staff_client, page.context["digest"], span="day").status_code == 200


@pytest.mark.parametrize("span", ["", "year", "5f85b764"])
def test_a_span_that_there_is_not_is_a_day(staff_client, span):
    assert opened(staff_client, span=span).context["span"].name == "day"
