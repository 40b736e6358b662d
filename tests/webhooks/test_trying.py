"""Trying a hook: a sample that is sent now, and a filter on what happened lately."""

import base64
import hashlib
import hmac
from typing import Any

import pytest
from standardwebhooks import Webhook

from apps.api.errors import Problem
from apps.audit.models import Entry
from apps.audit.trail import Actor
from apps.webhooks import hooking, trying
from apps.webhooks.hooking import Owner
from apps.webhooks.models import Delivery, Endpoint, Event
from tests.api.calling import call, wrong
from tests.catalog.partners import open_shop
from tests.factories import (
    CLIENT_SECRET,
    make_custom_integration,
    make_event,
    make_hook,
    make_key,
    make_listing,
    make_member,
    make_organization,
    make_partner_integration,
    make_product,
    make_shop,
)

from .receiver import Receiver, receiver

pytestmark = pytest.mark.django_db
ACTOR = Actor("somebody")


@pytest.fixture
def there(settings):
    """Somebody who hears, on this machine."""
    settings.EGRESS_ALLOWED_HOSTS = ["127.0.0.1"]
    with receiver() as found:
        yield found


@pytest.fixture
def partner():
    return make_partner_integration()


def post(path: str, token: str, body: Any = None) -> Any:
    answer = call("POST", f"v1/hooks{path}", body, token=token)
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_a_test_sends_a_signed_sample_and_says_what_came_back(partner, there: Receiver):
    there.answers = lambda message: (503, {"X-Access-Token": "of-theirs"})
    _, token = open_shop(partner)
    hook = post("", token, {"event": "order.created", "target_url": there.url, "headers": {"X-A": "1"}})
    answer = post(f"/{hook['id']}/test", token)
    assert {name: answer[name] for name in ("is_success", "status", "error", "body")} == {
        "is_success": False, "status": 503, "error": "", "body": "no",
    }  # fmt: skip
    assert {name.lower(): value for name, value in answer["headers"].items()}["x-access-token"] == "…"
    (got,) = there.got
    assert got.id.startswith("test_") and got.headers["x-a"] == "1" and got.json["type"] == "order.created"
    Webhook(hook["secret"]).verify(got.body, got.headers)
    entry = Entry.objects.get(action="endpoint.test")
    assert entry.after == {"event": "order.created", "message": got.id, "status": 503, "error": "status_503"}
    assert not Delivery.objects.exists()


def test_while_a_secret_is_rotated_a_test_is_signed_with_both(there: Receiver):
    owner = Owner.of_people(make_organization())
    hook, old = hooking.subscribe(owner, event="order.created", url=there.url, actor=ACTOR)
    new = hooking.rotate(hook.endpoint, actor=ACTOR)
    assert trying.test(hook.endpoint, event="order.created", actor=ACTOR).is_success
    for secret in (old, new):
        Webhook(secret).verify(there.got[0].body, there.got[0].headers)


def test_a_test_in_pios_format_is_signed_with_the_applications_client_secret(partner, there: Receiver):
    shop, token = open_shop(partner)
    hook = post("", token, {"event_type": "inventory_levels.update", "target_url": there.url})
    assert post(f"/{hook['id']}/test", token)["is_success"] is True
    (got,) = there.got
    names = ("event-type", "delivery-id", "timestamp", "shop-id", "ext-shop-id")
    said = {name: got.headers[f"x-pio-{name}"] for name in names}
    assert (said["shop-id"], said["ext-shop-id"]) == (str(shop.pk), shop.ext_shop_id)
    signed = ":".join(said.values()).encode() + b":" + got.body
    secret = partner.partner.secrets.get("client_secret", CLIENT_SECRET)
    wanted = base64.b64encode(hmac.new(secret.encode(), signed, hashlib.sha256).digest()).decode()
    assert got.headers["x-pio-hmac-sha256"] == wanted


def test_ten_tests_a_minute_are_enough(partner, there: Receiver):
    _, token = open_shop(partner)
    hook = post("", token, {"event": "order.created", "target_url": there.url})
    codes = [call("POST", f"v1/hooks/{hook['id']}/test", token=token).status_code for _ in range(11)]
    assert codes == [200] * 10 + [429] and len(there.got) == 10


def test_an_endpoint_that_nobody_answers_at_is_told_as_such(there: Receiver):
    hook, _ = hooking.subscribe(
        Owner.of_people(make_organization()), event="order.created", url="http://127.0.0.1:9999/", actor=ACTOR
    )
    answer = trying.test(hook.endpoint, event="order.created", actor=ACTOR)
    assert (answer.status, answer.error, answer.is_success) == (None, "unreachable", False)


def test_one_whose_secrets_cannot_be_opened_is_told_as_such():
    hook = make_hook()
    Endpoint.objects.update(sealed="lost:AAAA")
    with pytest.raises(Problem) as refused:
        trying.test(hook.endpoint, event="order.created", actor=ACTOR)
    assert (refused.value.code, "cannot be opened" in refused.value.detail) == ("conflict", True)


# ---- Filters


def happened(product: Any, count: int = 1, **fields: Any) -> list[Event]:
    known = {"type": "product.updated", "entity": "product", "entity_id": str(product.pk)}
    return [
        make_event(organization=product.organization, sequence=number, **known | fields)
        for number in range(7, 7 + count)
    ]


def listed_by(shop: Any) -> Any:
    product = make_product(organization=shop.organization)
    make_listing(shop=shop, product=product)
    return product


def seen(owner: Owner, **fields: Any) -> list[tuple[int, bool]]:
    found = trying.preview(owner, **{"event": "product.updated", "filter": []} | fields)
    return [(event.pk, event.passes) for event in found]


def test_a_filter_is_tried_on_the_last_events_that_one_may_hear_of(partner):
    shop, token = open_shop(partner)
    mine, foreign = listed_by(shop), make_product(organization=shop.organization)
    events = happened(mine, 2)
    happened(foreign, 2)
    wanted = {"event": "product.updated", "filter": [{"field": "sku", "value": mine.sku}]}
    found = post("/preview", token, wanted)
    assert [(one["id"], one["passes"]) for one in found["data"]] == [(events[1].pk, True), (events[0].pk, True)]
    assert (found["passing"], found["data"][0]["data"]["sku"]) == (2, mine.sku)
    everything = post("/preview", make_key(user=make_member(organization=shop.organization)), wanted)
    assert (everything["passing"], len(everything["data"])) == (2, 4)
    assert post("/preview", make_key(user=make_member()), wanted) == {"passing": 0, "data": []}
    assert wrong(call("POST", "v1/hooks/preview", {"event": "moon.risen"}, token=token)) == ["event"]


def test_a_key_tries_on_what_its_integration_may_hear_of_or_one_of_its_shops():
    custom = make_custom_integration()
    first, second = make_shop(integration=custom), make_shop(integration=custom)
    (one,), (two,) = happened(listed_by(first)), happened(listed_by(second))
    happened(make_product(organization=custom.organization))
    assert seen(Owner(custom.organization, custom)) == [(two.pk, True), (one.pk, True)]
    assert seen(Owner(custom.organization, custom, first)) == [(one.pk, True)]
    custom.org_wide_access = True
    assert len(seen(Owner(custom.organization, custom))) == 3


def test_no_more_are_looked_at_than_asked_for_and_nothing_is_changed():
    product = make_product()
    events = happened(product, 3)
    owner = Owner.of_people(product.organization)
    assert seen(owner, most=2) == [(events[2].pk, True), (events[1].pk, True)]
    assert seen(owner, event="product.created") == []
    assert set(Event.objects.values_list("data", flat=True)) == {event.data for event in events} == {None}


def test_what_an_event_says_itself_is_what_a_filter_sees():
    product = make_product(sku="NOW")
    happened(product, data={"sku": "THEN"})
    owner = Owner.of_people(product.organization)
    assert [passes for _, passes in seen(owner, filter=[{"field": "sku", "value": "THEN"}])] == [True]
    assert [passes for _, passes in seen(owner, filter=[{"field": "sku", "value": "NOW"}])] == [False]
    with pytest.raises(Problem):
        seen(owner, filter=[{"field": "moon", "value": 1}])
