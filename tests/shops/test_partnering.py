"""A store's connection to a partner's application (Otter: contracts 3.2; behaviours 15 and 51 to 55)."""

import pytest

from apps.accounts.models import Store
from apps.audit.models import Entry
from apps.integrations.models import Integration, ReachableStore
from apps.shops import partnering
from apps.shops.models import Connection, Shop
from tests.api.calling import call, said, wrong
from tests.concurrency import at_once
from tests.factories import (
    make_access_token,
    make_authorization,
    make_brand,
    make_connection,
    make_custom_integration,
    make_draft,
    make_integration,
    make_key,
    make_member,
    make_organization,
    make_partner_integration,
    make_shop,
    make_store,
)

NOT_CONNECTED, CONNECTED, TAKEN = (404, "not_connected"), (409, "already_connected"), (409, "store_id_taken")
DONE = (204, None)


@pytest.fixture
def store(db) -> Store:
    return make_store(brand=make_brand(name="Hats"), name="Downtown")


@pytest.fixture
def integration(store) -> Integration:
    return make_partner_integration(organization=store.organization)


@pytest.fixture
def token(integration) -> str:
    return fresh(integration)


def fresh(integration: Integration) -> str:
    return make_access_token(authorization=make_authorization(integration=integration))


def path(store: Store) -> str:
    return f"organization/v1/organization/brands/{store.brand_id}/stores/{store.pk}/connection"


def held(store: Store, token: str):
    return said(call("GET", path(store), token=token))


def connect(store: Store, token: str, name: object = "mine-1"):
    return said(call("POST", path(store), {"storeId": name}, token=token))


def disconnect(store: Store, token: str):
    return said(call("DELETE", path(store), token=token))


def sibling(store: Store) -> Store:
    return make_store(brand=store.brand)


def test_a_connection_is_read_made_and_ended(store, token):
    assert held(store, token) == NOT_CONNECTED
    assert connect(store, token) == DONE
    assert held(store, token) == (200, {"storeId": "mine-1"})
    assert disconnect(store, token) == DONE
    assert held(store, token) == NOT_CONNECTED


def test_an_empty_answer_has_no_body(store, token):
    answer = call("POST", path(store), {"storeId": "mine-1"}, token=token)
    assert (answer.status_code, answer.content, "Content-Type" in answer.headers) == (204, b"", False)


def test_connecting_makes_a_shop_and_an_active_connection(store, integration, token):
    connect(store, token)
    connection, shop = Connection.objects.get(), Shop.objects.get()
    assert (connection.state, connection.integration, connection.shop) == ("active", integration, shop)
    assert (connection.organization, connection.brand, connection.store) == (
        store.organization,
        store.brand,
        store,
    )
    assert (connection.name, connection.connector) == ("Downtown", integration.connector)
    assert (shop.name, shop.ext_shop_id, shop.store, shop.is_active) == ("Downtown", "mine-1", store, True)
    assert shop.authorization is None


@pytest.mark.parametrize("again", ["mine-1", "mine-2"])
def test_a_connected_store_is_not_connected_again(again, store, token):
    connect(store, token)
    before = [list(rows.objects.values()) for rows in (Connection, Shop)]
    assert connect(store, token, again) == CONNECTED
    assert [list(rows.objects.values()) for rows in (Connection, Shop)] == before


def test_delete_and_post_replace_the_id(store, token):
    connect(store, token, "old")
    made = Connection.objects.get()
    assert (disconnect(store, token), connect(store, token, "new")) == (DONE, DONE)
    assert held(store, token) == (200, {"storeId": "new"})
    assert Connection.objects.get().pk == made.pk
    assert Shop.objects.get().ext_shop_id == "new"


def test_what_is_not_connected_is_not_disconnected(store, token):
    assert disconnect(store, token) == NOT_CONNECTED
    connect(store, token)
    assert [disconnect(store, token) for _ in range(2)] == [DONE, NOT_CONNECTED]


def test_disconnecting_closes_the_shop_that_was_made_for_it(store, token):
    connect(store, token)
    disconnect(store, token)
    assert Shop.objects.get().is_active is False
    connect(store, token)
    assert Shop.objects.get().is_active is True


@pytest.mark.parametrize("name", ["~" * 255, " ", "Store 7/Amsterdam (#1)", " a "])
def test_a_store_id_may_be_any_printable_ascii(name, store, token):
    assert connect(store, token, name) == DONE
    assert held(store, token) == (200, {"storeId": name})


@pytest.mark.parametrize("name", ["", "x" * 256, "café", "a\nb", "a\n", "a\u200b", "\x7f", 7, None, ["a"], {}])
def test_a_store_id_may_be_nothing_else(name, store, token):
    assert wrong(call("POST", path(store), {"storeId": name}, token=token)) == ["storeId"]
    assert not Connection.objects.exists()


def test_a_body_says_the_store_id_and_nothing_else(store, token):
    assert wrong(call("POST", path(store), {}, token=token)) == ["storeId"]
    assert wrong(call("POST", path(store), {"storeId": "a", "name": "b"}, token=token)) == ["name"]


def test_each_application_connects_a_store_under_an_id_of_its_own(store, token):
    other = fresh(make_partner_integration(organization=store.organization))
    assert (connect(store, token, "mine"), connect(store, other, "theirs")) == (DONE, DONE)
    assert (held(store, token), held(store, other)) == ((200, {"storeId": "mine"}), (200, {"storeId": "theirs"}))
    assert disconnect(store, token) == DONE
    assert (held(store, token), held(store, other)) == (NOT_CONNECTED, (200, {"storeId": "theirs"}))


def test_an_application_that_connected_nothing_sees_no_connection(store):
    """Neither another application's, nor one of ours at a platform."""
    make_connection(integration=make_integration(organization=store.organization), store=store)
    other = make_partner_integration(organization=store.organization)
    make_connection(integration=other, store=store)
    custom = make_custom_integration(organization=store.organization, org_wide_access=True)
    for credential in (fresh(make_partner_integration(organization=store.organization)), make_key(integration=custom)):
        assert held(store, credential) == NOT_CONNECTED
        assert disconnect(store, credential) == NOT_CONNECTED


def test_an_id_names_one_store_of_the_organization(store, token):
    connect(store, token)
    other = fresh(make_partner_integration(organization=store.organization))
    assert connect(sibling(store), token) == TAKEN
    assert connect(sibling(store), other) == TAKEN
    assert Connection.objects.count() == Shop.objects.count() == 1


def test_an_id_names_one_store_of_the_application_anywhere(store, integration, token):
    connect(store, token)
    elsewhere = make_store(brand=make_brand(organization=make_organization()))
    theirs = fresh(make_partner_integration(partner=integration.partner, organization=elsewhere.organization))
    assert connect(elsewhere, theirs) == TAKEN
    assert connect(elsewhere, theirs, "mine-2") == DONE


def test_an_id_that_another_application_uses_elsewhere_is_free(store, token):
    connect(store, token)
    elsewhere = make_store(brand=make_brand(organization=make_organization()))
    assert connect(elsewhere, fresh(make_partner_integration(organization=elsewhere.organization))) == DONE


def test_the_ids_of_two_stores_can_be_exchanged(store, token):
    other = sibling(store)
    connect(store, token, "a"), connect(other, token, "b")
    shops = dict(Shop.objects.values_list("ext_shop_id", "pk"))
    disconnect(store, token), disconnect(other, token)
    assert (connect(store, token, "b"), connect(other, token, "a")) == (DONE, DONE)
    assert (held(store, token), held(other, token)) == ((200, {"storeId": "b"}), (200, {"storeId": "a"}))
    assert dict(Shop.objects.values_list("ext_shop_id", "pk")) == shops


def test_a_shop_opened_before_goes_with_the_store_of_its_id(store, integration, token):
    shop = make_shop(
        integration=integration, ext_shop_id="mine-1", authorization=make_authorization(integration=integration)
    )
    Shop.objects.update(store=None)
    assert connect(store, token) == DONE
    assert Connection.objects.get().shop == shop
    shop.refresh_from_db()
    assert shop.store == store


def test_a_shop_with_a_token_of_its_own_outlives_the_connection(store, integration):
    token = fresh(integration)
    connect(store, token)
    assert call("POST", "v1/shops", {"ext_shop_id": "mine-1"}, token=token).status_code == 200
    assert (disconnect(store, token), connect(store, token, "mine-2")) == (DONE, DONE)
    assert call("GET", "v1/shops", token=token).json()["data"][0]["ext_shop_id"] == "mine-2"


def test_the_owners_disconnect_ends_the_shops_token_as_well(store, integration):
    token = fresh(integration)
    connect(store, token)
    call("POST", "v1/shops", {"ext_shop_id": "mine-1"}, token=token)
    actor = partnering.Actor(text="the owner")
    assert partnering.disconnect(Connection.objects.get(), actor=actor, closes_shop=True) is True
    assert held(store, token) == (401, "unauthorized")
    assert partnering.disconnect(Connection.objects.get(), actor=actor, closes_shop=True) is False


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("again", [False, True])
def test_of_calls_at_once_one_connects(again):
    for _ in range(5):
        store = make_store()
        token = fresh(make_partner_integration(organization=store.organization))
        if again:
            connect(store, token, str(store.pk))
            disconnect(store, token)
        answers = at_once(6, lambda store=store, token=token: connect(store, token, str(store.pk)))
        assert sorted(answers) == [DONE, *[CONNECTED] * 5]
    assert Connection.objects.live().count() == Shop.objects.count() == 5


@pytest.mark.django_db(transaction=True)
def test_of_two_stores_that_want_one_id_at_once_one_gets_it():
    for number in range(5):
        brand = make_brand()
        token = fresh(make_partner_integration(organization=brand.organization))
        stores = iter([make_store(brand=brand) for _ in range(4)])
        answers = at_once(4, lambda stores=stores, token=token, name=str(number): connect(next(stores), token, name))
        assert sorted(answers) == [DONE, *[TAKEN] * 3]


@pytest.mark.django_db(transaction=True)
def test_of_calls_at_once_one_disconnects():
    store = make_store()
    token = fresh(make_partner_integration(organization=store.organization))
    connect(store, token)
    assert sorted(at_once(4, lambda: disconnect(store, token))) == [DONE, *[NOT_CONNECTED] * 3]


def test_reading_the_organization_does_not_allow_connecting_its_stores(store):
    """Behaviour 15."""
    reader = make_partner_integration(organization=store.organization, grants=["organization.read"])
    token = fresh(reader)
    for answer in (held(store, token), connect(store, token), disconnect(store, token)):
        assert answer == (403, "insufficient_scope")
    assert not Connection.objects.exists()


def test_another_organizations_store_is_not_there(store, token):
    theirs = make_store()
    for wanted in (theirs, Store(pk=theirs.pk, brand=store.brand), Store(pk=store.pk, brand=theirs.brand)):
        assert (held(wanted, token), connect(wanted, token), disconnect(wanted, token)) == ((404, "not_found"),) * 3
    assert not Connection.objects.exists()


def test_a_store_the_consent_does_not_cover_is_not_there(store, integration):
    covered = sibling(store)
    Integration.objects.update(reaches_all_stores=False)
    ReachableStore.objects.create(organization=store.organization, integration=integration, store=covered)
    token = fresh(Integration.objects.get())
    assert connect(store, token) == (404, "not_found")
    assert connect(covered, token) == DONE


def test_stores_of_a_platform_we_call_are_not_connected_over_the_api(store):
    key = make_key(
        integration=make_integration(organization=store.organization, grants=["organization.service_integration"])
    )
    for answer in (held(store, key), connect(store, key), disconnect(store, key)):
        assert answer == (403, "forbidden")
    person = make_key(user=make_member(organization=store.organization))
    assert connect(store, person) == (403, "forbidden")


def test_a_draft_of_the_wizard_is_not_in_the_way(store, token):
    make_draft(organization=store.organization, store=store, brand=store.brand)
    assert (held(store, token), connect(store, token)) == (NOT_CONNECTED, DONE)


@pytest.mark.parametrize("count", [1, 3])
def test_reading_a_connection_costs_the_same_however_many_there_are(count, store, token, django_assert_num_queries):
    for _ in range(count):
        make_connection(integration=make_partner_integration(organization=store.organization), store=store)
    connect(store, token)
    with django_assert_num_queries(4):
        assert held(store, token)[0] == 200


def test_the_trail_tells_of_connections(store, integration, token):
    connect(store, token)
    disconnect(store, token)
    told = Entry.objects.order_by("id").values_list("action", "target_id", "integration_id")
    place = (str(Connection.objects.get().pk), integration.pk)
    assert list(told) == [("connection.create", *place), ("connection.delete", *place)]
