"""The page of a store's stock that differs, and what can be done there."""

import pytest
from django.urls import reverse

from apps.shops.models import Connection, Shop
from apps.syncs.models import Drift, SyncRun

from ...factories import make_connection, make_drift, make_integration, make_publication, make_run


@pytest.fixture
def connection(owner) -> Connection:
    keyed = make_integration(connector="vendure", organization=owner.organization, secrets={"api_key": "key"})
    return make_connection(integration=keyed, ids_are_shared=False)


def page(client, connection, **query):
    return client.get(reverse("differences", args=[connection.pk]), query)


def post(client, name, connection, **data) -> list[str]:
    answer = client.post(reverse(name, args=[connection.pk]), data, follow=True)
    assert answer.status_code == 200
    return [str(message) for message in answer.context["messages"]]


def test_each_product_is_shown_with_both_numbers(owner_client, connection):
    make_drift(connection=connection)
    make_drift()
    answer = page(owner_client, connection)
    assert [(drift.ours, drift.theirs) for drift in answer.context["items"]] == [(5, 2)]
    assert ("-3" in answer.text, "Put it right" in answer.text) == (True, True)


@pytest.mark.parametrize("rows", [1, 3])
def test_the_page_costs_the_same_for_many(rows, owner_client, connection, django_assert_max_num_queries):
    for _ in range(rows):
        make_drift(connection=connection)
    with django_assert_max_num_queries(12):
        assert len(page(owner_client, connection).context["items"]) == rows


def test_pages_follow_one_another(owner_client, connection, monkeypatch):
    monkeypatch.setattr("apps.onboarding.views.differences.PAGE", 2)
    made = [make_drift(connection=connection) for _ in range(3)]
    first = page(owner_client, connection)
    second = page(owner_client, connection, after=first.context["next"])
    assert [*first.context["items"], *second.context["items"]] == made[::-1]
    assert page(owner_client, connection, after="x" * 30).context["items"] == first.context["items"]


def test_it_says_whether_there_is_nothing_or_nobody_looked(owner_client, connection):
    assert "Not compared yet" in page(owner_client, connection).text
    make_run(connection=connection, kind=SyncRun.Kind.COMPARE, state=SyncRun.State.FAILED)
    assert "did not get through" in page(owner_client, connection).text


def test_a_platform_that_tells_no_stock_says_so(owner_client, owner):
    other = make_connection(integration=make_integration(organization=owner.organization))
    assert "does not tell its stock" in page(owner_client, other).text
    assert post(owner_client, "compare", other) == ["There is nothing to compare with at the moment."]
    assert SyncRun.objects.count() == 0


def test_comparing_now_owes_a_run(owner_client, connection):
    assert post(owner_client, "compare", connection) == ["We are comparing now. Come back in a moment."]
    assert [run.kind for run in SyncRun.objects.all()] == ["compare"]


def test_chosen_ones_are_put_right_and_others_stay(owner_client, connection):
    publication = make_publication(due_at=None)
    Drift.objects.all().delete()
    first, second = make_drift(connection=connection), make_drift(connection=connection)
    assert post(owner_client, "put-right", connection, drift=[first.pk]) == ["1 product is put right."]
    assert list(Drift.objects.all()) == [second]
    publication.refresh_from_db()
    assert publication.due_at is None


@pytest.mark.parametrize("given", [{}, {"drift": "x"}, {"drift": "9" * 30}, {"drift": "-1"}])
def test_nothing_chosen_puts_nothing_right(given, owner_client, connection):
    make_drift(connection=connection)
    assert post(owner_client, "put-right", connection, **given) == ["Choose at least one product."]
    assert Drift.objects.count() == 1


def test_all_of_this_store_are_put_right_and_no_other_stores(owner_client, connection, owner):
    for _ in range(2):
        make_drift(connection=connection)
    others = make_drift(connection=make_connection(integration=connection.integration))
    strangers = make_drift()
    assert post(owner_client, "put-right", connection, all="1") == ["2 products are put right."]
    assert set(Drift.objects.all()) == {others, strangers}


def test_the_limit_is_kept_and_nonsense_is_not(owner_client, connection):
    assert post(owner_client, "drift-limit", connection, limit="3") == ["Saved."]
    for wrong in ("-1", "x", "", "1e9", "99999999"):
        assert post(owner_client, "drift-limit", connection, limit=wrong) != ["Saved."]
    assert Shop.objects.get(pk=connection.shop_id).drift_limit == 3
