import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import responses

from apps.accounts.models import Brand, Store
from apps.integrations.connectors.base import ConnectorError, Rejected, Unreachable
from apps.integrations.models import Integration
from apps.integrations.structure import land_brands, land_stores
from tests.conftest import OTTER
from tests.factories import brand_of, make_application_token, make_brand, make_integration, make_store

from .connectors.otter import ORGANIZATION, recorded

BRANDS = f"{OTTER}{ORGANIZATION}/brands"


@pytest.fixture
def integration(db) -> Integration:
    make_application_token()
    return make_integration()


def give(web: responses.RequestsMock, url: str, pages: dict[str, dict[str, Any]]) -> None:
    """Answer each cursor with its page; any other cursor is refused."""

    def answer(request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        cursor = cursor_of(request.url)
        if cursor in pages:
            return 200, {}, json.dumps(pages[cursor])
        return 422, {}, json.dumps({"message": "token is not valid"})

    web.add_callback(responses.GET, url, answer)


def cursor_of(url: str) -> str:
    return parse_qs(urlsplit(url).query).get("token", [""])[0]


def listed(*names: str, then: object = None) -> dict[str, Any]:
    items = [{"id": f"id-{name}", "name": name, "address": None} for name in names]
    return {"items": items} | ({"offsetToken": then} if then else {})


def asked(web: responses.RequestsMock) -> list[str]:
    return [cursor_of(call.request.url) for call in web.calls]


def names(integration: Integration) -> list[str]:
    return [brand.name for brand in Brand.objects.filter(source=integration.source)]


def test_every_page_of_brands_lands(otter, integration):
    give(otter, BRANDS, {"": recorded("brands_first"), "eyJvZmZzZXQiOjJ9+/=&?": recorded("brands_last")})
    assert land_brands(integration) is True
    assert names(integration) == ["Bowler & Sons", "Käppchen", "Top Hats"]
    assert {brand.organization for brand in Brand.objects.all()} == {integration.organization}
    integration.refresh_from_db()
    assert (integration.brands_cursor, integration.brands_listed_at is not None) == ("", True)


def test_every_page_of_a_brands_stores_lands(otter, integration):
    brand = brand_of(integration, ext_id="top")
    give(otter, f"{BRANDS}/top/stores", {"": listed("Online", then="2"), "2": recorded("stores")})
    assert land_stores(brand, integration=integration) is True
    assert [(store.name, store.address) for store in Store.objects.filter(brand=brand)] == [
        ("Great Hats Amsterdam", "Damrak 1, 1012 LG Amsterdam, NL"),
        ("Great Hats Online", ""),
        ("Great Hats Rotterdam", "Coolsingel 40, 2nd floor, 3011 AA Rotterdam, NL"),
        ("Online", ""),
    ]
    brand.refresh_from_db()
    assert (brand.stores_cursor, brand.stores_listed_at is not None) == ("", True)


def test_landing_again_renames_and_makes_nothing_twice(otter, integration):
    give(otter, BRANDS, {"": listed("Top", "Bowler")})
    land_brands(integration)
    before = {brand.ext_id: brand.pk for brand in Brand.objects.all()}
    otter.reset()
    give(otter, BRANDS, {"": {"items": [{"id": "id-Top", "name": "Top Hats"}, {"id": "id-Bowler", "name": "Bowler"}]}})
    land_brands(integration)
    assert {brand.ext_id: brand.pk for brand in Brand.objects.all()} == before
    assert names(integration) == ["Bowler", "Top Hats"]


def test_one_that_comes_twice_in_a_page_lands_once(otter, integration):
    give(otter, BRANDS, {"": listed("Top", "Bowler", "Top")})
    assert land_brands(integration) is True
    assert names(integration) == ["Bowler", "Top"]


def test_one_that_cannot_be_read_is_left_out_alone(otter, integration):
    give(otter, BRANDS, {"": {"items": [{"id": "1", "name": "Top"}, {"id": "2"}, {"id": "3", "name": "Bowler"}]}})
    assert land_brands(integration) is True
    assert names(integration) == ["Bowler", "Top"]


def test_an_empty_list_is_complete(otter, integration):
    give(otter, BRANDS, {"": {"items": []}})
    assert land_brands(integration) is True
    assert (names(integration), integration.brands_listed_at is not None) == ([], True)


def test_a_brand_of_our_own_or_of_another_account_stays_as_it_is(otter, integration):
    make_brand(organization=integration.organization, name="Ours", ext_id="id-Top")
    other = make_integration(organization=integration.organization)
    brand_of(other, name="Theirs", ext_id="id-Top")
    give(otter, BRANDS, {"": listed("Top")})
    land_brands(integration)
    assert sorted(Brand.objects.values_list("name", flat=True)) == ["Ours", "Theirs", "Top"]


def test_the_same_account_in_another_organization_lands_apart(otter, integration):
    twin = make_integration(account_ref=integration.account_ref)
    give(otter, BRANDS, {"": listed("Top")})
    land_brands(integration)
    land_brands(twin)
    assert sorted(Brand.objects.values_list("organization", flat=True)) == sorted(
        [integration.organization_id, twin.organization_id]
    )


# ---- A person is waiting


def test_landing_stops_when_its_time_is_over_and_goes_on_from_there(otter, integration):
    give(otter, BRANDS, {"": listed("A", then="2"), "2": listed("B", then="3"), "3": listed("C")})
    results = [land_brands(Integration.objects.get(), seconds=0) for _ in range(3)]
    assert results == [False, False, True]
    assert (asked(otter), names(integration)) == (["", "2", "3"], ["A", "B", "C"])


def test_a_list_that_is_not_complete_does_not_say_so(otter, integration):
    give(otter, BRANDS, {"": listed("A", then="2")})
    land_brands(integration, seconds=0)
    integration.refresh_from_db()
    assert (integration.brands_cursor, integration.brands_listed_at) == ("2", None)


def test_what_had_landed_stays_when_a_later_page_fails(otter, integration):
    give(otter, BRANDS, {"": listed("A", then="2"), "2": {}})
    with pytest.raises(Unreachable) as failed:
        land_brands(integration)
    integration.refresh_from_db()
    assert (failed.value.code, names(integration), integration.brands_cursor) == ("garbled", ["A"], "2")


def test_a_cursor_the_platform_has_forgotten_begins_the_list_anew(otter, integration):
    integration.brands_cursor = "days old"
    give(otter, BRANDS, {"": listed("A", then="2"), "2": listed("B")})
    assert land_brands(integration) is True
    assert (asked(otter), names(integration)) == (["days old", "", "2"], ["A", "B"])


def test_a_brand_that_is_gone_is_not_found(otter, integration):
    brand = brand_of(integration, ext_id="top", stores_cursor="2")
    otter.get(f"{BRANDS}/top/stores", status=404, json=recorded("not_found"))
    with pytest.raises(Rejected) as gone:
        land_stores(brand, integration=integration)
    assert gone.value.code == "not_found"


# ---- A list that does not end


@pytest.mark.parametrize("following", [["1"], ["1", "2"], ["1", "2", "3"]])
def test_a_list_that_turns_in_circles_ends(otter, integration, following):
    pages = {"": listed("A", then="1")}
    for here, there in zip(following, [*following[1:], "1"], strict=True):
        pages[here] = listed(here, then=there)
    give(otter, BRANDS, pages)
    with pytest.raises(Unreachable) as circle:
        land_brands(integration)
    assert circle.value.code == "repeated_page"
    assert asked(otter) == ["", *following]


@pytest.mark.parametrize("cursor", ["a\x00b", "\ud800"])
def test_a_cursor_that_cannot_be_stored_is_an_unreadable_answer(otter, integration, cursor):
    give(otter, BRANDS, {"": listed("A", then=cursor)})
    with pytest.raises(Unreachable) as garbled:
        land_brands(integration)
    assert (garbled.value.code, names(integration)) == ("garbled", [])


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ({"status": 401}, "unauthorized"),
        ({"status": 403}, "forbidden"),
        ({"status": 429}, "rate_limited"),
        ({"status": 500}, "server_error"),
        ({"body": "<html>"}, "garbled"),
        ({"body": requests.ReadTimeout("slow")}, "timeout"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_list_that_does_not_come_changes_nothing(otter, integration, answer, code):
    store = make_store(brand=brand_of(integration, ext_id="top", name="Top"), name="Online")
    otter.get(BRANDS, **answer)
    otter.get(f"{BRANDS}/top/stores", **answer)
    for land in (
        lambda: land_stores(store.brand, integration=Integration.objects.get()),
        lambda: land_brands(Integration.objects.get()),
    ):
        with pytest.raises(ConnectorError) as failed:
            land()
        assert failed.value.code == code
    assert (names(integration), Store.objects.get().name) == (["Top"], "Online")
