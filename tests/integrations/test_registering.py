"""Registering an application, and ending it (Pio: contracts 1.2; behaviours 16 to 19)."""

import pytest
from django.contrib.auth.hashers import check_password
from django.core.exceptions import ValidationError
from oauth2_provider.models import set_token_value

from apps.api import limits
from apps.api.grants import RECOMMENDED
from apps.api.tokens import ACCESS, is_wellformed, new_token
from apps.audit.models import Entry
from apps.audit.trail import Actor
from apps.integrations import registering
from apps.integrations.models import AccessToken, ApiKey, Application, Authorization, Integration, PartnerConnector
from apps.integrations.oauth.issuing import NEVER
from tests.api.calling import basic, call, said, wrong
from tests.factories import (
    CALLBACK_URL,
    make_access_token,
    make_authorization,
    make_custom_integration,
    make_key,
    make_organization,
    make_partner,
    make_partner_integration,
    make_shop,
)

WANTED = {"name": "Great Plugin", "email": "dev@plugin.example", "callback_url": "https://plugin.example/back"}
SELF = "v1/integrations/self"


@pytest.fixture(autouse=True)
def _open(settings, db) -> None:
    settings.OPEN_REGISTRATION, settings.DEMO = True, False


def _somebody() -> Actor:
    return Actor(text="somebody")


def register(**changes: object):
    return call("POST", "v1/integrations", WANTED | changes)


def test_whoever_registers_gets_a_client_id_and_a_secret():
    answer = register()
    body = answer.json()
    connector = PartnerConnector.objects.get()
    assert answer.status_code == 201
    assert body == WANTED | {
        "id": str(connector.pk),
        "client_id": connector.application.client_id,
        "client_secret": connector.secrets["client_secret"],
        "created_at": body["created_at"],
    }
    assert is_wellformed(body["client_secret"])
    assert (connector.kind, connector.organization, connector.category) == ("registered", None, "shop")
    assert connector.grants == list(RECOMMENDED["shop"])


def test_the_secret_is_kept_hashed_and_sealed_and_never_in_clear():
    secret = register().json()["client_secret"]
    connector = PartnerConnector.objects.get()
    assert check_password(secret, connector.application.client_secret)
    assert secret not in connector.application.client_secret + connector.sealed + str(Entry.objects.values())


def test_an_application_can_be_of_another_category():
    assert register(category="logistics").status_code == 201
    assert PartnerConnector.objects.get().grants == list(RECOMMENDED["logistics"])


@pytest.mark.parametrize("missing", ["name", "email", "callback_url"])
def test_what_is_missing_is_named(missing):
    assert wrong(call("POST", "v1/integrations", {key: WANTED[key] for key in WANTED if key != missing})) == [missing]


@pytest.mark.parametrize(
    "changes",
    [
        {"name": ""},
        {"name": "x" * 201},
        {"name": "two\nlines"},
        {"name": "turned \u202earound"},
        {"name": 7},
        {"email": "nobody"},
        {"email": "x" * 250 + "@example.com"},
        {"callback_url": 7},
        {"callback_url": None},
        {"category": "weather"},
        {"client_id": "mine"},
    ],
)
def test_what_is_wrong_is_named(changes):
    assert wrong(register(**changes)) == list(changes)
    assert not PartnerConnector.objects.exists()


@pytest.mark.parametrize(
    "url",
    [
        "",
        "plugin.example/back",
        "/back",
        "//plugin.example/back",
        "https:plugin.example",
        "https:///back",
        "https://",
        "http://plugin.example/back",
        "http://localhost.plugin.example/back",
        "http://10.0.0.1/back",
        "ftp://plugin.example/back",
        "javascript:alert(1)",
        "https://plugin.example/back#part",
        "https://plugin.example/back#",
        "https://user@plugin.example/back",
        "https://user:secret@plugin.example/back",
        "https://@plugin.example/back",
        "https://plugin.example\\@evil.example/",
        "https://plugin.example/b ack",
        " https://plugin.example/back",
        "https://plugin.example/back\n",
        "https://plugin.example/\tback",
        "https://plügin.example/back",
        "https://plugin.example/bäck",
        "https://plugin.example:0/back",
        "https://plugin.example:65536/back",
        "https://plugin.example:port/back",
        "https://-plugin.example/back",
        "https://plugin..example/back",
        "https://*.example/back",
        "https://[::1/back",
        "https://[fe80::g]/back",
        "https://plugin.example/" + "x" * 978,
    ],
)
def test_a_callback_url_that_is_none_is_refused(url):
    assert wrong(register(callback_url=url)) == ["callback_url"]


@pytest.mark.parametrize(
    "url",
    [
        "https://plugin.example",
        "https://plugin.example/back?shop=1&x=%C3%A4",
        "https://plugin.example:8443/back",
        "https://xn--plgin-kva.example/back",
        "https://192.0.2.1/back",
        "https://[2001:db8::1]:8443/back",
        "http://localhost:9000/back",
        "http://127.0.0.1:9000/back",
        "http://[::1]:9000/back",
        "https://plugin.example/" + "x" * 977,
    ],
)
def test_a_callback_url_is_kept_as_it_was_sent(url):
    assert register(callback_url=url).json()["callback_url"] == url


def test_in_a_demo_any_host_may_be_plain_http(settings):
    settings.DEMO = True
    assert register(callback_url="http://plugin.example/back").status_code == 201


def test_a_callback_url_is_checked_whoever_registers():
    with pytest.raises(ValidationError):
        registering.register("Plugin", email="dev@plugin.example", callback_url="nowhere", actor=_somebody())


def test_registration_can_be_closed(settings):
    settings.OPEN_REGISTRATION = False
    assert said(register()) == (403, "registration_closed")


def test_one_address_registers_only_so_often():
    for _ in range(limits.REGISTRATIONS.burst - 1):
        limits.spend("registration:127.0.0.1", rate=limits.REGISTRATIONS)
    answers = [register() for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 429]
    assert said(answers[1]) == (429, "rate_limited")
    assert int(answers[1].headers["Retry-After"]) > 0
    assert PartnerConnector.objects.count() == 1


def test_the_same_registration_sent_again_is_one():
    first, again = (call("POST", "v1/integrations", WANTED, headers={"Idempotency-Key": "a-key"}) for _ in range(2))
    assert (again.json(), again.headers["Idempotency-Replayed"]) == (first.json(), "true")
    assert Application.objects.count() == 1


def test_a_registration_is_in_the_trail():
    register()
    connector, entry = PartnerConnector.objects.get(), Entry.objects.get()
    assert (entry.actor, entry.action, entry.target_id) == (
        "Great Plugin <dev@plugin.example>",
        "registration.create",
        str(connector.pk),
    )


def test_an_application_reads_itself_but_not_its_secret(django_assert_num_queries):
    partner = make_partner(name="Great Plugin")
    with django_assert_num_queries(2):
        answer = call("GET", SELF, headers=basic(partner.application.client_id))
    assert answer.status_code == 200
    assert answer.json() == {
        "id": str(partner.pk),
        "name": "Great Plugin",
        "email": "dev@partner.example",
        "callback_url": CALLBACK_URL,
        "client_id": partner.application.client_id,
        "created_at": answer.json()["created_at"],
    }


def own_token(partner: PartnerConnector, *, scope: str) -> str:
    """What client credentials get at the token endpoint."""
    token = new_token(ACCESS)
    row = AccessToken(application=partner.application, scope=scope, expires=NEVER)
    set_token_value(row, token)
    row.save()
    return token


def test_a_token_of_client_credentials_does_as_well():
    partner = make_partner()
    assert call("GET", SELF, token=own_token(partner, scope="self:read")).json()["id"] == str(partner.pk)
    assert said(call("GET", SELF, token=own_token(partner, scope="ping"))) == (403, "insufficient_scope")
    assert said(call("DELETE", SELF, token=own_token(partner, scope="self:read"))) == (403, "insufficient_scope")
    assert call("DELETE", SELF, token=own_token(partner, scope="self:write")).status_code == 204


def test_nobody_else_reads_it():
    for headers in ({}, basic(make_partner().application.client_id, "wrong"), basic("nobody")):
        assert said(call("GET", SELF, headers=headers)) == (401, "unauthorized")
    assert said(call("GET", SELF, token=make_access_token())) == (403, "forbidden")


def test_whoever_ends_itself_is_unknown_from_then_on():
    partner = make_partner()
    credentials = basic(partner.application.client_id)
    assert call("DELETE", SELF, headers=credentials).status_code == 204
    assert said(call("GET", SELF, headers=credentials)) == (401, "unauthorized")
    assert said(call("DELETE", SELF, headers=credentials)) == (401, "unauthorized")
    assert said(call("GET", SELF, token=own_token(partner, scope="self:read"))) == (401, "unauthorized")


def test_everything_issued_to_it_dies_in_every_organization():
    partner = make_partner()
    tokens, keys = [], []
    for _ in range(2):
        integration = make_partner_integration(partner=partner)
        bound = make_authorization(integration=integration, is_lasting=True)
        make_shop(integration=integration, authorization=bound)
        tokens += [
            make_access_token(authorization=bound),
            make_access_token(authorization=make_authorization(integration=integration)),
        ]
        keys.append(make_key(integration=integration))
    for token in tokens + keys:
        assert call("GET", "v1/shops", token=token).status_code == 200
    call("DELETE", SELF, headers=basic(partner.application.client_id))
    for token in tokens + keys:
        assert said(call("GET", "v1/shops", token=token)) == (401, "unauthorized")
    states = set(Integration.objects.values_list("state", "state_before", "state_reason"))
    assert states == {("disabled", "connected", registering.ENDED)}
    assert not ApiKey.objects.live().exists()
    assert not Authorization.objects.live().exists()


def test_nobody_elses_credentials_die_with_it():
    kept, ended = make_access_token(), make_partner_integration()
    registering.deactivate(ended.partner, actor=_somebody())
    assert call("GET", "v1/shops", token=kept).status_code == 200
    assert Integration.objects.exclude(pk=ended.pk).get().state == Integration.State.CONNECTED


def test_a_custom_connector_ends_with_both_kinds_of_its_keys():
    integration = make_custom_integration()
    make_key(integration=integration)
    ApiKey.objects.create(
        organization=integration.organization, kind="connector", connector=integration.partner, token_digest=b"x"
    )
    registering.deactivate(integration.partner, actor=_somebody())
    assert not ApiKey.objects.live().exists()


def test_its_end_is_in_the_trail_of_every_organization():
    partner = make_partner()
    organizations = [make_partner_integration(partner=partner).organization for _ in range(2)]
    make_organization()
    call("DELETE", SELF, headers=basic(partner.application.client_id))
    told = Entry.objects.filter(action="integration.disable").values_list("organization_id", flat=True)
    assert set(told) == {organization.pk for organization in organizations}
    assert Entry.objects.filter(action="registration.delete").count() == 1


def test_ending_twice_is_ending_once():
    partner = make_partner()
    assert registering.deactivate(partner, actor=_somebody()) is True
    assert registering.deactivate(partner, actor=_somebody()) is False
    assert Entry.objects.count() == 1
