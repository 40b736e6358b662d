import pytest

from apps.onboarding import connecting
from apps.shops.models import Connection
from apps.syncs.models import SyncRun
from tests.factories import (
    make_actor,
    make_connection,
)

from ...pages import text

State = Connection.State


def again(draft):
    return Connection.objects.get(pk=draft.pk)


@pytest.fixture
def chosen(owner, platform):
    """Everything is chosen but name and id."""
    return platform.draft(owner, name="", ext_shop_id="")


def test_name_and_id_are_filled_in_already(owner_client, chosen):
    page = owner_client.get(f"/connect/{chosen.pk}/name/").content.decode()
    assert 'value="Great Hats Online"' in page
    assert 'value="great-hats-online"' in page


def test_name_and_id_lead_to_the_review(owner_client, chosen):
    answer = owner_client.post(f"/connect/{chosen.pk}/name/", {"name": "Hats", "ext_shop_id": "hats"})
    assert answer.url == f"/connect/{chosen.pk}/check/"
    assert (again(chosen).name, again(chosen).ext_shop_id) == ("Hats", "hats")


def test_the_review_says_what_will_be_read_and_written(owner_client, draft):
    answer = owner_client.get(f"/connect/{draft.pk}/check/")
    for line in (
        "Otter: Great Hats",
        "Great Hats Online",
        "hats-1",
        "Your brands and stores: names and addresses",
        "At Otter, a note that this store is connected to us, and under which store ID",
        "Nothing has been connected yet.",
    ):
        assert line in text(answer)


@pytest.mark.parametrize("word", ["OAuth", "scope", "token", "API", "endpoint", "webhook"])
def test_no_step_speaks_of_machinery(owner_client, draft, platform, word):
    steps = ["log-in", "brand", "store", "name", "check"]
    pages = [owner_client.get(f"/connect/{draft.pk}/{step}/?stay") for step in steps]
    assert [word.lower() in text(page).lower() for page in pages] == [False] * len(steps)


def test_pressing_connect_leads_to_the_import(owner_client, draft, platform):
    answer = owner_client.post(f"/connect/{draft.pk}/check/")
    assert answer.url == f"/connect/{draft.pk}/import/"
    assert again(draft).state == State.ACTIVE
    assert platform.held() == {"Great Hats Online": "hats-1"}


def test_pressing_connect_twice_leads_to_the_same_page(owner_client, draft):
    first = owner_client.post(f"/connect/{draft.pk}/check/")
    second = owner_client.post(f"/connect/{draft.pk}/check/")
    assert first.url == second.url == f"/connect/{draft.pk}/import/"
    assert SyncRun.objects.count() == 1


@pytest.mark.parametrize("step", ["log-in", "brand", "store", "already", "name"])
def test_going_back_after_connecting_shows_the_store(owner_client, draft, step):
    owner_client.post(f"/connect/{draft.pk}/check/")
    before = Connection.objects.values().get()
    for ask in (owner_client.get, owner_client.post):
        answer = ask(f"/connect/{draft.pk}/{step}/", follow=True)
        assert answer.redirect_chain[-1][0] == f"/stores/{draft.pk}/"
    assert Connection.objects.values().get() == before


def test_going_back_to_the_review_after_connecting_shows_the_import(owner_client, draft):
    owner_client.post(f"/connect/{draft.pk}/check/")
    assert owner_client.get(f"/connect/{draft.pk}/check/").url == f"/connect/{draft.pk}/import/"


def test_a_connected_store_cannot_be_thrown_away_as_a_draft(owner_client, draft):
    owner_client.post(f"/connect/{draft.pk}/check/")
    owner_client.post(f"/connect/{draft.pk}/discard/")
    assert again(draft).state == State.ACTIVE


def test_replacing_is_announced_before_it_is_done_and_done_only_with_consent(owner_client, draft, platform):
    platform.hold(draft.store, "old")
    page = owner_client.get(f"/connect/{draft.pk}/check/")
    assert "Otter has this store connected to us already, under the ID “old”." in text(page)
    assert "the connection “old” is removed at Otter, and made anew as “hats-1”." in text(page)
    refused = owner_client.post(f"/connect/{draft.pk}/check/")
    assert (refused.status_code, platform.held()) == (200, {"Great Hats Online": "old"})
    agreed = owner_client.post(f"/connect/{draft.pk}/check/", {"replaces": "old"})
    assert agreed.url == f"/connect/{draft.pk}/import/"
    assert platform.held() == {"Great Hats Online": "hats-1"}


@pytest.mark.parametrize("replaces", ["other", "x" * 300, "old\x00", "<script>"])
def test_consent_to_replace_something_else_replaces_nothing(owner_client, draft, platform, replaces):
    platform.hold(draft.store, "old")
    answer = owner_client.post(f"/connect/{draft.pk}/check/", {"replaces": replaces})
    assert "Otter has this store connected to us already, under the ID “old”." in text(answer)
    assert platform.held() == {"Great Hats Online": "old"}
    assert again(draft).state == State.DRAFT


def test_what_another_company_has_connected_is_not_offered_for_replacing(owner_client, draft, stranger, platform):
    theirs = platform.draft(stranger, ext_shop_id="theirs")
    connecting.connect(theirs, by=make_actor(stranger))
    for answer in (
        owner_client.get(f"/connect/{draft.pk}/check/"),
        owner_client.post(f"/connect/{draft.pk}/check/", {"replaces": "theirs"}),
    ):
        assert "Another company has this store connected to us. If it is yours now, please tell us." in text(answer)
        assert "theirs" not in answer.content.decode()
        assert 'name="replaces"' not in answer.content.decode()
    assert platform.held() == {"Great Hats Online": "theirs"}


def test_an_id_that_is_taken_leads_back_to_the_box_with_the_id(owner_client, draft):
    make_connection(integration=draft.integration, ext_shop_id="hats-1")
    answer = owner_client.post(f"/connect/{draft.pk}/check/")
    assert "Another store has this ID already. Choose another one." in text(answer)
    assert 'value="hats-1"' in answer.content.decode()


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        ("server_error", "Otter has a problem of its own, so the store is not connected yet."),
        ("rate_limited", "Otter is very busy, so the store is not connected yet. Please wait a minute."),
    ],
)
def test_a_platform_in_trouble_is_told_on_the_review_and_connect_can_be_pressed_again(
    owner_client, draft, platform, kind, sentence
):
    platform.sandbox.fault(kind)
    answer = owner_client.post(f"/connect/{draft.pk}/check/")
    assert sentence in text(answer)
    assert "Nothing is lost. You can press Connect again." in text(answer)
    assert owner_client.post(f"/connect/{draft.pk}/check/").url == f"/connect/{draft.pk}/import/"


def test_a_permission_that_ended_at_the_last_moment_leads_to_logging_in(owner_client, draft, platform):
    platform.sandbox.fault("expire_token")
    assert owner_client.post(f"/connect/{draft.pk}/check/").url == f"/connect/{draft.pk}/log-in/"
    assert again(draft).ext_shop_id == "hats-1"
