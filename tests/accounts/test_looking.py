"""Who looks on sees what an owner sees, and touches nothing."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.db.utils import InternalError
from django.urls import reverse
from django.utils import timezone

from apps.accounts import looking
from apps.accounts.models import Invitation, Membership, Organization, User
from apps.audit.models import Entry
from apps.onboarding.views import stores
from apps.shops.models import Connection
from tests.conftest import signed_in
from tests.factories import make_connection, make_member, make_organization, make_user
from tests.onboarding.routes import ROUTES, address, rows
from tests.onboarding.test_roles import undone

PAGES = [name for name, route in ROUTES.items() if route.need != "anyone"]
READ = [name for name in PAGES if "GET" in ROUTES[name].methods]


@pytest.fixture
def watcher(db, settings):
    """A browser of somebody who may look, and nothing else."""
    settings.DEMO = True
    person = make_user(email="watcher@3pl.example", is_staff=True)
    codes = ["look_as_owner", "view_organization"]
    person.user_permissions.set(Permission.objects.filter(codename__in=codes))
    return signed_in(person)


def deed(organization: Organization, name: str = "look") -> str:
    return reverse(f"admin:accounts_organization_{name}", args=[organization.pk])


def look(browser, organization: Organization):
    answer = browser.post(deed(organization), {"reason": "They called"})
    assert answer.headers.get("Location") == "/", answer.text
    return answer


def everything() -> dict[str, str]:
    """What all tables but that of sessions hold, in short."""
    held = "SELECT '{}', md5(string_agg(row::text, ',' ORDER BY row::text)) FROM {} row"
    tables = [name for name in connection.introspection.table_names() if name != "django_session"]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(held.format(name, connection.ops.quote_name(name)) for name in tables))
        return dict(cursor.fetchall())


def test_who_looks_sees_the_pages_of_that_organization_with_a_banner(watcher, owner, stranger):
    make_connection(organization=owner.organization, name="Hats of Delft")
    make_connection(organization=stranger.organization, name="Shoes")
    look(watcher, owner.organization)
    page = watcher.get("/")
    shown = ("Hats of Delft", "Shoes", "You look at the portal as Great Hats sees it; you cannot change anything.")
    assert [text in page.text for text in shown] == [True, False, True]


def test_every_page_opens_for_who_looks_as_it_opens_for_an_owner(watcher, owner, otter):
    made, theirs = rows(owner.organization), signed_in(owner)
    look(watcher, owner.organization)
    found: dict[str, list] = {}
    for browser in (theirs, watcher):
        for name in READ:
            with undone():
                answer = browser.get(address(name, made))
                found.setdefault(name, []).append((answer.status_code, answer.headers.get("Location")))
    assert {name: told for name, told in found.items() if told[0] != told[1]} == {}


def test_nothing_can_be_changed_by_who_looks(watcher, owner):
    made = rows(owner.organization)
    look(watcher, owner.organization)
    before, found = everything(), {}
    for name in PAGES:
        for method in ("post", "put", "patch", "delete"):
            answer = getattr(watcher, method)(address(name, made), ROUTES[name].takes)
            found[name, method] = (answer.status_code, "nothing can be changed from here" in answer.text)
    assert set(found.values()) == {(403, True)}
    assert everything() == before


def test_an_invitation_is_not_accepted_by_who_looks(watcher, owner):
    made = rows(owner.organization)
    look(watcher, owner.organization)
    watcher.post(address("accept-invitation", made))
    assert not Membership.objects.filter(user__email="watcher@3pl.example").exists()
    assert not Invitation.objects.exclude(accepted_at=None).exists()


def test_who_looks_gets_nobody_in_by_consent(watcher, owner):
    look(watcher, owner.organization)
    answer = watcher.get(reverse("oauth-authorize"))
    assert "Great Hats" not in answer.text


@pytest.mark.django_db(transaction=True)
def test_the_database_refuses_a_page_that_would_write(settings, monkeypatch):
    settings.DEMO = True
    organization = make_organization(name="Great Hats")
    watcher = signed_in(make_user(is_staff=True, is_superuser=True))
    look(watcher, organization)

    def write(*_given):
        Connection.objects.create(organization=organization, connector="otter")

    monkeypatch.setattr(stores.status, "rows", write)
    answer = watcher.get("/")
    assert (answer.status_code, Connection.objects.count()) == (403, 0)
    assert "only its owner opens it" in answer.text
    organization.save()  # whoever comes next on this connection may write again


@pytest.mark.django_db(transaction=True)
def test_other_trouble_of_the_database_is_not_taken_for_a_refusal(settings, monkeypatch):
    settings.DEMO = True
    watcher = signed_in(make_user(is_staff=True, is_superuser=True))
    look(watcher, make_organization())

    def fail(*_given):
        raise InternalError

    monkeypatch.setattr(stores.status, "rows", fail)
    with pytest.raises(InternalError):
        watcher.get("/")


def test_it_ends_when_the_time_is_over(watcher, owner, monkeypatch):
    look(watcher, owner.organization)
    later = timezone.now() + looking.LASTS + timedelta(seconds=1)
    monkeypatch.setattr(looking.timezone, "now", lambda: later)
    assert watcher.get("/").headers["Location"] == "/admin/"
    assert Entry.objects.first().action == "organization.look-end"


def test_it_ends_with_the_permission(watcher, owner):
    look(watcher, owner.organization)
    Permission.objects.get(codename="look_as_owner").user_set.clear()
    assert watcher.get("/").headers["Location"] == "/admin/"


def test_somebody_who_is_staff_no_longer_sees_nothing(watcher, owner):
    look(watcher, owner.organization)
    User.objects.filter(email="watcher@3pl.example").update(is_staff=False)
    assert "Great Hats" not in watcher.get("/").text


def test_who_leaves_is_back_at_their_own_pages(watcher, owner):
    look(watcher, owner.organization)
    answer = watcher.post(deed(owner.organization, "leave"))
    assert answer.status_code == 302
    assert watcher.get("/").headers["Location"] == "/admin/"
    assert watcher.post(deed(owner.organization, "leave")).status_code == 403


def test_beginning_and_end_are_written_down(watcher, owner):
    look(watcher, owner.organization)
    watcher.post(deed(owner.organization, "leave"))
    told = [(entry.actor, entry.action, entry.target, entry.reason) for entry in Entry.objects.order_by("pk")]
    assert told == [
        ("watcher@3pl.example", "organization.look", "Great Hats", "They called"),
        ("watcher@3pl.example", "organization.look-end", "Great Hats", ""),
    ]


def test_who_begins_to_look_at_another_ends_the_look_before(watcher, owner, stranger):
    for organization in (owner.organization, stranger.organization):
        look(watcher, organization)
    watcher.post(deed(stranger.organization, "leave"))
    told = Entry.objects.order_by("pk").values_list("action", "target", "reason")
    first, second = str(owner.organization), str(stranger.organization)
    assert list(told) == [
        ("organization.look", first, "They called"),
        ("organization.look-end", first, "Another look began."),
        ("organization.look", second, "They called"),
        ("organization.look-end", second, ""),
    ]


def test_a_reason_has_to_be_given(watcher, owner):
    assert watcher.post(deed(owner.organization), {"reason": " "}).status_code == 422
    assert watcher.get("/").headers["Location"] == "/admin/"
    assert not Entry.objects.exists()


def test_only_who_may_can_look(owner, settings):
    settings.DEMO = True
    person = make_user(is_staff=True)
    person.user_permissions.add(Permission.objects.get(codename="view_organization"))
    assert signed_in(person).post(deed(owner.organization), {"reason": "a"}).status_code == 403
    answer = signed_in(owner).post(deed(owner.organization), {"reason": "a"})
    assert answer.headers["Location"].startswith("/admin/login/")


def test_an_owner_is_not_hindered_by_a_session_that_says_so(owner):
    browser = signed_in(owner)
    other = make_member(organization=make_organization(name="Other")).organization
    session = browser.session
    session[looking.LOOKING] = {"organization": str(other.pk), "until": timezone.now().timestamp() + 60}
    session.save()
    page = browser.get("/team/")
    assert ("Great Hats" in page.text or owner.email in page.text, "Other" in page.text) == (True, False)
