"""Products over the API: creating, reading, listing, deleting (Pio: contracts 1.5; behaviours 48, 49, 56 to 58, 65)."""

from datetime import timedelta
from urllib.parse import quote
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.audit.models import Entry
from apps.catalog.models import Listing, Product, StockLevel, StockMovement
from apps.integrations.models import Integration
from tests.api.calling import call, said, wrong
from tests.factories import (
    make_access_token,
    make_authorization,
    make_custom_integration,
    make_integration,
    make_key,
    make_level,
    make_listing,
    make_location,
    make_member,
    make_organization,
    make_pair,
    make_partner_integration,
    make_product,
    make_shop,
)
from tests.happenings import of_goods
from tests.skus import KEPT, REFUSED

from .goods import check
from .partners import DESCRIBED, HAT, PLAIN, create, listed, made, open_shop, read

pytestmark = pytest.mark.django_db
NOTHING = {"in_stock": 0, "reserved": 0, "available": 0, "locations": []}
NO_STOCK = "Stock is not set here: it follows from what is stored and picked."


@pytest.fixture
def integration() -> Integration:
    return make_partner_integration()


@pytest.fixture
def shop(integration):
    return open_shop(integration)[0]


@pytest.fixture
def token(shop) -> str:
    return make_access_token(authorization=shop.authorization)


def moment(value) -> str:
    return value.isoformat().replace("+00:00", "Z")


def body_of(product: Product, shop, **changes) -> dict:
    named = {name: changes.get(name, (HAT | PLAIN)[name]) for name in ("ext_product_id", "ext_variant_id", "sku")}
    return (
        {"id": product.pk, "version": 1, "archived_at": None}
        | {"created_at": moment(product.created_at), "updated_at": moment(product.updated_at)}
        | HAT
        | PLAIN
        | changes
        | {"listings": [{"shop_id": str(shop.pk), "describes_product": True} | named]}
    )


def test_adding_a_product_stores_what_is_said_of_it_and_leaves_its_stock_at_zero(shop, token):
    answer = create(token, DESCRIBED)
    product = Product.objects.get()
    assert said(answer) == (200, body_of(product, shop, **DESCRIBED))
    assert read(token, product.__dict__) == answer.json() | {"inventory": NOTHING}
    assert (product.organization, Listing.objects.get().quantity) == (shop.organization, None)
    assert (StockLevel.objects.count(), StockMovement.objects.count()) == (0, 0)
    told = of_goods().values_list("type", "entity", "entity_id", "sequence")
    assert list(told) == [("product.created", "product", str(product.pk), 1)]
    entry = Entry.objects.get(action="product.create")
    assert (entry.target_id, entry.after) == (str(product.pk), {"sku": "HAT-1", "status": "created"})
    check(shop.organization)


def test_what_is_left_out_is_empty(shop, token):
    assert said(create(token)) == (200, body_of(Product.objects.get(), shop))


@pytest.mark.parametrize("name", ["name", "sku", "ext_product_id"])
@pytest.mark.parametrize("value", ["missing", "", None, 7, ["x"], {"x": 1}])
def test_a_product_needs_a_name_an_external_id_and_a_sku(name, value, token):
    body = {key: found for key, found in HAT.items() if key != name}
    assert wrong(create(token, body if value == "missing" else body | {name: value})) == [name]
    assert Product.objects.count() == 0


@pytest.mark.parametrize("name", ["in_stock", "quantity", "available", "reserved", "inventory", "on_hand", "incoming"])
def test_no_stock_can_be_set_with_a_product(name, token):
    product = made(token)
    calls = [("POST", "v1/products"), ("PUT", f"v1/products/{product['id']}")]
    for method, path in calls:
        answer = call(method, path, HAT | {name: 5}, token=token)
        assert wrong(answer) == [name]
        assert answer.json()["details"] == [{"attribute": name, "message": NO_STOCK}]
    assert read(token, product)["inventory"] == NOTHING


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", " "),
        ("name", "x" * 2001),
        ("ext_product_id", "x" * 256),
        ("ext_variant_id", "x" * 256),
        ("ext_variant_id", None),
        ("barcodes", "871"),
        ("barcodes", [871]),
        ("barcodes", [""]),
        ("barcodes", ["x" * 256]),
        ("barcodes", ["x"] * 101),
        ("image_src", "javascript:alert(1)"),
        ("image_src", "//pictures.example.com/hat.jpg"),
        ("image_src", "https://pictures.example.com/a hat.jpg"),
        ("image_src", "https://" + "x" * 4000),
        ("hs_code", "x" * 21),
        ("country_of_origin", "nl"),
        ("country_of_origin", "NLD"),
        ("country_of_origin", "NL\n"),
        ("brand", "x" * 256),
        ("tags", ["x" * 256]),
        ("tags", None),
        ("price", "19.95"),
        ("price", {"value": "19.95"}),
        ("price", {"currency": "EUR"}),
        ("price", {"currency": "eur", "value": "1"}),
        ("price", {"currency": "EUR", "value": 19.95}),
        ("price", {"currency": "EUR", "value": "19,95"}),
        ("price", {"currency": "EUR", "value": "-1"}),
        ("price", {"currency": "EUR", "value": "NaN"}),
        ("price", {"currency": "EUR", "value": "1e5"}),
        ("price", {"currency": "EUR", "value": "1.00001"}),
        ("price", {"currency": "EUR", "value": "9" * 15}),
        ("price", {"currency": "EUR", "value": "\N{ARABIC-INDIC DIGIT ONE}"}),
        ("price", {"currency": "EUR", "value": "1", "vat": "21"}),
        ("weight", "250"),
        ("weight", True),
        ("weight", -1),
        ("weight", 0.0001),
        ("weight", 1e9),
        ("weight", 1e308),
        ("weight", 2**63),
        ("weight", 10**400),
        ("id", 7),
        ("shop_id", "3f0c2d8e-5b1a-4c59-9a41-6f0e8f6f3d11"),
        ("organization_id", "3f0c2d8e-5b1a-4c59-9a41-6f0e8f6f3d11"),
        ("version", 7),
    ],
)
def test_what_is_wrong_with_a_product_is_named(field, value, token):
    (named,) = wrong(create(token, **{field: value}))
    assert named.partition(".")[0].partition("[")[0] == field
    assert Product.objects.count() == 0


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e309", "01", "1."])
def test_what_is_no_number_of_json_is_refused(number, token):
    """IN-05."""
    body = f'{{"ext_product_id": "p1", "sku": "HAT-1", "name": "Hat", "weight": {number}}}'
    answer = call_with(body, token=token)
    assert said(answer) == (400, "malformed_request")
    assert Product.objects.count() == 0


def call_with(text: str, *, token: str):
    headers = {"Authorization": f"Bearer {token}"}
    return Client().generic("POST", "/api/v1/products", text, content_type="application/json", headers=headers)


@pytest.mark.parametrize(
    ("sent", "kept"), [("0.1", 0.1), ("250.0", 250), ("1e2", 100), ("999999999", 999999999), ("0.001", 0.001), ("0", 0)]
)
def test_a_measure_is_exact(sent, kept, token):
    """IN-05."""
    answer = call_with(f'{{"ext_product_id": "p1", "sku": "HAT-1", "name": "Hat", "weight": {sent}}}', token=token)
    assert answer.json()["weight"] == kept


@pytest.mark.parametrize(
    ("sent", "kept"), [("0.1", "0.1"), ("20.00", "20"), ("0", "0"), ("99999999999999.9999", "99999999999999.9999")]
)
def test_a_price_is_exact(sent, kept, token):
    """IN-05."""
    price = {"currency": "EUR", "value": sent}
    assert made(token, price=price)["price"] == {"currency": "EUR", "value": kept}


def test_every_sku_is_kept_as_it_was_sent_and_is_one_of_its_own():
    """IN-04. A key may call more often at once than a shop's token."""
    token = make_key(integration=make_shop(integration=make_custom_integration()).integration)
    products = [made(token, sku=sku, ext_product_id=sku, name=sku, barcodes=[sku]) for sku in KEPT]
    assert [read(token, product)["sku"] for product in products] == KEPT
    assert len({product["id"] for product in products}) == len(KEPT)
    for product, sku in zip(products, KEPT, strict=True):
        assert [product[name] for name in ("ext_product_id", "name", "barcodes")] == [sku, sku, [sku]]
        assert listed(token, f"?sku={quote(sku)}") == [sku]
        assert listed(token, f"?ext_product_id={quote(sku)}") == [sku]
        assert listed(token, f"?barcode={quote(sku)}") == [sku]


@pytest.mark.parametrize("sku", REFUSED)
def test_a_sku_that_cannot_be_kept_is_refused(sku, token):
    """IN-04."""
    status, code = said(create(token, sku=sku))
    assert (status, code) in {(400, "malformed_request"), (422, "validation_error")}
    assert Product.objects.count() == 0


def test_the_same_sku_from_a_second_shop_is_linked_and_not_doubled(shop, token):
    other, theirs = open_shop(make_partner_integration(organization=shop.organization))
    first = made(token)
    second = made(theirs, ext_product_id="theirs", name="A hat")
    assert (second["id"], second["name"], second["ext_product_id"]) == (first["id"], "Top hat", "theirs")
    assert second["listings"] == [
        {
            "shop_id": str(other.pk),
            "ext_product_id": "theirs",
            "ext_variant_id": "",
            "sku": "HAT-1",
            "describes_product": False,
        }
    ]
    assert Product.objects.get().listings.count() == 2
    assert Entry.objects.filter(action="product.create").first().after["status"] in ("created", "linked")
    check(shop.organization)


def test_a_sku_of_another_organization_is_nobodys_business(token):
    """TN-06."""
    _, theirs = open_shop(make_partner_integration())
    assert said(create(theirs))[0] == said(create(token))[0] == 200
    assert Product.objects.count() == 2


def test_a_product_that_is_sent_again_is_updated(shop, token):
    first = made(token)
    again = made(token, name="Bowler")
    assert again == first | {"name": "Bowler", "version": 2, "updated_at": again["updated_at"]}
    check(shop.organization)


def test_a_call_that_is_sent_again_has_its_effect_once(token):
    key = {"Idempotency-Key": "one"}
    first, again = (call("POST", "v1/products", HAT, token=token, headers=key) for _ in range(2))
    assert (again.json(), again.headers["Idempotency-Replayed"]) == (first.json(), "true")
    assert of_goods().count() == 1


def test_ids_under_which_another_sku_is_listed_are_refused(token):
    made(token)
    assert said(create(token, sku="HAT-2")) == (400, "ext_product_id_already_exists")
    assert list(Product.objects.values_list("sku", flat=True)) == ["HAT-1"]


def test_a_product_may_be_listed_under_several_ids(shop, token):
    made(token)
    product = made(token, ext_variant_id="red")
    assert [listing["ext_variant_id"] for listing in product["listings"]] == ["", "red"]
    assert (product["ext_product_id"], product["ext_variant_id"]) == ("p1", "")


def test_a_shop_that_adds_no_products_links_what_is_known_and_is_refused_the_rest(shop, token):
    shop.creates_products = False
    shop.save()
    assert said(create(token)) == (409, "not_linked")
    known = make_product(organization=shop.organization, sku="HAT-1")
    assert made(token)["id"] == known.pk
    assert Listing.objects.count() == 1


def test_an_sku_that_is_mapped_is_linked_to_ours(shop, token):
    make_pair(integration=shop.integration, first="HAT-1", second="OUR-HAT")
    product = made(token)
    assert (product["sku"], product["listings"][0]["sku"]) == ("OUR-HAT", "HAT-1")


def test_a_token_without_a_shop_creates_no_product(integration):
    token = make_access_token(authorization=make_authorization(integration=integration))
    for path, body in (("v1/products", HAT), ("v1/products/bulk", {"products": [HAT]})):
        assert said(call("POST", path, body, token=token)) == (403, "shop_required")
    assert listed(token) == []
    assert Product.objects.count() == 0


def test_a_token_sees_only_the_products_of_its_own_shop(integration, token):
    _, other = open_shop(integration)
    mine, theirs = made(token), made(other, sku="HAT-2")
    shared = [made(one, sku="HAT-3", ext_product_id="p3") for one in (token, other)]
    assert (listed(token), listed(other)) == (["HAT-1", "HAT-3"], ["HAT-2", "HAT-3"])
    assert shared[0]["id"] == shared[1]["id"]
    assert [len(product["listings"]) for product in shared] == [1, 1]
    for method, body in (("GET", None), ("PUT", {"name": "Mine"}), ("DELETE", None)):
        assert said(call(method, f"v1/products/{theirs['id']}", body, token=token)) == (404, "product_not_found")
    assert read(other, theirs)["name"] == "Top hat"
    assert mine["id"] != theirs["id"]


def test_a_key_sees_what_the_shops_of_its_integration_list_and_with_its_organization_all(integration):
    organization = integration.organization
    key = make_key(integration=make_custom_integration(organization=organization))
    wide = make_key(integration=make_custom_integration(organization=organization, org_wide_access=True))
    person = make_key(user=make_member(organization=organization))
    made(open_shop(integration)[1])
    make_listing(product=make_product(sku="STRANGER"))
    assert [listed(one) for one in (key, wide, person)] == [[], ["HAT-1"], ["HAT-1"]]


def test_a_key_names_its_shop_unless_it_has_only_one():
    integration = make_custom_integration()
    key = make_key(integration=integration)
    assert said(create(key)) == (403, "shop_required")
    one = make_shop(integration=integration)
    assert made(key)["listings"][0]["shop_id"] == str(one.pk)
    two = make_shop(integration=integration)
    assert wrong(create(key, sku="HAT-2")) == ["shop_id"]
    answer = call("POST", f"v1/products?shop_id={two.pk}", HAT, token=key)
    assert [listing["shop_id"] for listing in answer.json()["listings"]] == [str(one.pk), str(two.pk)]
    assert listed(key, f"?shop_id={one.pk}") == listed(key, f"?shop_id={two.pk}") == ["HAT-1"]
    assert listed(key, f"?shop_id={two.pk}&ext_product_id=p1") == ["HAT-1"]


@pytest.mark.parametrize(("shop_id", "refusal"), [("7", (422, "validation_error")), (uuid4(), (404, "shop_not_found"))])
def test_a_shop_that_is_none_is_refused(shop_id, refusal, token):
    product = made(token)
    for method, path, body in (
        ("POST", "v1/products", HAT),
        ("POST", "v1/products/bulk", {"products": [HAT]}),
        ("GET", "v1/products", None),
        ("PUT", f"v1/products/{product['id']}", {"name": "Hat"}),
        ("DELETE", f"v1/products/{product['id']}", None),
    ):
        assert said(call(method, f"{path}?shop_id={shop_id}", body, token=token)) == refusal, (method, path)


def test_what_a_platform_lists_is_changed_at_the_platform(owner):
    product = make_listing(shop=make_shop(integration=make_integration(organization=owner.organization))).product
    key = make_key(user=owner)
    shop = product.listings.get().shop
    assert said(call("POST", f"v1/products?shop_id={shop.pk}", HAT, token=key)) == (409, "conflict")
    assert said(call("PUT", f"v1/products/{product.pk}", {"name": "Mine"}, token=key)) == (409, "conflict")
    assert said(call("DELETE", f"v1/products/{product.pk}", token=key)) == (409, "conflict")
    assert said(create(key)) == (403, "shop_required")


def test_a_list_is_narrowed_by_what_is_known_of_a_product(token):
    made(token, barcodes=["871", "872"])
    made(token, sku="CAP-1", ext_product_id="p2", name="Red cap", barcodes=["873"])
    now = timezone.now()
    Product.objects.filter(sku="HAT-1").update(updated_at=now - timedelta(days=2))
    Product.objects.filter(sku="CAP-1").update(updated_at=now)
    since = quote((now - timedelta(days=1)).isoformat())
    found = {
        query: listed(token, f"?{query}")
        for query in (
            "sku=HAT-1", "sku=hat-1", "ext_product_id=p2", "barcode=872", "barcode=87", "q=red", "q=cap%20red",
            "q=red%20hat", "q=87", f"updated_since={since}", "archived=false", "archived=true", "q=HAT&sku=CAP-1",
        )
    }  # fmt: skip
    assert found == {
        "sku=HAT-1": ["HAT-1"],
        "sku=hat-1": [],
        "ext_product_id=p2": ["CAP-1"],
        "barcode=872": ["HAT-1"],
        "barcode=87": [],
        "q=red": ["CAP-1"],
        "q=cap%20red": ["CAP-1"],
        "q=red%20hat": [],
        "q=87": ["CAP-1", "HAT-1"],
        f"updated_since={since}": ["CAP-1"],
        "archived=false": ["CAP-1", "HAT-1"],
        "archived=true": [],
        "q=HAT&sku=CAP-1": [],
    }


@pytest.mark.parametrize(
    "query",
    ["updated_since=yesterday", "archived=7", "sku=", "barcode=" + "x" * 256, "q=" + "x" * 201],
)
def test_a_filter_that_makes_no_sense_is_named(query, token):
    assert wrong(call("GET", f"v1/products?{query}", token=token)) == [query.partition("=")[0]]


def test_a_filter_that_nothing_can_hold_is_refused(token):
    for name in ("sku", "q", "ext_product_id", "barcode"):
        assert said(call("GET", f"v1/products?{name}=%00", token=token)) == (400, "malformed_request")
        assert listed(token, f"?{name}=%ED%A0%BC") == []  # half a character arrives as one that stands for any


def test_a_list_comes_in_pages_in_the_order_of_the_skus(token):
    for number in (3, 1, 2):
        made(token, sku=f"HAT-{number}", ext_product_id=f"p{number}")
    first = call("GET", "v1/products?per_page=2&q=hat", token=token).json()
    second = call("GET", first["next"].partition("/api/")[2], token=token).json()
    assert [product["sku"] for product in first["data"] + second["data"]] == ["HAT-1", "HAT-2", "HAT-3"]
    assert (first["prev"], second["next"], first["per_page"]) == (None, None, 2)
    assert call("GET", second["prev"].partition("/api/")[2], token=token).json() == first


@pytest.mark.parametrize("count", [1, 3])
def test_a_list_costs_the_same_however_long(count, token, django_assert_num_queries):
    for number in range(count):
        made(token, sku=f"HAT-{number}", ext_product_id=f"p{number}")
    with django_assert_num_queries(4):
        assert len(listed(token)) == count


def test_the_list_is_read_from_the_index_of_the_skus(owner):
    """Whatever page: neither counted nor skipped, and no sort."""
    key = make_key(user=owner)
    make_product(organization=owner.organization)
    with CaptureQueriesContext(connection) as queries:
        listed(key, "?per_page=2")
    (page,) = [query["sql"] for query in queries if 'FROM "catalog_product"' in query["sql"]]
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_sort = off")
        cursor.execute(f"EXPLAIN {page}")
        plan = "\n".join(row for (row,) in cursor.fetchall())
    assert "sku_is_unique_in_an_organization" in plan and "Sort" not in plan


def test_a_product_shows_its_stock_in_all_and_where_it_is(shop, token):
    product = Product.objects.get(pk=made(token)["id"])
    shelf = make_location(organization=shop.organization, name="Shelf")
    grid = make_location(shared=True, name="Grid", kind="grid")
    closed = make_location(organization=shop.organization, name="Returns", excluded_from_totals=True)
    make_level(product=product, location=shelf, on_hand=5, reserved=2)
    make_level(product=product, location=grid, on_hand=7, reserved=1)
    make_level(product=product, location=closed, on_hand=100)
    make_level(product=make_product(organization=shop.organization), location=shelf)
    assert read(token, {"id": product.pk})["inventory"] == {
        "in_stock": 12,
        "reserved": 3,
        "available": 9,
        "locations": [
            {"in_stock": 7, "reserved": 1, "available": 6, "location_id": str(grid.pk), "kind": "grid", "name": "Grid",
             "is_counted": True},
            {"in_stock": 100, "reserved": 0, "available": 100, "location_id": str(closed.pk), "kind": "shelf",
             "name": "Returns", "is_counted": False},
            {"in_stock": 5, "reserved": 2, "available": 3, "location_id": str(shelf.pk), "kind": "shelf",
             "name": "Shelf", "is_counted": True},
        ],
    }  # fmt: skip


@pytest.mark.parametrize("where", [1, 3])
def test_reading_a_product_costs_the_same_wherever_it_is(where, shop, token, django_assert_num_queries):
    product = Product.objects.get(pk=made(token)["id"])
    for _ in range(where):
        make_level(product=product)
    with django_assert_num_queries(5):
        read(token, {"id": product.pk})


@pytest.mark.parametrize("number", ["on_hand", "reserved", "incoming", "reserved_incoming"])
def test_a_product_with_stock_cannot_be_deleted(number, shop, token):
    product = made(token)
    there = make_location(organization=shop.organization, excluded_from_totals=True)
    row = Product.objects.get()
    level = make_level(product=row, location=there, **{"on_hand": 0, number: 1})
    path = f"v1/products/{product['id']}"
    assert said(call("DELETE", path, token=token)) == (422, "product_has_stock")
    assert listed(token) == ["HAT-1"]
    StockLevel.objects.filter(pk=level.pk).update(**{number: 0})
    assert said(call("DELETE", path, token=token)) == (204, None)


def test_a_deleted_product_is_archived_and_its_ledger_stays(shop, token):
    product = made(token)
    level = make_level(product=Product.objects.get(), on_hand=0)
    assert said(call("DELETE", f"v1/products/{product['id']}", token=token)) == (204, None)
    row = Product.objects.get()
    assert (row.archived_at is None, row.version, level.movements.count()) == (False, 2, 1)
    assert list(of_goods().order_by("id").values_list("type", "sequence")) == [
        ("product.created", 1),
        ("product.archived", 2),
    ]
    assert Entry.objects.filter(action="product.delete", target_id=str(row.pk), before={"sku": "HAT-1"}).exists()
    assert said(call("GET", f"v1/products/{row.pk}", token=token)) == (404, "product_not_found")
    assert said(call("DELETE", f"v1/products/{row.pk}", token=token)) == (404, "product_not_found")
    person = make_key(user=make_member(organization=shop.organization))
    assert (listed(token, "?archived=true"), listed(person, "?archived=true")) == ([], ["HAT-1"])
    check(shop.organization)


def test_a_deleted_product_comes_back_as_the_same(shop, token):
    product = made(token)
    call("DELETE", f"v1/products/{product['id']}", token=token)
    again = made(token, name="Bowler")
    assert (again["id"], again["name"], again["archived_at"], again["version"]) == (product["id"], "Bowler", None, 3)
    check(shop.organization)


def test_a_product_that_another_shop_lists_lives_on_in_its_words(shop, token):
    _, other = open_shop(make_partner_integration(organization=shop.organization))
    product = made(token)
    made(other, ext_product_id="theirs", name="A hat")
    assert said(call("DELETE", f"v1/products/{product['id']}", token=token)) == (204, None)
    assert (listed(token), listed(other)) == ([], ["HAT-1"])
    assert read(other, product)["name"] == "A hat"
    check(shop.organization)


def test_a_key_deletes_from_the_shop_it_names():
    integration = make_custom_integration()
    key, shops = make_key(integration=integration), [make_shop(integration=integration) for _ in range(2)]
    for shop in shops:
        product = call("POST", f"v1/products?shop_id={shop.pk}", HAT, token=key).json()
    assert said(call("DELETE", f"v1/products/{product['id']}?shop_id={shops[0].pk}", token=key)) == (204, None)
    assert [listing["shop_id"] for listing in read(key, product)["listings"]] == [str(shops[1].pk)]


def test_an_id_beyond_all_numbers_is_no_products(token):
    for number in (0, 2**63, 10**30):
        assert said(call("GET", f"v1/products/{number}", token=token)) == (404, "product_not_found")


def test_creating_one_product_takes_as_many_statements_each_time(token):
    counts = []
    for number in range(3):
        with CaptureQueriesContext(connection) as queries:
            made(token, sku=f"HAT-{number}", ext_product_id=f"p{number}")
        counts.append(len(queries))
    assert counts == [counts[0]] * 3
    assert counts[0] <= 21, "\n".join(query["sql"][:150] for query in queries)


def test_organizations_are_told_apart_by_what_they_are(token):
    stranger = make_product(organization=make_organization(), sku="HAT-1")
    assert made(token)["id"] != stranger.pk
