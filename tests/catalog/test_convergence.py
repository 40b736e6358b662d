"""However a platform cuts its list into pages, orders and repeats them: afterwards we hold that list, and no more."""

from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.accounts.models import Organization
from apps.catalog.models import Listing, Product
from tests.factories import make_integration, make_organization, make_shop

from .goods import good, listed, read, rows_updated

MANY = settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))

texts = st.sampled_from(["A", "a", "007", "7", " 7", "帽子", "👒"])
measures = st.sampled_from([None, Decimal("0"), Decimal("80.125")])
items = st.builds(
    good,
    number=st.integers(1, 12),
    sku=texts,
    name=texts,
    barcodes=st.lists(texts, max_size=2).map(tuple),
    price=st.sampled_from([None, Decimal("0"), Decimal("1.5"), Decimal("19.95")]),
    quantity=st.sampled_from([None, 0, 7]),
    weight=measures,
    length=measures,
    country_of_origin=st.sampled_from(["", "EC"]),
    brand=st.sampled_from(["", "Great Hats"]),
    tags=st.lists(texts, max_size=2).map(tuple),
)
catalogues = st.lists(items, max_size=12, unique_by=lambda item: item.ext_product_id)


@st.composite
def cut_into_pages(draw, catalogue):
    """The catalogue in any order, in pages of any size, with some items told again, on the same page or another."""
    again = draw(st.lists(st.sampled_from(catalogue), max_size=4)) if catalogue else []
    told = draw(st.permutations(catalogue + again))
    size = draw(st.integers(1, 6))
    return [told[at : at + size] for at in range(0, len(told), size)]


@pytest.fixture
def shops(db):
    organization = make_organization()
    return [make_shop(integration=make_integration(organization=organization)) for _ in range(2)]


def empty_again(organization: Organization) -> None:
    Listing.objects.filter(organization=organization).delete()
    Product.objects.filter(organization=organization).delete()


@MANY
@given(data=st.data())
def test_any_cut_order_and_repetition_of_any_list_converges_to_the_list(shops, data):
    empty_again(shops[0].organization)
    for _ in range(data.draw(st.integers(1, 4))):
        shop = data.draw(st.sampled_from(shops))
        catalogue = data.draw(catalogues)
        read(shop, *data.draw(cut_into_pages(catalogue)))
        assert listed(shop) == set(catalogue)


@MANY
@given(data=st.data())
@pytest.mark.django_db(transaction=True)
def test_reading_the_same_list_again_in_any_cut_updates_nothing(data):
    shop = make_shop()
    catalogue = data.draw(catalogues)
    read(shop, *data.draw(cut_into_pages(catalogue)))
    before = rows_updated("catalog_product"), rows_updated("catalog_listing")
    assert read(shop, *data.draw(cut_into_pages(catalogue))) == 0
    assert (rows_updated("catalog_product"), rows_updated("catalog_listing")) == before
