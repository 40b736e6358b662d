"""An integration that was added over the API and waits for somebody to log in at its platform."""

import pytest

from apps.audit.trail import Actor
from apps.integrations.models import Integration
from apps.shops.deleting import delete
from tests.concurrency import at_once
from tests.factories import make_integration

from .trips import ACCOUNT, come_back, leave

pytestmark = pytest.mark.django_db
ADMIN = Actor(text="admin@foo-3pl.example")


def waiting(organization, **fields) -> Integration:
    made = {"name": "My Shop", "state": Integration.State.NOT_CONFIGURED, "account_ref": "", "secrets": {}}
    return make_integration(organization=organization, **made | fields)


def log_in(owner) -> Integration:
    query = leave(owner)
    return come_back(owner, {"code": "a-code", "state": query["state"]})[1]


def test_it_gets_the_permission_and_keeps_its_name(platform, owner):
    added = waiting(owner.organization)
    connected = log_in(owner)
    assert (connected.pk, connected.name, connected.account_ref) == (added.pk, "My Shop", ACCOUNT)
    assert (connected.state, Integration.objects.count()) == (Integration.State.CONNECTED, 1)


def test_of_several_the_oldest_is_next(platform, owner):
    added = [waiting(owner.organization) for _ in range(2)]
    assert log_in(owner) == added[0]


def test_an_account_that_is_known_goes_to_its_own(platform, owner):
    known = make_integration(organization=owner.organization, account_ref=ACCOUNT)
    added = waiting(owner.organization)
    assert log_in(owner) == known
    added.refresh_from_db()
    assert added.state == Integration.State.NOT_CONFIGURED


def test_nobody_elses_is_taken(platform, owner, stranger):
    others = [
        waiting(stranger.organization),
        waiting(owner.organization, connector="vendure"),
        waiting(owner.organization, state=Integration.State.DISABLED),
    ]
    assert log_in(owner) not in others


def test_a_deleted_one_is_taken_only_for_its_own_account(platform, owner):
    delete(waiting(owner.organization), actor=ADMIN)
    known = make_integration(organization=owner.organization, account_ref=ACCOUNT, name="Before")
    delete(known, actor=ADMIN)
    connected = log_in(owner)
    assert (connected.pk, connected.name, connected.deleted_at) == (known.pk, "Before", None)
    assert list(Integration.objects.kept()) == [connected]


@pytest.mark.django_db(transaction=True)
def test_several_logins_at_once_end_with_one_integration(platform, owner):
    waiting(owner.organization)
    queries = [leave(owner) for _ in range(4)]
    states = iter(query["state"] for query in queries)
    found = at_once(4, lambda: come_back(owner, {"code": "a-code", "state": next(states)})[1].pk)
    assert found == [Integration.objects.get().pk] * 4
