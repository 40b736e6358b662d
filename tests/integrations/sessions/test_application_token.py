import json
from datetime import timedelta

import pytest
from django.utils import timezone

from apps.integrations.connectors.base import Unauthorized, Unreachable
from apps.integrations.models import ApplicationToken, Integration
from apps.integrations.sessions import call
from tests.conftest import OTTER
from tests.factories import (
    APPLICATION_TOKEN,
    make_application_token,
    make_integration,
)

from ..connectors.otter import ORGANIZATION, SUMMARIES, TOKEN, recorded
from .platform import organization, products


def test_our_own_token_is_fetched_once_and_shared_by_all_tenants(platform, otter):
    ApplicationToken.objects.all().delete()
    for _ in range(3):
        assert call(make_integration(), products) == ["Panama Hat, white, M", "Bowler"]
    assert platform.given == [
        {
            "grant_type": "client_credentials",
            "scope": "catalog manager.menus manager.orders",
            "client_id": "crossdock",
            "client_secret": "a-client-secret",
        }
    ]
    assert ApplicationToken.objects.get().secrets["access_token"] == "token-1"


def test_our_own_token_is_renewed_before_its_end(platform):
    ApplicationToken.objects.update(expires_at=timezone.now() + timedelta(seconds=30))
    assert call(make_integration(), products) == ["Panama Hat, white, M", "Bowler"]
    assert len(platform.given) == 1
    assert ApplicationToken.objects.get().expires_at > timezone.now() + timedelta(minutes=50)


def test_our_own_token_is_fetched_anew_after_a_401(platform, db):
    platform.good.remove(APPLICATION_TOKEN)
    assert call(make_integration(), products) == ["Panama Hat, white, M", "Bowler"]
    assert [given["grant_type"] for given in platform.given] == ["client_credentials"]


def test_an_application_that_is_refused_for_good_is_not_the_owners_trouble(otter, db):
    make_application_token()
    otter.post(OTTER + TOKEN, json=recorded("application_token"))
    otter.get(OTTER + SUMMARIES, status=401, json=recorded("unauthorized"))
    integration = make_integration()
    with pytest.raises(Unreachable) as refused:
        call(integration, products)
    assert refused.value.code == "application_refused"
    assert Integration.objects.get().state == Integration.State.CONNECTED


@pytest.mark.parametrize("refusal", ['{"error": "invalid_client"}', json.dumps(recorded("unauthorized"))])
def test_client_credentials_that_are_refused_are_not_the_owners_trouble(platform, refusal):
    ApplicationToken.objects.all().delete()
    platform.refusal = 401, refusal
    integration = make_integration()
    with pytest.raises(Unreachable) as refused:
        call(integration, products)
    assert refused.value.code == "application_refused"
    assert call(integration, organization).name == "Great Hats"
    assert Integration.objects.get().state == Integration.State.CONNECTED


def test_when_the_owners_permission_is_refused_as_well_the_owner_has_to_log_in_again(otter, db):
    make_application_token()
    otter.post(OTTER + TOKEN, json=recorded("application_token"))
    otter.get(OTTER + SUMMARIES, status=401, json=recorded("unauthorized"))
    otter.get(OTTER + ORGANIZATION, status=401, json=recorded("unauthorized"))
    integration = make_integration()
    with pytest.raises(Unauthorized):
        call(integration, products)
    assert Integration.objects.get().state == Integration.State.NEEDS_RECONNECT


def test_a_token_asked_for_before_the_connector_needed_more_is_replaced_once(platform):
    integration = make_integration()
    row = ApplicationToken.objects.get()
    row.secrets = row.secrets | {"asked": "catalog"}
    row.save()
    call(integration, products)
    call(integration, products)
    assert ApplicationToken.objects.get().secrets["asked"] == "catalog manager.menus manager.orders"
    assert [given["grant_type"] for given in platform.given] == ["client_credentials"]
