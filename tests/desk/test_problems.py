"""What is broken, by its cause: found, told apart, counted, gone by itself, set aside."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.api.errors import Problem
from apps.audit.models import Entry
from apps.audit.trail import Actor
from apps.catalog.models import WaitingSku
from apps.desk import problems
from apps.desk.causes import Narrow, Unknown
from apps.desk.kinds import KINDS
from apps.desk.models import Dismissal
from apps.orders.models import Hindrance
from apps.shops.models import Connection
from apps.webhooks.models import Endpoint

from ..factories import (
    make_connection,
    make_delivery,
    make_dismissal,
    make_endpoint,
    make_failure,
    make_hindrance,
    make_hook,
    make_integration,
    make_order,
    make_organization,
    make_receipt,
    make_run,
    make_shop,
    make_user,
)
from .breaking import BREAKS, ago, make_unknown

pytestmark = pytest.mark.django_db
Code = Hindrance.Code
ACTOR = Actor("anna@foo-3pl.example")


def look(**narrow) -> list[tuple[str, int, int]]:
    """The code, how much, and how many orders, of all there is."""
    found = problems.look(KINDS, Narrow(**narrow))
    return [(cause.kind.code, cause.count, cause.orders) for cause in found.causes]


def titles() -> list[str]:
    found = problems.look(KINDS)
    return [trouble.title for trouble in problems.in_words(found.causes, found.dismissals)]


def only() -> problems.Trouble:
    found = problems.look(KINDS)
    (trouble,) = problems.in_words(found.causes, found.dismissals)
    return trouble


CODES = [kind.code for kind in KINDS]


@pytest.mark.parametrize("code", CODES)
def test_each_kind_of_trouble_is_found_named_and_has_an_address_of_its_own(code):
    BREAKS[code]()
    trouble = only()
    assert (trouble.cause.kind.code, trouble.cause.count) == (code, max(trouble.cause.count, 1))
    assert "%(" not in trouble.title
    assert trouble.organization is not None
    found = problems.find(trouble.cause.address)
    assert (found.cause, found.title) == (trouble.cause, trouble.title)
    assert trouble.cause.first <= trouble.cause.last


@pytest.mark.parametrize("code", CODES)
def test_each_kind_is_narrowed_to_its_organization(code):
    BREAKS[code]()
    trouble = only()
    assert look(organization=trouble.organization.pk) == [(code, trouble.cause.count, trouble.cause.orders)]
    assert look(organization=make_organization().pk) == []
    assert look(integration=make_integration().pk) == []


def test_nothing_is_broken_when_all_is_well():
    make_run(state="succeeded")
    make_order()
    make_endpoint()
    make_receipt(state="done")
    assert look() == []


def test_orders_that_wait_for_the_same_sku_are_one_problem():
    shop = make_shop(creates_products=False)
    make_unknown("HAT-2", orders=2, shop=shop)
    make_unknown("HAT-3", orders=1, shop=shop)
    assert look() == [("unknown-sku", 3, 2), ("unknown-sku", 2, 1)]


def test_what_most_orders_wait_for_comes_first_then_what_is_oldest():
    make_receipt(state="parked", error="unknown_shop", received_at=ago(hours=1))
    make_receipt(state="parked", error="unknown_shop", received_at=ago(hours=3))
    make_unknown(orders=1)
    found = problems.look(KINDS).causes
    assert [cause.kind.code for cause in found] == ["unknown-sku", "parked-message", "parked-message"]
    assert found[1].first < found[2].first


def test_when_a_sku_began_to_wait_and_when_it_was_seen_last():
    make_unknown(orders=2)
    Hindrance.objects.filter(pk=Hindrance.objects.earliest("pk").pk).update(since=ago(days=2))
    cause = only().cause
    assert (cause.first, cause.last) == (Hindrance.objects.earliest("since").since, WaitingSku.objects.get().seen_at)


def test_a_problem_is_gone_when_its_cause_is():
    make_hindrance(code=Code.NO_LOCATION)
    address = only().cause.address
    Hindrance.objects.all().delete()
    assert problems.find(address) is None
    assert look() == []


def test_reasons_of_the_same_warehouse_are_told_apart():
    order = make_order()
    for n, reason in enumerate(["too heavy", "too heavy", "too long"]):
        detail = {"location": "Dock", "reason": reason}
        own = make_order(shop=order.shop)
        make_hindrance(order=own, code=Code.REJECTED, ref=str(n), detail=detail)
    assert look() == [("refused-order", 2, 2), ("refused-order", 1, 1)]
    assert titles()[0] == "Dock refused orders. It says: too heavy"


def test_a_store_that_got_through_later_has_no_problem():
    store = make_connection()
    make_run(connection=store, state="failed", error="timeout", created_at=ago(minutes=5))
    make_failure(run=make_run(connection=store, kind="orders", state="partial", failed_count=1))
    assert sorted(code for code, *_ in look()) == ["failed-sync", "left-out"]
    make_run(connection=store, kind="orders", state="succeeded")
    assert [code for code, *_ in look()] == ["failed-sync"]


def test_an_address_that_somebody_paused_is_no_problem_and_one_that_was_stopped_says_what_it_keeps():
    make_endpoint(state="paused", reason="asked")
    stopped = make_endpoint(state="disabled", reason="failing", failing_since=ago(days=5), last_error="timeout")
    for _ in range(2):
        make_delivery(hook=make_hook(endpoint=stopped, event=f"order.{'created' if _ else 'updated'}"))
    trouble = only()
    assert (trouble.about["endpoint"], trouble.at_risk) == (stopped, "2 messages")


def test_messages_to_a_hook_that_was_removed_are_nobodys():
    hook = make_hook(deleted_at=ago(days=1))
    make_delivery(hook=hook, state="failed", error="status_500", finished_at=ago(hours=1))
    assert look() == []


def test_what_was_refused_days_ago_is_over():
    make_receipt(state="rejected", error="bad_signature", remote_id="", received_at=ago(days=4))
    make_receipt(state="failed", error="bug", received_at=ago(days=4))
    assert look() == []


@pytest.mark.parametrize(
    ("text", "found"),
    [("HAT-2", 1), ("at-2", 1), ("fine caps", 1), ("timeout", 1), ("nothing", 0), ("%", 0), ("'\"\\", 0)],
)
def test_problems_are_searched_by_what_they_are_about(text, found):
    make_unknown("HAT-2", shop=make_shop(integration=make_integration(name="Fine Caps"), creates_products=False))
    make_run(state="failed", error="timeout")
    assert len(look(text=text)) == found


@pytest.mark.parametrize(("text", "found"), [("HATS.example", 2), ("/hear", 2), ("hush", 0), ("?", 0), ("%", 0)])
def test_problems_are_not_searched_by_what_is_not_shown_of_an_address(text, found):
    endpoint = make_endpoint(url="https://hats.example/hear?key=hush", failing_since=ago(days=1))
    make_delivery(hook=make_hook(endpoint=endpoint), state="failed", error="status_500", finished_at=ago(hours=1))
    assert len(look(text=text)) == found


def test_no_more_than_two_hundred_of_a_kind_are_looked_at(monkeypatch):
    monkeypatch.setattr(problems, "MOST", 2)
    for n in range(3):
        make_receipt(state="parked", error=f"reason_{n}")
    found = problems.look(KINDS)
    assert (len(found.causes), [kind.code for kind in found.more]) == (2, ["parked-message"])


def test_looking_costs_the_same_for_many_as_for_one():
    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            found = problems.look(KINDS)
            problems.in_words(found.causes, found.dismissals)
        return len(queries)

    for code in CODES:
        BREAKS[code]()
    one = cost()
    for code in CODES * 2:
        BREAKS[code]()
    assert cost() == one
    assert one <= len(KINDS) + 6  # the names of what they are about, and the dismissals


@pytest.mark.parametrize("address", ["x", "%", "bm9wZQ", "WyJidWciXQ", "WyJubyIsIjEiXQ", "W1tbW1s", "MQ", "", "e30"])
def test_what_is_no_problems_address_is_unknown(address):
    with pytest.raises(Unknown):
        problems.find(address)


def test_an_address_with_what_can_be_nobodys_id_is_unknown():
    make_hindrance(code=Code.NO_LOCATION)
    cause = only().cause
    broken = type(cause)(cause.kind, {"organization": "x"}, 1, 1, cause.first, cause.last)
    with pytest.raises(Unknown):
        problems.find(broken.address)
    with pytest.raises(Unknown):
        problems.find(type(cause)(cause.kind, {"organization": "\x00"}, 1, 1, cause.first, cause.last).address)


def test_problems_are_counted_by_kind():
    make_unknown("A")
    make_unknown("B")
    make_hindrance(code=Code.NO_LOCATION)
    assert problems.counts() == {"unknown-sku": 2, "no-location": 1}


# ---- Setting aside


def test_one_that_was_set_aside_stays_away_until_something_new_happens():
    by, order = make_user(), make_order()
    make_hindrance(order=order, code=Code.NO_LOCATION, since=ago(hours=1))
    trouble = only()
    problems.dismiss(trouble, reason="They close down", actor=ACTOR, by=by)
    assert look() == []
    aside = problems.look(KINDS, dismissed=True)
    assert [cause.key for cause in aside.causes] == [trouble.cause.key]
    assert problems.find(trouble.cause.address).dismissal.reason == "They close down"
    make_hindrance(order=make_order(shop=order.shop), code=Code.NO_LOCATION)
    assert look() == [("no-location", 2, 2)]
    assert problems.look(KINDS, dismissed=True).causes == []


def fail(store: Connection, minutes: int) -> None:
    make_run(connection=store, state="failed", error="timeout", created_at=ago(minutes=minutes))


def test_a_sync_that_goes_on_failing_as_it_did_stays_away_until_another_store_does():
    store = make_connection()
    fail(store, 10)
    problems.dismiss(only(), reason="Their maintenance", actor=ACTOR, by=make_user())
    fail(store, 5)
    assert look() == []
    fail(make_connection(integration=store.integration), 4)
    assert look() == [("failed-sync", 2, 0)]


def test_a_sync_that_worked_again_and_fails_once_more_is_new():
    store = make_connection()
    fail(store, 10)
    problems.dismiss(only(), reason="Their maintenance", actor=ACTOR, by=make_user())
    assert problems.let_go() == 0  # it is still so
    make_run(connection=store, state="succeeded", created_at=ago(minutes=5))
    assert problems.let_go() == 1
    fail(store, 1)
    assert look() == [("failed-sync", 1, 0)]


def test_of_what_does_not_repeat_nothing_is_let_go():
    order = make_order()
    make_hindrance(order=order, code=Code.NO_LOCATION)
    problems.dismiss(only(), reason="They close down", actor=ACTOR, by=make_user())
    make_dismissal(key="[]", count=1)
    order.hindrances.all().delete()
    assert problems.let_go() == 0


def test_setting_aside_and_bringing_back_are_in_the_audit_trail():
    make_hindrance(code=Code.NO_LOCATION)
    trouble = only()
    problems.dismiss(trouble, reason=" They close down ", actor=ACTOR, by=make_user())
    assert problems.heed(trouble, actor=ACTOR) is True
    assert problems.heed(trouble, actor=ACTOR) is False
    entries = Entry.objects.order_by("pk").values_list("action", "reason", "organization_id", "actor")
    whose = trouble.organization.pk
    assert list(entries) == [
        ("problem.dismiss", "They close down", whose, ACTOR.text),
        ("problem.heed", "", whose, ACTOR.text),
    ]
    assert look() == [("no-location", 1, 1)]


def test_setting_aside_again_says_the_new_reason():
    make_hindrance(code=Code.NO_LOCATION)
    trouble = only()
    for reason in ("one", "two"):
        problems.dismiss(trouble, reason=reason, actor=ACTOR, by=make_user())
    assert Dismissal.objects.get().reason == "two"


@pytest.mark.parametrize("reason", ["", "  ", "x" * 301])
def test_nothing_is_set_aside_without_a_reason(reason):
    make_hindrance(code=Code.NO_LOCATION)
    with pytest.raises(Problem):
        problems.dismiss(only(), reason=reason, actor=ACTOR, by=make_user())
    assert (look(), Endpoint.objects.count()) == ([("no-location", 1, 1)], 0)
