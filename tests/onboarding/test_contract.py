"""The behaviours of Otter's contract that Crossdock relies on and keeps as its client, by their numbers."""

import pytest
import responses

from apps.accounts.models import Brand, Store
from apps.integrations.connectors.base import Rejected, StoreRef
from apps.integrations.connectors.otter.client import OtterClient
from apps.integrations.sessions import call
from apps.integrations.structure import land_brands, land_stores
from apps.onboarding import connecting
from apps.shops.models import Connection
from apps.syncs.models import SyncRun
from tests.conftest import OTTER
from tests.factories import brand_of, make_actor, make_integration

from .pages import choices, text
from .platform import consent_at, register

BRANDS = f"{OTTER}/organization/v1/organization/brands"
CALLS = {
    "organization": "contracts 3.2",
    "brands": "contracts 3.2",
    "stores": "contracts 3.2",
    "store": "contracts 3.2",
    "connection": "contracts 3.2",
    "connect": "contracts 3.2",
    "disconnect": "contracts 3.2",
    "products": "contracts 3.7",
    "unopened_products": "contracts 3.7: the same call, its answer not read yet",
    "verify": "contracts 3.5: no call, but a webhook's signature",
    "news": "contracts 3.5: no call, but what a webhook says",
    "put_parcel": "the published routes of orders: fulfill, scope manager.orders",
    "put_stock": "contracts 3.1, scopes of menus: suspend and unsuspend; 3.4 limits them to 16 a minute",
}  # every call of the connector, and where its platform publishes it


@pytest.fixture
def integration(owner, platform):
    return platform.integration(owner.organization)


def test_1_an_account_shows_its_own_organization_and_nothing_of_another(owner, stranger, platform):
    hats, shoes = platform.integration(owner.organization), platform.integration(stranger.organization, who="shoes")
    for integration in (hats, shoes):
        land_brands(integration)
    assert set(owner.organization.brands.values_list("name", flat=True)) == {"Great Hats", "Hat Attic", "Little Brims"}
    assert set(stranger.organization.brands.values_list("name", flat=True)) == {"Great Shoes", "Sole Mates"}


def test_2_whose_account_it_is_is_read_from_the_organization(integration):
    account = call(integration, lambda client: client.organization())
    assert (account.id, account.name) == (integration.account_ref, "Great Hats")


def test_3_brands_are_asked_for_with_a_limit_and_the_token_of_the_page_before(owner, otter):
    """The token is opaque: it goes back letter by letter, encoded; its absence ends the list."""
    integration = make_integration(organization=owner.organization)
    opaque = "a/b+c=&d é"
    first = {"items": [{"id": "1", "name": "One"}], "offsetToken": opaque}
    otter.add(responses.POST, f"{OTTER}/v1/auth/token", json={"access_token": "x", "token_type": "bearer"})
    asked = responses.matchers.query_param_matcher
    otter.add(responses.GET, BRANDS, json=first, match=[asked({"limit": "100"})])
    second = {"items": [{"id": "2", "name": "Two"}]}
    otter.add(responses.GET, BRANDS, json=second, match=[asked({"limit": "100", "token": opaque})])
    assert land_brands(integration)
    assert list(Brand.objects.order_by("name").values_list("ext_id", "name")) == [("1", "One"), ("2", "Two")]


@pytest.mark.parametrize("ending", [{}, {"offsetToken": None}, {"offsetToken": ""}])
def test_3_the_list_ends_where_no_token_follows(owner, otter, ending):
    integration = make_integration(organization=owner.organization)
    otter.add(responses.POST, f"{OTTER}/v1/auth/token", json={"access_token": "x", "token_type": "bearer"})
    otter.add(responses.GET, BRANDS, json={"items": []} | ending)
    assert land_brands(integration)


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        (None, ""),
        ({}, ""),
        ({"fullAddress": "1 Main Street, Springfield"}, "1 Main Street, Springfield"),
        ({"addressLines": ["1 Main Street"], "postalCode": "1234", "city": "Ghent"}, "1 Main Street, 1234 Ghent"),
    ],
)
def test_4_stores_are_listed_the_same_way_and_their_address_may_be_missing(owner, otter, address, shown):
    integration = make_integration(organization=owner.organization)
    brand = brand_of(integration, ext_id="b/1")
    otter.add(responses.POST, f"{OTTER}/v1/auth/token", json={"access_token": "x", "token_type": "bearer"})
    page = {"items": [{"id": "s", "name": "Shop", "address": address}]}
    otter.add(responses.GET, f"{BRANDS}/b%2F1/stores", json=page)
    assert land_stores(brand, integration=integration)
    assert Store.objects.values_list("ext_id", "name", "address").get() == ("s", "Shop", shown)


def test_5_a_store_of_another_organization_is_not_there(integration, stranger, platform):
    foreign = platform.store(platform.integration(stranger.organization, who="shoes"), "Great Shoes Online")
    for ask in (
        lambda client: client.store(foreign.brand.ext_id, foreign.ext_id),
        lambda client: client.connect(StoreRef(foreign.brand.ext_id, foreign.ext_id, "mine")),
        lambda client: client.stores(foreign.brand.ext_id),
    ):
        with pytest.raises(Rejected) as error:
            call(integration, ask)
        assert (error.value.status, error.value.code) == (404, "not_found")


@pytest.fixture
def ref(integration, platform):
    store = platform.store(integration)
    return StoreRef(store.brand.ext_id, store.ext_id, "hats-1")


def test_51_a_store_is_not_connected_or_connected_under_an_id(integration, ref):
    assert call(integration, lambda client: client.connection(ref)) is None
    call(integration, lambda client: client.connect(ref))
    assert call(integration, lambda client: client.connection(ref)) == "hats-1"


def test_52_connecting_again_without_disconnecting_is_a_conflict_and_changes_nothing(integration, ref):
    call(integration, lambda client: client.connect(ref))
    with pytest.raises(Rejected) as error:
        call(integration, lambda client: client.connect(StoreRef(ref.brand_id, ref.store_id, "hats-2")))
    assert (error.value.status, error.value.code) == (409, "conflict")
    assert call(integration, lambda client: client.connection(ref)) == "hats-1"


def test_53_replacing_the_id_is_disconnecting_and_connecting(draft, owner, platform):
    connecting.connect(draft, by=make_actor(owner))
    platform.forget_calls()
    connecting.change_id(Connection.objects.get(), "hats-2", by=make_actor(owner))
    assert platform.writes() == ["DELETE", "POST"]
    assert platform.held() == {"Great Hats Online": "hats-2"}


def test_53_disconnecting_what_is_not_connected_is_no_failure(integration, ref):
    call(integration, lambda client: client.disconnect(ref))
    assert call(integration, lambda client: client.connection(ref)) is None


@pytest.mark.parametrize("ext_shop_id", ["", "x" * 256, "é", "a\tb", "a\x7f"])
def test_54_an_id_that_is_not_printable_ascii_of_255_never_leaves_the_form(owner_client, draft, platform, ext_shop_id):
    platform.forget_calls()
    answer = owner_client.post(f"/connect/{draft.pk}/name/", {"name": "Hats", "ext_shop_id": ext_shop_id})
    assert answer.status_code == 200
    assert 'aria-invalid="true"' in answer.content.decode()
    assert (Connection.objects.get().ext_shop_id, platform.calls()) == ("hats-1", [])


def test_54_the_longest_id_and_every_sign_of_it_arrive_unchanged(draft, owner, platform):
    longest = "".join(map(chr, range(33, 127))) + " " + "x" * 160
    assert len(longest) == 255
    Connection.objects.update(ext_shop_id=longest)
    connecting.connect(Connection.objects.get(), by=make_actor(owner))
    assert platform.held() == {"Great Hats Online": longest}


def test_55_another_application_can_connect_the_same_store_under_another_id(draft, owner, platform):
    other = register(platform.sandbox)
    path = f"/organization/v1/organization/brands/{draft.brand.ext_id}/stores/{draft.store.ext_id}/connection"
    assert other.call("POST", path, token=other.user_token(), json={"storeId": "theirs"}).status_code == 204
    connecting.connect(draft, by=make_actor(owner))
    assert platform.held() == {"Great Hats Online": "hats-1"}
    assert other.call("GET", path, token=other.user_token()).json() == {"storeId": "theirs"}


def test_89_the_wizard_leads_from_organization_to_brand_to_store_and_connects_it(owner_client, platform):
    begun = owner_client.post("/connect/", {"platform": "otter"})
    here = begun.url.removesuffix("log-in/")
    brands = owner_client.get(consent_at(platform, owner_client.post(begun.url).url), follow=True)
    assert choices(brands) == ["Great Hats", "Hat Attic", "Little Brims"]
    assert "Great Hats" in text(brands)
    brand = Brand.objects.get(name="Great Hats")
    stores = owner_client.post(f"{here}brand/", {"brand": brand.pk}, follow=True)
    assert choices(stores) == ["Great Hats Amsterdam", "Great Hats Antwerp", "Great Hats Online"]
    named = owner_client.post(f"{here}store/", {"store": Store.objects.get(name="Great Hats Antwerp").pk}, follow=True)
    assert "You chose Great Hats Antwerp." in text(named)
    review = owner_client.post(f"{here}name/", {"name": "Antwerp", "ext_shop_id": "antwerp"}, follow=True)
    assert "Nothing has been connected yet." in text(review)
    assert platform.held() == {}
    owner_client.post(f"{here}check/")
    assert platform.held() == {"Great Hats Antwerp": "antwerp"}
    assert SyncRun.objects.unfinished().count() == 1
    again = owner_client.get(begun.url.replace("log-in/", "store/"), follow=True)
    assert "Importing" in text(again)


def test_90_for_a_connected_store_replacing_is_offered_and_announced(owner_client, draft, platform):
    platform.hold(draft.store, "old")
    platform.forget_calls()
    page = text(owner_client.get(f"/connect/{draft.pk}/check/"))
    assert "the connection “old” is removed at Otter, and made anew as “hats-1”." in page
    assert platform.writes() == []
    owner_client.post(f"/connect/{draft.pk}/check/", {"replaces": "old"})
    assert platform.writes() == ["DELETE", "POST"]
    assert platform.held() == {"Great Hats Online": "hats-1"}


def test_the_connector_uses_no_other_calls_than_the_contracts(draft, owner_client, platform):
    platform.forget_calls()
    owner_client.get(f"/connect/{draft.pk}/brand/")
    owner_client.get(f"/connect/{draft.pk}/store/?stay")
    owner_client.post(f"/connect/{draft.pk}/check/")
    root = "/organization/v1/organization"
    store = f"{root}/brands/{draft.brand.ext_id}/stores/{draft.store.ext_id}"
    assert platform.calls(path="/organization/") == [
        f"GET {root}/brands",
        f"GET {root}/brands/{draft.brand.ext_id}/stores",
        f"GET {store}/connection",
        f"POST {store}/connection",
    ]
    assert {name for name in vars(OtterClient) if not name.startswith("_")} == CALLS.keys()
