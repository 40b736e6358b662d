import re
from datetime import timedelta
from smtplib import SMTPServerDisconnected

import pytest
from django.core import mail
from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.accounts import inviting
from apps.accounts.models import Invitation, Membership, Role, digest
from apps.audit.models import Entry
from tests.concurrency import at_once
from tests.factories import make_invitation, make_member, make_organization, make_user


def link_in(message) -> str:
    return re.search(r"http://testserver/invitations/(\S+)/", message.body)[1]


def invite(owner, email: str = "guest@example.com", role: str = Role.MEMBER) -> Invitation:
    return inviting.invite(owner.organization, email=email, role=role, by=owner)


def test_an_invitation_is_a_link_by_mail(owner):
    invitation = invite(owner)
    [sent] = mail.outbox
    assert sent.to == ["guest@example.com"]
    assert sent.subject == "Join Great Hats on Crossdock"
    assert list(Invitation.objects.by_token(link_in(sent))) == [invitation]
    assert (invitation.organization, invitation.role, invitation.invited_by) == (owner.organization, "member", owner)
    assert invitation.expires_at - invitation.sent_at == timedelta(days=7)


def test_the_link_itself_is_not_kept(owner):
    invite(owner)
    token = link_in(mail.outbox[0])
    row = Invitation.objects.values().get()
    assert bytes(row.pop("token_digest")) == digest(token)
    assert token not in str(row)
    assert len(token) >= 43


def test_inviting_again_replaces_the_link(owner):
    first, second = invite(owner), invite(owner, "GUEST@example.com", Role.ADMIN)
    assert (first, second.role, Invitation.objects.count()) == (second, "admin", 1)
    old, new = map(link_in, mail.outbox)
    assert [Invitation.objects.by_token(token).exists() for token in (old, new)] == [False, True]


def test_a_member_cannot_be_invited_again(owner):
    make_member(email="guest@example.com", organization=owner.organization)
    with pytest.raises(inviting.CannotInvite, match="is in your team already"):
        invite(owner, "GUEST@example.com")
    assert mail.outbox == []


def test_somebody_of_another_team_can_be_invited_and_that_is_not_told(owner, stranger):
    invite(owner, stranger.email)
    assert len(mail.outbox) == 1


def test_an_admin_cannot_invite_an_owner(owner):
    admin = make_member(organization=owner.organization, role=Role.ADMIN)
    with pytest.raises(inviting.CannotInvite, match="Only an owner can invite an owner"):
        invite(admin, role=Role.OWNER)
    assert (mail.outbox, Invitation.objects.count()) == ([], 0)


def test_the_3pls_own_people_can_invite_an_owner(owner):
    staff = make_user(is_staff=True)
    inviting.invite(owner.organization, email="guest@example.com", role=Role.OWNER, by=staff)
    assert len(mail.outbox) == 1


def test_a_mail_that_cannot_be_sent_is_said_and_can_be_sent_later(owner, monkeypatch):
    def fail(*args, **kwargs):
        raise SMTPServerDisconnected("gone")

    with monkeypatch.context() as broken:
        broken.setattr("django.core.mail.backends.locmem.EmailBackend.send_messages", fail)
        with pytest.raises(inviting.CannotInvite, match="could not be sent just now"):
            invite(owner)
    inviting.send(Invitation.objects.get())
    assert list(Invitation.objects.by_token(link_in(mail.outbox[0]))) == [Invitation.objects.get()]


@pytest.mark.django_db(transaction=True)
def test_the_same_person_invited_twice_at_once_is_invited_once(owner):
    results = at_once(4, lambda: invite(owner).pk)
    invitation = Invitation.objects.get()
    assert {result for result in results if not isinstance(result, inviting.CannotInvite)} == {invitation.pk}


def test_one_that_was_accepted_meanwhile_is_sent_no_new_link(db):
    invitation = make_invitation(email="guest@example.com")
    inviting.accept(Invitation.objects.get(), user=make_user(email="guest@example.com"))
    with pytest.raises(inviting.CannotInvite, match="has joined already"):
        inviting.send(invitation)
    assert (mail.outbox, Invitation.objects.open().exists()) == ([], False)


def test_one_address_has_one_open_invitation_in_an_organization(db):
    organization = make_organization()
    make_invitation(organization=organization, email="guest@example.com", token="1", accepted_at=timezone.now())
    make_invitation(organization=organization, email="guest@example.com", token="2")
    make_invitation(email="guest@example.com", token="3")
    with pytest.raises(IntegrityError), transaction.atomic():
        make_invitation(organization=organization, email="Guest@example.com", token="4")


def trail() -> list[tuple]:
    rows = Entry.objects.order_by("pk")
    return [(one.action, one.actor, one.organization_id, one.before, one.after, one.address) for one in rows]


def test_each_link_that_is_sent_stands_in_the_trail_with_who_asked_for_it(owner):
    team, facts = owner.organization, {"email": "guest@example.com", "role": "member"}
    invitation = inviting.invite(team, email="guest@example.com", role=Role.MEMBER, by=owner, address="192.0.2.1")
    inviting.send(invitation, address="192.0.2.2")
    assert trail() == [
        ("invitation.send", owner.email, team.pk, {}, facts, "192.0.2.1"),
        ("invitation.send", "guest@example.com", team.pk, {}, facts, "192.0.2.2"),
    ]


def test_what_is_withdrawn_stands_in_the_trail_once(owner):
    invitation = make_invitation(email="guest@example.com", organization=owner.organization)
    withdrawn = [inviting.withdraw(invitation, by=owner, address="192.0.2.1") for _ in range(2)]
    facts = {"email": "guest@example.com", "role": "member"}
    assert (withdrawn, trail()) == (
        [True, False],
        [("invitation.withdraw", owner.email, owner.organization.pk, facts, {}, "192.0.2.1")],
    )


def test_an_invitation_that_is_refused_is_no_entry_in_the_trail(owner):
    make_member(email="guest@example.com", organization=owner.organization)
    with pytest.raises(inviting.CannotInvite):
        invite(owner)
    taken = make_invitation(email="in@example.com", organization=owner.organization, accepted_at=timezone.now())
    with pytest.raises(inviting.CannotInvite):
        inviting.send(taken, by=owner)
    assert (inviting.withdraw(taken, by=owner), trail()) == (False, [])


# ---- Accepting


def test_who_joins_stands_in_the_trail_once(db):
    invitation, user = make_invitation(email="guest@example.com", role=Role.ADMIN), make_user(email="guest@example.com")
    for _ in range(2):
        inviting.accept(invitation, user=user, address="192.0.2.1")
    assert trail() == [
        ("member.join", user.email, invitation.organization_id, {}, {"role": "admin"}, "192.0.2.1"),
    ]


def test_accepting_makes_a_member_with_the_role_of_the_invitation(db):
    invitation, user = make_invitation(email="guest@example.com", role=Role.ADMIN), make_user(email="Guest@example.com")
    membership = inviting.accept(invitation, user=user)
    assert (membership.user, membership.organization, membership.role) == (user, invitation.organization, "admin")
    assert Invitation.objects.get().accepted_at is not None


def test_accepting_twice_is_accepting_once(db):
    invitation, user = make_invitation(email="guest@example.com"), make_user(email="guest@example.com")
    assert inviting.accept(invitation, user=user) == inviting.accept(invitation, user=user)


def refusal(invitation: Invitation, user) -> str:
    with pytest.raises(inviting.CannotAccept) as refused:
        inviting.accept(invitation, user=user)
    assert not Membership.objects.filter(organization=invitation.organization).exists()
    return str(refused.value)


def test_a_used_invitation_lets_nobody_in_again(db):
    user = make_user(email="guest@example.com")
    invitation = make_invitation(email=user.email, accepted_at=timezone.now())
    assert refusal(invitation, user) == "This invitation was used already."


def test_an_expired_invitation_lets_nobody_in(db):
    user = make_user(email="guest@example.com")
    assert refusal(make_invitation(email=user.email, expires_at=timezone.now()), user) == "This invitation has expired."


def test_an_invitation_is_for_nobody_else(db):
    user = make_user(email="other@example.com")
    assert refusal(make_invitation(email="guest@example.com"), user) == (
        "This invitation is for guest@example.com, and you are signed in as other@example.com."
    )
    assert Invitation.objects.get().accepted_at is None


def test_an_address_that_somebody_else_has_besides_their_own_lets_nobody_in(db):
    user = make_user(email="guest@example.com")
    user.emailaddress_set.update(verified=False)
    make_user(email="other@example.com").emailaddress_set.create(email="guest@example.com", verified=True)
    assert refusal(make_invitation(email=user.email), user) == "guest@example.com is somebody else's already."
    assert (Invitation.objects.get().accepted_at, Entry.objects.count()) == (None, 0)


def test_nobody_can_belong_to_two_organizations(db):
    user = make_member(email="guest@example.com", organization=make_organization(name="Great Shoes"))
    assert refusal(make_invitation(email=user.email), user) == "You belong to Great Shoes already."
    assert Invitation.objects.get().accepted_at is None


@pytest.mark.django_db(transaction=True)
def test_one_person_who_accepts_two_invitations_at_once_joins_one_organization():
    user = make_user(email="guest@example.com")
    invitations = [make_invitation(email=user.email, token=token) for token in ("1", "2")]
    results = at_once(2, lambda: inviting.accept(invitations.pop(), user=user))
    assert sorted(type(result).__name__ for result in results) == ["CannotAccept", "Membership"]
    assert Membership.objects.count() == 1
