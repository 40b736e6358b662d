"""A platform that is reached by an address and a key: Vendure, as recorded."""

from collections.abc import Iterator

import pytest
import responses

from apps.integrations.connectors.vendure import client as graphql
from apps.integrations.models import Credential, Integration
from apps.shops.models import Connection
from tests.factories import make_connection, make_draft, make_integration
from tests.integrations.connectors.vendure.conftest import Vendure, recorded

from ..pages import text

SHOP = "https://93.184.216.34"  # a public address that needs no looking up
GOOD = {"address": SHOP, "api_key": "a-key-of-vendure"}


@pytest.fixture
def vendure(settings) -> Iterator[Vendure]:
    """Offered, and answering at SHOP."""
    known = {"URL": SHOP, "CLIENT_ID": "", "CLIENT_SECRET": ""}
    settings.CONNECTOR_ENVIRONMENT = settings.CONNECTOR_ENVIRONMENT | {"vendure": known}
    server = Vendure({graphql.SERVER: recorded("server"), graphql.CHANNELS: recorded("channels")})
    server.answers |= {graphql.VARIANTS: recorded("variants"), graphql.LOG_IN: recorded("login_refused")}
    with responses.RequestsMock(assert_all_requests_are_fired=False) as web:
        web.add_callback(responses.POST, f"{SHOP}/admin-api", callback=server)
        yield server


@pytest.fixture
def begun(owner, vendure) -> Connection:
    return make_draft(organization=owner.organization, connector="vendure", created_by=owner)


def test_a_key_that_works_is_kept_and_leads_on(owner_client, begun):
    answer = owner_client.post(f"/connect/{begun.pk}/log-in/", GOOD)
    assert (answer.status_code, answer.url) == (302, f"/connect/{begun.pk}/brand/")
    integration = Integration.objects.get()
    assert (integration.is_connected, integration.address) == (True, SHOP)
    assert Credential.objects.get().secrets == {"api_key": "a-key-of-vendure"}
    assert Connection.objects.get().integration == integration


@pytest.mark.parametrize(
    ("answers", "sentence"),
    [
        ({"address": SHOP}, "Please fill in a key, or a user name with its password."),
        ({"address": SHOP, "username": "u", "password": "wrong"}, "Vendure did not accept what you entered."),
        ({"address": "https://10.0.0.1", "api_key": "s3cret"}, "That address cannot be used."),
        ({"address": "https://169.254.169.254/latest", "api_key": "s3cret"}, "That address cannot be used."),
        ({"address": "http://93.184.216.35", "api_key": "s3cret"}, "That address cannot be used."),
        ({"address": "javascript:alert(1)", "api_key": "s3cret"}, "That address cannot be used."),
        ({"address": "https://93.184.216.35", "api_key": "s3cret"}, "Vendure could not be reached."),
    ],
)
def test_what_does_not_work_is_told_in_a_sentence_and_nothing_is_kept(owner_client, begun, answers, sentence):
    answer = owner_client.post(f"/connect/{begun.pk}/log-in/", answers)
    assert sentence in text(answer)
    assert "s3cret" not in answer.text and "wrong" not in answer.text
    assert not Integration.objects.exists() and not Credential.objects.exists()
    assert Connection.objects.get().integration is None


def test_a_key_that_may_not_read_the_catalogue_is_told_as_such(owner_client, begun, vendure):
    vendure.answers[graphql.VARIANTS] = recorded("forbidden")
    answer = owner_client.post(f"/connect/{begun.pk}/log-in/", GOOD)
    assert "That account may not do what we need at Vendure. Please use an administrator's." in text(answer)
    assert not Credential.objects.exists()


def test_the_key_of_another_shop_is_noticed_at_reconnecting_and_nothing_changes(owner, owner_client, vendure):
    lost = make_integration(organization=owner.organization, connector="vendure", state="needs_reconnect")
    connection = make_connection(integration=lost)
    before = Integration.objects.values().get(), Credential.objects.values().get()
    answer = owner_client.post(f"/stores/{connection.pk}/log-in/", GOOD)
    assert "You logged in with another account than this store belongs to. Nothing was changed." in text(answer)
    assert (Integration.objects.values().get(), Credential.objects.values().get()) == before


def test_a_fresh_key_of_the_same_shop_brings_the_store_back(owner, owner_client, begun, vendure):
    owner_client.post(f"/connect/{begun.pk}/log-in/", GOOD)
    connection = make_connection(integration=Integration.objects.get())
    Integration.objects.get().lose_permission("rotated")
    answer = owner_client.post(f"/stores/{connection.pk}/log-in/", GOOD | {"api_key": "a-fresh-key"})
    assert answer.url == f"/stores/{connection.pk}/"
    assert Integration.objects.get().is_connected
    assert Credential.objects.get().secrets == {"api_key": "a-fresh-key"}
