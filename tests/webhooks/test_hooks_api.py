"""Hooks and endpoints over the API (Pio: contracts 1.8, behaviours 81 and 82)."""

import json
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.webhooks import hooks_api
from apps.webhooks.catalogue import EVENTS
from apps.webhooks.models import Delivery, Endpoint, Hook, SigningSecret
from tests.api.calling import call, said, wrong
from tests.catalog.partners import open_shop
from tests.concurrency import at_once
from tests.factories import (
    make_access_token,
    make_authorization,
    make_custom_integration,
    make_delivery,
    make_endpoint,
    make_hook,
    make_key,
    make_member,
    make_organization,
    make_partner_integration,
    make_shop,
)

pytestmark = pytest.mark.django_db
URL, OTHER = "https://1.1.1.1/hooks", "https://8.8.8.8/hooks"


@pytest.fixture
def organization():
    return make_organization()


@pytest.fixture
def partner(organization):
    return make_partner_integration(organization=organization)


@pytest.fixture
def token(partner) -> str:
    return open_shop(partner)[1]


@pytest.fixture
def user_key(organization) -> str:
    return make_key(user=make_member(organization=organization))


def create(token: str, **changes: Any) -> Any:
    return call("POST", "v1/hooks", {"event": "order.created", "target_url": URL} | changes, token=token)


def made(token: str, **changes: Any) -> dict[str, Any]:
    answer = create(token, **changes)
    assert answer.status_code == 200, answer.content
    return answer.json()


def ask(method: str, path: str, token: str, body: Any = None) -> Any:
    answer = call(method, f"v1/{path}", body, token=token)
    assert answer.status_code in (200, 204), answer.content
    return answer.json() if answer.content else None


def moments(row: Any, *names: str) -> dict[str, str]:
    return {name: getattr(row, name).isoformat().replace("+00:00", "Z") for name in names}


def ids(page: dict[str, Any]) -> set[str]:
    return {row["id"] for row in page["data"]}


def test_behaviour_81_a_client_written_for_pios_documents_creates_lists_updates_and_deletes(token):
    hook = call("POST", "v1/hooks", {"event_type": "inventory_levels.update", "target_url": URL}, token=token)
    row = Hook.objects.select_related("endpoint").get()
    stamps = moments(row, "created_at", "updated_at")
    shown = {
        "id": str(row.pk), "event": "inventory_levels.update", "event_type": "inventory_levels.update",
        "target_url": URL, "filter": [], "format": "pio", "endpoint_id": str(row.endpoint_id),
        "shop_id": str(row.shop_id), "integration_id": str(row.integration_id), "state": "active", **stamps,
    }  # fmt: skip
    assert said(hook) == (200, shown | {"secret": None})
    path = f"hooks/{row.pk}"
    assert ask("GET", path, token) == shown
    assert ask("GET", "hooks", token) == {"data": [shown], "prev": None, "next": None, "per_page": 25}
    changed = ask("PUT", path, token, {"event_type": "inventory_levels.update", "target_url": OTHER})
    assert changed == shown | {"target_url": OTHER, "updated_at": changed["updated_at"]}
    assert ask("DELETE", path, token) is None
    assert said(call("GET", f"v1/{path}", token=token)) == (404, "hook_not_found")


def test_behaviour_81_a_second_hook_of_an_event_is_400_as_pio_says(token):
    made(token)
    assert said(create(token, target_url=OTHER)) == (400, "hook_already_exists")
    assert Endpoint.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_behaviour_81_of_calls_at_once_one_makes_the_hook():
    token = open_shop(make_partner_integration())[1]
    answers = at_once(3, lambda: create(token).status_code)
    assert sorted(answers) == [200, 400, 400]
    assert [model.objects.count() for model in (Endpoint, Hook, SigningSecret)] == [1, 1, 1]


@pytest.mark.parametrize(
    "event", ["inventory_log.create", "inventory_levels.update", "fulfillments.create", "fulfillments.update"]
)
def test_behaviour_82_pios_four_events_can_be_asked_for(token, event):
    assert made(token, event=event)["format"] == "pio"


def test_behaviour_82_an_unknown_event_is_refused(token):
    assert wrong(create(token, event="moon.risen")) == ["event"]
    assert wrong(call("POST", "v1/hooks", {"target_url": URL}, token=token)) == ["event"]
    assert wrong(create(token, event_type="stock.changed")) == ["event_type"]


def test_a_secret_is_shown_when_its_endpoint_is_new_and_never_again(token):
    first = made(token, headers={"Authorization": "Bearer of-mine"})
    second = made(token, event="stock.changed")
    assert first["secret"].startswith("whsec_")
    assert (second["secret"], second["endpoint_id"]) == (None, first["endpoint_id"])
    shown = [ask("GET", path, token) for path in ("hooks", f"hooks/{first['id']}", "endpoints")]
    endpoint = ask("GET", f"endpoints/{first['endpoint_id']}", token)
    assert endpoint["header_names"] == ["Authorization"]
    told = json.dumps([shown, endpoint])
    assert first["secret"] not in told and "of-mine" not in told


def test_the_same_call_sent_again_under_its_key_gets_the_first_answer_with_its_secret(token):
    sent = {"headers": {"Idempotency-Key": "once"}, "token": token}
    first, again = (
        call("POST", "v1/hooks", {"event": "order.created", "target_url": URL}, **sent).json() for _ in range(2)
    )
    assert first == again and first["secret"]


@pytest.mark.parametrize(
    "url",
    [
        "http://1.1.1.1/", "ftp://1.1.1.1/", "file:///etc/passwd", "https://1.1.1.1:22/", "https://1.1.1.1:25/",
        "https://1.1.1.1:5432/", "https://1.1.1.1:6379/", "https://1.1.1.1:0/", "https://1.1.1.1:99999/",
        "javascript:alert(1)", "https://", "hooks", "https://no-such-host.invalid/",
    ],
)  # fmt: skip
def test_wo_06_what_is_not_called_over_https_at_a_port_of_the_web_is_refused(token, url):
    assert wrong(create(token, target_url=url)) == ["target_url"]


@pytest.mark.parametrize(
    "url",
    [
        "https://me@1.1.1.1/", "https://me:secret@1.1.1.1/", "https://1.1.1.1\\@8.8.8.8/", "https://1.1.1.1/#a",
        "https://1.1.1.1/\r\nHost: evil.example", "https://1.1.1.1/\n", " https://1.1.1.1/", "https://1.1.1.1/a b",
        "https://1.1.1.1/é", "https://1.1.1.1/" + "a" * 2000, "https://127.0.0.1/", "https://10.0.0.1/",
        "https://[::1]/", "https://169.254.169.254/latest/meta-data", "https://localhost/",
    ],
)  # fmt: skip
def test_wo_07_logins_line_ends_and_private_addresses_are_refused(token, url):
    assert wrong(create(token, target_url=url)) == ["target_url"]


def test_a_receivers_address_may_have_a_query(token):
    assert made(token, target_url=f"{URL}?code=7&x=%20")["target_url"] == f"{URL}?code=7&x=%20"


@pytest.mark.parametrize("own", ["https://1.1.1.1", "https://1.1.1.1:8443"])
def test_wo_18_our_own_address_is_refused(settings, token, own):
    settings.PUBLIC_URL = own
    answer = create(token, target_url="https://1.1.1.1/receive/token")
    assert wrong(answer) == ["target_url"] and "this portal itself" in answer.json()["detail"]


def test_wo_18_a_trusted_machine_is_ours_by_its_port(settings, token):
    settings.PUBLIC_URL, settings.EGRESS_ALLOWED_HOSTS = "http://127.0.0.1:8000", ["127.0.0.1", "localhost"]
    for url in ("http://127.0.0.1:8000/receive/token", "http://localhost:8000/", "http://127.0.0.1:5432/"):
        assert wrong(create(token, target_url=url)) == ["target_url"]
    assert made(token, target_url="http://127.0.0.1:8001/")


def test_bodies_say_what_is_wrong_with_them(token):
    for body, attributes in (
        ({"filter": [{"field": "moon", "value": 1}]}, ["filter[0].field"]),
        ({"filter": "state"}, ["filter"]),
        ({"headers": ["X-A"]}, ["headers"]),
        ({"headers": {"Host": "x"}}, ["headers.Host"]),
        ({"format": "xml"}, ["format"]),
        ({"target_url": None}, ["target_url"]),
        ({"enabled": True}, ["enabled"]),
    ):
        assert wrong(create(token, **body)) == attributes


# ---- Who sees and does what


def test_a_shops_token_knows_of_its_shops_hooks_a_key_of_its_integrations_a_person_of_all(organization, partner):
    shop, token = open_shop(partner)
    _, neighbour = open_shop(partner)
    custom = make_custom_integration(organization=organization)
    key, user_key = make_key(integration=custom), make_key(user=make_member(organization=organization))
    asked = [token, neighbour, key, user_key]
    found = [made(one)["id"] for one in asked]
    assert [ids(ask("GET", "hooks", one)) for one in asked] == [{found[0]}, {found[1]}, {found[2]}, set(found)]
    assert ids(ask("GET", f"hooks?shop_id={shop.pk}", user_key)) == {found[0]}
    for method, body in (("GET", None), ("PUT", {}), ("DELETE", None)):
        assert said(call(method, f"v1/hooks/{found[0]}", body, token=neighbour)) == (404, "hook_not_found")
    stranger = make_key(integration=make_custom_integration(org_wide_access=True))
    assert ids(ask("GET", "hooks", stranger)) == set()


def test_a_key_asks_for_all_its_shops_or_for_one_of_them(organization):
    custom = make_custom_integration(organization=organization)
    key, shop = make_key(integration=custom), make_shop(integration=custom)
    assert made(key)["shop_id"] is None
    assert made(key, shop_id=str(shop.pk))["shop_id"] == str(shop.pk)
    foreign = make_shop()
    assert said(create(key, shop_id=str(foreign.pk))) == (404, "shop_not_found")


def test_a_shops_token_asks_for_its_own_shop_and_is_given_no_other(partner):
    (own, token), (other, _) = open_shop(partner), open_shop(partner)
    for method, path, more in (("POST", "v1/hooks", {"target_url": URL}), ("POST", "v1/hooks/preview", {})):
        asked = {"event": "order.created", "shop_id": str(other.pk)} | more
        assert said(call(method, path, asked, token=token)) == (404, "shop_not_found"), path
    assert not Hook.objects.exists()
    assert made(token, shop_id=str(own.pk))["shop_id"] == str(own.pk)


@pytest.mark.parametrize("name", ["Ours\nBcc: all@example.com", "Ours\u2028", "\u202eOurs"])
def test_a_name_is_one_line_of_what_can_be_seen(token, name):
    assert wrong(create(token, name=f"{name}.")) == ["name"]
    endpoint = made(token)["endpoint_id"]
    assert wrong(call("PUT", f"v1/endpoints/{endpoint}", {"name": f"{name}."}, token=token)) == ["name"]
    assert ask("PUT", f"endpoints/{endpoint}", token, {"name": ""})["name"] == ""


def test_a_token_that_has_opened_no_shop_asks_for_nothing(partner):
    token = make_access_token(authorization=make_authorization(integration=partner))
    assert said(create(token)) == (403, "shop_required")
    assert said(create(token, shop_id=str(uuid4()))) == (403, "shop_required")
    assert ids(ask("GET", "hooks", token)) == set()


def test_an_event_needs_its_grant_and_so_does_sending_it_somewhere_else(organization):
    custom = make_custom_integration(organization=organization)
    full = make_key(integration=custom)
    narrow = make_key(integration=custom, all_grants=False, grants=["hooks:read", "hooks:write"])
    assert said(create(narrow)) == (403, "insufficient_scope")
    hook = made(full)
    path, endpoint = f"v1/hooks/{hook['id']}", f"v1/endpoints/{hook['endpoint_id']}"
    assert said(call("PUT", path, {"target_url": OTHER}, token=narrow)) == (403, "insufficient_scope")
    assert said(call("PUT", endpoint, {"url": OTHER}, token=narrow)) == (403, "insufficient_scope")
    preview = call("POST", "v1/hooks/preview", {"event": "order.created"}, token=narrow)
    assert said(preview) == (403, "insufficient_scope")


def test_a_machine_that_sees_its_organization_changes_its_own_hooks_alone(organization, token):
    hook = made(token)
    wide = make_key(integration=make_custom_integration(organization=organization, org_wide_access=True))
    path, endpoint = f"v1/hooks/{hook['id']}", f"v1/endpoints/{hook['endpoint_id']}"
    assert call("GET", path, token=wide).status_code == 200
    for method, where, body in (
        ("PUT", path, {"target_url": OTHER}),
        ("DELETE", path, None),
        ("POST", f"{path}/test", None),
        ("PUT", endpoint, {"url": OTHER}),
        ("POST", f"{endpoint}/rotate-secret", {}),
        ("POST", f"{endpoint}/pause", None),
        ("DELETE", endpoint, None),
    ):
        assert said(call(method, where, body, token=wide)) == (403, "forbidden"), where


def test_a_hook_whose_secrets_cannot_be_opened_is_not_tried(organization, user_key):
    hook = make_hook(endpoint=make_endpoint(organization=organization))
    Endpoint.objects.update(sealed="lost:AAAA")
    assert said(call("POST", f"v1/hooks/{hook.pk}/test", token=user_key)) == (409, "conflict")


@pytest.mark.parametrize(("method", "more"), [("PUT", ""), ("DELETE", ""), ("POST", "/test")])
def test_a_hook_whose_endpoint_goes_at_this_moment_is_told_so(organization, user_key, monkeypatch, method, more):
    hook = make_hook(endpoint=make_endpoint(organization=organization))
    find = hooks_api._hook

    def slowly(*asked: Any) -> Hook:
        found = find(*asked)
        Endpoint.objects.update(deleted_at=timezone.now())
        return found

    monkeypatch.setattr(hooks_api, "_hook", slowly)
    answer = call(method, f"v1/hooks/{hook.pk}{more}", {} if method == "PUT" else None, token=user_key)
    assert said(answer) == (404, "endpoint_not_found")


# ---- Lists


def test_lists_cost_the_same_with_one_row_and_with_three(organization, user_key):
    counts = []
    for more in (1, 2):
        for _ in range(more):
            make_hook(endpoint=make_endpoint(organization=organization))
        for path in ("hooks", "endpoints"):
            with CaptureQueriesContext(connection) as done:
                assert ask("GET", path, user_key)["data"]
            counts.append(len(done))
    assert counts[:2] == counts[2:]


def test_lists_are_paged_and_narrowed(organization, user_key):
    endpoint = make_endpoint(organization=organization)
    hooks = [make_hook(endpoint=endpoint, event=event) for event in ("order.created", "order.updated")]
    make_hook(endpoint=make_endpoint(organization=organization), event="order.created")
    assert ids(ask("GET", f"hooks?event=order.created&endpoint_id={endpoint.pk}", user_key)) == {str(hooks[0].pk)}
    page = ask("GET", "hooks?per_page=2", user_key)
    assert len(page["data"]) == 2 and page["next"]
    assert wrong(call("GET", "v1/hooks?endpoint_id=7", token=user_key)) == ["endpoint_id"]


def test_every_event_is_described_with_its_schema_and_a_message_as_it_is_sent(token):
    events = ask("GET", "hooks/events", token)["data"]
    assert [one["event"] for one in events] == list(EVENTS)
    first = events[0]
    assert set(first) == {
        "event", "entity", "grant", "summary", "is_pios", "data_schema", "message_schema", "sample",
    }  # fmt: skip
    assert json.loads(first["sample"])["type"] == first["event"]


# ---- Endpoints


def test_an_endpoint_says_how_it_is_doing_and_what_waits(token):
    hook = made(token, name="Ours")
    delivery = make_delivery(hook=Hook.objects.get())
    endpoint = ask("GET", f"endpoints/{hook['endpoint_id']}", token)
    row = Endpoint.objects.get()
    shown = {
        "id": str(row.pk), "url": URL, "name": "Ours", "format": "standard", "state": "active", "reason": "",
        "shop_id": hook["shop_id"], "integration_id": hook["integration_id"], "header_names": [],
        "health": {
            "failures": 0, "failing_since": None, "last_success_at": None, "last_error": "", "probe_at": None
        },
        **moments(row, "state_since", "created_at", "updated_at"),
    }  # fmt: skip
    assert delivery.endpoint_id == row.pk
    assert endpoint == shown | {"waiting": {"all": 1, "newest": 1, "drop": 0}, "events": ["order.created"]}
    assert ask("GET", "endpoints", token)["data"] == [shown]


def test_an_endpoint_is_changed_rotated_paused_resumed_and_removed(token):
    hook = made(token)
    path = f"endpoints/{hook['endpoint_id']}"
    changed = ask("PUT", path, token, {"url": OTHER, "name": "Ours", "headers": {"X-A": "1"}})
    assert (changed["url"], changed["name"], changed["header_names"]) == (OTHER, "Ours", ["X-A"])
    secret = ask("POST", f"{path}/rotate-secret", token, {"overlap_seconds": 0})["secret"]
    assert [one.secrets["key"] for one in SigningSecret.objects.live()] == [secret]
    assert wrong(call("POST", f"v1/{path}/rotate-secret", {"overlap_seconds": 604801}, token=token)) == [
        "overlap_seconds"
    ]
    make_delivery(hook=Hook.objects.get())
    assert ask("POST", f"{path}/pause", token)["state"] == "paused"
    assert wrong(call("POST", f"v1/{path}/resume", {}, token=token)) == ["choice"]
    assert ask("POST", f"{path}/resume", token, {"choice": "all"}) == {"sent": 1}
    assert said(call("POST", f"v1/{path}/resume", {"choice": "all"}, token=token)) == (409, "conflict")
    assert ask("DELETE", path, token) is None
    assert said(call("GET", f"v1/{path}", token=token)) == (404, "endpoint_not_found")
    assert Delivery.objects.get().state == "dropped"


def test_an_unknown_hook_or_endpoint_is_404(token):
    assert said(call("GET", f"v1/hooks/{uuid4()}", token=token)) == (404, "hook_not_found")
    assert said(call("PUT", f"v1/endpoints/{uuid4()}", {}, token=token)) == (404, "endpoint_not_found")
