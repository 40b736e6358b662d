"""Up to 500 products in one call, with an outcome for each: what is wrong fails alone (behaviours 48, 58; TN-05)."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.audit.models import Entry
from apps.catalog.models import Listing, Product
from tests.api.calling import call, said, wrong
from tests.factories import make_custom_integration, make_key, make_partner_integration, make_product, make_shop
from tests.happenings import of_goods
from tests.skus import KEPT

from .goods import check
from .partners import DESCRIBED, HAT, bulk, listed, made, open_shop, outcomes

pytestmark = pytest.mark.django_db
WRONG = {"status": "failed", "id": None, "code": "validation_error"}


@pytest.fixture
def opened():
    return open_shop(make_partner_integration())


@pytest.fixture
def shop(opened):
    return opened[0]


@pytest.fixture
def token(opened) -> str:
    return opened[1]


def hats(count: int, start: int = 1) -> list[dict]:
    return [DESCRIBED | {"ext_product_id": f"p{n}", "sku": f"HAT-{n:03}"} for n in range(start, start + count)]


def test_each_product_has_its_outcome(shop, token):
    made(token)
    made(token, ext_product_id="p9", sku="HAT-9")
    make_product(organization=shop.organization, sku="KNOWN")
    answer = bulk(
        token,
        HAT | {"name": "Bowler"},
        {"ext_product_id": "p2", "sku": "KNOWN", "name": "Cap"},
        {"ext_product_id": "p3", "sku": "NEW", "name": "Fez"},
        {"ext_product_id": "p4", "sku": "NEW", "name": "Fez again"},
        {"ext_product_id": "p5", "name": "No SKU"},
        HAT | {"ext_product_id": "p3", "sku": "OTHER"},
        HAT | {"ext_product_id": "p9", "sku": "HAT-2"},
        "a hat",
        HAT | {"ext_product_id": "p6", "sku": "STOCKED", "in_stock": 5},
    )
    ids = dict(Product.objects.values_list("sku", "pk"))
    good = {"code": "", "message": "", "details": []}
    results = answer.json()["results"]
    assert results[:4] == [
        {"index": 0, "status": "updated", "id": ids["HAT-1"]} | good,
        {"index": 1, "status": "linked", "id": ids["KNOWN"]} | good,
        {"index": 2, "status": "created", "id": ids["NEW"]} | good,
        {"index": 3, "status": "linked", "id": ids["NEW"]} | good,
    ]
    assert results[4] == WRONG | {
        "index": 4,
        "message": "sku: This field is required.",
        "details": [{"attribute": "sku", "message": "This field is required."}],
    }
    assert [result["code"] for result in results[5:]] == [
        "repeated_in_request",
        "ext_product_id_already_exists",
        "validation_error",
        "validation_error",
    ]
    assert [result["index"] for result in results] == list(range(9))
    assert sorted(ids) == ["HAT-1", "HAT-9", "KNOWN", "NEW"]
    entry = Entry.objects.filter(action="product.create", target_kind="shop").get()
    assert (entry.target_id, entry.after) == (str(shop.pk), {"taken": 4, "failed": 5})
    check(shop.organization)


def test_a_call_in_which_all_is_wrong_changes_nothing(token):
    assert outcomes(bulk(token, {}, None, 7, [])) == [("failed", "validation_error")] * 4
    assert (Product.objects.count(), of_goods().count()) == (0, 0)


@pytest.mark.parametrize("body", [{}, {"products": []}, {"products": {}}, {"products": None}, [HAT], {"items": [HAT]}])
def test_a_body_without_products_is_refused(body, token):
    assert said(call("POST", "v1/products/bulk", body, token=token)) == (422, "validation_error")


def test_more_than_five_hundred_are_refused(token):
    assert wrong(bulk(token, *([HAT] * 501))) == ["products"]
    assert Product.objects.count() == 0


def test_five_hundred_are_taken_at_once(shop, token):
    assert outcomes(bulk(token, *hats(500))) == [("created", "")] * 500
    assert (Product.objects.count(), of_goods().count()) == (500, 500)
    assert outcomes(bulk(token, *hats(500))) == [("updated", "")] * 500
    assert of_goods().count() == 500
    check(shop.organization)


def test_a_hundred_take_as_many_statements_as_three(token):
    counts = []
    for count, start in ((3, 1), (100, 10), (3, 200)):
        with CaptureQueriesContext(connection) as queries:
            bulk(token, *hats(count, start))
        counts.append(len(queries))
    assert counts == [counts[0]] * 3
    assert counts[0] <= 20


def test_every_sku_is_kept_as_it_was_sent(token):
    """IN-04."""
    sent = [HAT | {"ext_product_id": sku, "sku": sku} for sku in KEPT]
    assert outcomes(bulk(token, *sent)) == [("created", "")] * len(KEPT)
    assert set(Product.objects.values_list("sku", flat=True)) == set(KEPT)


def test_a_call_that_is_sent_again_has_its_effect_once(token):
    first, again = (
        call("POST", "v1/products/bulk", {"products": [HAT]}, token=token, headers={"Idempotency-Key": "one"})
        for _ in range(2)
    )
    assert again.json() == first.json()
    assert outcomes(first) == [("created", "")]


def test_a_shop_that_adds_no_products_takes_those_that_are_known(shop, token):
    shop.creates_products = False
    shop.save()
    make_product(organization=shop.organization, sku="HAT-001")
    assert outcomes(bulk(token, *hats(2))) == [("linked", ""), ("failed", "not_linked")]


def test_a_call_that_names_another_organizations_rows_takes_none_of_them(shop, token):
    """TN-05: no item names a row by an id of ours, and the shop of all of them is the caller's own."""
    theirs, their_token = open_shop(make_partner_integration())
    foreign = made(their_token)
    own = made(token)
    named = [
        HAT | {"ext_product_id": f"p{n}", "sku": f"NEW-{n}", name: value}
        for n, (name, value) in enumerate(
            [
                ("id", foreign["id"]),
                ("product_id", foreign["id"]),
                ("id", own["id"]),
                ("shop_id", str(theirs.pk)),
                ("organization_id", str(theirs.organization_id)),
            ]
        )
    ]
    assert outcomes(bulk(token, *named)) == [("failed", "validation_error")] * 5
    assert said(bulk(token, *hats(2), query=f"?shop_id={theirs.pk}")) == (404, "shop_not_found")
    both = f"?shop_id={shop.pk}&shop_id={theirs.pk}"
    assert said(bulk(token, *hats(2), query=both)) == (404, "shop_not_found")
    assert (listed(token), listed(their_token)) == (["HAT-1"], ["HAT-1"])


def test_a_key_names_its_shop():
    integration = make_custom_integration()
    key, shops = make_key(integration=integration), [make_shop(integration=integration) for _ in range(2)]
    assert wrong(bulk(key, HAT)) == ["shop_id"]
    assert outcomes(bulk(key, HAT, query=f"?shop_id={shops[1].pk}")) == [("created", "")]
    assert Listing.objects.get().shop == shops[1]
