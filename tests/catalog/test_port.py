"""The manual warehouse's port: find, store, pick and count (behaviours 57, 61, 63, 93)."""

import re
from uuid import uuid4

import pytest
from allauth.mfa.totp.internal.auth import TOTP
from django.contrib.auth.models import Permission

from apps.catalog.models import StockLevel, StockMovement
from tests.conftest import signed_in
from tests.factories import make_integration, make_level, make_location, make_organization, make_product, make_user
from tests.onboarding.pages import HTMX, is_part, text

BAD_PIECES = ["", "0", "-1", "1.5", "1e9", "1000000000", "9" * 400, "many", "x" * 100_000, "1\x00"]


@pytest.fixture
def customer(db):
    return make_organization(name="Great Hats")


@pytest.fixture
def product(customer):
    picture = "https://img.example/hat.png"
    return make_product(
        organization=customer, sku="HAT-1", name="Red hat", barcodes=["4006381333931"], image_src=picture
    )


@pytest.fixture
def shelf(customer):
    return make_location(organization=customer, name="A-1")


def page_of(product, query="") -> str:
    return f"/port/{product.organization_id}/{product.pk}/{query}"


def filled(client, product, deed, **given):
    """The form as the page has it, filled in."""
    page = client.get(page_of(product, f"?do={deed}"))
    entry = re.search(r'name="entry" value="([^"]+)"', page.text)[1]
    return {"do": deed, "entry": entry, "pieces": "5"} | given


def do(client, product, deed, **given):
    return client.post(page_of(product), filled(client, product, deed, **given), follow=True)


# ---- Who may


def test_the_port_is_for_people_of_the_3pl_who_may_change_stock(product, owner, stranger, staff_client, settings):
    allowed = make_user(is_staff=True)
    allowed.user_permissions.add(Permission.objects.get(codename="change_stocklevel"))
    may_look = make_user(is_staff=True)
    may_look.user_permissions.add(Permission.objects.get(codename="view_stocklevel"))
    addresses = ["/port/", f"/port/{product.organization_id}/", page_of(product), page_of(product, "why/")]
    found = {
        name: [signed_in(user).get(address).status_code for address in addresses]
        for name, user in {"owner": owner, "allowed": allowed, "looks": may_look, "new": make_user()}.items()
    }
    refused = [403] * 4
    assert found == {"owner": refused, "allowed": [200, 200, 200, 403], "looks": [403, 403, 403, 200], "new": refused}


def test_whoever_is_not_signed_in_signs_in_first(client, product):
    answer = client.get(page_of(product))
    assert answer.headers["Location"] == f"/accounts/login/?next=/port/{product.organization_id}/{product.pk}/"


def test_outside_the_demo_the_port_takes_a_second_factor_as_the_admin_does(staff, product):
    TOTP.activate(staff, "JBSWY3DPEHPK3PXP")
    client = signed_in(staff)
    answer = client.get("/port/", follow=True)
    assert answer.redirect_chain[-1][0] == "/accounts/2fa/reauthenticate/?next=%2Fport%2F"
    assert client.post(page_of(product), {"do": "store"}).status_code == 302
    assert not StockLevel.objects.exists()


# ---- Whose goods


def test_the_only_customer_is_chosen_without_asking(staff_client, customer):
    assert staff_client.get("/port/").headers["Location"] == f"/port/{customer.pk}/"


def test_the_customer_is_remembered_until_another_is_chosen(staff_client, customer):
    other = make_organization(name="Great Shoes")
    make_organization(name="Closed", is_active=False)
    assert re.findall(r'choice-title">([^<]+)<', staff_client.get("/port/").text) == ["Great Hats", "Great Shoes"]
    staff_client.get(f"/port/{other.pk}/")
    assert staff_client.get("/port/").headers["Location"] == f"/port/{other.pk}/"
    part = staff_client.get("/port/?choose=1&q=hats", headers=HTMX)
    assert re.findall(r'choice-title">([^<]+)<', part.text) == ["Great Hats"]


def test_a_customer_that_is_closed_or_unknown_is_not_there(staff_client, db):
    closed = make_organization(is_active=False)
    codes = [staff_client.get(f"/port/{pk}/").status_code for pk in (closed.pk, uuid4())]
    assert codes == [404, 404]


# ---- Search (behaviour 63)


def test_search_shows_the_picture_how_many_there_are_and_where(staff_client, product, shelf):
    make_level(product=product, location=shelf, on_hand=5, reserved=2)
    make_level(product=product, location=make_location(shared=True, name="Grid"), on_hand=7)
    page = staff_client.get(f"/port/{product.organization_id}/", {"q": "red"})
    assert "Red hat HAT-1 · 4006381333931 A-1: 5 · Grid: 7 12 in stock" in text(page)
    assert 'src="https://img.example/hat.png"' in page.text


@pytest.mark.parametrize("code", ["HAT-1", "4006381333931", " HAT-1 "])
def test_a_code_that_is_exactly_one_products_opens_it_at_once(staff_client, product, code):
    make_product(organization=product.organization, sku="HAT-11", barcodes=["40063813339310"])
    answer = staff_client.get(f"/port/{product.organization_id}/", {"q": code})
    assert answer.headers["Location"] == page_of(product)


def test_while_typing_nothing_opens_by_itself(staff_client, product):
    address = f"/port/{product.organization_id}/?q=HAT-1"
    part = staff_client.get(address, headers=HTMX)
    assert (part.status_code, "Red hat" in part.text, "<html" in part.text) == (200, True, False)


def test_a_barcode_of_two_products_shows_both(staff_client, product):
    make_product(organization=product.organization, name="Blue hat", barcodes=["4006381333931"])
    page = staff_client.get(f"/port/{product.organization_id}/?q=4006381333931")
    assert (page.status_code, "Red hat" in page.text, "Blue hat" in page.text) == (200, True, True)


def test_goods_of_another_customer_are_not_found(staff_client, product):
    other = make_organization()
    page = staff_client.get(f"/port/{other.pk}/?q=HAT-1")
    assert "No product of this customer matches “HAT-1”" in text(page)
    assert staff_client.get(f"/port/{other.pk}/{product.pk}/").status_code == 404
    assert staff_client.get(f"/port/{other.pk}/{product.pk}/why/").status_code == 404


@pytest.mark.parametrize("rows", [1, 3])
def test_search_takes_as_many_queries_for_three_as_for_one(staff_client, customer, rows, django_assert_num_queries):
    staff_client.get(f"/port/{customer.pk}/")
    for _ in range(rows):
        product = make_product(organization=customer, name="Hat")
        for _ in range(rows):
            make_level(product=product)
    with django_assert_num_queries(10):
        staff_client.get(f"/port/{customer.pk}/?q=hat")


@pytest.mark.parametrize("query", ["x" * 100_000, "%", "<script>alert(1)</script>", "帽子 \u202e😀", "'; --"])
def test_a_strange_search_finds_nothing_and_breaks_nothing(staff_client, product, query):
    page = staff_client.get(f"/port/{product.organization_id}/", {"q": query})
    assert (page.status_code, "<script>alert" in page.text) == (200, False)


def test_without_a_location_one_is_asked_for_first(staff_client, product):
    for address in (f"/port/{product.organization_id}/", page_of(product)):
        assert f"/admin/catalog/location/add/?organization={product.organization_id}" in staff_client.get(address).text
    make_location(shared=True)
    assert "Make a location" not in staff_client.get(page_of(product)).text


# ---- Store, pick and count (behaviours 61 and 93)


def ledger():
    lines = StockMovement.objects.order_by("id")
    return list(lines.values_list("cause", "on_hand_change", "on_hand", "level__location__name", "actor"))


def test_pieces_are_stored_at_a_location_that_is_typed_and_then_at_one_that_is_chosen(
    staff_client, product, shelf, staff
):
    page = do(staff_client, product, "store", elsewhere="a-1")
    assert "5 pieces stored at A-1." in text(page)
    do(staff_client, product, "store", pieces="1", place=str(shelf.pk))
    assert ledger() == [("operator", 5, 5, "A-1", staff.email), ("operator", 1, 6, "A-1", staff.email)]


def test_pieces_are_stored_on_the_3pls_own_shelves(staff_client, product):
    make_location(shared=True, name="Grid")
    do(staff_client, product, "store", elsewhere="Grid")
    assert StockLevel.objects.values_list("organization", "on_hand").get() == (product.organization_id, 5)


def test_the_same_form_stores_once_however_often_it_is_sent(staff_client, product, shelf):
    given = filled(staff_client, product, "store", elsewhere="A-1")
    pages = [staff_client.post(page_of(product), given, follow=True) for _ in range(3)]
    assert StockLevel.objects.get().on_hand == 5
    assert "That was done already. Nothing was done twice." in text(pages[2])


def test_each_page_has_a_form_of_its_own_that_no_browser_keeps(staff_client, product, shelf):
    entries = {filled(staff_client, product, "store")["entry"] for _ in range(2)}
    assert len(entries) == 2
    assert "no-store" in staff_client.get(page_of(product)).headers["Cache-Control"]


def test_pieces_are_picked_from_where_they_lie(staff_client, product, shelf, staff):
    make_level(product=product, location=shelf, on_hand=6)
    page = do(staff_client, product, "pick", place=str(shelf.pk))
    assert "5 pieces picked from A-1." in text(page)
    assert ledger()[1:] == [("operator", -5, 1, "A-1", staff.email)]


def test_more_than_there_is_cannot_be_picked_and_nothing_changes(staff_client, product, shelf):
    level = make_level(product=product, location=shelf, on_hand=4)
    page = do(staff_client, product, "pick", place=str(shelf.pk))
    assert "Only 4 pieces are at A-1. Nothing was changed." in text(page)
    level.refresh_from_db()
    assert (level.on_hand, level.version) == (4, 1)


def test_what_was_counted_is_what_there_is_and_the_ledger_says_why(staff_client, product, shelf, staff):
    make_level(product=product, location=shelf, on_hand=4)
    page = do(staff_client, product, "count", pieces="0", place=str(shelf.pk), reason="Box was empty")
    assert "0 pieces counted at A-1." in text(page)
    line = StockMovement.objects.latest("id")
    assert (line.on_hand_change, line.on_hand, line.is_count, line.note) == (-4, 0, True, "Box was empty")


def test_a_count_takes_a_reason(staff_client, product, shelf):
    make_level(product=product, location=shelf)
    page = do(staff_client, product, "count", pieces="3", place=str(shelf.pk), reason=" ")
    assert "Please check this and try again" in page.text
    assert StockLevel.objects.get().on_hand == 10


@pytest.mark.parametrize("pieces", BAD_PIECES)
@pytest.mark.parametrize("deed", ["store", "pick"])
def test_a_bad_number_is_refused_with_a_sentence_and_changes_nothing(staff_client, product, shelf, deed, pieces):
    make_level(product=product, location=shelf)
    page = do(staff_client, product, deed, place=str(shelf.pk), pieces=pieces)
    assert (page.status_code, "Please check this and try again" in page.text) == (200, True)
    assert StockLevel.objects.get().on_hand == 10


@pytest.mark.parametrize(
    "given",
    [
        {"entry": ""},
        {"entry": "x"},
        {"place": ""},
        {"place": "x" * 100_000},
        {"place": str(uuid4())},
        {"place": "\x00"},
        {"elsewhere": "Nowhere"},
        {"elsewhere": "x" * 100_000},
        {"elsewhere": "\x00"},
        {"elsewhere": "<script>alert(1)</script>"},
    ],
)
def test_a_bad_place_or_form_is_refused_with_a_sentence_and_changes_nothing(staff_client, product, shelf, given):
    make_level(product=product, location=shelf)
    page = do(staff_client, product, "store", **{"place": str(shelf.pk)} | given)
    assert (page.status_code, "Please check this and try again" in page.text) == (200, True)
    assert "<script>alert" not in page.text
    assert StockLevel.objects.get().on_hand == 10


def test_a_link_to_a_deed_nobody_knows_offers_storing(staff_client, product, shelf):
    page = staff_client.get(page_of(product, "?do=steal"))
    assert 'name="do" value="store"' in page.text


@pytest.mark.parametrize("deed", ["", "steal", "x" * 100_000, "\x00"])
def test_a_form_that_does_not_say_what_to_do_does_nothing(staff_client, product, shelf, deed):
    given = filled(staff_client, product, "store", elsewhere="A-1") | {"do": deed}
    assert staff_client.post(page_of(product), given).status_code == 400
    assert not StockLevel.objects.exists()


def test_the_port_goes_on_with_what_was_done_last(staff_client, product, shelf):
    make_level(product=product, location=shelf)
    do(staff_client, product, "pick", place=str(shelf.pk))
    assert 'name="do" value="pick"' in staff_client.get(page_of(product)).text


@pytest.mark.parametrize("kind", ["another customer's", "a warehouse system's", "external", "closed"])
def test_nobody_stores_where_people_do_not_store(staff_client, product, shelf, kind):
    organization = product.organization
    place = {
        "another customer's": lambda: make_location(name="Other"),
        "a warehouse system's": lambda: make_location(
            name="Other", integration=make_integration(organization=organization)
        ),
        "external": lambda: make_location(name="Other", organization=organization, kind="external"),
        "closed": lambda: make_location(name="Other", organization=organization, is_active=False),
    }[kind]()
    for given in ({"elsewhere": "Other"}, {"place": str(place.pk)}):
        assert "Please check this and try again" in do(staff_client, product, "store", **given).text
    assert not StockLevel.objects.exists()


def test_a_full_place_takes_no_more_and_says_so(staff_client, product, shelf):
    make_level(product=product, location=shelf, on_hand=2**31 - 1)
    page = do(staff_client, product, "store", place=str(shelf.pk))
    assert "That is more than can be kept there. Nothing was changed." in text(page)


def test_what_a_warehouse_system_keeps_is_shown_and_not_offered(staff_client, product, customer):
    theirs = make_location(integration=make_integration(organization=customer), name="WMS", kind="external")
    make_location(organization=customer)
    make_level(product=product, location=theirs, on_hand=8)
    page = staff_client.get(page_of(product, "?do=pick"))
    assert "There is nothing to pick" in text(page)
    assert "WMS" in text(page)


# ---- Why this number


def test_the_page_that_explains_a_number_opens_from_the_port_and_the_admin(staff_client, product, shelf):
    make_level(product=product, location=shelf)
    why = page_of(product, "why/")
    assert f'href="{why}"' in staff_client.get(page_of(product)).text
    answer = staff_client.get(f"/admin/catalog/product/{product.pk}/explain/")
    assert answer.headers["Location"] == why
    page = staff_client.get(why)
    assert "10 in stock − 0 reserved = 10 available." in text(page)
    assert is_part(staff_client.get(why, headers=HTMX), of=page)
