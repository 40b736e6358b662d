from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.integrations.connectors import UnknownConnector, get_connector
from apps.integrations.models import AuthorizationAttempt, Integration
from apps.integrations.tasks import forget_old_attempts
from tests.factories import make_attempt, make_integration, make_member, make_organization


def test_an_account_is_put_to_work_once_in_an_organization(db):
    integration = make_integration()
    with pytest.raises(IntegrityError), transaction.atomic():
        make_integration(organization=integration.organization, account_ref=integration.account_ref)
    make_integration(account_ref=integration.account_ref)


def test_accounts_that_nobody_has_logged_in_to_do_not_collide(db):
    organization = make_organization()
    for _ in range(2):
        make_integration(organization=organization, account_ref="", state=Integration.State.NOT_CONFIGURED)


def test_a_connector_that_was_removed_is_unknown(db):
    with pytest.raises(UnknownConnector):
        _ = make_integration(connector="removed").kind


def test_the_owners_address_goes_before_the_operators(otter, db):
    integration = make_integration()
    assert integration.address == "https://otter.example.com"
    integration.settings["address"] = "https://shop.example.com"
    assert integration.address == "https://shop.example.com"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("connected", "needs_reconnect"),
        ("needs_reconnect", "needs_reconnect"),
        ("disabled", "disabled"),
        ("not_configured", "not_configured"),
    ],
)
def test_only_a_connected_integration_can_lose_its_permission(db, before, after):
    integration = make_integration(state=before)
    integration.lose_permission("401")
    assert integration.state == Integration.objects.get().state == after


def test_queries_know_the_connected_ones_and_a_connectors(db):
    connected, lost = make_integration(), make_integration(state=Integration.State.NEEDS_RECONNECT)
    other = make_integration(connector="vendure")
    assert set(Integration.objects.connected()) == {connected, other}
    assert set(Integration.objects.of(get_connector("otter"))) == {connected, lost}


def test_a_person_sees_their_own_organizations_integrations_only(db, rf):
    integration, _ = make_integration(), make_integration()
    request = rf.get("/")
    request.user = make_member(organization=integration.organization)
    assert list(Integration.objects.for_principal(request)) == [integration]


def test_an_attempt_is_spent_once(db):
    attempt = make_attempt()
    assert [attempt.spend(), AuthorizationAttempt.objects.get().spend()] == [True, False]


def test_an_expired_attempt_cannot_be_spent(db):
    assert make_attempt(expires_at=timezone.now()).spend() is False


def test_attempts_are_forgotten_after_thirty_days(db):
    old, young = (make_attempt(state=state) for state in ("old", "young"))
    AuthorizationAttempt.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=31))
    AuthorizationAttempt.objects.filter(pk=young.pk).update(created_at=timezone.now() - timedelta(days=29))
    forget_old_attempts()
    assert list(AuthorizationAttempt.objects.all()) == [young]
