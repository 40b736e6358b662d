"""The pages of unknown SKUs and of SKU pairs, as owners use them, without JavaScript."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from apps.audit.trail import Actor
from apps.catalog import remapping
from apps.catalog.models import Listing, Product, SkuMapping, WaitingSku
from apps.catalog.pairs import Pair
from apps.shops.models import Shop

from ...factories import make_integration, make_product, make_shop, make_unlinked

ACTOR = Actor("anna@great-hats.example")


@pytest.fixture
def integration(owner):
    return make_integration(organization=owner.organization, name="Hat shop")


@pytest.fixture
def shop(integration):
    return make_shop(integration=integration, name="Main Street", creates_products=False)


def page(client, name, integration, **query):
    return client.get(reverse(name, args=[integration.pk]), query)


def post(client, name, integration, **data):
    return client.post(reverse(name, args=[integration.pk]), data, follow=True)


def told(answer):
    return [str(message) for message in answer.context["messages"]]


def skus(answer):
    return [row.sku for row, _suggestions in answer.context["rows"]]


# ---- Unknown SKUs


def test_the_list_says_what_each_may_be_and_why(owner_client, integration, shop):
    make_product(organization=shop.organization, sku="HAT-1", name="Red hat")
    make_unlinked(shop=shop, sku="hat1", name="Red hat")
    make_unlinked(sku="strangers")
    answer = page(owner_client, "unknown-skus", integration)
    assert skus(answer) == ["hat1"]
    assert "same SKU but for case, spaces or dashes, same name" in answer.text
    assert "Hat shop: 1 SKU" in owner_client.get("/").text


@pytest.mark.parametrize("rows", [1, 3])
def test_the_page_costs_the_same_for_many(rows, owner_client, integration, shop, django_assert_max_num_queries):
    for n in range(rows):
        make_unlinked(shop=shop, sku=f"HAT-{n}")
    with django_assert_max_num_queries(13):
        assert len(skus(page(owner_client, "unknown-skus", integration))) == rows


def test_one_press_accepts_a_suggestion_and_one_takes_it_back(owner_client, integration, shop):
    product = make_product(organization=shop.organization, sku="OURS-1")
    listing = make_unlinked(shop=shop, sku="HAT-1")
    answer = post(owner_client, "answer-sku", integration, sku="HAT-1", product=product.pk)
    assert told(answer) == ["HAT-1 is OURS-1 from now on."]
    assert (skus(answer), answer.context["undo"]) == ([], "1")
    listing.refresh_from_db()
    assert listing.product == product
    assert SkuMapping.objects.get().created_by.email == "owner@example.com"
    answer = post(owner_client, "undo-skus", integration, version=1)
    assert (told(answer), skus(answer)) == (["Undone."], ["HAT-1"])


def test_nothing_is_undone_when_somebody_saved_since(owner_client, integration, shop):
    product = make_product(organization=shop.organization, sku="OURS-1")
    make_unlinked(shop=shop, sku="HAT-1")
    post(owner_client, "answer-sku", integration, sku="HAT-1", product=product.pk)
    remapping.save(integration, [Pair("HAT-1", "OURS-1"), Pair("A", "B")], origin=SkuMapping.Origin.API, actor=ACTOR)
    answer = post(owner_client, "undo-skus", integration, version=1)
    assert told(answer) == ["Somebody saved version 2 meanwhile. Look at it, and save again."]
    assert skus(answer) == []


@pytest.mark.parametrize("version", ["0", "-1", "x", "9" * 10])
def test_undoing_what_is_no_version_changes_nothing(owner_client, integration, version):
    assert told(post(owner_client, "undo-skus", integration, version=version)) == [f"There is no version {version}."]
    assert not SkuMapping.objects.exists()


def test_the_sku_of_a_product_may_be_typed(owner_client, integration, shop):
    make_product(organization=shop.organization, sku="OURS-1")
    make_product(sku="STRANGERS")
    make_unlinked(shop=shop, sku="HAT-1")
    answer = post(owner_client, "answer-sku", integration, sku="HAT-1", ours="STRANGERS")
    assert told(answer) == ["We know no product with the SKU “STRANGERS”."]
    answer = post(owner_client, "answer-sku", integration, sku="HAT-1", ours="OURS-1")
    assert told(answer) == ["HAT-1 is OURS-1 from now on."]


def test_a_sku_becomes_a_product_or_is_put_aside_and_brought_back(owner_client, integration, shop):
    make_unlinked(shop=shop, sku="HAT-1")
    make_unlinked(shop=shop, sku="HAT-2")
    assert skus(post(owner_client, "answer-sku", integration, sku="HAT-1", do="new")) == ["HAT-2"]
    assert Product.objects.get().sku == "HAT-1"
    assert skus(post(owner_client, "answer-sku", integration, sku="HAT-2", do="ignore")) == []
    assert skus(page(owner_client, "unknown-skus", integration, ignored="")) == ["HAT-2"]
    assert skus(post(owner_client, "answer-sku", integration, sku="HAT-2", do="heed")) == ["HAT-2"]


@pytest.mark.parametrize(
    "given",
    [
        {"sku": "GONE", "do": "ignore"},
        {"sku": "GONE", "do": "new"},
        {"sku": "HAT-1"},
        {"sku": "x\x00", "ours": "\x00"},
        {},
    ],
)
def test_an_answer_that_makes_no_sense_changes_nothing(owner_client, integration, shop, given):
    make_unlinked(shop=shop, sku="HAT-1")
    answer = post(owner_client, "answer-sku", integration, **given)
    assert (answer.status_code, len(told(answer)), skus(answer)) == (200, 1, ["HAT-1"])


def test_all_that_are_sure_are_counted_first_and_then_accepted_at_once(owner_client, integration, shop):
    for n in range(3):
        make_product(organization=shop.organization, sku=f"HAT-{n}")
        make_unlinked(shop=shop, sku=f"hat{n}")
    make_unlinked(shop=shop, sku="SCARF")
    answer = page(owner_client, "sure-skus", integration)
    assert (answer.context["count"], Listing.objects.filter(product=None).count()) == (3, 4)
    answer = post(owner_client, "sure-skus", integration)
    assert (told(answer), skus(answer)) == (["3 SKUs are known now."], ["SCARF"])


def test_a_shop_makes_products_of_what_is_new_or_not(owner_client, integration, shop):
    other, new = make_shop(integration=integration), make_shop(integration=integration)
    assert page(owner_client, "unknown-skus", integration).text.count('type="hidden" name="shop"') == 3
    post(owner_client, "decide-skus", integration, shop=[shop.pk, other.pk], creates=shop.pk)
    is_on = {shop.pk: True, other.pk: False, new.pk: new.creates_products}
    assert dict(Shop.objects.values_list("pk", "creates_products")) == is_on
    post(owner_client, "decide-skus", integration, shop=shop.pk)
    assert dict(Shop.objects.values_list("pk", "creates_products")) == is_on | {shop.pk: False}


def test_deciding_for_no_shop_or_for_what_is_none_of_theirs_changes_nothing(owner_client, integration, shop):
    own, foreign = shop.pk, make_shop(creates_products=False).pk
    for given in (
        {},
        {"creates": own},
        {"shop": own, "creates": [own, "x"]},
        {"shop": [own, foreign], "creates": [own, foreign]},
    ):
        answer = post(owner_client, "decide-skus", integration, **given)
        assert told(answer) == ["This was too long ago. Please look at it again."]
    assert not Shop.objects.filter(creates_products=True).exists()


# ---- SKU pairs


def preview(client, integration, **data):
    return post(client, "mapping", integration, **{"based_on": 0} | data)


def test_what_is_typed_is_shown_with_what_it_would_change_and_then_saved(owner_client, integration, shop):
    make_product(organization=shop.organization, sku="OURS-1")
    make_unlinked(shop=shop, sku="HAT-1")
    answer = preview(owner_client, integration, text="HAT-1:OURS-1, HAT-2:OURS-2", note="by Anna")
    assert "1 listing becomes known" in answer.text
    assert not SkuMapping.objects.exists()
    answer = post(owner_client, "save-mapping", integration, draft=answer.context["token"])
    assert told(answer) == ["Saved as version 1."]
    assert remapping.pairs_of(integration) == [Pair("HAT-1", "OURS-1"), Pair("HAT-2", "OURS-2")]
    assert SkuMapping.objects.values_list("origin", "note").get() == ("line", "by Anna")
    assert not WaitingSku.objects.exists()


def test_the_file_that_is_downloaded_can_be_uploaded(owner_client, integration):
    remapping.save(integration, [Pair("=A", "B,1")], origin=SkuMapping.Origin.API, actor=ACTOR)
    file = page(owner_client, "mapping-csv", integration).getvalue()
    assert file == b'first,second\r\n\'=A,"B,1"\r\n'
    upload = SimpleUploadedFile("pairs.csv", file)
    assert preview(owner_client, integration, file=upload, based_on=1).context["preview"].is_empty


def test_every_wrong_line_is_named_and_what_was_typed_is_kept(owner_client, integration):
    answer = preview(owner_client, integration, text="A:B,C")
    assert answer.context["form"].errors == {"text": ["Pair 2: This is not a pair of two SKUs."]}
    assert "A:B,C" in answer.text


def test_an_older_version_is_shown_and_then_holds_again(owner_client, integration):
    for pairs in ([Pair("A", "B")], [Pair("A", "C")]):
        remapping.save(integration, pairs, origin=SkuMapping.Origin.API, actor=ACTOR)
    answer = post(owner_client, "mapping", integration, version=1)
    assert "Go back to version 1" in answer.text
    answer = post(owner_client, "save-mapping", integration, draft=answer.context["token"])
    assert told(answer) == ["Saved as version 3."]
    assert remapping.pairs_of(integration) == [Pair("A", "B")]


def test_a_preview_that_is_old_or_anothers_is_not_saved(owner_client, integration):
    token = preview(owner_client, integration, text="A:B").context["token"]
    other = make_integration(organization=integration.organization)
    assert told(post(owner_client, "save-mapping", other, draft=token)) == [
        "This was too long ago. Please look at it again."
    ]
    remapping.save(integration, [Pair("A", "C")], origin=SkuMapping.Origin.API, actor=ACTOR)
    assert told(post(owner_client, "save-mapping", integration, draft=token)) == [
        "Somebody saved version 1 meanwhile. Look at it, and save again."
    ]
    assert remapping.pairs_of(integration) == [Pair("A", "C")]


def test_a_long_list_is_a_file_and_no_field(owner_client, integration, monkeypatch):
    monkeypatch.setattr("apps.onboarding.views.mapping.TYPED", 1)
    pairs = [Pair("A", "B"), Pair("C", "D")]
    remapping.save(integration, pairs, origin=SkuMapping.Origin.API, actor=ACTOR)
    answer = preview(owner_client, integration, text="", based_on=1)
    assert answer.context["form"].errors == {"text": ["Type the pairs, or choose a file."]}
