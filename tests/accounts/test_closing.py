"""What an organization that is not active means, everywhere but in the API (tests/tenancy)."""

import pytest
from django.test import Client

from apps.accounts import closing, inviting
from apps.accounts.models import Invitation, Membership, Organization
from apps.audit.models import Entry
from apps.audit.trail import Actor
from apps.shops.models import Connection
from apps.syncs.models import SyncRun
from apps.syncs.queueing import owe_regular_runs
from tests.conftest import signed_in
from tests.factories import (
    INVITATION_TOKEN,
    make_connection,
    make_invitation,
    make_member,
    make_organization,
    make_run,
    make_user,
)
from tests.onboarding.pages import HTMX, text

BY = Actor("admin@foo-3pl.example")


@pytest.fixture
def connection(owner) -> Connection:
    return make_connection(organization=owner.organization)


@pytest.fixture
def closed(connection) -> Connection:
    """A connection of an organization that was closed."""
    closing.deactivate(connection.organization, by=BY)
    return connection


def test_closing_and_opening_are_on_record_and_done_once(owner):
    organization = owner.organization
    did = [work(organization, by=BY) for work in (closing.deactivate, closing.deactivate, closing.activate)]
    assert did == [True, False, True]
    entries = Entry.objects.about("organization", organization.pk).values_list(
        "actor", "action", "organization_id", "before", "after"
    )
    on, off = {"is_active": True}, {"is_active": False}
    assert list(entries) == [
        (BY.text, "organization.activate", organization.pk, off, on),
        (BY.text, "organization.deactivate", organization.pk, on, off),
    ]


@pytest.mark.parametrize("headers", [{}, HTMX])
@pytest.mark.parametrize("path", ["/", "/team/", "/connect/", "/stores/{}/", "/stores/{}/products.csv"])
def test_its_people_are_told_whom_to_ask_and_see_nothing_else(owner_client, closed, settings, path, headers):
    settings.SUPPORT_EMAIL = "help@foo-3pl.example"
    page = owner_client.get(path.format(closed.pk), headers=headers)
    assert (page.status_code, "Great Hats is closed here at the moment" in text(page)) == (403, True)
    assert "help@foo-3pl.example" in text(page)
    assert closed.name not in text(page)


def test_opened_again_everything_is_there(owner_client, closed):
    closing.activate(closed.organization, by=BY)
    assert closed.name in text(owner_client.get("/"))


def test_nobody_joins_it(client, closed):
    invitation = make_invitation(organization=closed.organization, email="new@hats.example")
    joining = signed_in(make_user(email="new@hats.example"))
    page = joining.post(f"/invitations/{INVITATION_TOKEN}/")
    assert "Great Hats is closed here at the moment." in text(page)
    assert not Membership.objects.filter(user__email="new@hats.example").exists()
    with pytest.raises(inviting.CannotInvite):
        inviting.send(invitation)
    assert not Invitation.objects.acceptable().exists()


def test_nobody_signs_up_for_it(client: Client, closed):
    make_invitation(organization=closed.organization, email="new@hats.example")
    client.get(f"/invitations/{INVITATION_TOKEN}/")
    assert "You need an invitation" in text(client.get("/accounts/signup/"))


def test_its_runs_wait_and_go_on(closed):
    run = make_run(connection=closed)
    assert (list(SyncRun.objects.due()), list(SyncRun.objects.held())) == ([], [run])
    assert SyncRun.objects.claim(run.pk) is None
    closing.activate(closed.organization, by=BY)
    assert list(SyncRun.objects.due()) == [run]


def test_no_regular_runs_are_queued_for_it(closed):
    make_connection()
    assert owe_regular_runs() == 1
    assert not SyncRun.objects.filter(organization=closed.organization).exists()


def test_what_hangs_is_left_alone_until_it_is_opened(closed):
    past = closed.created_at.replace(year=2020)
    Connection.objects.filter(pk=closed.pk).update(state=Connection.State.CONNECTING, lease_until=past)
    assert not Connection.objects.hanging().exists()
    closing.activate(closed.organization, by=BY)
    assert Connection.objects.hanging().exists()


def test_staff_close_and_open_it_in_the_admin(staff, staff_client, owner):
    organization = owner.organization
    place, states = "/admin/accounts/organization/", []
    for action in ("deactivate", "activate"):
        staff_client.post(place, {"action": action, "_selected_action": [organization.pk], "post": "yes"})
        organization.refresh_from_db()
        states.append(organization.is_active)
    assert states == [False, True]
    assert {entry.actor for entry in Entry.objects.all()} == {staff.email}


def test_closing_asks_first_and_names_whom_it_is_about(staff_client):
    names = {make_organization(name=name).name for name in ("Fine Hats", "Fine Shoes")}
    other = make_organization(name="Fine Socks")
    chosen = [one.pk for one in Organization.objects.exclude(pk=other.pk)]
    given = {"action": "deactivate", "_selected_action": chosen}
    page = staff_client.post("/admin/accounts/organization/?q=fine", given)
    assert (page.status_code, {*page.context["points"][1:]}) == (200, names)
    assert page.context["title"] == "Close: nobody sees its data, and nothing works for it: 2 organizations"
    assert Organization.objects.filter(is_active=False).count() == 0
    sent = {field.html_name: field.value() for field in page.context["form"]}
    assert sent == given | {"post": "yes"}
    staff_client.post("/admin/accounts/organization/?q=fine", sent)
    assert {one.name for one in Organization.objects.filter(is_active=False)} == names


def test_an_owner_of_another_organization_notices_nothing(closed):
    other = make_member()
    assert signed_in(other).get("/").status_code == 200
