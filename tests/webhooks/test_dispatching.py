"""The dispatcher, sending over real connections to a real receiver, in the process of the test."""

import asyncio
import base64
import hmac
import time
from contextlib import suppress
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone
from standardwebhooks import Webhook, WebhookVerificationError

from apps.audit.trail import Actor
from apps.integrations import consenting
from apps.integrations.models import Integration
from apps.webhooks import addressing, dispatching, hooking, serving
from apps.webhooks.catalogue import EVENTS
from apps.webhooks.dispatching import Dispatcher, deliver_all
from apps.webhooks.fanning import fan_out
from apps.webhooks.models import Attempt, Delivery, Endpoint, Event, Hook, Notice, Outgoing, SigningSecret
from tests.api.calling import call
from tests.catalog.partners import open_shop
from tests.concurrency import in_a_loop
from tests.factories import (
    make_delivery,
    make_endpoint,
    make_event,
    make_hook,
    make_level,
    make_listing,
    make_notice,
    make_order,
    make_organization,
    make_partner_integration,
    make_shop,
    make_signing_secret,
)

from .receiver import Receiver, receiver

pytestmark = pytest.mark.django_db(transaction=True)
KEY = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLw0k0000000000w="


@pytest.fixture
def sink(settings):
    settings.EGRESS_ALLOWED_HOSTS = ["127.0.0.1"]
    with receiver() as sink:
        yield sink


@pytest.fixture
def hook(sink: Receiver):
    endpoint = make_endpoint(url=sink.url)
    make_signing_secret(endpoint=endpoint, key=KEY)
    return make_hook(endpoint=endpoint, event="stock.changed")


def happen(hook, entity_id: str, sequence: int) -> Event:
    return make_event(
        organization=hook.organization,
        type="stock.changed",
        entity="stock_level",
        entity_id=entity_id,
        sequence=sequence,
        data={"sku": "HAT-1", "in_stock": sequence},
    )


def test_what_happened_arrives_signed_once_and_is_on_record(hook, sink: Receiver):
    event = happen(hook, "7", 1)

    deliver_all()
    deliver_all()

    [message] = sink.got
    delivery = Delivery.objects.get()
    assert Webhook(KEY).verify(message.body.decode(), message.headers) == {
        "type": "stock.changed",
        "timestamp": event.created_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "entity": "stock_level",
        "entity_id": "7",
        "sequence": 1,
        "data": {"sku": "HAT-1", "in_stock": 1},
    }
    assert message.id == delivery.message_id
    assert message.headers["x-crossdock-event"] == "stock.changed"
    assert (delivery.state, delivery.tries, delivery.status, delivery.error) == ("delivered", 1, 200, "")
    assert delivery.finished_at
    [attempt] = Attempt.objects.all()
    assert (attempt.delivery, attempt.url, attempt.status, attempt.error, attempt.body) == (
        delivery,
        sink.url,
        200,
        "",
        "",
    )
    assert not Outgoing.objects.exists()


def test_of_one_entity_everything_arrives_in_order_and_of_others_at_the_same_time(hook, sink: Receiver):
    for sequence in range(1, 31):
        for entity in "123":
            happen(hook, entity, sequence)

    deliver_all()

    for entity in "123":
        assert [got.json["sequence"] for got in sink.got if got.json["entity_id"] == entity] == list(range(1, 31))


@pytest.mark.parametrize(
    ("of", "field", "gone", "back"),
    [("shop", "is_active", False, True), ("integration", "deleted_at", timezone.now(), None)],
)
def test_what_waits_for_a_closed_shop_or_a_removed_integration_stays_until_it_is_back(sink, of, field, gone, back):
    shop = make_shop(integration=make_partner_integration(grants=["orders:read"]))
    owner = {"shop": shop, "integration": shop.integration}[of]
    endpoint = make_endpoint(url=sink.url, organization=shop.organization, **{of: owner})
    make_signing_secret(endpoint=endpoint, key=KEY)
    make_delivery(hook=make_hook(endpoint=endpoint))
    Endpoint.objects.ring()

    setattr(owner, field, gone)
    owner.save()
    deliver_all()
    assert (sink.got, Delivery.objects.get().state) == ([], "pending")
    assert [looked.is_servable for looked in serving.look([str(endpoint.pk)])] == [False]

    setattr(owner, field, back)
    owner.save()
    deliver_all()
    assert (len(sink.got), Delivery.objects.get().state) == (1, "delivered")


@pytest.fixture
def hearing(sink: Receiver):
    """A partner's shop hears of its order."""
    partner = make_partner_integration(grants=["orders:read", "products:read"])
    shop, token = open_shop(partner)
    endpoint = make_endpoint(url=sink.url, organization=partner.organization, integration=partner, shop=shop)
    make_signing_secret(endpoint=endpoint, key=KEY)
    make_hook(endpoint=endpoint, event="order.updated")
    return make_order(shop=shop), token


def update(order, sequence: int) -> Event:
    return make_event(
        organization=order.organization,
        type="order.updated",
        entity="order",
        entity_id=str(order.pk),
        sequence=100 + sequence,
    )


def test_after_its_consent_was_revoked_a_partner_hears_nothing_more(hearing, sink: Receiver):
    """What waited then is kept: a new consent may let it go. What happens meanwhile is none of theirs."""
    order, token = hearing
    waiting = make_delivery(hook=Hook.objects.get(), event=update(order, 0))
    Endpoint.objects.ring()

    consenting.revoke(order.shop.authorization, actor=Actor("Ann"))
    update(order, 1)
    deliver_all()

    assert call("GET", "v1/orders", token=token).status_code == 401
    assert (sink.got, list(Delivery.objects.values_list("pk", "state"))) == ([], [(waiting.pk, "pending")])
    assert [looked.is_servable for looked in serving.look([str(Endpoint.objects.get().pk)])] == [False]


def test_what_waits_goes_to_nobody_who_may_not_hear_of_it_any_more(hearing, sink: Receiver):
    order, _token = hearing
    make_delivery(hook=Hook.objects.get(), event=update(order, 0))
    Integration.objects.update(grants=["products:read"])
    Endpoint.objects.ring()

    deliver_all()

    assert (sink.got, list(Delivery.objects.values_list("state", "error"))) == ([], [("failed", "forbidden")])
    assert Endpoint.objects.get().failures == 0


def test_what_comes_behind_one_that_fails_waits_for_it_and_nobody_else_does(hook, sink: Receiver, settings):
    settings.WEBHOOK_RETRY_SECONDS = [0, 60, 60]
    sink.answers = lambda message: 503 if message.json["entity_id"] == "1" else 200
    for sequence in (1, 2, 3):
        happen(hook, "1", sequence)
    happen(hook, "2", 1)

    deliver_all()
    states = dict(Delivery.objects.values_list("event__sequence", "state").filter(event__entity_id="1"))
    assert states == {1: "waiting", 2: "behind", 3: "behind"}
    assert sorted((got.json["entity_id"], got.json["sequence"]) for got in sink.got) == [("1", 1), ("2", 1)]

    sink.answers = lambda message: 200
    Delivery.objects.filter(state="waiting").update(next_attempt_at=timezone.now())
    Endpoint.objects.ring()
    deliver_all()
    of_one = [got for got in sink.got if got.json["entity_id"] == "1"]
    assert [got.json["sequence"] for got in of_one] == [1, 1, 2, 3]
    assert of_one[0].id == of_one[1].id
    assert set(Delivery.objects.values_list("state", flat=True)) == {"delivered"}
    assert sorted(Attempt.objects.values_list("status", flat=True)) == [200, 200, 200, 200, 503]


def test_410_ends_it_at_once_and_keeps_what_was_to_be_sent(hook, sink: Receiver):
    sink.answers = lambda message: 410
    for sequence in (1, 2, 3):
        happen(hook, "1", sequence)

    deliver_all()

    endpoint = Endpoint.objects.get()
    assert (endpoint.state, endpoint.reason, len(sink.got)) == ("disabled", "gone", 1)
    assert Delivery.objects.undone().count() == 3
    assert list(Notice.objects.values_list("stage", flat=True)) == ["disabled"]


@pytest.mark.parametrize("status", [200, 503])
def test_410_stays_whatever_else_was_on_its_way(hook, sink: Receiver, status):
    """Messages about several entities are sent at the same time; the others are answered later."""
    Endpoint.objects.update(failures=9, failing_since=timezone.now() - timedelta(hours=1))

    def answers(message):
        if message.json["entity_id"] == "1":
            return 410
        time.sleep(0.3)
        return status

    sink.answers = answers
    for entity in "1234":
        happen(hook, entity, 1)

    deliver_all()

    endpoint = Endpoint.objects.get()
    assert (endpoint.state, endpoint.reason, endpoint.last_error) == ("disabled", "gone", "status_410")
    assert (endpoint.failures, endpoint.probe_at, endpoint.resumes) == (10, None, 0)
    assert list(Notice.objects.values_list("stage", flat=True)) == ["disabled"]
    assert (len(sink.got), Attempt.objects.count()) == (4, 4)


def test_410_ends_the_asking_of_one_that_was_disabled(hook, sink: Receiver):
    now = timezone.now()
    since = now - timedelta(days=6)
    Endpoint.objects.update(
        state="disabled", reason="failing", failures=50, failing_since=since, probe_at=now, due_at=now
    )
    make_notice(endpoint=hook.endpoint, stage="disabled")
    sink.answers = lambda message: 410
    happen(hook, "1", 1)

    deliver_all(seconds=10)

    endpoint = Endpoint.objects.get()
    assert (endpoint.state, endpoint.reason, len(sink.got)) == ("disabled", "gone", 1)


def test_an_answer_that_refuses_it_for_good_ends_it_and_lets_the_next_go(hook, sink: Receiver):
    sink.answers = lambda message: 422 if message.number == 0 else 200
    for sequence in (1, 2):
        happen(hook, "1", sequence)

    deliver_all()

    assert list(Delivery.objects.order_by("id").values_list("state", "error")) == [
        ("failed", "status_422"),
        ("delivered", ""),
    ]


def test_nothing_goes_to_one_that_is_paused(hook, sink: Receiver):
    Endpoint.objects.update(state="paused", reason="asked")
    happen(hook, "1", 1)

    deliver_all()

    assert (sink.got, Delivery.objects.held().count()) == ([], 1)


def test_it_is_disabled_after_five_days_and_comes_back_by_itself(hook, sink: Receiver):
    now = timezone.now()
    Endpoint.objects.update(failures=9, failing_since=now - timedelta(days=5, hours=1), probe_at=now)
    sink.answers = lambda message: 500
    happen(hook, "1", 1)

    deliver_all()

    endpoint = Endpoint.objects.get()
    assert (endpoint.state, endpoint.reason, endpoint.failures) == ("disabled", "failing", 10)
    assert timedelta(minutes=40) < endpoint.due_at - now < timedelta(minutes=80)
    assert set(Notice.objects.values_list("stage", flat=True)) == {"streak", "half_way", "disabled"}

    sink.answers = lambda message: 200
    Delivery.objects.update(next_attempt_at=now)
    Endpoint.objects.update(probe_at=now, due_at=now)
    deliver_all()

    endpoint.refresh_from_db()
    assert (endpoint.state, endpoint.reason, endpoint.failures, endpoint.failing_since) == ("active", "", 0, None)
    assert Delivery.objects.get().state == "delivered"
    assert "resumed" in Notice.objects.values_list("stage", flat=True)


def test_two_organizations_hear_of_their_own(hook, sink: Receiver):
    make_event(organization=make_organization(), type="stock.changed", entity="stock_level", data={})

    deliver_all()

    assert sink.got == []


def test_dead_for_six_days_then_alive_and_everything_arrives(hook, sink: Receiver):
    """WO-14: notice at the 5th failure, disabled on day 5, all delivered afterwards."""
    sink.answers = lambda message: 500
    now = timezone.now()
    for entity in range(5):
        happen(hook, str(entity + 1), 1)
    told = []
    for hour in (0, 1, 2, 3, 4, 61, 121, 144):
        # The clock goes forward by letting everything have happened earlier.
        Endpoint.objects.filter(failures__gt=0).update(
            failing_since=now - timedelta(hours=hour), probe_at=now, due_at=now
        )
        Delivery.objects.filter(state="waiting").update(next_attempt_at=now - timedelta(seconds=1))
        deliver_all()
        told.append(list(Notice.objects.order_by("created_at").values_list("stage", flat=True)))
    assert (told[0], told[-1]) == ([], ["streak", "half_way", "disabled"])
    assert Endpoint.objects.get().state == "disabled"
    assert Delivery.objects.held().count() == 5

    sink.answers = lambda message: 200
    Delivery.objects.filter(state="waiting").update(next_attempt_at=now)
    Endpoint.objects.update(probe_at=now, due_at=now)
    deliver_all()

    assert set(Delivery.objects.values_list("state", flat=True)) == {"delivered"}
    assert Endpoint.objects.get().state == "active"


def test_what_is_kept_for_a_disabled_one_is_not_given_up_by_asking_whether_it_is_well_again(hook, sink: Receiver):
    now = timezone.now()
    since = {"failures": 300, "failing_since": now - timedelta(days=6)}
    Endpoint.objects.update(state="disabled", reason="failing", probe_at=now, **since)
    sink.answers = lambda message: 503
    happen(hook, "1", 1)

    for _ in range(12):
        deliver_all()
        Delivery.objects.filter(state="waiting").update(next_attempt_at=now)
        Endpoint.objects.update(probe_at=now, due_at=now)

    assert (Delivery.objects.get().state, Delivery.objects.get().tries) == ("waiting", 12)


def test_while_one_secret_takes_over_from_another_both_sign_and_then_the_new_one_alone(hook, sink: Receiver):
    """WO-15."""
    old = hook.endpoint.signing_secrets.get()
    old.not_after = timezone.now() + timedelta(hours=24)
    old.save()
    new = "whsec_" + "B" * 43 + "="
    make_signing_secret(endpoint=hook.endpoint, key=new)
    for number in range(1, 21):
        happen(hook, str(number), 1)
    deliver_all()
    for message in sink.got:
        assert Webhook(KEY).verify(message.body.decode(), message.headers)
        assert Webhook(new).verify(message.body.decode(), message.headers)

    old.not_after = timezone.now() - timedelta(seconds=1)
    old.save()
    happen(hook, "21", 1)
    deliver_all()

    last = sink.got[-1]
    assert Webhook(new).verify(last.body.decode(), last.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(KEY).verify(last.body.decode(), last.headers)


def test_pios_six_headers_come_with_pios_signature(sink: Receiver):
    """Behaviours 83 and 84, through the dispatcher."""
    integration = make_partner_integration(grants=["inventory:read"])
    shop = make_shop(integration=integration, ext_shop_id="shop-42")
    endpoint = make_endpoint(integration=integration, shop=shop, url=sink.url, format="pio")
    make_hook(endpoint=endpoint, event="inventory_levels.update")
    listing = make_listing(shop=shop)
    level = make_level(product=listing.product)
    make_event(
        organization=shop.organization, type="stock.changed", entity="stock_level", entity_id=str(level.pk), sequence=1,
        data={"sku": "HAT-1", "in_stock": 5, "reserved": 2, "available": 3, "product_id": listing.product_id},
    )  # fmt: skip

    deliver_all()

    [message] = sink.got
    names = ("event-type", "delivery-id", "timestamp", "shop-id", "ext-shop-id")
    said = [message.headers[f"x-pio-{name}"] for name in names]
    secret = integration.partner.secrets["client_secret"]
    signed = ":".join(said).encode() + b":" + message.body
    expected = base64.b64encode(hmac.digest(secret.encode(), signed, "sha256")).decode()
    assert message.headers["x-pio-hmac-sha256"] == expected
    assert said == ["inventory_levels.update", Delivery.objects.get().message_id, said[2], str(shop.pk), "shop-42"]
    assert abs(int(said[2]) - time.time()) < 60
    assert "webhook-signature" not in message.headers


def test_an_answer_with_hostile_bytes_is_written_down_as_it_can_be(hook, sink: Receiver):
    sink.answers = lambda message: (500, {"X-Odd": "\xff\xfe"})
    happen(hook, "1", 1)

    deliver_all()

    assert Attempt.objects.get().headers["X-Odd"]


def test_what_a_receiver_says_back_of_our_secrets_is_not_kept(hook, sink: Receiver):
    hook.endpoint.secrets = {"headers": {"X-Key": "hush-hush"}}
    hook.endpoint.save()
    names = ("x-key", "webhook-signature")
    sink.answers = lambda message: (500, {"X-Said": " and ".join(message.headers[name] for name in names)})
    happen(hook, "1", 1)

    deliver_all()

    assert sink.got[0].headers["x-key"] == "hush-hush"
    assert Attempt.objects.get().headers["X-Said"] == "… and …"


def test_a_new_dispatcher_goes_on_where_one_was_killed(hook, sink: Receiver):
    """Whoever was killed had leased it; nobody else serves it until that lease has run out, and then all arrives."""
    happen(hook, "1", 1)
    Endpoint.objects.update(lease_until=timezone.now() + timedelta(seconds=30), fence=7)
    deliver_all()
    assert sink.got == []

    Endpoint.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    deliver_all()
    assert (len(sink.got), Endpoint.objects.get().fence) == (1, 8)


def test_what_one_commit_tells_goes_out_at_once_whatever_it_takes(hook, sink: Receiver, monkeypatch):
    """Of an order more is told than its event says, of stock not; they are handed out one after the other."""
    monkeypatch.setattr(dispatching, "POLL_SECONDS", 30.0)
    order = make_order(shop=make_shop(integration=make_partner_integration(organization=hook.organization)))
    make_hook(endpoint=hook.endpoint, event="order.updated")
    dispatcher = Dispatcher()

    def tell() -> None:
        with transaction.atomic():
            happen(hook, "1", 1)
            update(order, 1)
        connection.close()

    async def until_both_came() -> None:
        running = asyncio.create_task(dispatcher.run())
        while dispatcher.bell.wire is None:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.3)  # until it waits for the bell
        await asyncio.to_thread(tell)
        while len(sink.got) < 2:
            await asyncio.sleep(0.01)
        dispatcher.stop()
        await running

    in_a_loop(asyncio.wait_for(until_both_came(), 20))
    assert [got.json["type"] for got in sink.got] == ["stock.changed", "order.updated"]


def test_several_dispatchers_share_the_endpoints_and_nothing_is_sent_twice(sink: Receiver):
    hooks = []
    for number in range(8):
        endpoint = make_endpoint(url=f"{sink.url}/{number}")
        make_signing_secret(endpoint=endpoint)
        hooks.append(make_hook(endpoint=endpoint, event="stock.changed"))
    for hook in hooks:
        for sequence in range(1, 11):
            happen(hook, "1", sequence)
    while fan_out().events:
        pass

    async def together() -> None:
        await asyncio.gather(*(Dispatcher(until_idle=True).run() for _ in range(3)))

    in_a_loop(together())

    assert len({got.id for got in sink.got}) == len(sink.got) == 80
    for number in range(8):
        there = [got.json["sequence"] for got in sink.got if got.path.endswith(f"/{number}")]
        assert there == list(range(1, 11))
    assert Endpoint.objects.filter(lease_until=None, due_at=None).count() == 8


def test_what_is_changed_while_a_message_is_on_its_way_holds_for_the_next(hook, sink: Receiver):
    """Its dispatcher gives it back and leases it anew; one for an errand comes to its end only after that."""

    def change(message):
        if message.json["sequence"] == 1:
            addressing.say(hook.endpoint, name=None, headers={"X-Key": "new"})
            addressing.ring(hook.endpoint)
            connection.close()
            time.sleep(0.3)
        return 200

    sink.answers = change
    happen(hook, "1", 1)
    happen(hook, "1", 2)

    deliver_all()

    assert [(got.json["sequence"], got.headers.get("x-key")) for got in sink.got] == [(1, None), (2, "new")]


def test_who_lost_its_lease_records_nothing_any_more(hook, sink: Receiver):
    """By the fence: the delivery stays what its new dispatcher makes of it."""

    def take_over(message):
        Endpoint.objects.update(fence=99)
        connection.close()
        return 200

    sink.answers = take_over
    happen(hook, "1", 1)
    with suppress(TimeoutError):
        deliver_all(seconds=3)

    assert Delivery.objects.get().state == "pending"


# ---- What is broken at our own side


def broken(sealed: str) -> str:
    """As if it had been sealed with a key that we have no more."""
    return f"lost:{sealed.partition(':')[2]}"


def test_one_whose_secrets_cannot_be_opened_keeps_no_other_waiting(hook, sink: Receiver):
    unopened = make_endpoint(organization=hook.organization, url=f"{sink.url}/unopened", sealed="")
    make_hook(endpoint=unopened, event="stock.changed")
    Endpoint.objects.filter(pk=unopened.pk).update(sealed=broken(unopened.sealed))
    happen(hook, "1", 1)

    deliver_all()
    deliver_all()

    unopened.refresh_from_db()
    assert [got.path for got in sink.got] == ["/hook"]
    assert Delivery.objects.get(endpoint=unopened).state == "pending"
    assert (unopened.fence, bool(unopened.lease_until)) == (1, True)  # the next look is when that has run out
    assert list(Endpoint.objects.unopened()) == [unopened]


def test_what_could_not_be_opened_goes_out_when_its_key_is_back(hook, sink: Receiver):
    sealed = Endpoint.objects.get().sealed
    Endpoint.objects.update(sealed=broken(sealed))
    happen(hook, "1", 1)
    deliver_all()
    assert (sink.got, list(Endpoint.objects.unopened())) == ([], [hook.endpoint])

    Endpoint.objects.update(sealed=sealed, lease_until=None)
    deliver_all()
    assert (len(sink.got), list(Endpoint.objects.unopened())) == (1, [])


def test_with_a_new_secret_at_once_it_is_sent_to_again_without_its_old_headers(hook, sink: Receiver):
    hook.endpoint.secrets = {"headers": {"X-Key": "hush"}}
    hook.endpoint.save()
    for sealed in (Endpoint.objects, SigningSecret.objects):
        sealed.update(sealed=broken(sealed.get().sealed))
    happen(hook, "1", 1)
    deliver_all()
    assert list(Endpoint.objects.unopened()) == [hook.endpoint]

    secret = hooking.rotate(hook.endpoint, overlap=timedelta(0), actor=Actor("somebody"))
    Endpoint.objects.update(lease_until=None)
    deliver_all()

    (got,) = sink.got
    assert Webhook(secret).verify(got.body.decode(), got.headers)
    assert ("x-key" in got.headers, list(Endpoint.objects.unopened())) == (False, [])


def test_one_that_can_be_opened_again_says_so_with_nothing_left_to_be_sent(hook):
    Endpoint.objects.update(last_error="cannot_open", due_at=timezone.now())
    deliver_all()
    assert list(Endpoint.objects.unopened()) == []


def test_a_secret_that_has_ended_is_not_opened(hook, sink: Receiver):
    ended = make_signing_secret(endpoint=hook.endpoint, not_after=timezone.now() - timedelta(seconds=1))
    type(ended).objects.filter(pk=ended.pk).update(sealed=broken(ended.sealed))
    happen(hook, "1", 1)

    deliver_all()

    assert Webhook(KEY).verify(sink.got[0].body.decode(), sink.got[0].headers)


def test_an_event_that_is_published_no_more_ends_and_says_nothing_of_its_receiver(hook, sink: Receiver, monkeypatch):
    other = make_hook(endpoint=hook.endpoint, event="sync_run.finished")
    happen(hook, "1", 1)
    make_event(organization=hook.organization, type="sync_run.finished", entity="sync_run", data={})
    monkeypatch.delitem(EVENTS, "stock.changed")

    deliver_all(seconds=10)

    assert [got.json["type"] for got in sink.got] == ["sync_run.finished"]
    ended = dict(Delivery.objects.values_list("hook", "state"))
    assert ended == {hook.pk: "failed", other.pk: "delivered"}
    assert Delivery.objects.get(hook=hook).error == "unpublished"
    assert Endpoint.objects.get().failures == 0


def test_a_message_that_we_cannot_make_is_tried_again_and_stalls_nobody_else(hook, sink: Receiver, monkeypatch):
    made = dispatching.envelopes.headers_of

    def headers_of(facts, one, **known):
        return made(facts, one, **known) if one.entity_id != "1" else {}["missing"]

    monkeypatch.setattr(dispatching.envelopes, "headers_of", headers_of)
    for entity in "1234":
        happen(hook, entity, 1)

    deliver_all(seconds=10)

    assert sorted(got.json["entity_id"] for got in sink.got) == ["2", "3", "4"]
    assert list(Delivery.objects.exclude(state="delivered").values_list("lane", "state", "error")) == [
        ("stock_level:1", "waiting", "bug")
    ]
    assert Endpoint.objects.get().failures == 0


# ---- When nothing is left, or is somebody else's


def test_one_that_failed_and_has_nothing_left_is_not_looked_at_again(hook, sink: Receiver, settings):
    settings.WEBHOOK_RETRY_SECONDS = [0]
    now = timezone.now()
    Endpoint.objects.update(failures=9, failing_since=now - timedelta(hours=1), probe_at=now - timedelta(minutes=10))
    sink.answers = lambda message: 503
    happen(hook, "1", 1)

    deliver_all()

    endpoint = Endpoint.objects.get()
    assert Delivery.objects.get().state == "failed"
    assert (endpoint.failures, bool(endpoint.probe_at), endpoint.due_at) == (10, True, None)


def test_a_late_answer_of_the_old_address_leaves_what_has_moved_alone(hook, sink: Receiver):
    """It is noted, but the new address has not been asked yet."""
    elsewhere = make_endpoint(organization=hook.organization)

    def move(message):
        Delivery.objects.update(endpoint=elsewhere)
        connection.close()
        return 503

    sink.answers = move
    happen(hook, "1", 1)

    deliver_all()

    delivery = Delivery.objects.get()
    assert (delivery.endpoint, delivery.state, delivery.tries, delivery.error) == (elsewhere, "pending", 0, "")
    assert list(Attempt.objects.values_list("url", "status")) == [(sink.url, 503)]
