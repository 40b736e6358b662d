"""SKU mappings and unmatched SKUs over the API."""

import json

import pytest

from apps.audit.models import Entry
from apps.audit.trail import Actor
from apps.catalog import remapping
from apps.catalog.models import Listing, SkuMapping
from apps.catalog.pairs import Pair
from apps.integrations.connectors.base import Category
from tests.factories import (
    make_custom_integration,
    make_integration,
    make_key,
    make_pair,
    make_product,
    make_shop,
    make_unlinked,
)


@pytest.fixture
def integration(db):
    return make_custom_integration(category=Category.SHOP)


@pytest.fixture
def call(client, integration):
    """A call with the integration's key: what it answered."""
    key = make_key(integration=integration)

    def send(method, path, body=None, of=integration):
        address = f"/api/v1/organizations/{of.organization_id}/integrations/{of.pk}/{path}"
        return client.generic(
            method,
            address,
            json.dumps(body) if body is not None else "",
            "application/json",
            headers={"X-Api-Key": key},
        )

    return send


def save(integration, *pairs):
    pairs = [Pair(*pair) for pair in pairs]
    return remapping.save(integration, pairs, origin=SkuMapping.Origin.LINE, actor=Actor("anna"), note="first")


def test_a_mapping_is_saved_read_and_listed_in_versions(call, integration):
    assert call("GET", "sku-mapping").json() == {"version": 0, "ours": "second", "pairs": []}
    body = {"based_on": 0, "pairs": [["B", "2"], ["A", "1"]], "note": "all"}
    saved = {"version": 1, "ours": "second", "pairs": [["A", "1"], ["B", "2"]]}
    assert call("PUT", "sku-mapping", body).json() == saved
    assert call("GET", "sku-mapping").json() == saved
    assert call("PUT", "sku-mapping", {"based_on": 1, "pairs": {"A": "1"}}).json()["version"] == 2
    page = call("GET", "sku-mapping/versions").json()
    assert [(one["version"], one["pairs"], one["origin"], one["note"], one["created_by"]) for one in page["data"]] == [
        (2, 1, "api", "", one_actor(integration)),
        (1, 2, "api", "all", one_actor(integration)),
    ]


def one_actor(integration):
    return SkuMapping.objects.filter(integration=integration).first().actor


def test_of_a_warehouse_the_first_sku_is_ours(client, db):
    warehouse = make_custom_integration()
    address = f"/api/v1/organizations/{warehouse.organization_id}/integrations/{warehouse.pk}/sku-mapping"
    assert client.get(address, headers={"X-Api-Key": make_key(integration=warehouse)}).json()["ours"] == "first"


def test_a_stale_version_is_a_conflict_and_saves_nothing(call, integration):
    save(integration, ("A", "B"))
    answer = call("PUT", "sku-mapping", {"based_on": 0, "pairs": [["A", "C"]]})
    assert (answer.status_code, answer.json()["code"]) == (409, "stale_version")
    assert remapping.pairs_of(integration) == [Pair("A", "B")]


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({"based_on": 0}, {"pairs"}),
        ({"pairs": []}, {"based_on"}),
        ({"based_on": 0, "pairs": [["A", "B"], ["A", "C"], ["D"]]}, {"pairs[1]", "pairs[2]"}),
        ({"based_on": 0, "pairs": "A:B"}, {"pairs"}),
        ({"based_on": 0, "pairs": None}, {"pairs"}),
        ({"based_on": 0, "pairs": [["A", 1]]}, {"pairs[0]"}),
        ({"based_on": -1, "pairs": []}, {"based_on"}),
        ({"based_on": 0, "pairs": [], "more": 1}, {"more"}),
    ],
)
def test_a_bad_mapping_is_refused_with_every_wrong_pair(call, integration, body, wrong):
    answer = call("PUT", "sku-mapping", body)
    assert answer.status_code == 422
    assert {detail["attribute"] for detail in answer.json()["details"]} == wrong
    assert not SkuMapping.objects.exists()


def test_a_preview_tells_what_would_change_and_changes_nothing(call, integration):
    shop = make_shop(integration=integration, name="Main Street", creates_products=False)
    make_unlinked(shop=shop, sku="HAT-1")
    make_product(organization=shop.organization, sku="OURS-1")
    entries = Entry.objects.count()
    answer = call("POST", "sku-mapping/preview", {"pairs": [["HAT-1", "OURS-1"]]})
    nothing = {"count": 0, "first": []}
    assert answer.json() == {
        "based_on": 0,
        "added": 1,
        "removed": 0,
        "changes": {
            "moved": nothing,
            "linked": {
                "count": 1,
                "first": [{"sku": "HAT-1", "shop": "Main Street", "before": None, "after": "OURS-1"}],
            },
            "unlinked": nothing,
            "created": nothing,
            "archived": nothing,
            "released": nothing,
            "published": nothing,
        },
    }
    assert (SkuMapping.objects.count(), Entry.objects.count()) == (0, entries)


def test_a_version_is_brought_back(call, integration):
    save(integration, ("A", "B"))
    save(integration, ("A", "C"))
    answer = call("POST", "sku-mapping/rollback", {"version": 1, "based_on": 1})
    assert (answer.status_code, answer.json()["code"]) == (409, "stale_version")
    assert call("POST", "sku-mapping/rollback", {"version": 7}).status_code == 404
    answer = call("POST", "sku-mapping/rollback", {"version": 1, "based_on": 2})
    assert answer.json() == {"version": 3, "ours": "second", "pairs": [["A", "B"]]}


def test_unmatched_skus_come_with_suggestions_and_a_match_is_accepted(call, integration):
    shop = make_shop(integration=integration, creates_products=False)
    product = make_product(organization=shop.organization, sku="HAT-1", name="Red hat")
    make_unlinked(shop=shop, sku="hat1", name="Red hat")
    (found,) = call("GET", "unmatched").json()["data"]
    assert found.pop("seen_at")
    assert found == {
        "sku": "hat1",
        "name": "Red hat",
        "listings": 1,
        "reports": 0,
        "times": 1,
        "suggestions": [
            {
                "product_id": product.pk,
                "sku": "HAT-1",
                "name": "Red hat",
                "confidence": "sure",
                "score": pytest.approx(0.95),
                "reasons": ["same SKU but for case, spaces or dashes", "same name"],
            }
        ],
    }
    answer = call("POST", "unmatched/accept", {"matches": [{"sku": "hat1", "product_id": product.pk}]})
    assert answer.json() == {"version": 1, "ours": "second", "pairs": [["hat1", "HAT-1"]]}
    assert Listing.objects.get().product == product
    assert call("GET", "unmatched").json()["data"] == []


@pytest.mark.parametrize("rows", [1, 3])
def test_the_list_costs_the_same_for_many(call, integration, rows, django_assert_max_num_queries):
    shop = make_shop(integration=integration, creates_products=False)
    for n in range(rows):
        make_unlinked(shop=shop, sku=f"HAT-{n}")
    with django_assert_max_num_queries(12):
        assert len(call("GET", "unmatched").json()["data"]) == rows


def test_unmatched_skus_are_paged(call, integration):
    shop = make_shop(integration=integration, creates_products=False)
    for n in range(3):
        make_unlinked(shop=shop, sku=f"HAT-{n}")
    first = call("GET", "unmatched?per_page=2").json()
    second = call("GET", f"unmatched?{first['next'].partition('?')[2]}").json()
    assert {row["sku"] for row in first["data"] + second["data"]} == {"HAT-0", "HAT-1", "HAT-2"}
    assert second["next"] is None


@pytest.mark.parametrize(
    "matches",
    [
        [],
        [{"sku": "HAT-1"}],
        [{"sku": "HAT-1", "product_id": 0}],
        [{"sku": "HAT-1", "product_id": 2**63}],
        [{"sku": "HAT-1", "product_id": 1}] * 2,
        [{"sku": "GONE", "product_id": 1}],
        "HAT-1",
    ],
)
def test_a_match_that_makes_no_sense_is_refused(call, integration, matches):
    make_unlinked(shop=make_shop(integration=integration, creates_products=False), sku="HAT-1")
    assert call("POST", "unmatched/accept", {"matches": matches}).status_code == 422
    assert not SkuMapping.objects.exists()


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "sku-mapping", None),
        ("PUT", "sku-mapping", {"based_on": 0, "pairs": []}),
        ("POST", "sku-mapping/preview", {"pairs": []}),
        ("GET", "sku-mapping/versions", None),
        ("POST", "sku-mapping/rollback", {"version": 1}),
        ("GET", "unmatched", None),
        ("POST", "unmatched/accept", {"matches": [{"sku": "A", "product_id": 1}]}),
    ],
)
def test_the_mappings_of_others_are_not_there(call, integration, method, path, body):
    neighbour = make_integration(organization=integration.organization)
    for other in (neighbour, make_integration()):
        make_pair(integration=other, first="A", second="B")
        assert call(method, path, body, of=other).status_code == 404
