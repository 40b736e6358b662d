"""Locations over the API: a warehouse lists, and creates what is not there (Pipe17: contracts 2.7, behaviour 69)."""

from uuid import uuid4

import pytest

from apps.audit.models import Entry
from apps.catalog.models import Location, Publication
from tests.api.calling import call, said, wrong
from tests.concurrency import at_once
from tests.factories import (
    make_custom_integration,
    make_key,
    make_level,
    make_listing,
    make_location,
    make_member,
    make_publication,
)

pytestmark = pytest.mark.django_db
HALL = {"ext_location_id": "hall-1", "name": "Hall 1"}


@pytest.fixture
def warehouse():
    return make_custom_integration(category="logistics")


@pytest.fixture
def key(warehouse) -> str:
    return make_key(integration=warehouse)


def create(key, **changes):
    return call("POST", "v1/locations", HALL | changes, token=key)


def listed(key, query="") -> list[str]:
    answer = call("GET", f"v1/locations{query}", token=key)
    assert answer.status_code == 200, answer.content
    return [location["name"] for location in answer.json()["data"]]


def body_of(location: Location, **changes) -> dict:
    location.refresh_from_db()
    written = {
        name: getattr(location, name).isoformat().replace("+00:00", "Z") for name in ("created_at", "updated_at")
    }
    return (
        {
            "id": str(location.pk),
            "ext_location_id": "hall-1",
            "name": "Hall 1",
            "kind": "external",
            "address": "",
            "is_active": True,
            "is_paused": False,
            "excluded_from_totals": False,
            "fulfillment_integration_id": str(location.integration_id),
            "is_shared": False,
        }
        | written
        | changes
    )


def test_a_warehouse_creates_a_location_and_fulfils_from_it(warehouse, key):
    assert listed(key) == []
    answer = create(key)
    made = Location.objects.get()
    assert said(answer) == (201, body_of(made))
    assert answer.headers["Location"] == f"http://testserver/api/v1/locations/{made.pk}"
    assert (made.organization, made.integration) == (warehouse.organization, warehouse)
    assert said(call("GET", f"v1/locations/{made.pk}", token=key)) == (200, body_of(made))
    assert listed(key) == ["Hall 1"]
    entry = Entry.objects.get(action="location.create")
    assert (entry.target_id, entry.integration_id) == (str(made.pk), warehouse.pk)


def test_all_of_a_location_can_be_said_at_once(key):
    said_of_it = {
        "kind": "grid", "address": "1 Main Street", "is_active": False, "is_paused": True, "excluded_from_totals": True
    }  # fmt: skip
    assert said(create(key, **said_of_it)) == (201, body_of(Location.objects.get(), **said_of_it))


def test_a_location_is_created_once_for_an_integration(warehouse, key):
    first = create(key).json()
    again = create(key, name="Hall 2")
    assert said(again) == (409, "location_already_exists")
    assert first["id"] in again.json()["detail"]
    assert again.headers["Location"] == f"http://testserver/api/v1/locations/{first['id']}"
    assert listed(key) == ["Hall 1"]
    assert listed(key, "?ext_location_id=hall-1") == ["Hall 1"]
    assert listed(key, "?ext_location_id=hall-2") == []
    other = make_key(integration=make_custom_integration(organization=warehouse.organization))
    assert create(other, name="Hall of another").status_code == 201


@pytest.mark.django_db(transaction=True)
def test_of_calls_at_once_one_creates_the_location():
    key = make_key(integration=make_custom_integration())
    names = iter("abcd")
    answers = at_once(4, lambda: create(key, name=next(names)).status_code)
    assert sorted(answers) == [201, 409, 409, 409]
    assert Location.objects.count() == 1


def test_names_tell_the_locations_of_an_organization_apart(warehouse, key):
    make_location(organization=warehouse.organization, name="Hall 1")
    assert wrong(create(key)) == ["name"]
    make_location(shared=True, name="Hall 2")
    make_location(name="Hall 2")
    assert create(key, name="Hall 2").status_code == 201
    made = Location.objects.get(integration=warehouse)
    assert wrong(call("PUT", f"v1/locations/{made.pk}", {"name": "Hall 1"}, token=key)) == ["name"]
    assert body_of(made)["name"] == "Hall 2" or made.name == "Hall 2"


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"name": None}, ["name"]),
        ({"name": ""}, ["name"]),
        ({"name": "\N{ZERO WIDTH SPACE}" * 201}, ["name"]),
        ({"ext_location_id": ""}, ["ext_location_id"]),
        ({"ext_location_id": 7}, ["ext_location_id"]),
        ({"ext_location_id": "x" * 256}, ["ext_location_id"]),
        ({"kind": "cellar"}, ["kind"]),
        ({"is_active": "yes"}, ["is_active"]),
        ({"address": None}, ["address"]),
        ({"fulfillment_integration_id": str(uuid4())}, ["fulfillment_integration_id"]),
        ({"integration_id": str(uuid4())}, ["integration_id"]),
        ({"organization_id": str(uuid4())}, ["organization_id"]),
    ],
)
def test_what_is_wrong_with_a_location_is_named(changes, named, key):
    assert wrong(create(key, **changes)) == named
    assert Location.objects.count() == 0


def test_a_key_sees_its_own_and_one_of_the_organization_all_and_the_3pls_own(warehouse, key):
    create(key)
    make_location(organization=warehouse.organization, name="Shelf")
    shared = make_location(shared=True, name="Grid")
    make_location(name="Of a stranger")
    wide = make_key(integration=make_custom_integration(organization=warehouse.organization, org_wide_access=True))
    person = make_key(user=make_member(organization=warehouse.organization))
    assert [listed(one) for one in (key, wide, person)] == [["Hall 1"], *[["Grid", "Hall 1", "Shelf"]] * 2]
    assert said(call("GET", f"v1/locations/{shared.pk}", token=key)) == (404, "not_found")
    answer = call("GET", f"v1/locations/{shared.pk}", token=wide).json()
    assert (answer["is_shared"], answer["fulfillment_integration_id"]) == (True, None)
    assert said(call("PUT", f"v1/locations/{shared.pk}", {"name": "Mine"}, token=wide)) == (403, "forbidden")
    assert said(call("POST", "v1/locations", HALL, token=person)) == (403, "forbidden")


def test_what_is_left_out_stays(key):
    create(key, address="1 Main Street")
    made = Location.objects.get()
    answer = call("PUT", f"v1/locations/{made.pk}", {"is_paused": True}, token=key)
    assert said(answer) == (200, body_of(made, address="1 Main Street", is_paused=True))
    entry = Entry.objects.get(action="location.change")
    assert (entry.before, entry.after) == ({"is_paused": False}, {"is_paused": True})


@pytest.mark.parametrize("name", ["ext_location_id", "fulfillment_integration_id", "organization_id", "on_hand"])
def test_whose_a_location_is_cannot_be_changed(name, key):
    created = create(key).json()
    assert wrong(call("PUT", f"v1/locations/{created['id']}", {name: "x"}, token=key)) == [name]


@pytest.mark.parametrize("changes", [{"is_active": False}, {"excluded_from_totals": True}])
def test_platforms_are_owed_the_stock_of_a_location_that_counts_no_more(changes, warehouse, key):
    create(key)
    made = Location.objects.get()
    listing = make_listing(product=make_level(location=made).product)
    make_publication(listing=listing, due_at=None)
    assert call("PUT", f"v1/locations/{made.pk}", changes, token=key).status_code == 200
    assert Publication.objects.get().due_at is not None


@pytest.mark.parametrize("count", [1, 3])
def test_a_list_costs_the_same_however_long(count, warehouse, key, django_assert_num_queries):
    for number in range(count):
        make_location(integration=warehouse, ext_location_id=str(number))
    with django_assert_num_queries(3):
        assert len(listed(key)) == count
