"""Keys are made, rotated and terminated by one winner each, and only for who can have them."""

from datetime import timedelta
from functools import partial

import pytest
from django.utils import timezone

from apps.accounts.models import Role
from apps.api.errors import Problem
from apps.api.grants import CONSENTED
from apps.audit.models import Entry
from apps.audit.trail import Actor
from apps.integrations import keying
from apps.integrations.models import ApiKey
from tests.concurrency import at_once
from tests.factories import make_custom_integration, make_member, make_partner, make_user

SOMEBODY = Actor("somebody")
issue = partial(keying.issue, name="Tills", by=None, actor=SOMEBODY)
rotate = partial(keying.rotate, overlap=timedelta(hours=1), by=None, actor=SOMEBODY)


@pytest.mark.parametrize("role", [Role.OWNER, Role.ADMIN])
def test_an_organizations_admin_has_keys_of_their_own(db, role):
    member = make_member(role=role)
    issued = issue(member, grants=["orders:read"])
    assert (issued.key.user, issued.key.organization, issued.key.may) == (member, member.organization, ["orders:read"])
    assert issued.secret.startswith("xdu_")


def test_who_administers_no_organization_has_none(db):
    for person in (make_member(role=Role.MEMBER), make_user(is_staff=True)):
        with pytest.raises(Problem, match="conflict"):
            issue(person)


def test_a_registered_connector_has_none(db):
    with pytest.raises(Problem, match="conflict"):
        issue(make_partner())


def test_a_deleted_integration_has_none(db):
    integration = make_custom_integration(deleted_at=timezone.now())
    with pytest.raises(Problem, match="deleted"):
        issue(integration)


def test_a_persons_key_is_not_rotated(db):
    key = issue(make_member(), grants=list(CONSENTED)).key
    with pytest.raises(Problem, match="personal key"):
        rotate(key)


@pytest.mark.parametrize("overlap", [timedelta(seconds=-1), timedelta(days=7, seconds=1)])
def test_no_overlap_is_longer_than_a_week(db, overlap):
    with pytest.raises(Problem, match="validation_error"):
        rotate(issue(make_custom_integration()).key, overlap=overlap)


@pytest.mark.django_db(transaction=True)
def test_of_two_who_rotate_a_key_at_once_one_gets_a_new_one():
    key = issue(make_custom_integration()).key
    results = at_once(4, partial(rotate, key))
    refused = [found for found in results if isinstance(found, Problem)]
    assert ([problem.code for problem in refused], ApiKey.objects.count()) == (["conflict"] * 3, 2)
    assert Entry.objects.filter(action="key.rotate").count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_key_that_is_terminated_while_it_is_rotated_is_dead_either_way():
    key = issue(make_custom_integration()).key
    works = iter([partial(rotate, key), partial(keying.terminate, key, actor=SOMEBODY)])
    at_once(2, lambda: next(works)())
    key.refresh_from_db()
    assert (key.is_live, key.state) == (False, "ended")
