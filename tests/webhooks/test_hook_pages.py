"""The owner's pages of the addresses that hear from us: add one, look after it, take it away."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.urls import reverse
from django.utils import timezone

from apps.accounts.models import Role
from apps.audit.models import Entry
from apps.webhooks import hook_views
from apps.webhooks.models import Delivery, Endpoint, Hook, SigningSecret
from tests.conftest import signed_in
from tests.factories import (
    make_delivery,
    make_endpoint,
    make_event,
    make_hook,
    make_integration,
    make_member,
    make_partner_integration,
    make_shop,
    make_signing_secret,
)
from tests.onboarding.pages import HTMX, is_part, text

from .receiver import Receiver, receiver

pytestmark = pytest.mark.django_db
State = Delivery.State
URL = "https://93.184.216.34/in"
GOOD = {"url": URL, "name": "Bookkeeping", "events": ["order.created", "stock.changed"], "headers": "X-Token: abc"}


@pytest.fixture
def endpoint(owner):
    made = make_endpoint(organization=owner.organization, url=URL, name="Bookkeeping")
    make_signing_secret(endpoint=made)
    return made


@pytest.fixture
def hook(endpoint):
    return make_hook(endpoint=endpoint, event="order.created")


@pytest.fixture
def sink(settings):
    settings.EGRESS_ALLOWED_HOSTS = ["127.0.0.1"]
    with receiver() as sink:
        yield sink


def page_of(name: str, row) -> str:
    return reverse(name, args=[row.pk])


def said(answer) -> list[str]:
    return [str(message) for message in answer.context["messages"]]


def secret_on(answer) -> str:
    return unescape(re.findall(r'id="key">([^<]+)<', answer.text)[0])


def kept(hook, *states, lane: str = "") -> list[Delivery]:
    return [make_delivery(hook=hook, state=state, **({"lane": lane} if lane else {})) for state in states]


# ---- Which there are


def test_without_an_address_the_page_says_what_one_is_for(owner_client, owner):
    page = text(owner_client.get("/hooks/"))
    assert "Another system wants to hear from us when something happens? Give its address here." in page
    assert ("Nobody hears from us yet" in page, "Add an address" in page) == (True, True)
    viewer = signed_in(make_member(organization=owner.organization, role=Role.VIEWER))
    assert "Add an address" not in text(viewer.get("/hooks/"))


def test_each_address_stands_there_with_how_it_does_and_nobody_elses(owner_client, hook):
    make_endpoint(url="https://93.184.216.35/elses")
    kept(hook, State.PENDING, State.WAITING, State.BEHIND, State.DELIVERED)
    page = text(owner_client.get("/hooks/"))
    assert ("Bookkeeping", "Hears: Order received", "3 messages wait", "elses" in page) == (
        *(words for words in ("Bookkeeping", "Hears: Order received", "3 messages wait") if words in page),
        False,
    )


def test_what_an_application_made_can_be_paused_and_nothing_else(owner_client, owner):
    app = make_partner_integration(organization=owner.organization)
    theirs = make_endpoint(integration=app)
    page = owner_client.get(page_of("hook", theirs))
    assert ("Pause" in text(page), "Remove" in text(page), "Replace the secret" in text(page)) == (True, False, False)
    for name in ("hook-address", "hook-events", "hook-secret", "remove-hook", "test-hook"):
        assert owner_client.post(page_of(name, theirs), GOOD).status_code == 404
    owner_client.post(page_of("pause-hook", theirs))
    theirs.refresh_from_db()
    assert theirs.state == Endpoint.State.PAUSED
    owner_client.post(page_of("resume-hook", theirs), {"choice": "all"})
    theirs.refresh_from_db()
    assert theirs.state == Endpoint.State.ACTIVE


def test_those_in_trouble_come_first_with_the_reason_and_who_must_act(owner_client, hook, endpoint):
    make_endpoint(organization=endpoint.organization, name="Well")
    since = timezone.now() - timedelta(hours=1)
    Endpoint.objects.filter(pk=endpoint.pk).update(failing_since=since, failures=6, last_error="status_500")
    answer = owner_client.get("/hooks/")
    page = text(answer)
    assert [row.endpoint.name for row in answer.context["trouble"]] == ["Bookkeeping"]
    assert "Messages do not arrive at Bookkeeping" in page
    assert "6 tries in a row failed (since " in page
    assert "Something went wrong there (500 Internal Server Error)." in page
    assert "Whoever looks after that system has to mend it." in page
    assert "Send a test" in page


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"state": "paused", "reason": "asked"}, "Somebody paused it"),
        ({"state": "disabled", "reason": "failing", "last_error": "timeout"}, "It did not answer in time."),
        ({"state": "disabled", "reason": "gone", "last_error": "status_410"}, "it wants nothing more (410)"),
        ({"failing_since": "now", "failures": 1, "last_error": "tls"}, "Its certificate is not valid"),
        ({}, "Nothing has been sent there yet."),
        ({"last_success_at": "now"}, "Everything has arrived there."),
    ],
)
def test_each_state_is_a_sentence(owner_client, endpoint, fields, told):
    now = timezone.now()
    values = {name: now if value == "now" else value for name, value in fields.items()}
    Endpoint.objects.filter(pk=endpoint.pk).update(**values)
    assert told in text(owner_client.get(page_of("hook", endpoint)))


@pytest.mark.parametrize("rows", [1, 3])
def test_the_list_takes_as_many_statements_for_one_as_for_many(owner_client, owner, rows, django_assert_num_queries):
    for _ in range(rows):
        hook = make_hook(endpoint=make_endpoint(organization=owner.organization))
        kept(hook, State.PENDING)
    owner_client.get("/hooks/")
    with django_assert_num_queries(8):
        owner_client.get("/hooks/")


@pytest.mark.parametrize("rows", [1, 3])
def test_an_address_takes_as_many_statements_for_one_event_as_for_many(
    owner_client, endpoint, rows, django_assert_num_queries
):
    for event in ("order.created", "order.updated", "stock.changed")[:rows]:
        kept(make_hook(endpoint=endpoint, event=event), State.PENDING)
    owner_client.get(page_of("hook", endpoint))
    with django_assert_num_queries(11):
        owner_client.get(page_of("hook", endpoint))


def test_htmx_gets_the_same(owner_client, hook, endpoint):
    kept(hook, State.PENDING)
    for address in ("/hooks/", page_of("hook", endpoint), page_of("hook-filter", hook)):
        whole, part = owner_client.get(address), owner_client.get(address, headers=HTMX)
        assert is_part(part, of=whole)


# ---- Adding one


def test_an_address_is_added_with_its_events_and_its_secret_is_shown_once(owner_client, owner):
    page = owner_client.post("/hooks/add/", GOOD)
    endpoint = Endpoint.objects.get()
    assert (endpoint.url, endpoint.name, endpoint.shop, endpoint.integration) == (URL, "Bookkeeping", None, None)
    assert endpoint.secrets == {"headers": {"X-Token": "abc"}}
    assert sorted(endpoint.hooks.values_list("event", flat=True)) == ["order.created", "stock.changed"]
    key = SigningSecret.objects.get().secrets["key"]
    assert (secret_on(page), "no-store" in page.headers["Cache-Control"]) == (key, True)
    assert key not in owner_client.get(page_of("hook", endpoint)).text
    assert "X-Token" in owner_client.get(page_of("hook", endpoint)).text
    assert "abc" not in text(owner_client.get(page_of("hook", endpoint)))
    assert set(Entry.objects.values_list("user_id", flat=True)) == {owner.pk}


def test_one_store_only_can_be_chosen_and_no_other_organizations(owner_client, owner):
    integration = make_integration(organization=owner.organization)
    shops = [make_shop(integration=integration) for _ in range(2)]
    owner_client.post("/hooks/add/", GOOD | {"shop": str(shops[1].pk)})
    assert Endpoint.objects.get().shop == shops[1]
    refused = owner_client.post("/hooks/add/", GOOD | {"shop": str(make_shop().pk)})
    assert (refused.status_code, "Please check this" in text(refused), Endpoint.objects.count()) == (200, True, 1)


def test_a_closed_store_cannot_be_chosen(owner_client, owner):
    integration = make_integration(organization=owner.organization)
    shops = [make_shop(integration=integration, name=name) for name in ("Hats", "Caps")]
    closed = make_shop(integration=integration, name="Bygone", is_active=False)
    offered = owner_client.get("/hooks/add/").context["form"].fields["shop"].queryset
    assert set(offered) == set(shops)
    refused = owner_client.post("/hooks/add/", GOOD | {"shop": str(closed.pk)})
    assert (refused.status_code, "Please check this" in text(refused), Endpoint.objects.count()) == (200, True, 0)


def test_an_address_that_is_there_hears_of_more_and_keeps_its_secret(owner_client, endpoint, hook):
    page = owner_client.post("/hooks/add/", GOOD | {"events": ["stock.changed"], "headers": ""}, follow=True)
    assert said(page) == ["You had this address already. It hears of these events now, too."]
    assert (Endpoint.objects.count(), SigningSecret.objects.count(), Hook.objects.count()) == (1, 1, 2)


def test_of_several_events_all_are_added_or_none(owner_client, endpoint, hook):
    page = owner_client.post("/hooks/add/", GOOD)
    assert (page.status_code, "Please check this" in text(page)) == (200, True)
    assert list(Hook.objects.kept()) == [hook]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"url": "http://93.184.216.34/in"}, "The address must start with https://."),
        ({"url": "https://127.0.0.1/in"}, "127.0.0.1 is not an address on the public Internet."),
        ({"url": "https://user:pw@93.184.216.34/"}, "Give a whole address without a login"),
        ({"url": "https://93.184.216.34:22/"}, "Webhooks are not sent to port 22."),
        ({"url": ""}, "This field is required."),
        ({"events": []}, "Choose at least one event."),
        ({"events": ["inventory_levels.update"]}, "Select a valid choice."),
        ({"headers": "Host: elsewhere"}, "This header is not yours to set."),
        ({"headers": "nonsense"}, "Write a name, a colon and a value in each line."),
        ({"headers": "X-A: a\nX-A: b"}, "Give each header once."),
        ({"headers": "\n".join(f"X-{n}: a" for n in range(11))}, "These are too many."),
        ({"name": "x" * 201}, "at most 200 characters"),
        ({"name": "a\x00b"}, "Null characters are not allowed."),
    ],
)
def test_what_cannot_be_is_refused_beside_its_field(owner_client, changes, told):
    page = owner_client.post("/hooks/add/", GOOD | changes)
    assert (page.status_code, told in text(page)) == (200, True)
    assert (Endpoint.objects.count(), Hook.objects.count(), Entry.objects.count()) == (0, 0, 0)


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://93.184.216.34/in", "Het adres moet met https:// beginnen."),
        ("https://127.0.0.1/in", "127.0.0.1 is geen adres op het openbare internet."),
        ("https://93.184.216.34:22/", "Naar poort 22 sturen we geen meldingen."),
    ],
)
def test_why_an_address_cannot_be_is_said_in_ones_own_language(owner_client, url, told):
    page = owner_client.post("/hooks/add/", GOOD | {"url": url}, headers={"accept-language": "nl"})
    assert told in text(page)


# ---- A test


def test_a_test_is_sent_signed_and_its_answer_shown(owner_client, sink: Receiver, owner):
    endpoint = make_endpoint(organization=owner.organization, url=sink.url)
    make_signing_secret(endpoint=endpoint)
    make_hook(endpoint=endpoint, event="order.created")
    page = owner_client.post(page_of("test-hook", endpoint), {"event": "order.created"})
    assert ("It arrived." in text(page), len(sink.got), sink.got[0].json["type"]) == (True, 1, "order.created")
    assert sink.got[0].id.startswith("test_")
    sink.answers = lambda message: 404
    page = owner_client.post(page_of("test-hook", endpoint), {"event": "order.created"}, headers=HTMX)
    assert "It says that there is nothing at this address (404 Not Found)." in text(page)
    assert ("<html" in page.text, Delivery.objects.count()) == (False, 0)


def test_a_test_of_what_it_does_not_hear_is_refused(owner_client, endpoint, hook):
    for event in ("", "stock.changed", "nonsense"):
        page = owner_client.post(page_of("test-hook", endpoint), {"event": event})
        assert "Choose an event that is sent there." in text(page)


# ---- What it hears


def test_events_are_chosen_anew_and_the_rest_keep_their_filters(owner_client, endpoint, hook):
    condition = {"field": "number", "op": "equals", "value": "#1"}
    Hook.objects.filter(pk=hook.pk).update(filter=[condition])
    gone = make_hook(endpoint=endpoint, event="stock.changed")
    waiting = make_delivery(hook=gone)
    owner_client.post(page_of("hook-events", endpoint), {"events": ["order.created", "order.updated"]})
    found = Hook.objects.kept().order_by("event").values_list("event", "filter")
    assert list(found) == [("order.created", [condition]), ("order.updated", [])]
    waiting.refresh_from_db()
    assert waiting.state == State.DROPPED


def test_all_events_may_be_exchanged_for_others(owner_client, endpoint, hook):
    owner_client.post(page_of("hook-events", endpoint), {"events": ["stock.changed"]})
    endpoint.refresh_from_db()
    assert (endpoint.deleted_at, list(Hook.objects.kept().values_list("event", flat=True))) == (None, ["stock.changed"])


def rows(*conditions: tuple[str, str, str]) -> dict[str, list[str]]:
    fields, ops, values = zip(*conditions, ("", "equals", ""), strict=True)
    return {"field": list(fields), "op": list(ops), "value": list(values)}


def test_a_filter_is_saved_as_what_its_rows_mean(owner_client, endpoint):
    hook = make_hook(endpoint=endpoint, event="stock.changed")
    typed = rows(("in_stock", "less", "5"), ("sku", "one_of", "HAT, CAP"), ("sku", "exists", "yes"))
    answer = owner_client.post(page_of("hook-filter", hook), typed)
    hook.refresh_from_db()
    assert (answer.status_code, hook.filter) == (
        302,
        [
            {"field": "in_stock", "op": "less", "value": 5},
            {"field": "sku", "op": "one_of", "value": ["HAT", "CAP"]},
            {"field": "sku", "op": "exists", "value": True},
        ],
    )
    page = owner_client.get(page_of("hook-filter", hook))
    assert [(row.field, row.op, row.value) for row in page.context["rows"]] == [
        ("in_stock", "less", "5"),
        ("sku", "one_of", "HAT, CAP"),
        ("sku", "exists", "yes"),
        ("", "equals", ""),
        ("", "equals", ""),
    ]
    owner_client.post(page_of("hook-filter", hook), rows())
    hook.refresh_from_db()
    assert hook.filter == []


@pytest.mark.parametrize(
    ("field", "op", "typed", "value"),
    [
        ("height", "equals", "165.5", 165.5),
        ("height", "one_of", "165.5, 20", [165.5, 20]),
        ("height", "less", "-0.5", -0.5),
        ("height", "equals", "1e3", 1000.0),
        ("height", "equals", "nan", "nan"),
        ("height", "equals", "inf", "inf"),
        ("height", "equals", "1e999", "1e999"),
        ("height", "equals", "9" * 19, "9" * 19),
        (" data.version ", "equals", "5", 5),
        ("sku", "equals", "165.5", "165.5"),
    ],
)
def test_a_number_is_meant_as_one_and_stays_one_when_it_is_saved_again(owner_client, endpoint, field, op, typed, value):
    hook = make_hook(endpoint=endpoint, event="product.updated")
    again = rows((field, op, typed))
    for _ in range(2):
        owner_client.post(page_of("hook-filter", hook), again)
        [kept] = Hook.objects.get().filter
        assert (kept["field"], kept["op"], repr(kept["value"])) == (
            field.strip().removeprefix("data."), op, repr(value),
        )  # fmt: skip
        [shown] = owner_client.get(page_of("hook-filter", hook)).context["rows"][:1]
        again = rows((shown.field, shown.op, shown.value))


@pytest.mark.parametrize(
    ("op", "value", "shown"),
    [
        ("one_of", ["gift, wrapped", "rush"], '"gift, wrapped", rush'),
        ("one_of", ['5" pipe', "a,b"], '"5"" pipe", "a,b"'),
        ("one_of", ["", " x "], ",  x "),
        ("equals", None, ""),
        ("equals", " x", " x"),
        ("contains", "a, b", "a, b"),
    ],
)
def test_a_filter_of_the_api_that_is_saved_as_it_is_shown_stays_what_it_is(owner_client, endpoint, op, value, shown):
    """Also where another condition is added. What was typed here goes through the same quotes."""
    kept = {"field": "tags", "op": op, "value": value}
    hook = make_hook(endpoint=endpoint, event="order.updated", filter=[kept])
    row = owner_client.get(page_of("hook-filter", hook)).context["rows"][0]
    assert row.value == shown
    owner_client.post(
        page_of("hook-filter", hook), rows((row.field, row.op, row.value), ("number", "one_of", '"1,2", 3'))
    )
    hook.refresh_from_db()
    assert hook.filter == [kept, {"field": "number", "op": "one_of", "value": ["1,2", "3"]}]


def test_a_filter_is_tried_on_what_happened_and_not_saved(owner_client, endpoint):
    hook = make_hook(endpoint=endpoint, event="stock.changed")
    for n in range(3):
        make_event(
            organization=endpoint.organization, type="stock.changed", entity="stock_level", data={"in_stock": n * 10}
        )
    page = owner_client.post(page_of("hook-filter", hook), rows(("in_stock", "less", "5")) | {"try": "1"})
    assert "1 of the last 3 would be sent" in text(page)
    assert [event.passes for event in page.context["tried"]] == [False, False, True]
    hook.refresh_from_db()
    assert hook.filter == []


@pytest.mark.parametrize(
    "typed",
    [
        {},
        {"field": ["sku"]},
        {"field": ["sku"], "op": ["equals", "less"], "value": ["a"]},
        rows(("sku", "nonsense", "a")),
        rows(("nowhere", "equals", "a")),
        rows(("", "equals", "a")),
        rows(("in_stock", "less", "many")),
        rows(("sku", "one_of", "")),
        rows(("sku", "exists", "perhaps")),
        rows(("sku", "equals", "a\x00b")),
        rows(("sku", "equals", "x" * 300)),
        rows(*[("sku", "equals", "a")] * 21),
    ],
)
def test_a_filter_that_makes_no_sense_is_refused_with_a_word(owner_client, endpoint, typed):
    hook = make_hook(endpoint=endpoint, event="stock.changed")
    for more in ({}, {"try": "1"}):
        page = owner_client.post(page_of("hook-filter", hook), typed | more)
        assert (page.status_code, "Please check this and try again" in text(page)) == (200, True)
    hook.refresh_from_db()
    assert hook.filter == []


# ---- Looking after it


def test_a_new_secret_is_shown_once_and_the_old_one_works_as_long_as_was_chosen(owner_client, endpoint):
    page = owner_client.post(page_of("hook-secret", endpoint), {"hours": "24"})
    newest, old = SigningSecret.objects.order_by("-created_at")
    assert secret_on(page) == newest.secrets["key"]
    assert timedelta(hours=23) < old.not_after - timezone.now() < timedelta(hours=25)
    assert "The one before it works until" in text(owner_client.get(page_of("hook", endpoint)))
    owner_client.post(page_of("hook-secret", endpoint), {"hours": "0"})
    assert SigningSecret.objects.live().count() == 1


def test_a_changed_address_says_that_what_waits_goes_there(owner_client, endpoint, hook):
    kept(hook, State.WAITING, State.BEHIND)
    assert "2 messages still wait: they go to the new address." in text(
        owner_client.get(page_of("hook-address", endpoint))
    )
    owner_client.post(page_of("hook-address", endpoint), {"url": f"{URL}/2", "name": "Books", "headers": "X-B: b"})
    endpoint.refresh_from_db()
    assert (endpoint.url, endpoint.name, endpoint.secrets) == (f"{URL}/2", "Books", {"headers": {"X-B": "b"}})
    owner_client.post(page_of("hook-address", endpoint), {"url": f"{URL}/3", "name": "Books", "headers": ""})
    endpoint.refresh_from_db()
    assert (endpoint.url, endpoint.secrets) == (f"{URL}/3", {"headers": {"X-B": "b"}})
    typed = {"url": f"{URL}/3", "name": "Books", "headers": "", "drop_headers": "on"}
    owner_client.post(page_of("hook-address", endpoint), typed)
    endpoint.refresh_from_db()
    assert endpoint.secrets == {"headers": {}}


@pytest.mark.parametrize(
    ("choice", "left"),
    [
        ("all", ["pending", "pending", "pending"]),
        ("newest", ["dropped", "pending", "pending"]),
        ("drop", ["dropped"] * 3),
    ],
)
def test_paused_it_keeps_what_happens_and_resuming_asks_what_becomes_of_it(owner_client, endpoint, hook, choice, left):
    owner_client.post(page_of("pause-hook", endpoint))
    one, two = kept(hook, State.PENDING, State.PENDING, lane="order:1")
    three = make_delivery(hook=hook)
    assert "3 messages are kept." in text(owner_client.get(page_of("hook", endpoint)))
    page = text(owner_client.get(page_of("resume-hook", endpoint)))
    assert ("3 messages are sent." in page, "2 sent, 1 dropped" in page, "3 messages are dropped" in page) == (
        True,
        True,
        True,
    )
    owner_client.post(page_of("resume-hook", endpoint), {"choice": choice})
    endpoint.refresh_from_db()
    states = [Delivery.objects.get(pk=delivery.pk).state for delivery in (one, two, three)]
    assert (endpoint.state, states) == (Endpoint.State.ACTIVE, left)


def test_resuming_twice_or_without_a_choice_breaks_nothing(owner_client, endpoint):
    answer = owner_client.post(page_of("resume-hook", endpoint), {"choice": "drop"}, follow=True)
    assert said(answer) == ["It is not paused any more."]
    owner_client.post(page_of("pause-hook", endpoint))
    for choice in ("", "some", "x" * 300):
        answer = owner_client.post(page_of("resume-hook", endpoint), {"choice": choice})
        assert "Choose one of these." in text(answer)
    endpoint.refresh_from_db()
    assert endpoint.state == Endpoint.State.PAUSED


def test_removing_says_what_is_dropped_and_does_it(owner_client, endpoint, hook):
    kept(hook, State.PENDING, State.WAITING, State.DELIVERED)
    assert "2 messages that still wait are dropped." in text(owner_client.get(page_of("remove-hook", endpoint)))
    answer = owner_client.post(page_of("remove-hook", endpoint), follow=True)
    assert said(answer) == ["Removed. 2 messages were dropped."]
    assert owner_client.get(page_of("hook", endpoint)).status_code == 404
    assert sorted(Delivery.objects.values_list("state", flat=True)) == ["delivered", "dropped", "dropped"]


def test_more_than_anybody_counts_is_more_than_that(owner_client, hook, endpoint, monkeypatch):
    monkeypatch.setattr(hook_views.holding, "MOST", 2)
    kept(hook, State.PENDING, State.PENDING, State.PENDING)
    assert "more than 2 messages wait" in text(owner_client.get("/hooks/"))


# ---- Who may


def test_a_viewer_sees_it_all_and_no_button(owner, endpoint, hook):
    kept(hook, State.PENDING)
    viewer = signed_in(make_member(organization=owner.organization, role=Role.VIEWER))
    for address in ("/hooks/", page_of("hook", endpoint)):
        page = viewer.get(address)
        main = page.text.partition("<main")[2].partition("</main>")[0]
        assert (page.status_code, "<button" in main, "/resume/" in main, "/add/" in main) == (200, False, False, False)
    Endpoint.objects.filter(pk=endpoint.pk).update(state="disabled", reason="gone")
    main = viewer.get("/hooks/").text.partition("<main")[2].partition("</main>")[0]
    assert ("<button" in main, "/resume/" in main) == (False, False)
    for name in ("hook-address", "hook-events", "hook-secret", "test-hook", "pause-hook", "resume-hook", "remove-hook"):
        assert viewer.post(page_of(name, endpoint)).status_code == 403
    assert viewer.get(page_of("hook-filter", hook)).status_code == 403


def test_a_member_may_change_them(owner, endpoint):
    member = signed_in(make_member(organization=owner.organization, role=Role.MEMBER))
    assert member.post(page_of("pause-hook", endpoint)).status_code == 302


def test_a_removed_ones_filter_is_gone_and_so_is_an_applications(owner_client, owner, hook):
    theirs = make_hook(endpoint=make_endpoint(integration=make_partner_integration(organization=owner.organization)))
    assert owner_client.get(page_of("hook-filter", theirs)).status_code == 404
    owner_client.post(page_of("remove-hook", hook.endpoint))
    assert owner_client.get(page_of("hook-filter", hook)).status_code == 404


def test_one_whose_secrets_cannot_be_opened_has_its_page_and_is_removed(owner_client, endpoint, hook):
    Endpoint.objects.filter(pk=endpoint.pk).update(sealed="lost:AAAA")
    assert owner_client.get(page_of("hook", endpoint)).status_code == 200
    owner_client.post(page_of("remove-hook", endpoint))
    endpoint.refresh_from_db()
    assert endpoint.deleted_at
