"""What mends a problem mends all of it, says what came of it, and is in the audit trail."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core import mail
from django.db import transaction
from django.utils import timezone

from apps.api.errors import Problem
from apps.audit.models import Entry
from apps.audit.trail import Actor
from apps.catalog.models import Location, SkuPair
from apps.desk import fixing, problems
from apps.desk.fixing import FIXES, Asked, fix_of
from apps.desk.kinds import KINDS
from apps.orders import sorting
from apps.orders.models import Entry as Moment
from apps.orders.models import Fulfillment, Hindrance, Nudge, Order, Parcel, ShippingMethod
from apps.syncs import tasks
from apps.syncs.models import Drift, OrderFeed, SyncRun
from apps.webhooks.models import Delivery, Endpoint, Receipt

from ..concurrency import in_thread, wait_until_blocked
from ..factories import (
    make_connection,
    make_delivery,
    make_endpoint,
    make_failure,
    make_hindrance,
    make_hook,
    make_integration,
    make_location,
    make_member,
    make_order,
    make_product,
    make_receipt,
    make_run,
    make_shipping_service,
    make_shop,
    make_user,
)
from .breaking import BREAKS, ago, make_lost, make_refused, make_unknown, make_untaken

pytestmark = pytest.mark.django_db
Code = Hindrance.Code


def trouble_of(code: str) -> problems.Trouble:
    found = problems.look([kind for kind in KINDS if kind.code == code])
    (trouble,) = problems.in_words(found.causes, found.dismissals)
    return trouble


def fix(code: str, **values) -> str:
    trouble = trouble_of(code)
    Nudge.objects.all().delete()  # of making the rows
    return fix_of(trouble).do(Asked(trouble, values, Actor("anna@foo-3pl.example"), make_user()))


def trail() -> list[tuple]:
    return list(Entry.objects.order_by("pk").values_list("action", "organization_id", "integration_id"))


def is_gone(code: str) -> bool:
    return problems.look([kind for kind in KINDS if kind.code == code]).causes == []


@pytest.mark.parametrize("code", FIXES)
def test_each_says_before_what_it_does_and_is_entered_under_whose_it_is(code):
    BREAKS[code]()
    trouble = trouble_of(code)
    found = FIXES[code]
    assert "%(" not in found.before(trouble)
    assert found.permission.count(".") == 1


# ---- SKUs and shipping methods


def test_saying_which_product_a_sku_is_releases_all_that_waited_for_it():
    shop = make_shop(creates_products=False)
    make_unknown("hat 1", orders=2, shop=shop)
    make_unknown("hat 2", orders=1, shop=shop)
    meant = make_product(organization=shop.organization, sku="HAT-1")
    found = problems.look(KINDS).causes
    trouble = problems.in_words(found[:1], {})[0]
    Nudge.objects.all().delete()
    said = FIXES["unknown-sku"].do(Asked(trouble, {"product": meant.pk}, Actor("anna"), make_user()))
    assert said == "Saved. What waited for “hat 1” goes on now: 2 orders."
    assert [cause.refs["sku"] for cause in problems.look(KINDS).causes] == ["hat 2"]
    assert SkuPair.objects.filter(integration=shop.integration).count() == 1
    assert {nudge.code for nudge in Nudge.objects.all()} == {Code.UNKNOWN_SKU}


def make_unmapped(*, orders: int = 2):
    """Orders with a method that nobody has said the meaning of at their warehouse."""
    integration = make_integration()
    place = make_location(integration=integration, organization=integration.organization, name="Dock")
    shop = make_shop(integration=integration)
    for _ in range(orders):
        detail = {"locations": [place.name]}
        make_hindrance(order=make_order(shop=shop), code=Code.UNMAPPED_METHOD, ref="Fast", detail=detail)
    return integration


def test_saying_which_service_a_method_is_wakes_all_orders_that_wait_for_it():
    warehouse = make_unmapped()
    make_shipping_service(integration=warehouse, code="express")
    assert fix("unmapped-method", service="express") == "Saved. What waited for “Fast” goes on now: 2 orders."
    assert list(ShippingMethod.objects.values_list("name", "code")) == [("Fast", "express")]
    assert list(Nudge.objects.values_list("code", "ref")) == [(Code.UNMAPPED_METHOD, "Fast")]
    assert [action for action, *_ in trail()] == ["shipping.save"]


def test_a_service_that_the_warehouse_does_not_have_is_refused():
    make_shipping_service(integration=make_unmapped(), code="express")
    with pytest.raises(Problem):
        fix("unmapped-method", service="slow")
    assert (ShippingMethod.objects.count(), Nudge.objects.count()) == (0, 0)


def test_pairs_that_hold_already_stay():
    warehouse = make_unmapped()
    make_shipping_service(integration=warehouse, code="express")
    ShippingMethod.objects.create(
        organization=warehouse.organization, integration=warehouse, name="Slow", code="express"
    )
    fix("unmapped-method", service="express")
    assert set(ShippingMethod.objects.values_list("name", flat=True)) == {"Slow", "Fast"}


def test_where_no_warehouse_of_theirs_ships_nothing_can_be_chosen():
    make_unmapped()
    Location.objects.update(integration=None)
    assert fix_of(trouble_of("unmapped-method")) is None


# ---- Orders


def test_what_a_warehouse_refused_is_routed_again_all_of_it_and_nothing_else(django_capture_on_commit_callbacks):
    first = make_refused()
    second = make_refused(order=make_order(shop=first.order.shop))
    other = make_refused(order=make_order(shop=first.order.shop), detail={"location": "Dock", "reason": "too long"})
    Order.objects.update(due_at=None)
    causes = problems.look(KINDS).causes
    trouble = problems.in_words(causes[:1], {})[0]
    said = FIXES["refused-order"].do(Asked(trouble, {}, Actor("anna"), make_user()))
    assert said == "Routed again now: 2 orders."
    assert set(Order.objects.filter(due_at=None)) == {other.order}
    assert list(Hindrance.objects.all()) == [other]
    assert set(Moment.objects.values_list("order", "kind")) == {
        (first.order_id, "route_again"),
        (second.order_id, "route_again"),
    }
    assert [(action, whose) for action, whose, _ in trail()] == [("order.route_again", first.organization_id)]
    sorting.sort_due()
    assert set(Order.objects.filter(hindrances__code=Code.REJECTED)) == {other.order}


def test_an_order_that_is_being_cancelled_is_not_routed_again():
    refused = make_refused(order=make_order(cancel_requested_at=ago(hours=1)))
    assert fix("refused-order") == "Routed again now: 0 orders."
    assert list(Hindrance.objects.all()) == [refused]


@pytest.mark.parametrize(("code", "named"), [("no-location", Code.NO_LOCATION), ("bug", Code.BUG)])
def test_orders_are_looked_at_again(code, named):
    BREAKS[code]()
    assert fix(code) == "Looked at again now: 1 order."
    assert list(Nudge.objects.values_list("code", "ref")) == [(named, "")]
    assert [action for action, *_ in trail()] == ["order.look_again"]


@pytest.mark.parametrize(
    ("code", "model", "said"),
    [
        ("untaken-order", Fulfillment, "Told again now: 1 order."),
        ("untold-parcel", Parcel, "Told again now: 1 parcel."),
    ],
)
def test_what_another_system_did_not_take_it_is_told_now(code, model, said):
    BREAKS[code]()
    assert fix(code) == said
    row = model.objects.get()
    assert (row.tries, row.due_at <= ago(seconds=-1)) == (0, True)
    ((action, organization, integration),) = trail()
    assert (action.endswith("_again"), organization) == (True, row.organization_id)
    assert integration is not None
    name = row._meta.model_name
    (told,) = Moment.objects.filter(order=row.order)
    assert (f"{name}.{told.kind}", told.actor, told.data) == (action, "anna@foo-3pl.example", {name: str(row.pk)})


@pytest.mark.django_db(transaction=True)
def test_what_is_taken_at_this_moment_is_not_told_again():
    BREAKS["untold-parcel"]()
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            Parcel.objects.update(told_at=timezone.now(), error="")
            said = in_thread(pool, lambda: fix("untold-parcel"))
            wait_until_blocked()
        assert said.result() == "Told again now: 0 parcels."
    assert Parcel.objects.get().due_at is None


def test_orders_of_another_warehouse_stay_as_they_are():
    mine, other = make_untaken(), make_untaken(error="rejected")
    trouble = next(
        one for one in problems.in_words(problems.look(KINDS).causes, {}) if one.integration == mine.integration
    )
    FIXES["untaken-order"].do(Asked(trouble, {}, Actor("anna"), make_user()))
    assert list(Fulfillment.objects.filter(tries=0)) == [mine]
    other.refresh_from_db()
    assert other.tries == 4


def test_a_warehouse_that_was_silent_is_asked_now():
    BREAKS["silent-warehouse"]()
    OrderFeed.objects.update(next_attempt_at=ago(hours=-1))
    fix("silent-warehouse")
    assert OrderFeed.objects.get().next_attempt_at <= ago(seconds=-1)


@pytest.mark.parametrize(
    ("code", "task", "whose"),
    [
        ("silent-warehouse", tasks.hand_orders_over_to, "integration_id"),
        ("untold-stock", tasks.tell_stock, "shop_id"),
    ],
)
def test_whoever_tells_them_is_called_at_once(code, task, whose, monkeypatch, django_capture_on_commit_callbacks):
    rung = []
    monkeypatch.setattr(task, "apply_async", lambda args, **_more: rung.extend(args))
    BREAKS[code]()
    with django_capture_on_commit_callbacks(execute=True):
        fix(code)
    feed = next(kind for kind in KINDS if kind.code == code).model.objects.get()
    assert rung == [str(getattr(feed, whose))]


# ---- Logins, syncs and stock


def test_the_link_to_log_in_is_mailed_to_whoever_manages_the_organization():
    lost = make_lost()
    make_member(organization=lost.organization, email="owner@hats.example")
    make_member(organization=lost.organization, role="viewer", email="viewer@hats.example")
    make_member(organization=lost.organization, email="gone@hats.example", is_active=False)
    said = fix("login-lost")
    (letter,) = mail.outbox
    assert letter.to == ["owner@hats.example"]
    link = f"/stores/{lost.connections.get().pk}/log-in/"
    assert (link in letter.body, link in said, str(lost) in letter.subject) == (True, True, True)
    assert trail() == [("integration.reconnect-link", lost.organization_id, lost.pk)]


def test_a_name_of_several_lines_is_one_line_in_the_letters_subject():
    lost = make_lost()
    make_member(organization=lost.organization)
    lost.name = "Great\r\nHats"
    lost.save()
    fix("login-lost")
    assert [letter.subject for letter in mail.outbox] == ["Log in to Great Hats again"]


def test_where_nobody_can_be_mailed_the_link_is_shown():
    make_lost()
    with pytest.raises(Problem) as refused:
        fix("login-lost")
    assert "Send them this link yourself" in refused.value.detail
    assert "/log-in/" in refused.value.detail


def test_a_mail_server_that_is_down_is_said(monkeypatch):
    make_member(organization=make_lost().organization)

    def broken(*args, **kwargs):
        raise ConnectionRefusedError

    monkeypatch.setattr(fixing, "send_mail", broken)
    with pytest.raises(Problem) as refused:
        fix("login-lost")
    assert "The email could not be sent just now" in refused.value.detail


def test_syncs_of_all_stores_that_failed_alike_are_owed_again():
    integration = make_integration()
    stores = [make_connection(integration=integration) for _ in range(2)]
    for store in stores:
        make_run(connection=store, state="failed", error="timeout")
    make_run(connection=make_connection(integration=integration), state="failed", error="bug")
    causes = problems.look(KINDS).causes
    trouble = next(one for one in problems.in_words(causes, {}) if one.cause.refs["error"] == "timeout")
    said = FIXES["failed-sync"].do(Asked(trouble, {}, Actor("anna"), make_user()))
    assert said == "2 syncs begin now."
    assert set(SyncRun.objects.unfinished().values_list("shop", flat=True)) == {store.shop_id for store in stores}
    assert trail() == [("sync.again", integration.organization_id, integration.pk)]


def test_items_that_were_left_out_are_read_again():
    run = make_run(state="partial", kind="orders", failed_count=2)
    make_failure(run=run, code="no_sku")
    make_failure(run=run, code="no_sku")
    assert fix("left-out") == "1 sync begins now."
    assert [(one.kind, one.shop_id) for one in SyncRun.objects.unfinished()] == [("orders", run.shop_id)]


def test_stock_that_differs_is_put_right():
    BREAKS["drift"]()
    assert fix("drift") == "Put right: 1 product."
    assert Drift.objects.exists() is False


def test_stock_that_a_platform_did_not_take_is_told_again():
    BREAKS["untaken-stock"]()
    assert fix("untaken-stock") == "Told again in a moment: 1 product."


# ---- Messages


def make_stopped(*, kept: int = 2, **fields) -> Endpoint:
    stopped = {"state": "disabled", "reason": "failing", "failing_since": ago(days=5), "last_error": "timeout"} | fields
    endpoint = make_endpoint(**stopped)
    hook = make_hook(endpoint=endpoint)
    for _ in range(kept):
        make_delivery(hook=hook, lane="order:1")
    return endpoint


@pytest.mark.parametrize(("choice", "sent"), [("all", 2), ("newest", 1), ("drop", 0)])
def test_an_address_that_was_stopped_goes_on_with_what_was_kept(choice, sent):
    endpoint = make_stopped()
    assert fix("endpoint-down", choice=choice).startswith(f"{sent} message")
    endpoint.refresh_from_db()
    assert (endpoint.state, Delivery.objects.undone().count()) == ("active", sent)
    assert is_gone("endpoint-down") is True


def test_an_address_that_fails_is_tried_now():
    endpoint = make_stopped(kept=0, state="active", reason="", failures=3, probe_at=ago(hours=-1))
    make_delivery(
        hook=make_hook(endpoint=endpoint, event="order.updated"), state="waiting", next_attempt_at=ago(hours=-1)
    )
    assert fix("endpoint-down") == "1 message is sent now."
    endpoint.refresh_from_db()
    assert endpoint.probe_at is None


def test_messages_that_did_not_arrive_are_sent_again_those_of_the_same_reason():
    hook = make_hook()
    failed = {"hook": hook, "state": "failed", "finished_at": ago(hours=1)}
    mine = [make_delivery(error="status_500", **failed) for _ in range(2)]
    other = make_delivery(error="timeout", **failed)
    causes = problems.look(KINDS).causes
    trouble = problems.in_words(causes[:1], {})[0]
    said = FIXES["failed-delivery"].do(Asked(trouble, {}, Actor("anna"), make_user()))
    assert said == "Sent again now: 2 messages."
    assert set(Delivery.objects.undone()) == set(mine)
    assert list(Delivery.objects.filter(state="failed")) == [other]


@pytest.mark.parametrize("code", ["parked-message", "failed-message"])
def test_messages_that_were_put_aside_are_opened_again_those_of_the_same_reason(code):
    state = {"parked-message": "parked", "failed-message": "failed"}[code]
    integration = make_integration()
    for _ in range(2):
        make_receipt(integration=integration, state=state, error="unknown_shop")
    other = make_receipt(state=state, error="unknown_shop")
    causes = problems.look(KINDS).causes
    trouble = next(one for one in problems.in_words(causes, {}) if one.integration == integration)
    said = FIXES[code].do(Asked(trouble, {}, Actor("anna"), make_user()))
    assert said == "Opened again now: 2 messages."
    assert set(Receipt.objects.filter(state="received").values_list("integration", flat=True)) == {integration.pk}
    assert list(Receipt.objects.filter(state=state)) == [other]
    assert trail() == [("receipt.replay", integration.organization_id, integration.pk)]


def test_no_more_is_mended_at_once_than_can_be(monkeypatch):
    monkeypatch.setattr(fixing, "AT_ONCE", 1)
    first = make_refused()
    make_refused(order=make_order(shop=first.order.shop))
    assert fix("refused-order") == "Routed again now: 1 order."
    assert Hindrance.objects.count() == 1
