"""What is kept back of an integration's stock, and how a shop's catalogue is taken in, decided in the admin."""

import pytest

from apps.audit.models import Entry
from tests.conftest import signed_in
from tests.factories import make_connection, make_listing, make_publication, make_user
from tests.onboarding.pages import text


@pytest.fixture
def shop(db):
    return make_connection().shop


def test_pieces_are_kept_back_and_the_platform_is_owed_the_new_number(staff_client, staff, shop):
    publication = make_publication(listing=make_listing(shop=shop), due_at=None)
    address = f"/admin/integrations/integration/{shop.integration_id}/keep_back/"
    assert "How much does" in text(staff_client.get(address))
    staff_client.post(address, {"pieces": "3"})
    shop.integration.refresh_from_db()
    publication.refresh_from_db()
    assert (shop.integration.stock_buffer, publication.due_at is None) == (3, False)
    entry = Entry.objects.get(action="integration.change")
    assert (entry.actor, entry.before, entry.after) == (staff.email, {"stock_buffer": 0}, {"stock_buffer": 3})


def test_the_hold_of_new_orders_is_changed_and_the_trail_says_who(staff_client, staff, shop):
    address = f"/admin/integrations/integration/{shop.integration_id}/hold_orders/"
    assert "How long are new orders of" in text(staff_client.get(address))
    staff_client.post(address, {"order_hold_seconds": "604800"})
    shop.integration.refresh_from_db()
    entry = Entry.objects.get(action="integration.change")
    assert (shop.integration.order_hold_seconds, entry.actor) == (604_800, staff.email)
    assert (entry.before, entry.after) == ({"order_hold_seconds": 600}, {"order_hold_seconds": 604_800})
    assert staff_client.post(address, {"order_hold_seconds": "604801"}).status_code == 422


def test_a_shops_catalogue_is_adjusted_and_the_trail_says_so(staff_client, staff, shop):
    address = f"/admin/shops/shop/{shop.pk}/adjust/"
    staff_client.post(address, {"drift_limit": "5"})
    shop.refresh_from_db()
    assert (shop.creates_products, shop.drift_limit) == (False, 5)
    entries = Entry.objects.order_by("at", "pk").values_list("action", "after", "actor")
    assert sorted(entries) == [
        ("shop.change", {"creates_products": False}, staff.email),
        ("shop.limit_drift", {"pieces": 5}, staff.email),
    ]
    staff_client.post(address, {"drift_limit": "5"})
    assert Entry.objects.count() == 2


@pytest.mark.parametrize("pieces", ["", "-1", "1e9", "9" * 30, "x"])
def test_a_bad_number_changes_nothing(staff_client, shop, pieces):
    answers = [
        staff_client.post(f"/admin/integrations/integration/{shop.integration_id}/keep_back/", {"pieces": pieces}),
        staff_client.post(f"/admin/shops/shop/{shop.pk}/adjust/", {"drift_limit": pieces, "creates_products": "on"}),
    ]
    shop.refresh_from_db()
    assert [answer.status_code for answer in answers] == [422, 422]
    assert (shop.drift_limit, shop.integration.stock_buffer, Entry.objects.count()) == (0, 0, 0)


def test_who_may_not_change_them_decides_nothing(settings, shop):
    settings.DEMO = True
    client = signed_in(make_user(is_staff=True))
    answers = [
        client.post(f"/admin/integrations/integration/{shop.integration_id}/keep_back/", {"pieces": "3"}),
        client.post(f"/admin/shops/shop/{shop.pk}/adjust/", {"drift_limit": "3"}),
        client.post(f"/admin/integrations/integration/{shop.integration_id}/hold_orders/", {"order_hold_seconds": "3"}),
    ]
    assert [answer.status_code for answer in answers] == [403, 403, 403]
