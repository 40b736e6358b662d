"""What the lists of the admin have in common, asked of every one that is registered."""

from collections.abc import Iterator

import pytest
from django.contrib import admin
from django.contrib.admin import ShowFacets
from django.contrib.messages.storage.cookie import CookieStorage
from django.core.exceptions import SuspiciousOperation
from django.db import connection, models, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.accounts.models import Organization
from apps.listed import UNASKABLE
from apps.orders.models import Order

from .factories import make_order, make_organization

LISTS = sorted(admin.site._registry, key=lambda model: model._meta.label)
HUGE = "9" * 40


def list_of(model) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def hostile(pages) -> Iterator[tuple[str, str]]:
    """What no list can be narrowed by, of each kind of field once, and of each filter."""
    yield from [("p", "x"), ("o", HUGE), ("q", "\x00"), ("e", "1"), ("nothing", "1"), ("_facets", "x")]
    kinds = {type(field): field.name for field in pages.model._meta.concrete_fields}
    for kind, name in kinds.items():
        yield from [(name, "x"), (name, HUGE), (f"{name}__in", "x," * 1000), (f"{name}__gte", "\x00")]
        yield from [(f"{name}__isnull", "maybe"), (f"{name}__nothing", "1"), (f"{name}__regex", "(")]
        yield from [(f"{name}__{lookup}", "1") for lookup in UNASKABLE]
        if issubclass(kind, models.DateField):
            yield from [(f"{name}__year", "99999"), (f"{name}__year", "0"), (f"{name}__month", HUGE)]
            yield from [(f"{name}__gte", "0000-00-00"), (f"{name}__date", "0000"), (f"{name}__time", "x")]
            yield from [(f"{name}__year__gte", "-1"), (f"{name}_from", "0000"), (f"{name}_to", "\x00")]
    for one in pages.list_filter:
        path = one[0] if isinstance(one, tuple) else one
        name = f"{path}__exact" if isinstance(path, str) else path.parameter_name
        yield from [(name, "x"), (name, "\x00"), (name, HUGE)]


@pytest.mark.parametrize("model", LISTS, ids=lambda model: model._meta.label)
def test_whatever_a_list_is_narrowed_by_it_is_answered(model, rf, staff):
    pages = admin.site.get_model_admin(model)
    for name, value in hostile(pages):
        request = rf.get(list_of(model), {name: value})
        request.user, request.session, request._messages = staff, {}, CookieStorage(request)
        with transaction.atomic():  # which an error of PostgreSQL's ends
            look(pages, request)
            transaction.set_rollback(True)


def look(pages, request) -> None:
    """At a page of the list. Drawing it takes most of the time, and asks for nothing more by the filter."""
    try:
        page = pages.changelist_view(request)
    except SuspiciousOperation:  # which is answered by 400
        return
    if page.status_code == 200:
        list(page.context_data["cl"].result_list)
    else:
        assert page.headers["Location"] == f"{list_of(pages.model)}?e=1"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "query", ["created_at__year=99999", "created_at__gte=0000-00-00", "lines__in=x", "state__nothing=1"]
)
def test_a_filter_that_cannot_be_read_leads_to_the_list_without_it_and_says_so(query, staff_client):
    order = make_order()
    page = staff_client.get(f"/admin/orders/order/?{query}", follow=True)
    assert page.redirect_chain == [("/admin/orders/order/?e=1", 302)]
    assert list(page.context["cl"].result_list) == [order]
    assert "The address asked for a filter that this list does not have. You see all rows." in page.text


@pytest.mark.parametrize("model", [Order, Organization])
@pytest.mark.parametrize("lookup", ["pk__regex=a", "created_at__year__iregex=a"])
def test_no_list_is_read_through_for_a_pattern(model, lookup, staff_client):
    assert staff_client.get(f"{list_of(model)}?{lookup}").status_code == 400


@pytest.mark.parametrize("model", [Order, Organization])
@pytest.mark.parametrize("lookup", sorted(UNASKABLE))
def test_what_no_filter_can_ask_for_is_refused(model, lookup, staff_client):
    for name in ("pk", "created_at__year", "created_at"):
        assert staff_client.get(f"{list_of(model)}?{name}__{lookup}=1").status_code == 400


@pytest.mark.parametrize("extra", [{}, {"post": "yes"}, {"index": "0"}], ids=str)
def test_no_deed_is_done_to_all_rows_of_a_filter_at_once(extra, staff_client):
    first, _second = make_organization(), make_organization()
    chosen = {"action": "deactivate", "_selected_action": [first.pk], "select_across": "1"}
    page = staff_client.post("/admin/accounts/organization/", chosen | extra, follow=True)
    assert "Choose the rows one by one." in page.text
    assert Organization.objects.filter(is_active=False).count() == 0


def test_no_list_offers_to_choose_all_rows_of_its_filter():
    assert {pages.list_disable_select_all for pages in admin.site._registry.values()} == {True}


@pytest.mark.parametrize("model", LISTS, ids=lambda model: model._meta.label)
def test_no_list_counts_all_its_rows_for_its_filters(model, staff_client):
    assert admin.site.get_model_admin(model).show_facets is ShowFacets.NEVER
    with CaptureQueriesContext(connection) as asked:
        staff_client.get(f"{list_of(model)}?_facets=True")
    assert [one["sql"] for one in asked if "FILTER (WHERE" in one["sql"]] == []


def test_a_bug_is_not_taken_for_a_filter(staff_client, monkeypatch):
    monkeypatch.setattr(Order.objects.all().__class__, "select_related", lambda *_: 1 / int("x"))
    for query in ("", "?e=1"):
        with pytest.raises(ValueError, match="invalid literal"):
            staff_client.get(f"/admin/orders/order/{query}")
