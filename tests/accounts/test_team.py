from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from django.db import transaction

from apps.accounts import team
from apps.accounts.models import Membership, Organization, Role
from apps.audit.models import Entry
from tests.concurrency import in_thread, wait_until_blocked
from tests.factories import make_member, make_organization


@pytest.fixture
def organization(db) -> Organization:
    return make_organization()


@pytest.mark.parametrize(
    ("by", "whom", "role"),
    [
        (Role.OWNER, Role.VIEWER, Role.OWNER),
        (Role.OWNER, Role.OWNER, Role.VIEWER),
        (Role.OWNER, Role.ADMIN, Role.MEMBER),
        (Role.ADMIN, Role.ADMIN, Role.VIEWER),
        (Role.ADMIN, Role.VIEWER, Role.ADMIN),
    ],
)
def test_a_role_can_be_changed(organization, by, whom, role):
    manager, member = make_member(organization=organization, role=by), make_member(organization=organization, role=whom)
    team.change_role(member.membership, role=role, by=manager, address="192.0.2.1")
    assert Membership.objects.get(user=member).role == role
    entry = Entry.objects.get(action="member.role")
    assert (entry.actor, entry.organization_id, entry.address) == (manager.email, organization.pk, "192.0.2.1")
    assert (entry.before, entry.after) == ({"role": whom}, {"role": role})


@pytest.mark.parametrize("role", [Role.ADMIN, Role.MEMBER, Role.VIEWER])
def test_an_admin_cannot_change_an_owner(organization, role):
    owner, admin = make_member(organization=organization), make_member(organization=organization, role=Role.ADMIN)
    make_member(organization=organization)
    for work in (
        lambda: team.change_role(owner.membership, role=role, by=admin),
        lambda: team.remove(owner.membership, by=admin),
    ):
        with pytest.raises(team.Refused, match="Only an owner can change an owner"):
            work()
    assert Membership.objects.get(user=owner).role == Role.OWNER


@pytest.mark.parametrize("whom", [Role.ADMIN, Role.MEMBER])
def test_an_admin_cannot_make_an_owner_not_even_of_themselves(organization, whom):
    make_member(organization=organization)
    admin = make_member(organization=organization, role=Role.ADMIN)
    member = admin if whom == Role.ADMIN else make_member(organization=organization, role=whom)
    with pytest.raises(team.Refused, match="Only an owner can make somebody an owner"):
        team.change_role(member.membership, role=Role.OWNER, by=admin)
    assert Membership.objects.get(user=member).role == whom


def test_the_last_owner_stays_one(organization):
    owner = make_member(organization=organization)
    make_member(organization=organization, role=Role.ADMIN)
    for work in (
        lambda: team.change_role(owner.membership, role=Role.ADMIN, by=owner),
        lambda: team.remove(owner.membership, by=owner),
    ):
        with pytest.raises(team.Refused, match="There must be one owner at least"):
            work()
    assert Membership.objects.get(user=owner).role == Role.OWNER


def test_the_owner_of_another_organization_does_not_count(organization):
    owner = make_member(organization=organization)
    make_member()
    with pytest.raises(team.Refused):
        team.remove(owner.membership, by=owner)


def test_an_owner_can_leave_when_there_is_another(organization):
    owner, other = (make_member(organization=organization) for _ in range(2))
    team.remove(owner.membership, by=owner)
    assert [membership.user for membership in organization.memberships.all()] == [other]


def test_whoever_is_removed_keeps_their_account(organization):
    owner, member = make_member(organization=organization), make_member(organization=organization, role=Role.MEMBER)
    team.remove(member.membership, by=owner)
    member.refresh_from_db()
    assert (member.is_active, member.organization) == (True, None)


def test_the_role_one_has_can_be_saved_again(organization):
    owner = make_member(organization=organization)
    team.change_role(owner.membership, role=Role.OWNER, by=owner)
    assert Membership.objects.get().role == Role.OWNER


def test_somebody_who_has_just_left_cannot_be_changed(organization):
    owner, member = make_member(organization=organization), make_member(organization=organization, role=Role.MEMBER)
    stale = member.membership
    Membership.objects.filter(pk=stale.pk).delete()
    for work in (lambda: team.remove(stale, by=owner), lambda: team.change_role(stale, role=Role.ADMIN, by=owner)):
        with pytest.raises(team.Refused, match="just left"):
            work()


@pytest.mark.django_db(transaction=True)
def test_two_last_owners_cannot_remove_each_other_at_once():
    organization = make_organization()
    one, two = (make_member(organization=organization) for _ in range(2))
    with ThreadPoolExecutor() as pool:
        with transaction.atomic():
            Organization.objects.select_for_update().get()
            pairs = [(one.membership, two), (two.membership, one)]
            removals = [in_thread(pool, partial(_remove, membership, by)) for membership, by in pairs]
            wait_until_blocked(2)
        results = [removal.result(timeout=10) for removal in removals]
    assert sorted(results) == ["refused", "removed"]
    assert organization.memberships.filter(role=Role.OWNER).count() == 1


def _remove(membership, by) -> str:
    try:
        team.remove(membership, by=by)
    except team.Refused:
        return "refused"
    return "removed"
