"""How long new orders are held, said on the store's page."""

import pytest
from django.urls import reverse

from apps.audit.models import Entry
from apps.integrations.models import Integration
from tests.factories import make_connection, make_integration, make_partner_integration
from tests.onboarding.pages import text

pytestmark = pytest.mark.django_db


@pytest.fixture
def connection(owner):
    return make_connection(integration=make_integration(organization=owner.organization))


def post(client, connection, minutes: str) -> list[str]:
    answer = client.post(reverse("hold-orders", args=[connection.pk]), {"minutes": minutes}, follow=True)
    return [str(message) for message in answer.context["messages"]]


def hold_of(connection) -> int:
    return Integration.objects.get(pk=connection.integration_id).order_hold_seconds


def test_an_owner_says_for_how_long_and_the_trail_knows_who(owner, owner_client, connection):
    page = owner_client.get(reverse("store", args=[connection.pk]))
    assert ("Hold them for so many minutes" in text(page), 'value="10"' in page.text) == (True, True)
    saved = ["Saved. It holds for orders that come from now on."]
    assert (post(owner_client, connection, "60"), hold_of(connection)) == (saved, 3_600)
    entry = Entry.objects.get(action="integration.change")
    assert (entry.actor, entry.before, entry.after) == (
        owner.email,
        {"order_hold_seconds": 600},
        {"order_hold_seconds": 3_600},
    )
    assert (post(owner_client, connection, "0"), hold_of(connection)) == (saved, 0)
    assert (post(owner_client, connection, "10080"), hold_of(connection)) == (saved, 604_800)


@pytest.mark.parametrize("wrong", ["", "-1", "x", "1.5", "10081", "9" * 40])
def test_what_is_no_number_of_minutes_of_a_week_changes_nothing(owner_client, connection, wrong):
    assert "Saved" not in str(post(owner_client, connection, wrong))
    assert hold_of(connection) == 600


def test_orders_that_an_application_sends_are_held_as_long_as_their_owner_says(owner, owner_client):
    connection = make_connection(integration=make_partner_integration(organization=owner.organization))
    post(owner_client, connection, "5")
    assert hold_of(connection) == 300
