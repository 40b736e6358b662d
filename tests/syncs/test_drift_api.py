"""Differences of stock over the API."""

import pytest

from apps.catalog.models import Publication
from apps.shops.models import Connection
from apps.syncs.models import Drift, SyncRun
from tests.api.calling import call, said, wrong
from tests.factories import (
    make_connection,
    make_drift,
    make_integration,
    make_key,
    make_publication,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def connection(owner) -> Connection:
    keyed = make_integration(connector="vendure", organization=owner.organization, secrets={"api_key": "key"})
    return make_connection(integration=keyed, ids_are_shared=False)


@pytest.fixture
def key(owner) -> str:
    return make_key(user=owner)


def path_of(connection: Connection, *parts: str) -> str:
    ids = ["v1/organizations", connection.organization_id, "integrations", connection.integration_id]
    return "/".join(map(str, [*ids, "stock-differences", *parts]))


def body_of(drift: Drift) -> dict:
    return {
        "product_id": drift.product_id,
        "sku": drift.product.sku,
        "shop_id": str(drift.shop_id),
        "ours": 5,
        "theirs": 2,
        "difference": -3,
        "times": drift.times,
        "found_at": drift.found_at.isoformat().replace("+00:00", "Z"),
        "seen_at": drift.seen_at.isoformat().replace("+00:00", "Z"),
    }


def test_differences_are_listed_and_only_the_integrations_own(connection, key):
    first, second = make_drift(connection=connection), make_drift(connection=connection, times=1)
    make_drift()
    for drift in (first, second):
        drift.refresh_from_db()
    answer = call("GET", path_of(connection), token=key).json()
    assert answer == {"data": [body_of(second), body_of(first)], "prev": None, "next": None, "per_page": 25}
    confirmed = call("GET", path_of(connection) + "?confirmed=true", token=key).json()
    assert confirmed["data"] == [body_of(first)]
    for address in ("?confirmed=false", ""):
        assert len(call("GET", path_of(connection) + address, token=key).json()["data"]) == 2


@pytest.mark.parametrize("word", ["maybe", "True", "1", ""])
def test_whether_they_are_confirmed_is_true_or_false(connection, key, word):
    answer = call("GET", f"{path_of(connection)}?confirmed={word}", token=key)
    assert wrong(answer) == ["confirmed"]
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("rows", [1, 3])
def test_a_list_costs_the_same_for_many(rows, connection, key, django_assert_max_num_queries):
    for _ in range(rows):
        make_drift(connection=connection)
    with django_assert_max_num_queries(5):
        assert len(call("GET", path_of(connection), token=key).json()["data"]) == rows


def test_a_persons_key_puts_the_named_ones_right(connection, key):
    first, second = make_drift(connection=connection), make_drift(connection=connection)
    publication = make_publication(listing=first.product.listings.get(), quantity=5, due_at=None)
    strangers = make_drift()
    body = {"product_ids": [first.product_id, strangers.product_id, 2**60]}
    assert said(call("POST", path_of(connection, "put-right"), body, token=key)) == (200, {"repaired": 1})
    assert set(Drift.objects.all()) == {second, strangers}
    assert Publication.objects.get(pk=publication.pk).due_at is not None


@pytest.mark.parametrize("ids", [[], ["x"], [0], [-1], [2**63], [1.5], None, [1] * 501, "1"])
def test_nonsense_is_refused(ids, connection, key):
    make_drift(connection=connection)
    answer = call("POST", path_of(connection, "put-right"), {"product_ids": ids}, token=key)
    assert said(answer) == (422, "validation_error")
    assert Drift.objects.count() == 1


def test_no_application_decides_which_side_is_right(connection):
    drift = make_drift(connection=connection)
    granted = make_key(integration=connection.integration, grants=["integrations:write"])
    answer = call("POST", path_of(connection, "put-right"), {"product_ids": [drift.product_id]}, token=granted)
    assert said(answer) == (403, "forbidden")
    assert Drift.objects.count() == 1


def test_comparing_is_an_action_of_an_integration_whose_other_side_counts(connection, key, owner):
    actions = path_of(connection).replace("stock-differences", "actions")
    offered = [action["code"] for action in call("GET", actions, token=key).json()["data"]]
    assert "compare-stock" in offered
    done = call("POST", f"{actions}/compare-stock", {}, token=key).json()
    assert (done["ok"], done["result"]["runs"]) == (True, [str(run.pk) for run in SyncRun.objects.all()])
    other = make_connection(integration=make_integration(organization=owner.organization))
    actions = path_of(other).replace("stock-differences", "actions")
    assert said(call("POST", f"{actions}/compare-stock", {}, token=key)) == (422, "unknown_action")
