import re
from html import unescape

import pytest
from django.utils import timezone

from apps.accounts.models import Store
from apps.integrations.structure import land_stores
from apps.onboarding import connecting
from apps.onboarding.views import wizard
from apps.shops.models import Connection
from tests.factories import (
    brand_of,
    make_actor,
    make_connection,
    make_draft,
    make_integration,
    make_member,
    make_store,
)
from tests.sandbox.driver import Sandbox, start, stop

from ...pages import HTMX, choices, is_part, text
from ...platform import offer, seen_at_the_start

State = Connection.State


def again(draft):
    return Connection.objects.get(pk=draft.pk)


def test_the_stores_of_the_brand_are_offered_with_their_addresses(owner_client, branded):
    answer = owner_client.get(f"/connect/{branded.pk}/store/")
    assert choices(answer) == ["Great Hats Amsterdam", "Great Hats Antwerp", "Great Hats Online"]
    assert "Kammenstraat 61, 2000 Antwerpen, BE" in text(answer)
    assert "No address known" in text(answer)


def test_a_store_that_vanished_is_told_and_another_can_be_chosen(owner_client, branded):
    gone = make_store(brand=branded.brand, name="Closed last week")
    answer = owner_client.post(f"/connect/{branded.pk}/store/", {"store": gone.pk})
    assert "Otter does not know that store any more." in text(answer)
    assert again(branded).store is None


def test_a_connected_store_is_marked_in_the_list(owner_client, branded, platform):
    make_connection(integration=branded.integration, store=platform.store(branded.integration))
    answer = owner_client.get(f"/connect/{branded.pk}/store/")
    assert answer.content.decode().count("badge-success") == 1


def test_of_a_store_that_is_connected_it_is_said_by_whom_and_since_when(owner, owner_client, branded, platform):
    colleague = make_member(organization=owner.organization, email="colleague@example.com")
    store = platform.store(branded.integration)
    other = make_connection(integration=branded.integration, store=store, connected_by=colleague)
    answer = owner_client.post(f"/connect/{branded.pk}/store/", {"store": store.pk}, follow=True)
    assert answer.redirect_chain == [(f"/connect/{branded.pk}/already/", 302)]
    assert "Great Hats Online is connected already" in text(answer)
    assert f"By colleague@example.com, since {other.connected_at:%b.} {other.connected_at.day}" in text(answer)
    page = answer.content.decode()
    offered = [f"/stores/{other.pk}/", f"/stores/{other.pk}/log-in/", f"/stores/{other.pk}/id/"]
    assert [href for href in re.findall(r'class="choice" href="([^"]+)"', page)] == offered


def test_another_organizations_connection_of_the_store_is_not_told_about(owner_client, branded, stranger, platform):
    theirs = platform.draft(stranger)
    connecting.connect(theirs, by=make_actor(stranger))
    store = platform.store(branded.integration)
    answer = owner_client.post(f"/connect/{branded.pk}/store/", {"store": store.pk})
    assert answer.url == f"/connect/{branded.pk}/name/"


def test_three_thousand_stores_arrive_in_pieces_and_can_be_chosen_from_meanwhile(
    owner, owner_client, settings, monkeypatch, tmp_path
):
    process, url = start(tmp_path / "sandbox.sqlite3")
    crowded = Sandbox(url)
    platform = offer(crowded, world=seen_at_the_start(crowded), settings=settings)
    crowded.control("POST", "stores", json={"brand": crowded.brand("Little Brims")["id"], "count": 3_000})
    draft = make_draft(integration=platform.integration(owner.organization), created_by=owner)
    brand = platform.store(draft.integration, "Little Brims Köln").brand
    Connection.objects.update(brand=brand)
    monkeypatch.setitem(land_stores.__kwdefaults__, "seconds", 0.1)
    address = f"/connect/{draft.pk}/store/"
    first = owner_client.get(address)
    assert "More are on their way" in text(first)
    assert len(choices(first)) == 20
    assert 'hx-trigger="load' in first.content.decode()
    counts = [Store.objects.count()]
    while "on their way" in text(owner_client.get(address, headers=HTMX)):
        counts.append(Store.objects.count())
    assert len(counts) > 2
    assert (counts, brand.stores.count()) == (sorted(set(counts)), 3_001)
    crowded.close()
    stop(process)


def draft_with(stores, *, of):
    """A draft of a brand with so many stores, two of each name, all of which have arrived."""
    draft = make_draft(integration=make_integration(organization=of.organization), created_by=of)
    brand = brand_of(draft.integration, name="Brims", stores_listed_at=timezone.now())
    Store.objects.bulk_create(
        Store(organization=of.organization, brand=brand, name=f"Brims {n // 2:04}", address=f"{n} Hat Street")
        for n in range(stores)
    )
    Connection.objects.filter(pk=draft.pk).update(brand=brand)
    return draft


def test_three_thousand_stores_are_searched_and_paged_through_completely_and_without_repeats(
    owner, owner_client, monkeypatch
):
    monkeypatch.setattr(wizard, "PAGE", 399)  # odd, so that pages end between two stores of one name
    here = f"/connect/{draft_with(3_000, of=owner).pk}/store/"
    assert choices(owner_client.get(f"{here}?q=brims+2999+STREET")) == ["Brims 1499"]
    address, found = here, []
    while address:
        page = owner_client.get(address)
        found += re.findall(r"(\d+) Hat Street", text(page))
        following = re.search(r'rel="next" href="([^"]+)"', page.content.decode())
        address = unescape(following[1]) if following else None
    assert len(found) == 3_000
    assert set(map(int, found)) == set(range(3_000))


def test_a_search_that_finds_nothing_says_so(owner, owner_client):
    nothing = owner_client.get(f"/connect/{draft_with(30, of=owner).pk}/store/?q=<b>nowhere")
    assert "No store matches “<b>nowhere”" in text(nothing)
    assert b"<b>nowhere" not in nothing.content


@pytest.mark.parametrize(("query", "queries"), [("", 10), ("?q=brims", 10), ("?stay&q=brims", 9)])
@pytest.mark.parametrize("stores", [3, 300])
def test_a_page_of_stores_takes_as_many_queries_with_three_stores_as_with_hundreds(
    owner, owner_client, stores, query, queries, django_assert_num_queries
):
    address = f"/connect/{draft_with(stores, of=owner).pk}/store/{query}"
    with django_assert_num_queries(queries):
        owner_client.get(address)


def test_htmx_gets_the_list_of_stores_as_it_stands_on_the_page(owner, owner_client):
    address = f"/connect/{draft_with(60, of=owner).pk}/store/?q=brims"
    assert is_part(owner_client.get(address, headers=HTMX), of=owner_client.get(address))
