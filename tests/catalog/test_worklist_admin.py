"""Unknown SKUs and versions of mappings on the pages of the 3PL's own people."""

import pytest
from django.urls import reverse

from apps.audit.trail import Actor
from apps.catalog import remapping
from apps.catalog.models import IgnoredSku, Listing, Product, SkuMapping, WaitingSku
from apps.catalog.pairs import Pair
from tests.factories import make_integration, make_product, make_shop, make_unlinked


@pytest.fixture
def waiting(db):
    make_unlinked(shop=make_shop(creates_products=False), sku="HAT/_41 ä", name="Red hat")
    return WaitingSku.objects.get()


def deed(client, model, name, row, **given):
    return client.post(reverse(f"admin:catalog_{model}_{name}", args=[row.pk]), given)


def test_the_page_says_what_it_may_be(staff_client, waiting):
    make_product(organization=waiting.organization, sku="hat41ä", name="Red hat")
    answer = staff_client.get(reverse("admin:catalog_waitingsku_change", args=[waiting.pk]))
    assert "hat41ä: Red hat (Sure: same SKU but for case, spaces or dashes, same name)" in answer.text
    assert "SKUs nobody knows" in staff_client.get("/admin/").text


def test_saying_what_it_is_makes_a_pair(staff_client, waiting):
    product = make_product(organization=waiting.organization, sku="OURS-1")
    make_product(sku="STRANGERS")
    answer = deed(staff_client, "waitingsku", "it_is", waiting, ours="STRANGERS")
    assert (answer.status_code, "There is no such product." in answer.text) == (422, True)
    assert deed(staff_client, "waitingsku", "it_is", waiting, ours="OURS-1").status_code == 302
    assert Listing.objects.get().product == product
    assert SkuMapping.objects.get().pairs == [["HAT/_41 ä", "OURS-1"]]


def test_it_becomes_a_product_or_is_put_aside(staff_client, waiting):
    assert deed(staff_client, "waitingsku", "ignore", waiting).status_code == 302
    assert IgnoredSku.objects.get().sku == "HAT/_41 ä"
    assert deed(staff_client, "waitingsku", "make_new", waiting).status_code == 302
    assert Product.objects.get().sku == "HAT/_41 ä"


def test_an_older_version_holds_again_after_a_look_at_what_that_changes(staff_client, db):
    integration = make_integration()
    for pairs in ([Pair("A", "B")], [Pair("A", "C")]):
        remapping.save(integration, pairs, origin=SkuMapping.Origin.API, actor=Actor("anna"))
    old = SkuMapping.objects.get(number=1)
    address = reverse("admin:catalog_skumapping_roll_back", args=[old.pk])
    assert "Pairs added: 1" in staff_client.get(address).text
    assert staff_client.post(address).status_code == 302
    assert remapping.pairs_of(integration) == [Pair("A", "B")]
