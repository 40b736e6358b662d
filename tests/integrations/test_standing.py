"""The five words for how an integration is doing (behaviour 43)."""

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.integrations import standing
from apps.integrations.models import Integration
from apps.integrations.standing import Standing, Stands
from apps.shops.models import Connection
from tests.factories import (
    make_attempt,
    make_connection,
    make_custom_integration,
    make_draft,
    make_integration,
    make_member,
)

pytestmark = pytest.mark.django_db
State = Integration.State


def trip(integration: Integration, **fields):
    """Somebody on the way to the platform's login page, to give it permission anew."""
    return make_attempt(user=make_member(organization=integration.organization), integration=integration, **fields)


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (State.NOT_CONFIGURED, Stands(Standing.NOT_CONFIGURED)),
        (State.CONNECTED, Stands(Standing.CONNECTED)),
        (State.NEEDS_RECONNECT, Stands(Standing.ERROR, "because")),
        (State.DISABLED, Stands(Standing.DISABLED, "because")),
    ],
)
def test_by_itself_it_is_its_state(state, expected):
    reason = "because" if expected.reason else ""
    assert standing.of(make_integration(state=state, state_reason=reason)) == expected


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (State.NOT_CONFIGURED, Standing.CONNECTING),
        (State.NEEDS_RECONNECT, Standing.CONNECTING),
        (State.CONNECTED, Standing.CONNECTED),
        (State.DISABLED, Standing.DISABLED),
    ],
)
def test_it_is_connecting_while_somebody_is_logging_in(state, expected):
    integration = make_integration(state=state)
    trip(integration)
    assert standing.of(integration).standing == expected


def test_a_trip_that_ended_is_none():
    integration = make_integration(state=State.NOT_CONFIGURED)
    trip(integration, used_at=timezone.now())
    trip(integration, state="another", expires_at=timezone.now() - timedelta(seconds=1))
    assert standing.of(integration).standing == Standing.NOT_CONFIGURED


def test_it_is_connecting_while_its_first_store_is():
    integration = make_integration()
    make_draft(integration=integration)
    assert standing.of(integration).standing == Standing.CONNECTED
    make_connection(integration=integration, state=Connection.State.CONNECTING)
    assert standing.of(integration).standing == Standing.CONNECTING
    make_connection(integration=integration, state=Connection.State.PAUSED)
    assert standing.of(integration).standing == Standing.CONNECTED


def test_a_connector_that_is_gone_is_an_error():
    removed, ended = make_integration(connector="gone"), make_custom_integration()
    ended.partner.deactivated_at = timezone.now()
    assert standing.of(removed) == Stands(Standing.ERROR, "The operator has removed its connector.")
    assert standing.of(ended) == Stands(Standing.ERROR, "The connector's developer has ended it.")


@pytest.mark.parametrize("count", [1, 3])
def test_a_list_costs_one_query(django_assert_num_queries, count):
    for _ in range(count):
        trip(make_integration(state=State.NEEDS_RECONNECT), state=f"state-{_}")
    rows = standing.with_standing(Integration.objects.select_related("partner"))
    with django_assert_num_queries(1):
        assert [standing.of(row).standing for row in rows] == [Standing.CONNECTING] * count
