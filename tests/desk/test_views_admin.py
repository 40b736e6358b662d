"""Saved views: kept above their list, shared or not, opened again, changed and deleted by whom they belong to."""

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.audit.models import Entry
from apps.desk import viewing
from apps.desk.models import View
from apps.orders.models import Order
from tests.conftest import signed_in
from tests.factories import make_order, make_user, make_view

ORDERS, SAVE = "/admin/orders/order/", "/admin/desk/view/save/"
WAITING = "state__exact=waiting"


@pytest.fixture
def colleague(db, settings):
    """One of the 3PL's own people, who may look at orders and nothing else."""
    settings.DEMO = True
    person = make_user(email="colleague@foo-3pl.example", is_staff=True)
    person.user_permissions.add(Permission.objects.get(codename="view_order"))
    return person


def above(client, address=ORDERS):
    """The views above a list, by their names."""
    return [view.name for view in client.get(address).context["views"]]


# ---- Saving


def test_a_list_is_saved_as_its_address_has_it(staff, staff_client):
    make_order(state=Order.State.WAITING)
    page = staff_client.get(f"{ORDERS}?{WAITING}&p=0")
    save = page.context["save"]
    assert staff_client.get(save).status_code == 200
    answer = staff_client.post(save, {"name": "Mine to mend"})
    assert answer.headers["Location"] == f"{ORDERS}?{WAITING}"
    view = View.objects.get()
    assert (view.user, view.model, view.name, view.query, view.is_shared) == (
        staff, "orders.order", "Mine to mend", WAITING, False
    )  # fmt: skip
    page = staff_client.get(f"{ORDERS}?{WAITING}")
    assert (page.context["save"], 'aria-current="true"' in page.text) == ("", True)


def test_a_list_without_filters_is_not_offered_to_be_saved(staff_client):
    assert staff_client.get(ORDERS).context["save"] == ""


@pytest.mark.parametrize("name", ["", " ", "x" * 61])
def test_a_view_needs_a_name(name, staff_client):
    assert staff_client.post(f"{SAVE}?model=orders.order&query=q%3D1", {"name": name}).status_code == 422
    assert View.objects.count() == 0


def test_a_name_is_given_once_to_ones_views_of_a_list(staff, staff_client):
    make_view(user=staff, name="Late")
    make_view(user=make_user(is_staff=True), name="Other")
    again = staff_client.post(f"{SAVE}?model=orders.order&query=q%3D1", {"name": "Late"})
    assert (again.status_code, "You have a view of this name already." in again.text) == (422, True)
    assert staff_client.post(f"{SAVE}?model=orders.order&query=q%3D1", {"name": "Other"}).status_code == 302
    assert staff_client.post(f"{SAVE}?model=catalog.product&query=q%3D1", {"name": "Late"}).status_code == 302


def test_what_is_too_long_is_refused_in_words(staff_client):
    answer = staff_client.post(f"{SAVE}?model=orders.order&query=q%3D{'x' * 2001}", {"name": "Long"})
    assert (answer.status_code, "There are too many filters to be kept." in answer.text) == (422, True)


def test_nobody_keeps_more_than_anybody_needs(staff, staff_client, monkeypatch):
    monkeypatch.setattr(viewing, "MOST", 1)
    make_view(user=staff)
    answer = staff_client.post(f"{SAVE}?model=orders.order&query=q%3D1", {"name": "One more"})
    assert (answer.status_code, "Delete one first." in answer.text) == (422, True)


@pytest.mark.parametrize("model", ["", "no.such", "orders.orderline", "orders", "catalog.product"])
def test_a_list_that_one_may_not_look_at_is_not_found(model, colleague):
    client = signed_in(colleague)
    assert client.get(SAVE, {"model": model, "query": "q=1"}).status_code == 404


def test_somebody_who_may_only_look_keeps_views_too(colleague):
    client = signed_in(colleague)
    assert client.post(f"{SAVE}?model=orders.order&query=q%3D1", {"name": "Mine"}).status_code == 302
    assert above(client) == ["Mine"]


# ---- Seeing


def test_ones_own_and_shared_ones_are_above_the_list(staff, staff_client, colleague):
    make_view(user=colleague, name="Hers")
    make_view(user=colleague, name="Everybody's", is_shared=True)
    make_view(user=staff, name="Mine")
    make_view(user=staff, name="Of products", model="catalog.product")
    assert above(staff_client) == ["Everybody's", "Mine"]
    assert above(signed_in(colleague)) == ["Everybody's", "Hers"]


def test_a_view_opens_its_list(staff, staff_client):
    view = make_view(user=staff, query=WAITING)
    assert staff_client.get(f"/admin/desk/view/{view.pk}/open/").headers["Location"] == f"{ORDERS}?{WAITING}"


def test_a_view_with_a_filter_that_is_gone_opens_the_list_without_it_and_says_so(staff, staff_client):
    view = make_view(user=staff, name="Old", query=f"was_there_once=1&{WAITING}")
    page = staff_client.get(f"/admin/desk/view/{view.pk}/open/", follow=True)
    assert page.redirect_chain == [(f"{ORDERS}?{WAITING}", 302)]
    assert "has a filter that this list no longer has: was_there_once." in page.text


def test_a_view_of_a_colleague_that_is_not_shared_is_not_found(staff, colleague):
    view = make_view(user=staff)
    for address in ("open/", "change-view/", "delete-view/", "change/"):
        answer = signed_in(colleague).get(f"/admin/desk/view/{view.pk}/{address}")
        assert answer.status_code in {302, 403, 404} and "/orders/order/" not in answer.headers.get("Location", "")


def test_a_view_of_a_list_that_one_may_not_look_at_is_not_found(staff, colleague):
    view = make_view(user=staff, model="catalog.product", query="q=1", is_shared=True)
    assert signed_in(colleague).get(f"/admin/desk/view/{view.pk}/open/").status_code == 404


def test_a_list_costs_the_same_with_many_views(staff, staff_client):
    make_view(user=staff)
    staff_client.get(ORDERS)
    with CaptureQueriesContext(connection) as one:
        staff_client.get(ORDERS)
    for n in range(5):
        make_view(user=make_user(is_staff=True), name=f"shared {n}", is_shared=True)
    with CaptureQueriesContext(connection) as many:
        staff_client.get(ORDERS)
    assert len(many) == len(one)


# ---- Changing and deleting


def test_its_owner_renames_shares_and_deletes_it(colleague):
    view, client = make_view(user=colleague, name="Old"), signed_in(colleague)
    assert client.get(f"/admin/desk/view/{view.pk}/change/").status_code == 200
    answer = client.post(f"/admin/desk/view/{view.pk}/change-view/", {"name": "New", "is_shared": "on"})
    assert answer.headers["Location"] == f"{ORDERS}?{WAITING}"
    view.refresh_from_db()
    assert (view.name, view.is_shared) == ("New", True)
    assert client.post(f"/admin/desk/view/{view.pk}/delete-view/").headers["Location"] == f"{ORDERS}?{WAITING}"
    assert View.objects.count() == 0
    assert [entry.action for entry in Entry.objects.order_by("pk")] == ["view.change", "view.delete"]


def test_what_only_its_owner_sees_is_in_no_trail(colleague):
    view, client = make_view(user=colleague, name="Old"), signed_in(colleague)
    client.post(f"{SAVE}?model=orders.order&query=q%3D1", {"name": "Mine"})
    client.post(f"/admin/desk/view/{view.pk}/change-view/", {"name": "New"})
    client.post(f"/admin/desk/view/{view.pk}/delete-view/")
    assert (Entry.objects.count(), [one.name for one in View.objects.all()]) == (0, ["Mine"])


def test_sharing_is_in_the_trail(staff_client):
    staff_client.post(f"{SAVE}?model=orders.order&query=q%3D1", {"name": "For all", "is_shared": "on"})
    entry = Entry.objects.get()
    assert (entry.action, entry.after) == (
        "view.share", {"name": "For all", "list": "orders.order", "query": "q=1", "is_shared": True}
    )  # fmt: skip


def test_a_colleague_changes_nothing_of_a_shared_one_and_a_superuser_does(staff, staff_client, colleague):
    view = make_view(user=staff, name="Shared", is_shared=True)
    for deed in ("change-view", "delete-view"):
        assert signed_in(colleague).post(f"/admin/desk/view/{view.pk}/{deed}/", {"name": "x"}).status_code in {403, 404}
    view.refresh_from_db()
    assert view.name == "Shared"
    theirs = make_view(user=colleague)
    assert staff_client.post(f"/admin/desk/view/{theirs.pk}/delete-view/").status_code == 302
    assert [*View.objects.all()] == [view]


def test_a_name_that_another_view_has_is_refused_and_nothing_changes(staff, staff_client):
    make_view(user=staff, name="Taken")
    view = make_view(user=staff, name="Mine")
    assert staff_client.post(f"/admin/desk/view/{view.pk}/change-view/", {"name": "Taken"}).status_code == 422
    view.refresh_from_db()
    assert view.name == "Mine"
