"""The way through: who may decide, what the page says, and what the application hears (behaviours 7 to 9)."""

from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest

from apps.api.principals import Kind
from apps.audit.models import Entry
from apps.integrations.models import Authorization, Grant, Integration
from tests.conftest import signed_in
from tests.factories import CALLBACK_URL, PASSWORD, make_brand, make_member, make_organization, make_store, make_user

from .flow import AUTHORIZE, heard, principal_of


def test_the_owner_agrees_and_the_application_gets_tokens(flow, owner, settings):
    told = heard(flow.answer(flow.ask()))
    assert {**told, "code": ""} == {"code": "", "state": flow.state, "iss": settings.PUBLIC_URL}
    answer = flow.redeem(told["code"])
    assert (answer.status_code, answer["Cache-Control"]) == (200, "no-store")
    body = answer.json()
    assert {**body, "access_token": "", "refresh_token": ""} == {
        "access_token": "",
        "refresh_token": "",
        "expires_in": 3600,
        "token_type": "Bearer",
        "scope": "organization.read orders:read",
    }
    who = principal_of(body["access_token"])
    assert (who.kind, who.organization) == (Kind.TOKEN, owner.organization)
    assert who.grants == {"orders:read", "organization.read"}


def test_consent_makes_the_integration_and_leaves_an_entry_in_the_trail(flow, owner, application):
    flow.code()
    made = Integration.objects.get(partner=application.connector)
    assert (made.organization, made.connector, made.name, made.state, made.grants, made.created_by) == (
        owner.organization,
        str(application.connector.pk),
        application.connector.name,
        "connected",
        ["orders:read", "organization.read"],
        owner,
    )
    entry = Entry.objects.get(action="app.consent")
    assert (entry.actor, entry.outcome, entry.integration_id, entry.organization_id) == (
        owner.email,
        "done",
        made.pk,
        owner.organization.pk,
    )
    assert entry.after == {"grants": made.grants, "state": "connected", "stores": "all"}


def test_a_second_consent_uses_the_same_integration(flow, application):
    flow.code()
    flow.verifier = "another" * 10
    flow.code()
    assert (Integration.objects.filter(partner=application.connector).count(), Authorization.objects.count()) == (1, 2)


def test_neither_the_code_nor_a_token_is_kept_in_clear(flow):
    code = flow.code()
    tokens = flow.redeem(code).json()
    grant = Grant.objects.get()
    kept = [grant.code, *grant.authorization.access_tokens.get().__dict__.values()]
    kept += grant.authorization.refresh_tokens.get().__dict__.values()
    assert not {code, tokens["access_token"], tokens["refresh_token"]} & {str(value) for value in kept}


@pytest.mark.parametrize(
    "place",
    ["/oauth/authorize", "/api/v1/auth/oauth2/authorize", "/raw/openapi_auth/authorize_form"],
)
def test_the_seeds_addresses_ask_the_same(flow, place):
    page = flow.owner.get(place, flow.query())
    assert (page.status_code, "Pickwise" in page.text) == (200, True)
    assert f'action="{place}?' in page.text
    assert "code" in heard(flow.answer(page))


def test_the_form_address_of_the_seed_needs_no_response_type(flow):
    assert flow.owner.get("/raw/openapi_auth/authorize_form", flow.query(response_type=None)).status_code == 200
    assert heard(flow.ask(response_type=None))["error"] == "invalid_request"


@pytest.mark.parametrize("place", ["/oauth/token", "/api/v1/auth/token", "/api/v1/oauth/access_token"])
def test_the_seeds_addresses_give_the_same_tokens(flow, place):
    body = {"grant_type": "authorization_code", "redirect_uri": CALLBACK_URL, "code_verifier": flow.verifier}
    answer = flow.call(place, code=flow.code(), **body)
    assert (answer.status_code, answer.json()["token_type"]) == (200, "Bearer")


# ---- Who may decide


def test_whoever_is_not_signed_in_signs_in_first_and_comes_back(client, flow):
    """Behaviour 8; AS-19: the session gets a new id on the way, and the old one is dead."""
    user = make_member(email="fresh@example.com")
    asked = client.get(AUTHORIZE, flow.query())
    assert asked.headers["Location"].startswith("/accounts/login/?next=%2Foauth%2Fauthorize%3F")
    before = client.session  # as somebody else had fixed it
    before.save()
    client.cookies["crossdock_session"] = before.session_key
    answer = client.post(asked.headers["Location"], {"login": user.email, "password": PASSWORD, **_next(asked)})
    assert answer.headers["Location"].startswith("/oauth/authorize?")
    assert client.session.session_key != before.session_key
    assert not before.exists(before.session_key)
    assert client.get(answer.headers["Location"]).status_code == 200


def _next(asked) -> dict[str, str]:
    return {"next": parse_qs(urlsplit(asked.headers["Location"]).query)["next"][0]}


@pytest.mark.parametrize(("role", "status"), [("owner", 200), ("admin", 200), ("member", 403), ("viewer", 403)])
def test_only_an_owner_or_admin_may_decide(flow, owner, role, status):
    """Behaviour 7."""
    page = flow.ask()
    flow.owner = signed_in(make_member(organization=owner.organization, role=role))
    seen = flow.ask()
    assert seen.status_code == status
    if status == 403:
        assert owner.email in seen.text
        assert flow.answer(page).status_code == 403
        assert not Authorization.objects.exists()


def test_somebody_without_an_organization_is_told_so(flow):
    for user in (make_user(), make_user(is_staff=True, is_superuser=True)):
        flow.owner = signed_in(user)
        page = flow.ask()
        assert (page.status_code, "belongs to no organization" in page.text) == (403, True)


def test_nobody_is_let_in_while_the_organization_is_switched_off(flow, owner):
    page = flow.ask()
    owner.organization.is_active = False
    owner.organization.save()
    assert flow.answer(page).status_code == 403
    assert not Authorization.objects.exists()


# ---- What the page says


def test_the_page_says_who_asks_and_for_what_in_plain_words(flow, application):
    """Behaviour 8."""
    text = unescape(flow.ask().text)
    partner = application.connector
    for words in (partner.name, partner.email, CALLBACK_URL, "See your orders", "See the name of your organization"):
        assert words in text
    assert "orders:read" not in text.split("<main")[1].split("<form")[0]
    assert "badge-accent" not in text


def test_what_is_asked_anew_is_marked(flow):
    flow.code()
    flow.verifier = "another" * 10
    flow.scope += " products:write"
    text = flow.ask().text
    assert "Add and change products <span" in text
    assert text.count("badge-accent") == 1


def test_the_page_lists_the_stores_of_this_organization_only(flow, owner):
    brand = make_brand(organization=owner.organization, name="Fedoras")
    make_store(brand=brand, name="Main Street")
    make_store(name="Somebody else's")
    text = unescape(flow.ask().text)
    assert ("Fedoras" in text, "Main Street" in text, "Somebody else's" in text) == (True, True, False)


@pytest.mark.parametrize("count", [1, 3])
def test_the_page_takes_the_same_few_queries_however_many_stores(flow, owner, count, django_assert_max_num_queries):
    for _ in range(count):
        make_store(brand=make_brand(organization=owner.organization))
    flow.ask()
    with django_assert_max_num_queries(10):
        flow.ask()


def test_nothing_a_partner_wrote_is_read_as_html(flow, application):
    application.connector.name = "<script>alert(1)</script>"
    application.connector.save()
    text = flow.ask().text
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert" in text


# ---- For which stores


def test_consent_for_some_stores_reaches_those_only(flow, owner):
    stores = [make_store(brand=make_brand(organization=owner.organization)) for _ in range(3)]
    tokens = flow.tokens(reach="chosen", stores=[str(store.pk) for store in stores[:2]])
    who = principal_of(tokens["access_token"])
    assert set(who.stores) == set(stores[:2])
    assert Integration.objects.get(partner=flow.application.connector).reaches_all_stores is False


def test_the_next_consent_starts_from_the_last_choice_and_replaces_it(flow, owner):
    stores = [make_store(brand=make_brand(organization=owner.organization)) for _ in range(2)]
    flow.code(reach="chosen", stores=[str(stores[0].pk)])
    flow.verifier = "another" * 10
    page = flow.ask()
    assert f'value="{stores[0].pk}" checked' in page.text
    assert f'value="{stores[1].pk}" checked' not in page.text
    flow.answer(page, reach="all")
    made = Integration.objects.get(partner=flow.application.connector)
    assert (made.reaches_all_stores, made.reachable_stores.count()) == (True, 0)


@pytest.mark.parametrize("chosen", [[], ["not an id"], ["foreign"]])
def test_some_stores_means_at_least_one_of_ones_own(flow, chosen):
    stores = [str(make_store().pk) if pk == "foreign" else pk for pk in chosen]
    answer = flow.answer(flow.ask(), reach="chosen", stores=stores)
    assert (answer.status_code, "error-summary" in answer.text) == (200, True)
    assert not Authorization.objects.exists()


def test_an_organization_without_stores_can_let_an_application_in(flow):
    page = flow.ask()
    assert "Only stores I choose" not in page.text
    assert "code" in heard(flow.answer(page))


def test_consent_given_in_one_organization_is_none_in_another(flow, application, stranger):
    tokens = flow.tokens()
    assert principal_of(tokens["access_token"]).organization != stranger.organization
    assert not Integration.objects.filter(organization=stranger.organization).exists()
    assert make_organization().integrations.count() == 0
