"""From asking for an event to hearing of it: hooks by their rules, events fanned out, messages delivered."""

from typing import Any

import pytest
from standardwebhooks import Webhook

from apps.audit.trail import Actor
from apps.webhooks import hooking
from apps.webhooks.dispatching import deliver_all
from apps.webhooks.hooking import Owner
from apps.webhooks.models import Delivery
from tests.factories import make_event, make_organization, make_product

from .receiver import Receiver, receiver

ACTOR = Actor("somebody")
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def places(settings):
    """Two addresses on this machine."""
    settings.EGRESS_ALLOWED_HOSTS = ["127.0.0.1"]
    with receiver() as first, receiver() as second:
        yield first, second


@pytest.fixture
def owner() -> Owner:
    return Owner.of_people(make_organization())


def changed(owner: Owner, **fields: Any) -> Any:
    product = make_product(organization=owner.organization, **fields)
    return make_event(
        organization=owner.organization, type="product.updated", entity="product", entity_id=str(product.pk), sequence=7
    )


def ask(owner: Owner, there: Receiver, **fields: Any) -> Any:
    return hooking.subscribe(owner, event="product.updated", url=there.url, actor=ACTOR, **fields)


def heard(there: Receiver) -> list[str]:
    return [message.json["data"]["sku"] for message in there.got]


def test_a_hook_hears_of_what_passes_its_filter_signed_with_its_secret(owner, places):
    there, _ = places
    _, secret = ask(owner, there, filter=[{"field": "sku", "op": "contains", "value": "HAT"}])
    changed(owner, sku="HAT-1"), changed(owner, sku="CAP-1")
    deliver_all()
    assert heard(there) == ["HAT-1"]
    Webhook(secret).verify(there.got[0].body, there.got[0].headers)


def test_wo_17_what_waits_goes_to_the_new_address_with_the_same_id_and_secret(owner, places):
    old, new = places
    old.answers = lambda message: 503
    hook, secret = ask(owner, old)
    changed(owner, sku="HAT-1")
    deliver_all()
    assert Delivery.objects.get().state == "waiting"
    hooking.change(hook, url=new.url, actor=ACTOR)
    deliver_all()
    assert (heard(old), heard(new), old.got[0].id) == (["HAT-1"], ["HAT-1"], new.got[0].id)
    Webhook(secret).verify(new.got[0].body, new.got[0].headers)
    assert Delivery.objects.get().state == "delivered"


def test_wo_15_for_the_overlap_each_message_verifies_with_both_secrets_then_with_the_new_one(owner, places):
    there, _ = places
    hook, old = ask(owner, there)
    new = hooking.rotate(hook.endpoint, actor=ACTOR)
    changed(owner)
    deliver_all()
    for secret in (old, new):
        Webhook(secret).verify(there.got[0].body, there.got[0].headers)
    newest = hooking.rotate(hook.endpoint, overlap=hooking.DAY * 0, actor=ACTOR)
    changed(owner)
    deliver_all()
    Webhook(newest).verify(there.got[1].body, there.got[1].headers)
    assert len(there.got[1].headers["webhook-signature"].split()) == 1


@pytest.mark.parametrize(("choice", "told"), [("all", ["A", "B"]), ("newest", ["A", "B"]), ("drop", [])])
def test_what_happens_while_it_is_paused_is_kept_and_sent_as_was_chosen(owner, places, choice, told):
    there, _ = places
    hook, _ = ask(owner, there)
    hooking.pause(hook.endpoint, actor=ACTOR)
    changed(owner, sku="A"), changed(owner, sku="B")
    deliver_all()
    assert (heard(there), hooking.would_send(hook.endpoint)["all"]) == ([], 2)
    assert hooking.resume(hook.endpoint, choice=choice, actor=ACTOR) == len(told)
    deliver_all()
    assert sorted(heard(there)) == told


def test_a_deleted_hook_hears_nothing_more(owner, places):
    there, _ = places
    hook, _ = ask(owner, there)
    changed(owner)
    hooking.unsubscribe(hook, actor=ACTOR)
    deliver_all()
    assert there.got == []
