"""Two people who change one row of the admin at once: who comes second is told so, and nothing of the first is lost."""

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.urls import reverse

from apps.meanwhile import Meanwhile

from .concurrency import at_once
from .conftest import save_as_shown, signed_in
from .factories import make_user

REFUSED = "Somebody changed this after you opened the page."


def shown(client, address: str) -> str:
    return client.get(address).context["adminform"].form["as_shown"].value()


def test_every_page_where_a_row_is_changed_is_of_this_kind(rf, staff):
    request = rf.get("/admin/")
    request.user = staff
    changed = {
        model.__name__
        for model, pages in admin.site._registry.items()
        if pages.has_change_permission(request) and not isinstance(pages, Meanwhile)
    }
    # The pairs of a mapping are saved as a whole: each change makes rows anew, and a page of a former one is gone.
    assert changed == {"ShippingMethod"}


@pytest.fixture
def group(db) -> Group:
    return Group.objects.create(name="Night shift")


def page_of(group: Group) -> str:
    return reverse("admin:auth_group_change", args=[group.pk])


def test_what_was_shown_goes_along_in_the_page(staff_client, group):
    page = staff_client.get(page_of(group)).text
    assert f'<input type="hidden" name="as_shown" value="{shown(staff_client, page_of(group))}"' in page


def test_who_opened_the_page_before_and_who_sends_none_of_it_save_nothing(staff_client, group):
    before = shown(staff_client, page_of(group))
    assert save_as_shown(staff_client, page_of(group), {"name": "Early shift"}).status_code == 302
    for given in ({"as_shown": before}, {"as_shown": "x"}, {}):
        answer = staff_client.post(page_of(group), {"name": "Mine"} | given)
        assert (answer.status_code, REFUSED in answer.text) == (200, True)
    group.refresh_from_db()
    assert group.name == "Early shift"


def test_what_was_chosen_of_many_counts_as_shown_too(staff_client, group):
    before = shown(staff_client, page_of(group))
    group.permissions.set([permission := Permission.objects.get(codename="view_order")])
    assert REFUSED in staff_client.post(page_of(group), {"name": "Night shift", "as_shown": before}).text
    assert list(group.permissions.all()) == [permission]


@pytest.mark.django_db(transaction=True)
def test_of_two_who_save_at_once_one_is_refused(settings):
    settings.DEMO = True
    address = page_of(Group.objects.create(name="Night shift"))
    clients = [signed_in(make_user(is_staff=True, is_superuser=True)) for _ in range(2)]
    given = {"name": "Early shift", "as_shown": shown(clients[0], address)}
    answers = at_once(2, lambda: clients.pop().post(address, given).status_code)
    assert sorted(answers) == [200, 302]
