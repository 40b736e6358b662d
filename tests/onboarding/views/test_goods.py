"""The owner's page of one product, and what their list says of its stock."""

import pytest

from apps.audit.trail import Actor
from apps.catalog import by_hand, explaining
from tests.factories import (
    make_connection,
    make_drift,
    make_level,
    make_listing,
    make_location,
    make_product,
    make_publication,
)

from ..pages import HTMX, is_part, text


@pytest.fixture
def product(owner):
    return make_product(organization=owner.organization, sku="HAT-1", name="Red hat")


@pytest.fixture
def listing(owner, product):
    return make_listing(shop=make_connection(organization=owner.organization).shop, product=product)


def test_a_product_says_in_plain_words_why_its_number_is_what_it_is(owner_client, product, listing):
    shelf = make_location(organization=product.organization, name="A-1")
    by_hand.store(product, shelf, 9, entry="1", actor=Actor("anna@foo-3pl.example"))
    by_hand.pick(product, shelf, 2, entry="2", actor=Actor("anna@foo-3pl.example"))
    make_publication(listing=listing, quantity=6, error="rejected")
    make_drift(listing=listing, ours=7, theirs=4)
    page = text(owner_client.get(f"/products/{product.pk}/"))
    for told in (
        "7 in stock − 0 reserved = 7 available.",
        "7 in stock − 0 reserved − 0 kept back = 7",
        "2 pieces picked A-1 -2 7 anna@foo-3pl.example",
        "9 pieces stored by hand A-1 +9 9 anna@foo-3pl.example",
        f"{listing.shop} says 4, and here it is 7.",
        "News is on its way there.",
        "The last number did not get there. The platform did not accept the number.",
    ):
        assert told in page


def test_a_product_that_was_never_anywhere_says_so(owner_client, product):
    page = text(owner_client.get(f"/products/{product.pk}/"))
    assert "Nobody has said yet how many there are." in page
    assert "Nothing yet. Each change will stand here with its cause, and stay." in page


def test_the_ledger_goes_on_on_the_next_page(owner_client, product, monkeypatch):
    monkeypatch.setattr(explaining, "LINES", 2)
    shelf = make_location(organization=product.organization)
    for n in range(3):
        by_hand.store(product, shelf, n + 1, entry=str(n), actor=Actor("anna"))
    first = owner_client.get(f"/products/{product.pk}/")
    older = f"/products/{product.pk}/?before={first.context['explained'].ledger.older}"
    page, part = owner_client.get(older), owner_client.get(older, headers=HTMX)
    assert ("1 piece stored by hand" in text(page), "3 pieces stored" in text(page)) == (True, False)
    assert is_part(part, of=page)


def test_what_a_warehouse_writes_is_shown_as_text(owner_client, product):
    level = make_level(product=product)
    by_hand.count(product, level.location, 3, reason="<script>alert(1)</script>", actor=Actor("anna"))
    page = owner_client.get(f"/products/{product.pk}/")
    assert ("<script>alert" in page.text, "&lt;script&gt;alert" in page.text) == (False, True)


@pytest.mark.parametrize("rows", [1, 3])
def test_a_page_takes_as_many_queries_for_three_places_and_stores_as_for_one(
    owner_client, owner, product, rows, django_assert_num_queries
):
    for _ in range(rows):
        listing = make_listing(shop=make_connection(organization=owner.organization).shop, product=product)
        make_level(product=product, reserved=1)
        make_publication(listing=listing)
        make_drift(listing=listing)
    with django_assert_num_queries(15):
        owner_client.get(f"/products/{product.pk}/")


def test_the_list_of_a_store_shows_stock_and_leads_to_the_product(owner_client, product, listing):
    make_level(product=product, on_hand=9, reserved=4)
    unlinked = make_listing(shop=listing.shop, product=product, status="unlinked", name="Who knows")
    unlinked.__class__.objects.filter(pk=unlinked.pk).update(product=None)
    connection = listing.shop.connections.get()
    page = owner_client.get(f"/stores/{connection.pk}/products/")
    assert "9 in stock · 5 available" in text(page)
    assert page.text.count(f'href="/products/{product.pk}/"') == 1
