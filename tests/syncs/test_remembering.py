"""Pages that came before just so are not read again; whatever else changed what they stand for is noticed."""

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.catalog.models import KnownPage, Listing, Product
from apps.shops.models import Shop
from apps.syncs import reading
from apps.syncs.models import SyncRun
from tests.factories import make_mapping, make_run

from .platform import fresh, item, work_on, work_out

State = SyncRun.State
pytestmark = pytest.mark.django_db


@pytest.fixture
def read(run, platform, monkeypatch) -> list[int]:
    """The store was read before. How many items of each page are looked at from now on."""
    work_on(run)
    counts: list[int] = []
    sort_out = reading.importing.sort_out

    def sort_out_and_count(items):
        items = list(items)
        counts.append(len(items))
        return sort_out(items)

    monkeypatch.setattr(reading.importing, "sort_out", sort_out_and_count)
    return counts


def again(connection) -> SyncRun:
    return work_out(make_run(connection=connection))


def test_a_page_that_came_before_is_fetched_and_not_read(connection, platform, read):
    run = again(connection)
    assert read == []
    assert (run.state, run.pages, run.done, run.total, run.removed_count) == (State.SUCCEEDED, 3, 7, 7, 0)
    assert platform.asked == ["0", "1", "2"] * 2


def test_only_a_page_that_changed_is_read(connection, platform, read):
    platform.pages[1][0]["name"] = "Cap"
    run = again(connection)
    assert (read, run.updated_count, run.done) == ([3], 1, 7)
    assert Listing.objects.get(ext_product_id="p4").name == "Cap"


def test_the_same_page_in_another_place_is_read(connection, platform, read):
    platform.pages.insert(0, [item(8)])
    run = again(connection)
    assert (sum(read), run.created_count, run.done) == (8, 1, 8)


def test_a_listing_that_is_gone_here_comes_back_from_a_page_that_did_not_change(connection, platform, read):
    Listing.objects.filter(ext_product_id="p5").update(removed_at=timezone.now())
    run = again(connection)
    assert (run.state, run.done, 3 in read) == (State.SUCCEEDED, 7, True)
    assert Listing.objects.get(ext_product_id="p5").removed_at is None


def test_a_listing_that_changed_since_is_read_again(connection, platform, read):
    """A run that broke off may have met it on another page, saying something else."""
    later = timezone.now() + timedelta(minutes=1)
    Listing.objects.filter(ext_product_id="p5").update(name="Something else", updated_at=later)
    again(connection)
    assert Listing.objects.get(ext_product_id="p5").name == "Hat 5"


def test_a_listing_that_was_unlinked_is_read_again(connection, platform, read):
    Listing.objects.filter(ext_product_id="p5").update(product=None, status="unlinked", describes_product=False)
    again(connection)
    assert Listing.objects.get(ext_product_id="p5").product == Product.objects.get(sku="HAT-5")


def test_other_pairs_of_skus_make_every_page_be_read(connection, platform, read):
    make_mapping(integration=connection.integration)
    again(connection)
    assert read == [3, 3, 1]


def test_another_choice_on_new_products_makes_every_page_be_read(connection, platform, read):
    Shop.objects.update(creates_products=False)
    again(connection)
    assert read == [3, 3, 1]


def test_another_shops_pages_are_not_known_here(connection, platform, read):
    KnownPage.objects.update(basis="of other code")
    again(connection)
    assert read == [3, 3, 1]


def test_a_page_with_an_item_that_cannot_be_read_is_read_each_time(connection, platform, read):
    platform.pages[2] = [item(7), item(8, name="")]
    for _ in range(2):
        run = again(connection)
        assert (run.state, run.failed_count) == (State.PARTIAL, 1)
    assert read == [1, 1], "the item without a name is left out before"


def test_pages_that_do_not_come_any_more_are_forgotten(connection, platform, read):
    assert KnownPage.objects.count() == 3
    platform.pages[0][0]["name"] = "Cap"
    again(connection)
    assert KnownPage.objects.count() == 3


def test_what_a_shorter_list_lacks_is_removed_as_ever(connection, platform, read):
    platform.pages[1].pop()
    run = again(connection)
    assert (run.state, run.removed_count, run.done) == (State.SUCCEEDED, 1, 6)


def test_a_list_that_goes_round_in_circles_is_noticed_among_known_pages(connection, platform, read):
    run = make_run(connection=connection)
    KnownPage.objects.filter(items=1).update(mark=KnownPage.objects.filter(items=3).first().mark)
    work_on(run)
    assert fresh(run).error == "repeated_page"
