import pytest
import responses

from apps.accounts.models import User
from apps.integrations.connectors import get_connector
from apps.integrations.connectors.vendure import client as graphql
from apps.integrations.consent import ConsentProblem, sign_in_with_keys
from apps.integrations.models import Credential, Integration
from tests.factories import make_integration

from ..connectors.vendure.conftest import Vendure
from ..connectors.vendure.conftest import recorded as recorded_by_vendure
from .trips import nothing_is_stored

SHOP = "https://1.1.1.1"  # a literal address, so that no name has to be looked up


@pytest.fixture
def vendure(otter) -> Vendure:
    answers = {
        graphql.SERVER: recorded_by_vendure("server"),
        graphql.CHANNELS: recorded_by_vendure("channels"),
        graphql.VARIANTS: recorded_by_vendure("variants"),
    }
    vendure = Vendure(answers=answers)
    otter.add_callback(responses.POST, f"{SHOP}/admin-api", vendure)
    return vendure


def sign_in(user: User, **answers: str) -> Integration:
    return sign_in_with_keys(
        get_connector("vendure"),
        {"address": SHOP, "api_key": "a-key"} | answers,
        organization=user.organization,
        user=user,
    )


def test_a_good_key_is_kept_with_the_address_it_is_for(vendure, owner):
    integration = sign_in(owner, address=f"{SHOP}/")
    assert (integration.state, integration.address) == (Integration.State.CONNECTED, SHOP)
    assert integration.credential.secrets == {"api_key": "a-key"}


def test_the_same_key_twice_is_one_integration(vendure, owner):
    assert sign_in(owner) == sign_in(owner)
    assert Credential.objects.count() == 1


@pytest.mark.parametrize(
    "address",
    ["http://1.1.1.1", "https://127.0.0.1", "https://10.0.0.1", "https://me@1.1.1.1", "ftp://1.1.1.1", "shop"],
)
def test_an_address_that_may_not_be_called_is_refused_before_any_call(vendure, owner, address):
    with pytest.raises(ConsentProblem) as refused:
        sign_in(owner, address=address)
    assert (refused.value.code, vendure.asked, nothing_is_stored()) == ("address_refused", [], True)


def test_a_wrong_key_stores_nothing(vendure, owner):
    vendure.answers[graphql.SERVER] = recorded_by_vendure("forbidden")
    with pytest.raises(ConsentProblem) as refused:
        sign_in(owner)
    assert (refused.value.code, nothing_is_stored()) == ("unauthorized", True)


def test_keys_of_another_account_change_nothing_at_reconnect(vendure, owner):
    lost = make_integration(
        organization=owner.organization,
        connector="vendure",
        account_ref="another",
        state=Integration.State.NEEDS_RECONNECT,
    )
    with pytest.raises(ConsentProblem) as refused:
        sign_in_with_keys(
            get_connector("vendure"),
            {"address": SHOP, "api_key": "a-key"},
            organization=owner.organization,
            user=owner,
            integration=lost,
        )
    assert refused.value.code == "other_account"
    assert Credential.objects.get().secrets == {"access_token": "token-of-the-owner"}
    lost.refresh_from_db()
    assert lost.state == Integration.State.NEEDS_RECONNECT
