"""Shops over the API: one token, one shop (Pio: contracts 1.4; behaviours 45 to 50)."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from apps.accounts.models import Role
from apps.api.errors import Problem
from apps.api.principals import Kind, Principal
from apps.audit.models import Entry
from apps.integrations.models import AccessToken, Authorization, Integration
from apps.integrations.oauth.issuing import NEVER
from apps.shops import opening
from apps.shops.models import Connection, Shop
from tests.api.calling import call, said, wrong
from tests.concurrency import at_once
from tests.factories import (
    make_access_token,
    make_authorization,
    make_connection,
    make_custom_integration,
    make_integration,
    make_key,
    make_member,
    make_organization,
    make_partner_integration,
    make_shop,
)

WANTED = {"name": "Great Hats", "ext_shop_id": "42"}
TAKEN = (400, "ext_shop_id_already_exists")
BOUND = (403, "access_token_already_created_store")
GONE = (401, "unauthorized")


@pytest.fixture
def integration(db) -> Integration:
    return make_partner_integration()


def fresh(integration: Integration) -> str:
    """A token of a new consent."""
    return make_access_token(authorization=make_authorization(integration=integration))


def create(token: str, **changes: object):
    return call("POST", "v1/shops", WANTED | changes, token=token)


def listed(token: str) -> list[str]:
    status, body = said(call("GET", "v1/shops", token=token))
    assert status == 200
    return [shop["ext_shop_id"] for shop in body["data"]]


def test_creating_a_shop_answers_with_it(integration):
    answer = create(fresh(integration))
    shop = Shop.objects.get()
    assert said(answer) == (
        200,
        {
            "id": str(shop.pk),
            "name": "Great Hats",
            "ext_shop_id": "42",
            "store_id": None,
            "is_active": True,
            "created_at": answer.json()["created_at"],
        },
    )
    assert (shop.organization, shop.integration) == (integration.organization, integration)


def test_a_shop_without_a_name_is_called_by_its_id(integration):
    assert call("POST", "v1/shops", {"ext_shop_id": "42"}, token=fresh(integration)).json()["name"] == "42"


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({}, ["ext_shop_id"]),
        ({"ext_shop_id": ""}, ["ext_shop_id"]),
        ({"ext_shop_id": "x" * 256}, ["ext_shop_id"]),
        ({"ext_shop_id": "café"}, ["ext_shop_id"]),
        ({"ext_shop_id": "a\nb"}, ["ext_shop_id"]),
        ({"ext_shop_id": "42\n"}, ["ext_shop_id"]),
        ({"ext_shop_id": 42}, ["ext_shop_id"]),
        ({"ext_shop_id": None}, ["ext_shop_id"]),
        ({"ext_shop_id": "42", "name": ""}, ["name"]),
        ({"ext_shop_id": "42", "name": "x" * 201}, ["name"]),
        ({"ext_shop_id": "42", "store_id": str(uuid4())}, ["store_id"]),
    ],
)
def test_what_is_wrong_with_a_shop_is_named(body, named, integration):
    token = fresh(integration)
    assert wrong(call("POST", "v1/shops", body, token=token)) == named
    assert create(token).status_code == 200


def test_an_id_is_kept_as_it_was_sent(integration):
    assert create(fresh(integration), ext_shop_id=" 42 ").json()["ext_shop_id"] == " 42 "


def test_an_integration_has_several_shops_each_with_a_token_of_its_own(integration):
    tokens = [fresh(integration) for _ in range(3)]
    for number, token in enumerate(tokens):
        assert create(token, ext_shop_id=str(number)).status_code == 200
    assert [listed(token) for token in tokens] == [["0"], ["1"], ["2"]]


def test_the_same_token_creates_no_second_shop(integration):
    token = fresh(integration)
    assert create(token).status_code == 200
    for again in ("42", "43"):
        assert said(create(token, ext_shop_id=again)) == BOUND
    assert Shop.objects.count() == 1


def test_the_same_call_sent_again_is_one(integration):
    token, key = fresh(integration), {"Idempotency-Key": "a-key"}
    first, again = (call("POST", "v1/shops", WANTED, token=token, headers=key) for _ in range(2))
    assert (again.status_code, again.json()) == (200, first.json())


def test_a_shops_token_no_longer_expires(integration):
    token = fresh(integration)
    create(token)
    authorization = Authorization.objects.get()
    assert authorization.is_lasting
    assert list(AccessToken.objects.values_list("expires", "user")) == [(NEVER, None)]


def test_a_token_that_has_expired_does_not_come_back_to_life(integration):
    authorization = make_authorization(integration=integration)
    dead = make_access_token(authorization=authorization, expires=timezone.now() - timedelta(seconds=1))
    create(make_access_token(authorization=authorization))
    assert said(call("GET", "v1/shops", token=dead)) == GONE


def test_a_shops_token_outlives_the_person_who_consented(integration):
    token = fresh(integration)
    create(token)
    Authorization.objects.get().user.delete()
    assert listed(token) == ["42"]


def test_a_token_without_a_shop_ends_with_the_persons_right(integration):
    token = fresh(integration)
    Authorization.objects.get().user.membership.delete()
    assert said(create(token)) == GONE


def test_an_id_is_unique_in_the_organization(integration):
    create(fresh(integration))
    assert said(create(fresh(integration))) == TAKEN
    assert said(create(fresh(make_partner_integration(organization=integration.organization)))) == TAKEN


def test_a_token_whose_shop_was_refused_can_create_another(integration):
    create(fresh(integration))
    token = fresh(integration)
    assert said(create(token)) == TAKEN
    assert create(token, ext_shop_id="43").status_code == 200


def test_another_organizations_id_is_nobodys_business(integration):
    """TN-06."""
    create(fresh(integration))
    assert create(fresh(make_partner_integration(partner=integration.partner))).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_of_calls_at_once_with_one_token_one_creates_its_shop():
    for _ in range(5):
        token = fresh(make_partner_integration())
        ids = iter(range(8))
        answers = at_once(8, lambda ids=ids, token=token: said(create(token, ext_shop_id=f"shop {next(ids)}")))
        codes = sorted((status, code if status >= 400 else "") for status, code in answers)
        assert codes == [(200, ""), *[BOUND] * 7]
    assert Shop.objects.count() == 5


@pytest.mark.django_db(transaction=True)
def test_of_tokens_that_want_one_id_at_once_one_gets_it():
    for _ in range(5):
        integration = make_partner_integration()
        tokens = iter([fresh(integration) for _ in range(4)])
        answers = at_once(4, lambda tokens=tokens: said(create(next(tokens))))
        assert sorted((status, code if status >= 400 else "") for status, code in answers) == [(200, ""), *[TAKEN] * 3]


def test_a_token_reads_its_own_shop_and_no_other(integration):
    mine, theirs = fresh(integration), fresh(integration)
    own = create(mine).json()
    other = create(theirs, ext_shop_id="43").json()
    assert said(call("GET", f"v1/shops/{own['id']}", token=mine)) == (200, own)
    for method in ("GET", "DELETE"):
        assert said(call(method, f"v1/shops/{other['id']}", token=mine)) == (404, "not_found")
        assert said(call(method, f"v1/shops/{uuid4()}", token=mine)) == (404, "not_found")
    assert listed(theirs) == ["43"]


def test_a_token_without_a_shop_lists_none(integration):
    create(fresh(integration))
    assert listed(fresh(integration)) == []


def test_a_shop_is_read_with_its_store(integration):
    shop = make_shop(integration=make_custom_integration(organization=integration.organization))
    key = make_key(integration=shop.integration)
    assert call("GET", f"v1/shops/{shop.pk}", token=key).json()["store_id"] == str(shop.store_id)


@pytest.mark.parametrize("count", [1, 3])
def test_a_list_costs_the_same_however_long(count, db, django_assert_num_queries):
    integration = make_custom_integration()
    for number in range(count):
        make_shop(integration=integration, ext_shop_id=str(number))
    key = make_key(integration=integration)
    with django_assert_num_queries(3):
        assert len(listed(key)) == count


def test_a_list_comes_in_pages_with_links_both_ways(db):
    integration = make_custom_integration()
    for name in "cab":
        make_shop(integration=integration, name=name, ext_shop_id=name)
    key = make_key(integration=integration)
    first = call("GET", "v1/shops?per_page=2", token=key).json()
    second = call("GET", first["next"].partition("/api/")[2], token=key).json()
    back = call("GET", second["prev"].partition("/api/")[2], token=key).json()
    assert [shop["name"] for shop in first["data"] + second["data"]] == ["a", "b", "c"]
    assert (first["prev"], second["next"], first["per_page"]) == (None, None, 2)
    assert back == first
    assert wrong(call("GET", "v1/shops?per_page=101", token=key)) == ["per_page"]


def test_closing_a_shop_kills_its_token_and_no_others(integration):
    tokens = [fresh(integration) for _ in range(2)]
    ids = [create(token, ext_shop_id=token[-8:]).json()["id"] for token in tokens]
    unbound = fresh(integration)
    assert said(call("DELETE", f"v1/shops/{ids[0]}", token=tokens[0])) == (204, None)
    assert said(call("GET", "v1/shops", token=tokens[0])) == GONE
    assert [len(listed(token)) for token in (tokens[1], unbound)] == [1, 0]
    assert list(Shop.objects.order_by("is_active").values_list("is_active", flat=True)) == [False, True]


def test_a_key_closes_its_integrations_shop(db):
    integration = make_custom_integration()
    key = make_key(integration=integration)
    made = create(key).json()
    path = f"v1/shops/{made['id']}"
    assert [call("DELETE", path, token=key).status_code for _ in range(2)] == [204, 204]
    assert said(call("GET", path, token=key))[1]["is_active"] is False
    assert said(call("GET", "v1/shops", token=made["access_token"])) == GONE
    assert Entry.objects.filter(action="shop.close").count() == 1


def test_the_id_of_a_closed_shop_brings_the_same_shop_back(integration):
    before, after = fresh(integration), fresh(integration)
    closed = create(before).json()
    call("DELETE", f"v1/shops/{closed['id']}", token=before)
    assert said(create(after, name="Greater Hats")) == (200, closed | {"name": "Greater Hats"})
    assert listed(after) == ["42"]
    assert said(call("GET", "v1/shops", token=before)) == GONE
    assert Shop.objects.get().deactivated_at is None


def test_a_shop_whose_token_was_revoked_gets_a_new_one(integration):
    """As when an owner disconnects an application, and lets it in again."""
    before, after = fresh(integration), fresh(integration)
    shop = create(before).json()
    Authorization.objects.filter(shop=shop["id"]).revoke("withdrawn")
    assert said(create(after)) == (200, shop)
    assert listed(after) == ["42"]
    assert said(call("GET", "v1/shops", token=before)) == GONE


def test_another_integration_does_not_get_a_closed_shop(integration):
    token = fresh(integration)
    closed = create(token).json()
    call("DELETE", f"v1/shops/{closed['id']}", token=token)
    assert said(create(fresh(make_partner_integration(organization=integration.organization)))) == TAKEN


@pytest.mark.django_db(transaction=True)
def test_of_tokens_that_reopen_a_shop_at_once_one_gets_it():
    integration = make_partner_integration()
    make_shop(integration=integration, ext_shop_id="42", is_active=False)
    tokens = iter([fresh(integration) for _ in range(4)])
    answers = at_once(4, lambda: said(create(next(tokens)))[0])
    assert sorted(answers) == [200, 400, 400, 400]


def test_a_shop_that_a_connection_made_gets_its_token(integration):
    """A partner may connect a store first, by Otter's routes, and then open the same shop by Pio's."""
    connected = make_connection(integration=integration)
    answer = create(fresh(integration), ext_shop_id=connected.ext_shop_id)
    assert (answer.json()["id"], answer.json()["store_id"]) == (str(connected.shop_id), str(connected.store_id))


def test_a_key_gets_a_token_for_each_shop_it_creates(db):
    integration = make_custom_integration()
    key = make_key(integration=integration, grants=["shops:read", "shops:write"])
    tokens = [create(key, ext_shop_id=name).json()["access_token"] for name in ("1", "2")]
    assert [listed(token) for token in tokens] == [["1"], ["2"]]
    assert sorted(listed(key)) == ["1", "2"]
    assert said(create(tokens[0], ext_shop_id="3")) == BOUND
    assert said(create(key, ext_shop_id="1")) == TAKEN
    assert Authorization.objects.count() == 2


def test_a_key_shows_a_shops_token_once(db):
    key = make_key()
    shop = create(key).json()
    assert "access_token" not in call("GET", f"v1/shops/{shop['id']}", token=key).json()
    assert AccessToken.objects.get().token == ""


def test_a_shops_token_may_not_more_than_the_key_that_made_it(db):
    key = make_key(grants=["shops:write"])
    token = create(key).json()["access_token"]
    assert said(call("GET", "v1/shops", token=token)) == (403, "insufficient_scope")


def test_a_shops_token_ends_with_its_integration_and_its_connector(db):
    integration = make_custom_integration()
    token = create(make_key(integration=integration)).json()["access_token"]
    Integration.objects.update(state=Integration.State.DISABLED)
    assert said(call("GET", "v1/shops", token=token)) == (403, "integration_disabled")
    integration.partner.deactivated_at = timezone.now()
    integration.partner.save()
    assert said(call("GET", "v1/shops", token=token)) == GONE


def test_a_person_sees_every_shop_and_creates_none(db):
    organization = make_organization()
    make_shop(integration=make_custom_integration(organization=organization), ext_shop_id="1")
    make_shop(integration=make_integration(organization=organization), ext_shop_id="2")
    make_shop(ext_shop_id="3")
    key = make_key(user=make_member(organization=organization, role=Role.ADMIN))
    assert sorted(listed(key)) == ["1", "2"]
    assert said(create(key)) == (403, "forbidden")


def test_a_store_that_we_connected_at_its_platform_is_not_closed_behind_its_back(db):
    connected = make_connection()
    path = f"v1/shops/{connected.shop_id}"
    key = make_key(integration=connected.integration)
    connected.integration.grants = ["shops:write"]
    connected.integration.save()
    assert said(call("DELETE", path, token=key)) == (409, "conflict")
    Connection.objects.update(state=Connection.State.DISCONNECTED)
    assert call("DELETE", path, token=key).status_code == 204


def test_closing_a_partners_shop_disconnects_its_store(integration):
    connected = make_connection(integration=integration)
    token = fresh(integration)
    create(token, ext_shop_id=connected.ext_shop_id)
    call("DELETE", f"v1/shops/{connected.shop_id}", token=token)
    connected.refresh_from_db()
    assert connected.state == Connection.State.DISCONNECTED


def test_the_trail_tells_of_shops(integration):
    token = fresh(integration)
    shop = create(token).json()
    call("DELETE", f"v1/shops/{shop['id']}", token=token)
    told = Entry.objects.order_by("id").values_list("action", "target_id", "organization_id")
    place = (shop["id"], integration.organization_id)
    assert list(told) == [("shop.open", *place), ("shop.close", *place)]


def test_what_a_shop_is_needed_for_is_refused_to_a_token_without(integration):
    shop = make_shop(integration=integration)
    assert opening.shop_of(Principal(Kind.TOKEN, "a", "a", shop=shop)) == shop
    with pytest.raises(Problem) as refused:
        opening.shop_of(Principal(Kind.TOKEN, "a", "a"))
    assert (refused.value.status, refused.value.code) == (403, "shop_required")
