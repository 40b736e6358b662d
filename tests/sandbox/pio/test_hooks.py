import pytest

from .driver import error_of

LEVELS, LOG = "inventory_levels.update", "inventory_log.create"


def test_a_hook_is_created_read_changed_listed_and_deleted(shop, listener):
    hook = shop.hook(LEVELS, listener.url)
    assert hook == {"id": hook["id"], "event_type": LEVELS, "target_url": listener.url}
    assert shop.good("GET", f"hooks/{hook['id']}") == hook
    moved = hook | {"target_url": listener.url + "/2"}
    assert shop.good("PUT", f"hooks/{hook['id']}", json={"target_url": listener.url + "/2"}) == moved
    second = shop.hook(LOG, listener.url)
    assert shop.good("GET", "hooks") == {"data": [moved, second], "next": None}
    assert shop.call("DELETE", f"hooks/{hook['id']}").status_code == 204
    assert shop.good("GET", "hooks") == {"data": [second], "next": None}


@pytest.mark.parametrize("event", [LEVELS, LOG, "fulfillments.create", "fulfillments.update"])
def test_the_four_events_that_matter_can_be_subscribed(shop, listener, event):
    assert shop.hook(event, listener.url)["event_type"] == event


def test_a_second_hook_for_an_event_is_refused(shop, listener):
    first, other = shop.hook(LEVELS, listener.url), shop.hook(LOG, listener.url)
    body = {"event_type": LEVELS, "target_url": listener.url}
    assert error_of(shop.call("POST", "hooks", json=body)) == (400, "hook_already_exists")
    assert error_of(shop.call("PUT", f"hooks/{other['id']}", json=body)) == (400, "hook_already_exists")
    assert shop.good("GET", "hooks")["data"] == [first, other]


def test_the_same_event_can_be_subscribed_by_another_shop(shop, listener):
    other = shop.client.shop()
    hooks = [each.hook(LEVELS, listener.url) for each in (shop, other)]
    assert [each.good("GET", "hooks")["data"] for each in (shop, other)] == [[hook] for hook in hooks]


def test_a_hook_of_another_shop_is_not_there(shop, listener):
    path = f"hooks/{shop.client.shop().hook(LEVELS, listener.url)['id']}"
    answers = [shop.call("GET", path), shop.call("PUT", path, json={}), shop.call("DELETE", path)]
    assert [error_of(answer) for answer in answers] == [(404, "hook_not_found")] * 3


def test_an_address_where_nothing_answers_is_refused(shop):
    body = {"event_type": LEVELS, "target_url": "http://127.0.0.1:9/"}
    assert error_of(shop.call("POST", "hooks", json=body)) == (422, "target_url_unreachable")
    assert shop.good("GET", "hooks")["data"] == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"event_type": "inventory_levels.create"}, "event_type"),
        ({"event_type": ""}, "event_type"),
        ({"event_type": [LEVELS]}, "event_type"),
        ({"target_url": ""}, "target_url"),
        ({"target_url": None}, "target_url"),
        ({"target_url": 5}, "target_url"),
        ({"target_url": "nonsense"}, "target_url"),
        ({"target_url": "ftp://127.0.0.1/"}, "target_url"),
        ({"target_url": "http://shop.example/hooks"}, "target_url"),
        ({"target_url": "http://127.0.0.1:99999/"}, "target_url"),
        ({"target_url": "http://[::1/"}, "target_url"),
        ({"target_url": "http://127.0.0.1/" + "x" * 2000}, "target_url"),
    ],
)
def test_a_bad_hook_is_refused_and_the_field_is_named(shop, changes, field):
    answer = shop.call("POST", "hooks", json={"event_type": LEVELS, "target_url": "http://127.0.0.1:9/"} | changes)
    assert answer.status_code == 422
    assert [detail["attribute"] for detail in answer.json()["details"]] == [field]
    assert shop.good("GET", "hooks")["data"] == []
