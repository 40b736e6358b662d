from datetime import timedelta

import pytest

from apps.integrations.connectors.base import Rejected, Unauthorized, Unreachable
from apps.integrations.models import ApplicationToken, Integration
from apps.integrations.sessions import call, call_renewed, open_client
from tests.conftest import OTTER
from tests.factories import (
    make_application_token,
    make_integration,
)

from ..connectors.otter import ORGANIZATION, recorded
from .platform import expiring, organization, products


def test_a_first_401_is_tried_again_with_a_refreshed_token(platform):
    integration = expiring(expires_in=timedelta(days=1))
    assert call(integration, organization).name == "Great Hats"
    assert [given["refresh_token"] for given in platform.given] == ["refresh-1"]
    integration.refresh_from_db()
    assert integration.state == Integration.State.CONNECTED


def test_a_first_401_is_tried_again_with_the_same_token_when_it_cannot_be_refreshed(otter, db):
    make_application_token()
    otter.get(OTTER + ORGANIZATION, status=401)
    otter.get(OTTER + ORGANIZATION, json=recorded("organization"))
    assert call(make_integration(), organization).name == "Great Hats"


def test_a_second_401_needs_the_owner(otter, db):
    make_application_token()
    otter.get(OTTER + ORGANIZATION, status=401, json=recorded("unauthorized"))
    integration = make_integration()
    with pytest.raises(Unauthorized):
        call(integration, organization)
    assert len(otter.calls) == 2
    assert (integration.state, integration.needs_reconnect) == (Integration.State.NEEDS_RECONNECT, True)
    assert "answered 401" in Integration.objects.get().state_reason


def test_an_integration_an_admin_disabled_stays_so_after_a_401(otter, db):
    make_application_token()
    otter.get(OTTER + ORGANIZATION, status=401)
    integration = make_integration(state=Integration.State.DISABLED)
    with pytest.raises(Unauthorized):
        call(integration, organization)
    assert Integration.objects.get().state == Integration.State.DISABLED


def test_a_401_that_another_worker_has_cured_is_not_refreshed_again(platform):
    integration = expiring(expires_in=timedelta(days=1))
    stale = open_client(integration)
    call(integration, organization)
    with pytest.raises(Unauthorized):
        stale.organization()
    assert call_renewed(integration, organization, refused={"old"}).name == "Great Hats"
    assert len(platform.given) == 1


def test_without_any_permission_nothing_is_called_and_the_owner_is_needed(otter, db):
    integration = make_integration(secrets={})
    with pytest.raises(Unauthorized):
        call(integration, organization)
    assert len(otter.calls) == 0
    assert Integration.objects.get().state == Integration.State.NEEDS_RECONNECT


@pytest.mark.parametrize("error", [Unreachable("later"), Rejected("no"), ValueError("a bug")])
def test_what_is_no_401_is_not_tried_again(otter, db, error):
    make_application_token()
    tries = []

    def work(client):
        tries.append(client)
        raise error

    with pytest.raises(type(error)):
        call(make_integration(), work)
    assert len(tries) == 1
    assert Integration.objects.get().state == Integration.State.CONNECTED


def test_a_secret_that_cannot_be_opened_waits_for_its_key(platform, settings):
    integration = make_integration()
    keys = settings.CREDENTIAL_KEYS
    settings.CREDENTIAL_KEYS = ["other:" + "A" * 43 + "="]
    with pytest.raises(Unreachable) as waiting:
        call(integration, organization)
    assert waiting.value.code == "bug"
    settings.CREDENTIAL_KEYS = keys
    assert call(integration, organization).name == "Great Hats"


def test_our_own_token_that_cannot_be_opened_is_fetched_anew(platform):
    ApplicationToken.objects.update(sealed="lost:AAAA")
    assert call(make_integration(), products) == ["Panama Hat, white, M", "Bowler"]
    assert len(platform.given) == 1
