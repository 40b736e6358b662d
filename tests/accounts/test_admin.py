import pytest
from django.contrib.auth.models import Permission
from django.core import mail
from django.urls import reverse
from django.utils import timezone

from apps.accounts.models import Invitation, Membership, Organization, Role, User
from apps.audit.models import Entry

from ..conftest import save_as_shown, signed_in
from ..factories import (
    PASSWORD,
    make_connection,
    make_invitation,
    make_member,
    make_organization,
    make_store,
    make_user,
)

ADD_INVITATION = "/admin/accounts/invitation/add/"


def names_in(page) -> list[str]:
    return [str(row) for row in page.context["cl"].result_list]


# ---- Invitations


def test_adding_an_invitation_sends_its_link(staff, staff_client):
    hats = make_organization(name="Great Hats")
    given = {"organization": hats.pk, "email": "new@hats.example", "role": Role.ADMIN}
    assert staff_client.post(ADD_INVITATION, given).headers["Location"] == "/admin/accounts/invitation/"
    made = Invitation.objects.get()
    assert (made.organization, made.email, made.role, made.invited_by) == (hats, "new@hats.example", Role.ADMIN, staff)
    assert [(message.to, message.subject) for message in mail.outbox] == [
        (["new@hats.example"], "Join Great Hats on Crossdock")
    ]
    entry = Entry.objects.get()
    assert (entry.action, entry.actor, entry.organization_id) == ("invitation.send", staff.email, hats.pk)


def test_inviting_somebody_again_replaces_their_link(staff_client):
    hats = make_organization()
    given = {"organization": hats.pk, "email": "new@hats.example", "role": Role.MEMBER}
    staff_client.post(ADD_INVITATION, given)
    first = bytes(Invitation.objects.get().token_digest)
    staff_client.post(ADD_INVITATION, given | {"role": Role.VIEWER})
    again = Invitation.objects.get()
    assert (again.role, bytes(again.token_digest) == first, len(mail.outbox)) == (Role.VIEWER, False, 2)


def test_inviting_a_member_says_so_and_keeps_what_was_typed(staff_client):
    member = make_member()
    given = {"organization": member.organization.pk, "email": member.email, "role": Role.MEMBER}
    page = staff_client.post(ADD_INVITATION, given, follow=True)
    assert [str(message) for message in page.context["messages"]] == [f"{member.email} is in your team already."]
    assert page.context["adminform"].form.initial["email"] == member.email
    assert (Invitation.objects.count(), mail.outbox) == (0, [])


@pytest.mark.parametrize("wrong", [{"organization": "x"}, {"email": "nobody"}, {"role": "emperor"}])
def test_a_wrong_invitation_is_refused_and_nothing_is_sent(wrong, staff_client):
    given = {"organization": make_organization().pk, "email": "new@hats.example", "role": Role.MEMBER}
    assert staff_client.post(ADD_INVITATION, given | wrong).status_code == 200
    assert (Invitation.objects.count(), mail.outbox) == (0, [])


def test_open_and_expired_invitations_are_sent_again_and_accepted_ones_are_not(staff_client):
    now = timezone.now()
    rows = [
        make_invitation(email="open@hats.example", token="open"),
        make_invitation(email="late@hats.example", token="late", expires_at=now),
        make_invitation(email="in@hats.example", token="in", accepted_at=now),
    ]
    given = {"action": "send_again", "_selected_action": [row.pk for row in rows]}
    page = staff_client.post("/admin/accounts/invitation/", given, follow=True)
    assert sorted(message.to[0] for message in mail.outbox) == ["late@hats.example", "open@hats.example"]
    assert "in@hats.example has joined already." in [str(message) for message in page.context["messages"]]
    rows[1].refresh_from_db()
    assert rows[1].is_expired is False


def test_one_whose_link_cannot_be_sent_is_named_and_the_others_are_sent(staff_client):
    closed = make_organization(name="Great Shoes", is_active=False)
    rows = [make_invitation(organization=closed, token="1"), make_invitation(email="open@hats.example", token="2")]
    given = {"action": "send_again", "_selected_action": [row.pk for row in rows]}
    page = staff_client.post("/admin/accounts/invitation/", given, follow=True)
    assert [message.to for message in mail.outbox] == [["open@hats.example"]]
    assert "Great Shoes is closed here at the moment." in [str(message) for message in page.context["messages"]]


def test_a_link_with_a_senseless_organization_opens_the_empty_form(staff_client):
    assert staff_client.get(ADD_INVITATION, {"organization": "x"}).status_code == 200


# ---- Finding a store


@pytest.fixture
def berlin(db):
    member = make_member(email="anna@hats.example", organization=make_organization(name="Great Hats"))
    make_member(email="bob@hats.example", organization=member.organization)
    connection = make_connection(organization=member.organization)
    store = connection.store
    store.name, store.address, store.ext_id = "Hat Corner", "1 High Street, Berlin", "ext-4711"
    store.save()
    make_store(name="Shoe Corner", address="2 Low Street, Paris")
    return store


@pytest.mark.parametrize(
    "text", ["hat corner", "high street berlin", "ext-4711", "great hats", "anna@hats.example", "hats.example"]
)
def test_a_store_is_found_by_name_address_id_organization_or_email(text, berlin, staff_client):
    assert names_in(staff_client.get("/admin/accounts/store/", {"q": text})) == ["Hat Corner"]


def test_a_store_is_found_by_our_id(berlin, staff_client):
    assert names_in(staff_client.get("/admin/accounts/store/", {"q": str(berlin.pk)})) == ["Hat Corner"]


def test_stores_are_listed_by_organization(berlin, staff_client):
    asked = {"organization__id__exact": berlin.organization_id}
    assert names_in(staff_client.get("/admin/accounts/store/", asked)) == ["Hat Corner"]


def test_the_page_of_an_organization_has_its_people_invitations_brands_and_connections(berlin, staff_client):
    make_invitation(organization=berlin.organization)
    page = staff_client.get(reverse("admin:accounts_organization_change", args=[berlin.organization_id]))
    assert {tab.formset.model.__name__: len(tab.formset.queryset) for tab in page.context["inline_admin_formsets"]} == {
        "Connection": 1,
        "Membership": 2,
        "Invitation": 1,
        "Brand": 1,
    }


# ---- Memberships


def role_page(membership: Membership) -> str:
    return reverse("admin:accounts_membership_change", args=[membership.pk])


def test_the_last_owner_of_an_organization_stays_its_owner(staff_client):
    last = make_member().membership
    page = save_as_shown(staff_client, role_page(last), {"role": Role.VIEWER})
    assert page.context["errors"] == [["There must be one owner at least. Make somebody else an owner first."]]
    assert staff_client.post(reverse("admin:accounts_membership_delete", args=[last.pk])).status_code == 403
    last.refresh_from_db()
    assert last.role == Role.OWNER


def test_one_of_two_owners_can_be_given_another_role_or_be_taken_out(staff_client):
    organization = make_organization()
    one, other = (make_member(organization=organization).membership for _ in range(2))
    save_as_shown(staff_client, role_page(one), {"role": Role.VIEWER})
    one.refresh_from_db()
    assert one.role == Role.VIEWER
    staff_client.post(reverse("admin:accounts_membership_delete", args=[one.pk]), {"post": "yes"})
    assert list(Membership.objects.all()) == [other]
    assert User.objects.filter(pk=one.user_id).exists()


def test_nobody_is_moved_to_another_organization(staff_client):
    member = make_member()
    given = {"role": Role.OWNER, "organization": make_organization().pk, "user": make_user().pk}
    save_as_shown(staff_client, role_page(member.membership), given)
    member.membership.refresh_from_db()
    assert (member.membership.organization, member.membership.user) == (member.organization, member)


# ---- People


def test_somebody_made_by_staff_can_sign_in_at_once(client, staff_client):
    given = {"email": "new@hats.example", "usable_password": "true"}
    given |= {"password1": "quite a long secret", "password2": "quite a long secret"}
    staff_client.post("/admin/accounts/user/add/", given)
    answer = client.post("/accounts/login/", {"login": "new@hats.example", "password": "quite a long secret"})
    assert answer.headers["Location"] == "/"


def test_two_people_never_have_one_address(staff_client):
    make_user(email="anna@hats.example")
    given = {"email": "Anna@Hats.example", "usable_password": "true"}
    given |= {"password1": "quite a long secret", "password2": "quite a long secret"}
    assert staff_client.post("/admin/accounts/user/add/", given).status_code == 200
    assert User.objects.filter(email__iexact="anna@hats.example").count() == 1


def test_nobody_is_added_with_an_address_that_somebody_else_has_besides_their_own(staff_client):
    make_user(email="anna@hats.example").emailaddress_set.create(email="second@hats.example", verified=True)
    given = {"email": "Second@Hats.example", "usable_password": "true"}
    given |= {"password1": "quite a long secret", "password2": "quite a long secret"}
    page = staff_client.post("/admin/accounts/user/add/", given)
    said = {"email": ["Second@Hats.example is somebody else's already."]}
    assert (page.status_code, page.context["adminform"].form.errors) == (200, said)
    assert not User.objects.filter(email__iexact="second@hats.example").exists()


@pytest.fixture
def colleague(staff_client):
    """Staff who may look after people, but is no superuser."""
    colleague = make_user(is_staff=True)
    colleague.user_permissions.set(Permission.objects.filter(content_type__app_label="accounts"))
    return colleague


def test_only_a_superuser_decides_who_may_do_what(colleague):
    given = {"is_staff": "on", "is_superuser": "on", "is_active": "on", "first_name": "Max"}
    client = signed_in(colleague)
    save_as_shown(client, reverse("admin:accounts_user_change", args=[colleague.pk]), given)
    colleague.refresh_from_db()
    assert (colleague.first_name, colleague.is_superuser) == ("Max", False)


def test_only_a_superuser_sets_the_password_of_a_superuser(colleague, staff):
    page = reverse("admin:auth_user_password_change", args=[staff.pk])
    assert signed_in(colleague).get(page).status_code == 403


def test_each_password_that_is_set_in_the_admin_stands_in_the_trail(staff, staff_client):
    member = make_member()
    new = {"password1": "quite a long secret", "password2": "quite a long secret", "usable_password": "true"}
    theirs = reverse("admin:auth_user_password_change", args=[member.pk])
    assert staff_client.post(theirs, new | {"set-password": "1"}).status_code == 302
    own = {"old_password": PASSWORD, "new_password1": "quite a long secret", "new_password2": "quite a long secret"}
    assert staff_client.post(reverse("admin:password_change"), own | {"old_password": "x"}).status_code == 200
    assert staff_client.post(reverse("admin:password_change"), own).status_code == 302
    entries = Entry.objects.filter(action="user.password").order_by("pk")
    assert [(one.actor, one.target) for one in entries] == [(staff.email, member.email), (staff.email, staff.email)]


def test_people_and_organizations_are_not_deleted(staff_client):
    member = make_member()
    for name, row in {"user": member, "organization": member.organization}.items():
        assert staff_client.post(reverse(f"admin:accounts_{name}_delete", args=[row.pk])).status_code == 403
    assert Organization.objects.filter(memberships__user=member).exists()


# ---- What is HTML on purpose


def test_what_a_password_has_to_be_is_a_list_on_the_desks_page_and_on_ones_own(staff, staff_client):
    pages = [reverse("admin:auth_user_password_change", args=[staff.pk]), reverse("account_change_password")]
    found = [staff_client.get(page).text for page in pages]
    assert [("<ul><li>" in text, "&lt;ul" in text) for text in found] == [(True, False)] * 2


def test_the_page_to_sign_in_leads_to_a_forgotten_password(client, db):
    page = client.get(reverse("account_login")).text
    assert (reverse("account_reset_password") in page, "&lt;a" in page) == (True, False)
