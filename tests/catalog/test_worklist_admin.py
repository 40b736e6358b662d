"""Unknown SKUs and versions of mappings on the pages of the 3PL's own people."""

import re

import pytest
from django.urls import reverse

from apps.audit.trail import Actor
from apps.catalog import remapping
from apps.catalog.models import IgnoredSku, Listing, Product, SkuMapping, SkuPair, WaitingSku
from apps.catalog.pairs import Pair
from tests.conftest import press
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
    assert press(staff_client, address).status_code == 200
    assert remapping.pairs_of(integration) == [Pair("A", "B")]


def test_the_last_change_of_a_mapping_is_taken_back_from_the_page_of_a_pair(staff_client, staff, db):
    integration = make_integration()
    for pairs in ([Pair("A", "B")], [Pair("A", "C"), Pair("D", "E")]):
        remapping.save(integration, pairs, origin=SkuMapping.Origin.API, actor=Actor("anna"))
    address = reverse("admin:catalog_skupair_change_back", args=[SkuPair.objects.first().pk])
    assert "Go back to version 1?" in staff_client.get(address).text
    assert press(staff_client, address).status_code == 200
    assert (remapping.pairs_of(integration), remapping.newest(integration).actor) == ([Pair("A", "B")], staff.email)


def test_the_first_version_is_taken_back_to_none(staff_client, db):
    integration = make_integration()
    remapping.save(integration, [Pair("A", "B")], origin=SkuMapping.Origin.API, actor=Actor("anna"))
    press(staff_client, reverse("admin:catalog_skupair_change_back", args=[SkuPair.objects.get().pk]))
    assert remapping.pairs_of(integration) == []


@pytest.mark.parametrize("deed", ["skumapping_roll_back", "skupair_change_back"])
def test_a_way_back_that_was_shown_before_somebody_saved_is_not_gone(deed, staff_client, db):
    """Pressed twice, too, it is gone once: the second time would lead forward again."""
    integration = make_integration()
    saved = {"origin": SkuMapping.Origin.API, "actor": Actor("anna")}
    for pairs in ([Pair("A", "B")], [Pair("A", "C")]):
        remapping.save(integration, pairs, **saved)
    row = SkuMapping.objects.get(number=1) if deed == "skumapping_roll_back" else SkuPair.objects.get()
    address = reverse(f"admin:catalog_{deed}", args=[row.pk])
    shown = staff_client.get(address).context["form"]["based_on"].value()
    remapping.save(integration, [Pair("A", "C"), Pair("D", "E")], **saved)
    answer = staff_client.post(address, {"based_on": shown})
    assert (answer.status_code, "Somebody saved version 3 meanwhile." in answer.text) == (422, True)
    assert staff_client.post(address).status_code == 422
    assert remapping.pairs_of(integration) == [Pair("A", "C"), Pair("D", "E")]


@pytest.mark.parametrize("versions", [1, 3])
def test_a_version_says_what_differs_and_a_pair_which_versions_there_were(staff_client, db, versions):
    integration = make_integration()
    for number in range(versions):
        pairs = [Pair("A", f"B{number}"), Pair("SAME", "SAME-2")]
        remapping.save(integration, pairs, origin=SkuMapping.Origin.API, actor=Actor(f"anna-{number}"))
    newest = SkuMapping.objects.get(number=versions)
    page = staff_client.get(reverse("admin:catalog_skumapping_change", args=[newest.pk])).text
    words = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))
    former = f"B{versions - 2}" if versions > 1 else "–"
    assert f"A before: {former} → after: B{versions - 1}" in words
    assert ("SAME before:" in words) == (versions == 1)
    pair = staff_client.get(reverse("admin:catalog_skupair_change", args=[SkuPair.objects.first().pk])).text
    assert [f"anna-{number}" in pair for number in range(3)] == [number < versions for number in range(3)]
