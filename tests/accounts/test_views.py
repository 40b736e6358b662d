import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.contrib.messages import get_messages
from django.core import mail
from django.db import transaction
from django.utils import timezone

from apps.accounts.models import Invitation, Membership, Role
from apps.audit.models import Entry
from tests.concurrency import in_thread, wait_until_blocked
from tests.conftest import signed_in
from tests.factories import (
    INVITATION_TOKEN,
    make_invitation,
    make_member,
    make_membership,
    make_organization,
    make_user,
)

LINK = f"/invitations/{INVITATION_TOKEN}/"
BAD_TEXTS = ["", "x" * 300, "a\x00b", "<script>alert(1)</script>", "no address", "é@" + "x" * 300, "a@b@c", "a b@c.de"]


def told(answer) -> list[str]:
    return [str(message) for message in get_messages(answer.wsgi_request)]


@pytest.fixture
def guest(db):
    return make_user(email="guest@example.com")


# ---- The team


def test_the_team_page_shows_the_people_and_the_open_invitations(owner_client, owner):
    make_member(email="member@example.com", organization=owner.organization, role=Role.MEMBER)
    make_invitation(email="guest@example.com", organization=owner.organization)
    page = owner_client.get("/team/")
    assert [membership.user.email for membership in page.context["members"]] == [
        "owner@example.com",
        "member@example.com",
    ]
    assert [invitation.email for invitation in page.context["invitations"]] == ["guest@example.com"]
    for email in ("owner@example.com", "member@example.com", "guest@example.com"):
        assert email in page.content.decode()


@pytest.mark.parametrize("count", [1, 3])
def test_the_team_page_asks_as_often_for_many_as_for_one(owner_client, owner, django_assert_num_queries, count):
    for number in range(count):
        make_member(organization=owner.organization, role=Role.MEMBER)
        make_invitation(organization=owner.organization, token=str(number))
    with django_assert_num_queries(6):
        owner_client.get("/team/")


def test_somebody_can_be_invited_from_the_team_page(owner_client, owner):
    answer = owner_client.post("/team/", {"email": "guest@example.com", "role": "viewer"})
    assert (answer.status_code, answer["Location"]) == (302, "/team/")
    assert told(answer) == ["We sent a link to guest@example.com."]
    assert [message.to for message in mail.outbox] == [["guest@example.com"]]
    assert Invitation.objects.get().role == Role.VIEWER


@pytest.mark.parametrize("email", BAD_TEXTS)
def test_a_bad_address_is_an_error_and_invites_nobody(owner_client, email):
    answer = owner_client.post("/team/", {"email": email, "role": "member"})
    assert (answer.status_code, list(answer.context["form"].errors)) == (200, ["email"])
    assert (Invitation.objects.count(), mail.outbox) == (0, [])
    assert "<script>alert" not in answer.content.decode()


@pytest.mark.parametrize("role", ["", "god", "a\x00b", "x" * 300])
def test_an_unknown_role_is_an_error_and_changes_nothing(owner_client, owner, role):
    member = make_member(organization=owner.organization, role=Role.MEMBER)
    invited = owner_client.post("/team/", {"email": "guest@example.com", "role": role})
    assert (invited.status_code, list(invited.context["form"].errors)) == (200, ["role"])
    changed = owner_client.post(f"/team/{member.membership.pk}/role/", {"role": role})
    assert told(changed) == ["There is no such role, so nothing was changed."]
    assert Membership.objects.get(user=member).role == Role.MEMBER
    assert not Invitation.objects.exists()


def test_an_admin_who_invites_an_owner_is_told_why_not(owner):
    admin = make_member(organization=owner.organization, role=Role.ADMIN)
    answer = signed_in(admin).post("/team/", {"email": "guest@example.com", "role": "owner"})
    assert answer.context["form"].errors == {"email": ["Only an owner can invite an owner."]}
    assert not Invitation.objects.exists()


def test_a_role_is_changed_and_that_is_said(owner_client, owner):
    member = make_member(organization=owner.organization, role=Role.MEMBER)
    answer = owner_client.post(f"/team/{member.membership.pk}/role/", {"role": "admin"})
    assert (answer["Location"], told(answer)) == ("/team/", ["Saved."])
    assert Membership.objects.get(user=member).role == Role.ADMIN


def test_a_member_is_removed_and_sees_nothing_any_more(owner_client, owner):
    member = make_member(organization=owner.organization, role=Role.MEMBER)
    theirs = signed_in(member)
    assert theirs.get("/team/").status_code == 200
    owner_client.post(f"/team/{member.membership.pk}/remove/")
    assert theirs.get("/team/")["Location"] == "/"


def test_a_downgrade_counts_from_the_next_page_on(owner_client, owner):
    admin = make_member(organization=owner.organization, role=Role.ADMIN)
    theirs = signed_in(admin)
    owner_client.post(f"/team/{admin.membership.pk}/role/", {"role": "viewer"})
    assert theirs.post(f"/team/{owner.membership.pk}/remove/").status_code == 403


def test_the_last_owner_is_told_why_they_must_stay(owner_client, owner):
    answer = owner_client.post(f"/team/{owner.membership.pk}/remove/")
    assert told(answer) == ["There must be one owner at least. Make somebody else an owner first."]
    assert Membership.objects.filter(user=owner).exists()


def test_a_new_link_is_sent(owner_client, owner):
    invitation = make_invitation(organization=owner.organization, expires_at=timezone.now())
    answer = owner_client.post(f"/team/invitations/{invitation.pk}/send/")
    assert told(answer) == [f"We sent a new link to {invitation.email}."]
    invitation.refresh_from_db()
    assert (invitation.is_expired, len(mail.outbox)) == (False, 1)
    assert owner_client.get(LINK).status_code == 404


def test_a_withdrawn_invitation_lets_nobody_in(owner_client, owner, guest):
    invitation = make_invitation(organization=owner.organization, email=guest.email)
    owner_client.post(f"/team/invitations/{invitation.pk}/withdraw/")
    assert signed_in(guest).post(LINK).status_code == 404
    assert not Membership.objects.filter(user=guest).exists()


def test_what_is_done_with_invitations_stands_in_the_trail_with_where_from(owner_client, owner, guest):
    for email in (guest.email, "other@example.com"):
        owner_client.post("/team/", {"email": email, "role": "viewer"})
    other = Invitation.objects.get(email="other@example.com")
    for deed in ("send", "withdraw"):
        owner_client.post(f"/team/invitations/{other.pk}/{deed}/")
    link = re.search(r"/invitations/\S+/", mail.outbox[0].body)[0]
    signed_in(guest).post(link)
    sent, (left, joined) = ("invitation.send", owner.email, "127.0.0.1"), ("invitation.withdraw", "member.join")
    assert list(Entry.objects.order_by("pk").values_list("action", "actor", "address")) == [
        *[sent] * 3,
        (left, owner.email, "127.0.0.1"),
        (joined, guest.email, "127.0.0.1"),
    ]


def test_a_late_guest_who_asks_for_a_new_link_stands_in_the_trail(client, db):
    late = make_invitation(expires_at=timezone.now())
    client.post(LINK, {"again": "1"})
    entry = Entry.objects.get()
    assert (entry.action, entry.actor, entry.user_id, entry.address) == (
        "invitation.send",
        late.email,
        None,
        "127.0.0.1",
    )


@pytest.mark.django_db(transaction=True)
def test_one_that_is_accepted_at_this_moment_is_not_withdrawn(owner_client, owner):
    invitation = make_invitation(organization=owner.organization)
    withdraw = f"/team/invitations/{invitation.pk}/withdraw/"
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            Invitation.objects.update(accepted_at=timezone.now())
            answer = in_thread(pool, lambda: owner_client.post(withdraw).status_code)
            wait_until_blocked()
        assert (answer.result(), Invitation.objects.count()) == (404, 1)


def test_whose_address_somebody_else_has_besides_their_own_is_told_so(guest):
    guest.emailaddress_set.update(verified=False)
    make_user(email="other@example.com").emailaddress_set.create(email=guest.email, verified=True)
    make_invitation(email=guest.email)
    page = signed_in(guest).post(LINK)
    assert (page.status_code, page.context["problem"]) == (200, f"{guest.email} is somebody else's already.")


@pytest.mark.django_db(transaction=True)
def test_one_that_is_withdrawn_at_this_moment_lets_nobody_in(guest):
    invitation, client = make_invitation(email=guest.email), signed_in(guest)
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            invitation.delete()
            answer = in_thread(pool, lambda: client.post(LINK).status_code)
            wait_until_blocked()
        assert (answer.result(), Membership.objects.exists()) == (404, False)


# ---- Who may do what


def pages(membership: Membership, invitation: Invitation) -> dict[str, dict[str, str]]:
    """Every page that changes a team, with what is posted to it."""
    return {
        f"/team/{membership.pk}/role/": {"role": "viewer"},
        f"/team/{membership.pk}/remove/": {},
        f"/team/invitations/{invitation.pk}/send/": {},
        f"/team/invitations/{invitation.pk}/withdraw/": {},
    }


@pytest.fixture
def team(owner):
    """A member and an open invitation of the owner's team."""
    member = make_member(organization=owner.organization, role=Role.MEMBER)
    return member.membership, make_invitation(organization=owner.organization)


def unchanged(membership: Membership, invitation: Invitation) -> bool:
    return (
        Membership.objects.filter(pk=membership.pk, role=Role.MEMBER).exists()
        and Invitation.objects.filter(pk=invitation.pk, token_digest=invitation.token_digest).exists()
        and mail.outbox == []
    )


def test_another_tenants_people_and_invitations_are_not_found(stranger_client, team):
    answers = [stranger_client.post(path, data).status_code for path, data in pages(*team).items()]
    assert (answers, unchanged(*team)) == ([404] * 4, True)


def test_another_tenants_team_is_not_shown(stranger_client, team, owner):
    page = stranger_client.get("/team/").content.decode()
    assert [email in page for email in (owner.email, team[0].user.email, team[1].email, "Great Hats")] == [False] * 4


@pytest.mark.parametrize("role", [Role.MEMBER, Role.VIEWER])
def test_only_owners_and_admins_may_change_a_team(owner, team, role):
    client = signed_in(make_member(organization=owner.organization, role=role))
    answers = [client.post(path, data).status_code for path, data in pages(*team).items()]
    assert (answers, unchanged(*team)) == ([403] * 4, True)
    assert client.get("/team/").status_code == 200


@pytest.mark.parametrize("role", [Role.MEMBER, Role.VIEWER])
def test_whoever_may_not_invite_sees_no_form_and_invites_nobody(owner, role):
    client = signed_in(make_member(organization=owner.organization, role=role))
    page = client.get("/team/").content.decode()
    assert 'name="email"' not in page
    assert "/remove/" not in page
    client.post("/team/", {"email": "guest@example.com", "role": "owner"})
    assert (Invitation.objects.count(), mail.outbox) == (0, [])


def test_whoever_is_not_signed_in_is_asked_to(client, team):
    for path, data in pages(*team).items():
        assert client.post(path, data)["Location"].startswith("/accounts/login/?next=")
    assert unchanged(*team)


def test_whoever_belongs_to_no_organization_goes_home(client, team, guest):
    client.force_login(guest)
    locations = {client.post(path, data)["Location"] for path, data in pages(*team).items()}
    assert (locations, unchanged(*team)) == ({"/"}, True)


def test_looking_changes_nothing(owner_client, team):
    assert [owner_client.get(path).status_code for path in pages(*team)] == [405] * 4
    assert unchanged(*team)


def test_without_the_forms_own_token_nothing_is_changed(owner, team):
    client = signed_in(owner)
    client.handler.enforce_csrf_checks = True
    answers = [client.post(path, data).status_code for path, data in pages(*team).items()]
    assert (answers, unchanged(*team)) == ([403] * 4, True)


# ---- The link in an invitation


def test_a_link_nobody_sent_is_not_found_and_says_what_to_do(client, db):
    page = client.get("/invitations/nonsense/")
    assert page.status_code == 404
    assert "ask whoever invited you to send a new link" in page.content.decode()


@pytest.mark.parametrize("token", ["x" * 3_000, "<script>alert(1)</script>", "%2e%2e", "é", "' OR 1=1 --"])
def test_a_senseless_link_is_not_found(client, db, token):
    page = client.get(f"/invitations/{token}/")
    assert page.status_code == 404
    assert "<script>alert" not in page.content.decode()


def test_a_link_tells_who_is_invited_where_and_how_to_go_on(client, db):
    make_invitation(email="guest@example.com", organization=make_organization(name="Great <b>Hats</b>"))
    page = client.get(LINK).content.decode()
    assert "Join Great &lt;b&gt;Hats&lt;/b&gt;" in page
    assert f'href="/accounts/signup/?next={LINK}"' in page
    assert f'href="/accounts/login/?next={LINK}"' in page


def test_the_invited_person_joins_with_one_press(client, guest):
    invitation = make_invitation(email=guest.email)
    client.force_login(guest)
    assert "You are signed in as guest@example.com" in client.get(LINK).content.decode()
    answer = client.post(LINK)
    assert (answer["Location"], told(answer)) == ("/", [f"Welcome to {invitation.organization}."])
    assert client.post(LINK)["Location"] == "/"
    assert Membership.objects.get().user == guest


def test_looking_at_a_link_does_not_join(client, guest):
    make_invitation(email=guest.email)
    client.force_login(guest)
    client.get(LINK)
    assert not Membership.objects.exists()


def test_an_expired_link_can_be_asked_for_again(client, guest):
    invitation = make_invitation(email=guest.email, expires_at=timezone.now() - timedelta(days=1))
    assert "Send me a new link" in client.get(LINK).content.decode()
    page = client.post(LINK, {"again": "1"})
    assert "It works for 7 days" in page.content.decode()
    [sent] = mail.outbox
    assert sent.to == [guest.email]
    fresh = re.search(r"/invitations/\S+/", sent.body)[0]
    client.force_login(guest)
    assert client.post(fresh)["Location"] == "/"
    assert guest.membership.organization == invitation.organization


@pytest.mark.parametrize("fields", [{}, {"accepted_at": timezone.now(), "expires_at": timezone.now()}])
def test_a_link_that_works_or_was_used_is_not_sent_again(client, db, fields):
    make_invitation(**fields)
    client.post(LINK, {"again": "1"})
    assert mail.outbox == []


def test_a_used_link_says_so(client, guest):
    make_invitation(email=guest.email, accepted_at=timezone.now())
    assert "This invitation was used already" in client.get(LINK).content.decode()
    client.force_login(guest)
    assert client.post(LINK).status_code == 200
    assert not Membership.objects.exists()


def test_somebody_else_is_told_whose_link_it_is_and_how_to_change(owner_client):
    make_invitation(email="guest@example.com")
    page = owner_client.post(LINK).content.decode()
    assert "This invitation is for guest@example.com, and you are signed in as owner@example.com." in page
    assert "Sign in as somebody else" in page


def test_a_member_of_another_team_is_told_which(client, db):
    user = make_user(email="guest@example.com")
    make_membership(user=user, organization=make_organization(name="Great Shoes"))
    make_invitation(email=user.email)
    client.force_login(user)
    assert "You belong to Great Shoes already." in client.post(LINK).content.decode()
