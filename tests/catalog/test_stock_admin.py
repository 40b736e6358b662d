"""Locations and stock in the 3PL's own site: made, renamed, closed, corrected by counting; the ledger only read."""

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from apps.audit.models import Entry
from apps.catalog.models import Location, Publication, StockMovement
from tests.conftest import save_as_shown, signed_in
from tests.factories import (
    make_integration,
    make_level,
    make_listing,
    make_location,
    make_organization,
    make_product,
    make_publication,
    make_user,
)
from tests.onboarding.pages import text

LOCATIONS = "/admin/catalog/location/"
USUAL = {"name": "A-1", "kind": "shelf", "address": "", "is_active": "on"}


def page_of(row, deed="change") -> str:
    return reverse(f"admin:catalog_{row._meta.model_name}_change", args=[row.pk]).replace("change/", f"{deed}/")


def names_in(page) -> list[str]:
    return [str(row) for row in page.context["cl"].result_list]


# ---- Locations


def test_a_location_is_made_and_the_trail_says_by_whom(staff_client, staff):
    customer = make_organization()
    staff_client.post(f"{LOCATIONS}add/", USUAL | {"organization": str(customer.pk)})
    made = Location.objects.get()
    assert (made.name, made.organization, made.is_manual, made.is_active) == ("A-1", customer, True, True)
    entry = Entry.objects.get(action="location.create")
    assert (entry.actor, entry.organization_id, entry.after["name"]) == (staff.email, customer.pk, "A-1")


def test_the_3pls_own_location_belongs_to_no_customer(staff_client):
    staff_client.post(f"{LOCATIONS}add/", USUAL)
    assert Location.objects.get().organization is None


@pytest.mark.parametrize("shared", [True, False])
def test_no_two_places_at_one_port_share_a_name(staff_client, shared):
    there = make_location(name="a-1", shared=shared)
    theirs = there.organization or make_organization()
    page = staff_client.post(f"{LOCATIONS}add/", USUAL | {"organization": str(theirs.pk)})
    assert ("There is a location of this name already." in text(page), Location.objects.count()) == (True, 1)
    if not shared:
        staff_client.post(f"{LOCATIONS}add/", USUAL | {"organization": str(make_organization().pk)})
        assert Location.objects.count() == 2


@pytest.mark.parametrize(
    "given", [{"name": ""}, {"name": "x" * 201}, {"name": "a\x00"}, {"kind": "pit"}, {"organization": "x"}]
)
def test_a_bad_location_is_refused_with_a_word(staff_client, given):
    page = staff_client.post(f"{LOCATIONS}add/", USUAL | given)
    assert (page.status_code, Location.objects.count()) == (200, 0)
    assert page.context["adminform"].form.errors


def test_an_integration_of_another_customer_fulfils_from_no_place_of_this_one(staff_client):
    given = {"organization": str(make_organization().pk), "integration": str(make_integration().pk)}
    page = staff_client.post(f"{LOCATIONS}add/", USUAL | given)
    assert ("This belongs to another organization." in text(page), Location.objects.count()) == (True, 0)


def test_closing_a_location_owes_the_platforms_the_new_number(staff_client):
    product = make_product()
    place = make_level(product=product).location
    told = make_publication(listing=make_listing(product=product), due_at=None)
    other = make_publication(due_at=None)
    given = USUAL | {"name": "B-2"}
    del given["is_active"]
    save_as_shown(staff_client, page_of(place), given)
    place.refresh_from_db()
    owed = dict(Publication.objects.values_list("pk", "due_at"))
    assert (place.name, place.is_active) == ("B-2", False)
    assert (owed[told.pk] is None, owed[other.pk]) == (False, None)
    entry = Entry.objects.get(action="location.change")
    assert entry.after == {"name": "B-2", "is_active": False}


def test_a_page_opened_before_a_location_was_paused_does_not_let_it_go_on(staff_client):
    place = make_location(name="A-1")
    shown = staff_client.get(page_of(place)).context["adminform"].form["as_shown"].value()
    Location.objects.update(is_paused=True)
    answer = staff_client.post(page_of(place), USUAL | {"name": "B-2", "as_shown": shown})
    assert "Somebody changed this after you opened the page." in text(answer)
    place.refresh_from_db()
    assert (place.is_paused, place.name) == (True, "A-1")


def test_whose_a_location_is_stays(staff_client):
    place = make_location()
    before = place.organization_id
    save_as_shown(staff_client, page_of(place), USUAL | {"organization": str(make_organization().pk)})
    place.refresh_from_db()
    assert (place.organization_id, place.name) == (before, "A-1")


def test_only_a_location_where_nothing_ever_lay_is_deleted(staff_client):
    used, unused = make_level(on_hand=0).location, make_location()
    assert staff_client.post(page_of(used, "delete"), {"post": "yes"}).status_code == 403
    staff_client.post(page_of(unused, "delete"), {"post": "yes"})
    assert list(Location.objects.all()) == [used]
    assert Entry.objects.get(action="location.delete").target == unused.name


# ---- Levels and the ledger


def test_a_level_is_corrected_by_counting(staff_client, staff):
    level = make_level(on_hand=9)
    assert "Correct by counting" in staff_client.get(page_of(level)).text
    asked = staff_client.get(page_of(level, "correct"))
    assert "9 as we know it now." in text(asked)
    answer = staff_client.post(page_of(level, "correct"), {"pieces": "7", "reason": "Two were broken"})
    assert answer.headers["Location"] == page_of(level)
    line = StockMovement.objects.latest("id")
    assert (line.on_hand_change, line.on_hand, line.cause, line.actor, line.note, line.is_count) == (
        -2, 7, "operator", staff.email, "Two were broken", True,
    )  # fmt: skip


@pytest.mark.parametrize(
    "given", [{"pieces": "-1"}, {"pieces": "1e9"}, {"pieces": "1000001"}, {"reason": " "}, {"reason": "\x00"}]
)
def test_a_bad_count_is_refused_and_changes_nothing(staff_client, given):
    level = make_level(on_hand=9)
    answer = staff_client.post(page_of(level, "correct"), {"pieces": "7", "reason": "Broken"} | given)
    level.refresh_from_db()
    assert (answer.status_code, level.on_hand, level.version) == (422, 9, 1)


def test_what_a_warehouse_system_counts_nobody_corrects_by_hand(staff_client):
    there = make_location(integration=make_integration())
    level = make_level(location=there)
    assert "Correct by counting" not in staff_client.get(page_of(level)).text
    assert staff_client.post(page_of(level, "correct"), {"pieces": "7", "reason": "-"}).status_code == 403


def test_who_may_only_look_corrects_nothing(db, settings):
    settings.DEMO = True
    person = make_user(is_staff=True)
    person.user_permissions.add(Permission.objects.get(codename="view_stocklevel"))
    level, client = make_level(), signed_in(person)
    assert client.get(page_of(level)).status_code == 200
    assert client.post(page_of(level, "correct"), {"pieces": "7", "reason": "-"}).status_code == 403


def test_the_ledger_is_found_by_sku_reference_cause_and_place(staff_client):
    level = make_level(product=make_product(sku="HAT-1"))
    make_level()
    address = "/admin/catalog/stockmovement/"
    line = str(level.movements.get())
    assert names_in(staff_client.get(address, {"q": "HAT-1"})) == [line]
    assert len(names_in(staff_client.get(address, {"cause__exact": "operator"}))) == 2
    assert names_in(staff_client.get(address, {"cause__exact": "order"})) == []
    assert names_in(staff_client.get(address, {"level__location__id__exact": str(level.location_id)})) == [line]


def test_what_is_owed_and_what_was_refused_are_listed_apart(staff_client):
    owed, refused = make_publication(), make_publication(due_at=None, error="unknown_sku")
    make_publication(due_at=None)
    address = "/admin/catalog/publication/"
    assert names_in(staff_client.get(address, {"owed": "owed"})) == [str(owed)]
    assert names_in(staff_client.get(address, {"owed": "refused"})) == [str(refused)]
    assert len(names_in(staff_client.get(address, {"owed": "x"}))) == 3


def test_a_product_shows_what_may_be_sold_of_it(staff_client):
    product = make_product()
    make_level(product=product, on_hand=9, reserved=4)
    make_level(product=product, on_hand=3)
    make_level(product=product, location=make_location(organization=product.organization, is_active=False))
    make_product(organization=product.organization)
    for page in (staff_client.get("/admin/catalog/product/", {"q": product.sku}), staff_client.get(page_of(product))):
        assert "12" in text(page)
    row = staff_client.get("/admin/catalog/product/", {"q": product.sku}).context["cl"].result_list[0]
    assert (row.on_hand, row.free) == (12, 8)


def test_the_port_is_in_the_side_bar_of_those_who_may_use_it(staff_client, settings):
    assert 'href="/port/"' in staff_client.get("/admin/").text
    person = make_user(is_staff=True)
    assert 'href="/port/"' not in signed_in(person).get("/admin/").text
