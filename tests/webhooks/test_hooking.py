"""Hooks and their endpoints: made, changed, rotated, paused, and taken away."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from apps.api.errors import Problem
from apps.audit.models import Entry
from apps.audit.trail import Actor
from apps.webhooks import asking, hooking
from apps.webhooks.hooking import Owner
from apps.webhooks.models import Delivery, Endpoint, Hook, SigningSecret
from tests import factories
from tests.concurrency import at_once, in_thread, wait_until_blocked
from tests.conftest import signed_in

URL, OTHER = "https://1.1.1.1/hooks", "https://8.8.8.8/hooks"
ACTOR = Actor("somebody")


@pytest.fixture
def owner(db) -> Owner:
    return people()


def people() -> Owner:
    return Owner.of_people(factories.make_organization())


def of_a_shop(*, grants: tuple[str, ...] | None = None) -> Owner:
    """A shop of a registered application."""
    integration = factories.make_partner_integration()
    if grants is not None:
        integration.grants = list(grants)
        integration.save()
    shop = factories.make_shop(integration=integration)
    return Owner(integration.organization, integration, shop)


def subscribe(owner: Owner, **fields):
    return hooking.subscribe(owner, **{"event": "order.created", "url": URL, "actor": ACTOR} | fields)


def refused(code: str, work, *args, **kwargs) -> Problem:
    with pytest.raises(Problem) as found:
        work(*args, **kwargs)
    assert found.value.code == code
    return found.value


def attribute(problem: Problem) -> str:
    return problem.details[0][0]


def states(endpoint: Endpoint) -> list[str]:
    return list(Delivery.objects.filter(endpoint=endpoint).order_by("pk").values_list("state", flat=True))


# ---- Asking


def test_a_hook_has_its_event_its_endpoint_and_a_secret_that_is_shown_once(owner):
    hook, secret = subscribe(owner, filter=[{"field": "state", "op": "equals", "value": "new"}])
    assert (hook.event, hook.source, hook.grant) == ("order.created", "order.created", "orders:read")
    assert hook.filter == [{"field": "state", "op": "equals", "value": "new"}]
    assert (hook.endpoint.url, hook.endpoint.format, hook.endpoint.state) == (URL, "standard", "active")
    assert secret is not None and secret.startswith("whsec_")
    (kept,) = SigningSecret.objects.filter(endpoint=hook.endpoint).live()
    assert kept.secrets == {"key": secret}


def test_hooks_of_one_owner_with_one_address_share_their_endpoint(owner):
    first, secret = subscribe(owner)
    second, none = subscribe(owner, event="stock.changed")
    assert second.endpoint == first.endpoint and secret and none is None
    assert subscribe(people())[0].endpoint != first.endpoint


def test_behaviour_81_a_second_hook_of_a_shops_event_is_refused_and_nothing_of_it_stays(db):
    owner = of_a_shop()
    subscribe(owner)
    refused("hook_already_exists", subscribe, owner, url=OTHER)
    assert list(Endpoint.objects.values_list("url", flat=True)) == [URL]


def test_people_may_have_an_event_sent_to_several_addresses_but_once_to_each(owner):
    subscribe(owner)
    subscribe(owner, url=OTHER)
    refused("hook_already_exists", subscribe, owner)


@pytest.mark.django_db(transaction=True)
def test_of_several_who_ask_at_once_one_is_given_a_hook_and_the_others_are_told_why_not():
    owner = of_a_shop()
    found = at_once(4, lambda: subscribe(owner))
    assert sorted(getattr(one, "code", "made") for one in found) == ["hook_already_exists"] * 3 + ["made"]
    assert [model.objects.count() for model in (Endpoint, Hook, SigningSecret)] == [1, 1, 1]


@pytest.mark.django_db(transaction=True)
def test_of_several_events_asked_for_at_once_all_share_one_endpoint_and_one_secret():
    owner = of_a_shop()
    events = iter(["order.created", "stock.changed", "product.created"])
    found = at_once(3, lambda: subscribe(owner, event=next(events)))
    assert sorted(bool(secret) for _, secret in found) == [False, False, True]
    assert [model.objects.count() for model in (Endpoint, Hook, SigningSecret)] == [1, 3, 1]


def test_behaviour_82_an_unknown_event_is_refused_with_those_that_exist(owner):
    problem = refused("validation_error", subscribe, owner, event="moon.risen")
    assert attribute(problem) == "event" and "order.created" in problem.detail


def test_an_event_needs_its_grant_of_the_integration_and_of_whoever_asks(db):
    owner = of_a_shop(grants=("inventory:read",))
    refused("insufficient_scope", subscribe, owner)
    subscribe(owner, event="stock.changed")
    narrow = Owner(owner.organization, None, None, frozenset({"inventory:read"}))
    refused("insufficient_scope", subscribe, narrow)


def test_pios_names_are_told_in_pios_format_to_the_shop_of_an_application(db):
    hook, secret = subscribe(of_a_shop(), event="inventory_levels.update")
    assert (hook.endpoint.format, hook.source, secret) == ("pio", "stock.changed", None)
    custom = factories.make_custom_integration()
    of_custom = Owner(custom.organization, custom, factories.make_shop(integration=custom))
    assert subscribe(of_custom, event="inventory_levels.update")[0].endpoint.format == "standard"


def test_pios_format_needs_the_shop_of_an_application(owner):
    assert attribute(refused("validation_error", subscribe, owner, format="pio")) == "format"
    assert attribute(refused("validation_error", subscribe, owner, format="xml")) == "format"
    assert subscribe(of_a_shop(), format="pio")[0].endpoint.format == "pio"


def test_an_owner_has_so_many_addresses_at_most(owner, monkeypatch):
    monkeypatch.setattr("apps.webhooks.addressing.MOST_ENDPOINTS", 1)
    subscribe(owner)
    refused("conflict", subscribe, owner, url=OTHER)


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"}, {"webhook-id": "1"}, {"Webhook-Signature": "v1,x"}, {"Content-Length": "0"},
        {"Content-Type": "text/html"}, {"Transfer-Encoding": "chunked"}, {"X-Pio-Shop-Id": "1"},
        {"X-Crossdock-Event": "1"}, {"User-Agent": "me"}, {"Connection": "close"}, {"Proxy-Authorization": "x"},
        {"X-Forwarded-For": "127.0.0.1"}, {"X-A\r\nHost": "evil.example"}, {"X-A": "b\r\nHost: evil.example"},
        {"X-A": "b\nc"}, {"X-A": ""}, {"X-A": " b"}, {"X-A": "b\x00"}, {"X-A": "é"}, {"": "a"}, {"X A": "b"},
        {"X:A": "b"}, {"X-A": 1}, {"X-A": "a", "x-a": "b"}, {f"X-{n}": "a" for n in range(11)}, {"X-A": "b" * 1001},
    ],
)  # fmt: skip
def test_wo_07_headers_that_are_ours_to_say_or_break_the_message_are_refused(owner, headers):
    assert attribute(refused("validation_error", subscribe, owner, headers=headers)).startswith("headers")
    assert not Endpoint.objects.exists()


def test_headers_of_its_owner_are_kept_sealed_and_stand_in_no_trail(owner):
    hook, _ = subscribe(owner, headers={"Authorization": "Bearer of-mine", "X-Tenant": "7"})
    endpoint = hook.endpoint
    assert endpoint.secrets == {"headers": {"Authorization": "Bearer of-mine", "X-Tenant": "7"}}
    hooking.change_endpoint(endpoint, headers={"Authorization": "Bearer of-new"}, actor=ACTOR)
    entry = Entry.objects.get(action="endpoint.change")
    assert (entry.before["headers"], entry.after["headers"]) == (["Authorization", "X-Tenant"], ["Authorization"])
    assert "of-mine" not in str(list(Entry.objects.values())) and "of-new" not in str(list(Entry.objects.values()))


def test_the_trail_holds_no_secret_and_nothing_of_an_addresss_query(owner):
    hook, secret = subscribe(owner, url=f"{URL}?token=of-mine")
    new = hooking.rotate(hook.endpoint, actor=ACTOR)
    hooking.change(hook, url=f"{OTHER}?token=of-mine", actor=ACTOR)
    hooking.unsubscribe(hook, actor=ACTOR)
    told = str(list(Entry.objects.values()))
    assert [text for text in ("of-mine", secret, new) if text in told] == []
    assert set(Entry.objects.values_list("action", flat=True)) == {
        "endpoint.create", "hook.create", "endpoint.rotate_secret", "hook.change", "hook.delete",
    }  # fmt: skip


# ---- Changing and ending


def owed(hook: Hook, *wanted: str, lane: str = "") -> list[Delivery]:
    """Deliveries of this hook in these states, about one entity when a lane is given."""
    fields = {"lane": lane} if lane else {}
    return [
        factories.make_delivery(hook=hook, state=state, tries=0 if state == "pending" else 2, **fields)
        for state in wanted
    ]


def test_wo_17_a_hook_that_is_alone_takes_its_endpoint_its_secret_and_what_waits_to_the_new_address(owner):
    hook, secret = subscribe(owner)
    was = hook.endpoint
    Endpoint.objects.update(state="disabled", reason="failing", failures=9, failing_since=Now(), probe_at=Now())
    owed(hook, "waiting", "behind", "delivered", "pending")
    changed = hooking.change(hook, url=OTHER, actor=ACTOR)
    assert (changed.endpoint, changed.endpoint.url) == (was, OTHER)
    now = Endpoint.objects.get()
    assert (now.state, now.reason, now.failures, now.failing_since, now.probe_at) == ("active", "", 0, None, None)
    assert (now.rung > was.rung, now.fence > was.fence, now.due_at is None) == (True, True, False)
    assert states(was) == ["pending", "pending", "delivered", "pending"]
    assert SigningSecret.objects.get().secrets == {"key": secret}


def test_wo_17_a_hook_that_shares_its_endpoint_moves_with_what_waits_for_it(owner):
    hook, secret = subscribe(owner, headers={"X-A": "1"})
    other, _ = subscribe(owner, event="stock.changed")
    mine, theirs = owed(hook, "waiting", "failed"), owed(other, "waiting")
    moved = hooking.change(hook, url=OTHER, actor=ACTOR).endpoint
    assert moved != other.endpoint and moved.url == OTHER
    assert (moved.secrets, SigningSecret.objects.get(endpoint=moved).secrets) == (
        {"headers": {"X-A": "1"}}, {"key": secret},
    )  # fmt: skip
    assert list(Delivery.objects.filter(endpoint=moved)) == [mine[0]]
    assert set(Delivery.objects.filter(endpoint=other.endpoint)) == {mine[1], *theirs}


def test_wo_17_a_hook_moves_to_the_endpoint_that_its_owner_has_there_and_the_empty_one_ends(owner):
    hook, _ = subscribe(owner)
    there, _ = subscribe(owner, event="stock.changed", url=OTHER)
    owed(hook, "pending")
    assert hooking.change(hook, url=OTHER, actor=ACTOR).endpoint == there.endpoint
    assert list(Endpoint.objects.kept()) == [there.endpoint]
    assert states(there.endpoint) == ["pending"]


def test_a_hook_does_not_move_to_an_endpoint_that_has_its_event(owner):
    hook, _ = subscribe(owner)
    subscribe(owner, url=OTHER)
    refused("hook_already_exists", hooking.change, hook, url=OTHER, actor=ACTOR)


def test_a_paused_endpoint_stays_paused_at_its_new_address(owner):
    hook, _ = subscribe(owner)
    hooking.pause(hook.endpoint, actor=ACTOR)
    assert hooking.change(hook, url=OTHER, actor=ACTOR).endpoint.state == "paused"


def test_a_hook_keeps_its_event_and_changes_its_filter(owner):
    hook, _ = subscribe(owner)
    assert attribute(refused("validation_error", hooking.change, hook, event="stock.changed", actor=ACTOR)) == "event"
    wanted = [{"field": "state", "op": "equals", "value": "new"}]
    assert hooking.change(hook, event="order.created", filter=wanted, actor=ACTOR).filter == wanted
    assert hooking.change(hook, filter=[], actor=ACTOR).filter == []


def test_what_a_deleted_hook_was_still_owed_is_dropped_and_nothing_else(owner):
    hook, _ = subscribe(owner)
    other, _ = subscribe(owner, event="stock.changed")
    owed(hook, "pending", "waiting", "behind", "delivered", "failed"), owed(other, "pending")
    hooking.unsubscribe(hook, actor=ACTOR)
    assert states(hook.endpoint) == ["dropped", "dropped", "dropped", "delivered", "failed", "pending"]
    refused("hook_not_found", hooking.unsubscribe, hook, actor=ACTOR)
    refused("hook_not_found", hooking.change, hook, filter=[], actor=ACTOR)


def test_a_machines_endpoint_goes_with_its_last_hook_and_its_address_begins_anew(db):
    owner = of_a_shop()
    hook, secret = subscribe(owner)
    hooking.unsubscribe(hook, actor=ACTOR)
    assert not Endpoint.objects.kept().exists()
    again, new = subscribe(owner)
    assert again.endpoint != hook.endpoint and new not in (None, secret)


def test_peoples_endpoint_stays_until_they_remove_it(owner):
    hook, _ = subscribe(owner)
    hooking.unsubscribe(hook, actor=ACTOR)
    assert Endpoint.objects.kept().get() == hook.endpoint
    again, secret = subscribe(owner)
    owed(again, "waiting", "delivered")
    hooking.remove(again.endpoint, actor=ACTOR)
    assert secret is None and not Endpoint.objects.kept().exists() and not Hook.objects.kept().exists()
    assert states(again.endpoint) == ["dropped", "delivered"]
    refused("endpoint_not_found", hooking.pause, again.endpoint, actor=ACTOR)


def test_an_endpoint_changes_its_address_unless_its_owner_has_another_there(owner):
    hook, _ = subscribe(owner)
    subscribe(owner, event="stock.changed", url=OTHER)
    refused("conflict", hooking.change_endpoint, hook.endpoint, url=OTHER, actor=ACTOR)
    changed = hooking.change_endpoint(hook.endpoint, url=f"{OTHER}/2", name="Ours", actor=ACTOR)
    assert (changed.url, changed.name) == (f"{OTHER}/2", "Ours")


# ---- While a name is looked up


@pytest.fixture
def looked_up(monkeypatch, transactional_db) -> list[str]:
    """The addresses whose names were looked up, each while nobody held an endpoint's row."""
    found: list[str] = []

    def look_up(url: str) -> None:
        with ThreadPoolExecutor(1) as pool:
            in_thread(pool, hold_all).result(10)
        found.append(url)

    monkeypatch.setattr(asking.egress, "check_receiver", look_up)
    return found


@transaction.atomic
def hold_all() -> None:
    """Raises OperationalError while somebody else holds one of them."""
    list(Endpoint.objects.select_for_update(nowait=True))


def test_no_endpoint_is_held_while_the_name_of_its_new_address_is_looked_up(looked_up):
    hook = factories.make_hook()
    hooking.change(hook, url=URL, actor=ACTOR)
    hooking.change_endpoint(hook.endpoint, url=OTHER, actor=ACTOR)
    assert (looked_up, Endpoint.objects.get().url) == ([URL, OTHER], OTHER)


def test_an_address_that_its_owner_has_is_not_looked_up_again(looked_up):
    hook = factories.make_hook()
    endpoint = hook.endpoint
    subscribe(Owner.of(endpoint), event="stock.changed", url=endpoint.url)
    hooking.change(hook, url=endpoint.url, actor=ACTOR)
    hooking.change_endpoint(endpoint, url=endpoint.url, actor=ACTOR)
    assert (looked_up, Endpoint.objects.count()) == ([], 1)


def test_people_add_and_choose_several_events_while_no_endpoint_is_held(looked_up):
    client = signed_in(factories.make_member())
    given = {"url": URL, "name": "Ours", "events": ["order.created", "stock.changed"], "headers": ""}
    client.post("/hooks/add/", given)
    endpoint = Endpoint.objects.get()
    client.post(f"/hooks/{endpoint.pk}/events/", {"events": ["order.updated", "product.created"]})
    heard = Hook.objects.kept().order_by("event").values_list("event", flat=True)
    assert (looked_up, list(heard)) == ([URL], ["order.updated", "product.created"])


# ---- Secrets


def live(endpoint: Endpoint) -> list[str]:
    return [one.secrets["key"] for one in SigningSecret.objects.filter(endpoint=endpoint).live()]


def test_wo_15_for_the_overlap_both_secrets_sign_and_then_the_new_one(owner):
    hook, old = subscribe(owner)
    new = hooking.rotate(hook.endpoint, actor=ACTOR)
    assert live(hook.endpoint) == [new, old]
    ends = SigningSecret.objects.exclude(not_after=None).get().not_after - timezone.now()
    assert timedelta(hours=23, minutes=59) < ends <= timedelta(hours=24)
    SigningSecret.objects.exclude(not_after=None).update(not_after=Now())
    assert live(hook.endpoint) == [new]


def test_wo_15_without_overlap_the_old_secret_ends_at_once(owner):
    hook, _ = subscribe(owner)
    hooking.rotate(hook.endpoint, overlap=timedelta(days=7), actor=ACTOR)
    new = hooking.rotate(hook.endpoint, overlap=timedelta(0), actor=ACTOR)
    assert live(hook.endpoint) == [new]


def test_at_most_three_secrets_sign_and_none_longer_than_a_week(owner):
    hook, first = subscribe(owner)
    second, third = (hooking.rotate(hook.endpoint, actor=ACTOR) for _ in range(2))
    refused("conflict", hooking.rotate, hook.endpoint, actor=ACTOR)
    assert live(hook.endpoint) == [third, second, first]
    for overlap in (timedelta(seconds=-1), timedelta(days=7, seconds=1)):
        problem = refused("validation_error", hooking.rotate, hook.endpoint, overlap=overlap, actor=ACTOR)
        assert attribute(problem) == "overlap_seconds"


def test_a_later_rotation_lets_no_secret_sign_longer_than_an_earlier_one_said(owner):
    hook, first = subscribe(owner)
    hooking.rotate(hook.endpoint, overlap=timedelta(minutes=1), actor=ACTOR)
    hooking.rotate(hook.endpoint, overlap=timedelta(days=7), actor=ACTOR)
    ends = {one.secrets["key"]: one.not_after for one in SigningSecret.objects.all()}[first]
    assert ends <= timezone.now() + timedelta(minutes=1)


def test_pios_format_has_no_secret_to_rotate(db):
    hook, _ = subscribe(of_a_shop(), event="fulfillments.create")
    refused("conflict", hooking.rotate, hook.endpoint, actor=ACTOR)


# ---- Holding


def held(owner: Owner) -> Hook:
    """A paused hook: of two things, two messages each are undone, and one is delivered."""
    hook, _ = subscribe(owner)
    owed(hook, "waiting", "behind", lane="order:1"), owed(hook, "pending", "pending", "delivered", lane="order:2")
    hooking.pause(hook.endpoint, actor=ACTOR)
    return hook


def test_a_paused_endpoint_says_so_once_and_counts_what_each_choice_would_send(owner):
    endpoint = held(owner).endpoint
    hooking.pause(endpoint, actor=ACTOR)
    endpoint.refresh_from_db()
    assert (endpoint.state, endpoint.reason) == ("paused", "asked")
    assert hooking.would_send(endpoint) == {"all": 4, "newest": 2, "drop": 0}
    assert Entry.objects.filter(action="endpoint.pause").count() == 1


@pytest.mark.parametrize(
    ("choice", "sent", "left"),
    [
        ("all", 4, ["pending", "pending", "pending", "pending", "delivered"]),
        ("newest", 2, ["dropped", "pending", "dropped", "pending", "delivered"]),
        ("drop", 0, ["dropped", "dropped", "dropped", "dropped", "delivered"]),
    ],
)
def test_on_resuming_all_are_sent_or_the_newest_of_each_thing_or_none(owner, choice, sent, left):
    endpoint = held(owner).endpoint
    assert hooking.resume(endpoint, choice=choice, actor=ACTOR) == sent
    assert states(endpoint) == left
    assert set(Delivery.objects.filter(state="pending").values_list("tries", "next_attempt_at")) <= {(0, None)}
    endpoint.refresh_from_db()
    assert (endpoint.state, endpoint.reason, endpoint.failures, endpoint.probe_at) == ("active", "", 0, None)
    entry = Entry.objects.get(action="endpoint.resume")
    assert entry.after == {"choice": choice, "sent": sent, "dropped": 4 - sent}


@pytest.mark.django_db(transaction=True)
def test_what_arrives_while_it_is_resumed_is_not_dropped(owner):
    endpoint = held(owner).endpoint
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            Delivery.objects.filter(state="waiting").update(state="delivered")
            resumed = in_thread(pool, lambda: hooking.resume(endpoint, choice="newest", actor=ACTOR))
            wait_until_blocked()
        assert resumed.result() == 2
    assert states(endpoint) == ["delivered", "pending", "dropped", "pending", "delivered"]


def test_of_two_events_about_one_thing_the_newest_of_each_is_sent(owner):
    created, _ = subscribe(owner)
    updated, _ = subscribe(owner, event="order.updated")
    owed(created, "pending", lane="order:1"), owed(updated, "pending", "pending", lane="order:1")
    hooking.pause(created.endpoint, actor=ACTOR)
    assert hooking.resume(created.endpoint, choice="newest", actor=ACTOR) == 2
    assert states(created.endpoint) == ["pending", "dropped", "pending"]


def test_only_what_is_held_can_be_resumed_and_only_by_a_choice(owner):
    hook, _ = subscribe(owner)
    owed(hook, "pending")
    refused("conflict", hooking.resume, hook.endpoint, choice="drop", actor=ACTOR)
    assert states(hook.endpoint) == ["pending"]
    assert attribute(refused("validation_error", hooking.resume, hook.endpoint, choice="some", actor=ACTOR)) == "choice"
