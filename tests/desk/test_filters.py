"""The filters in the address of a list: kept while one works in it, shown as words, and taken away one by one."""

import pytest
from django.contrib import admin
from django.http import QueryDict

from apps.desk.filters import kept
from apps.orders.models import Order
from tests.factories import make_order, make_shop

ORDERS = "/admin/orders/order/"


@pytest.fixture
def keeps(rf, staff):
    """What is kept of a query of the orders' list, and what is not known there."""
    request = rf.get("/")
    request.user = staff
    return lambda query, model=Order: kept(admin.site.get_model_admin(model), request, query)


# ---- Kept


@pytest.mark.parametrize(
    ("query", "known"),
    [
        ("state__exact=waiting&p=7", "state__exact=waiting"),
        ("q=hats&o=-2.1&all=&e=1", "o=-2.1&q=hats"),
        ("hindrance=late&source__exact=api", "hindrance=late&source__exact=api"),
        ("state__exact=&q=", ""),
        ("_popup=1&_to_field=id&_changelist_filters=x&_facets=True", ""),
        ("last=abc", ""),
    ],
)
def test_filters_search_and_order_are_kept_and_the_page_is_not(query, known, keeps):
    assert keeps(query)[0] == known


@pytest.mark.parametrize(
    "query",
    ["no_such=1", "organization__id__exact=x", "organization__id__exact=7", "state__nonsense=1", "shop__no=1",
     "shop__id__exact=x", "organization__memberships__user__password__startswith=pbkdf2", "a b=1", "\ud800=1"],
)  # fmt: skip
def test_what_the_list_does_not_know_is_left_out_and_named(query, keeps):
    assert keeps(query) == ("", [*QueryDict(query)])


def test_the_same_filters_are_one_query_in_whatever_order(keeps):
    assert keeps("source__exact=api&q=a")[0] == keeps("q=a&p=2&source__exact=api")[0]


@pytest.mark.parametrize("model", sorted(admin.site._registry, key=lambda model: model._meta.label))
def test_each_filter_of_each_list_is_known_there(model, staff_client, keeps):
    """And one that is chosen is shown in words, with a way to take it away."""
    pages = staff_client.get(f"/admin/{model._meta.app_label}/{model._meta.model_name}/")
    for spec in pages.context["cl"].filter_specs:
        for name in [one for one in spec.expected_parameters() if one]:
            value = "2026-01-01" if "_from" in name or "_to" in name else _value(spec)
            if value is not None and not name.endswith("__isnull"):
                assert keeps(f"{name}={value}", model) == (f"{name}={value}", []), spec


def _value(spec):
    field = getattr(spec, "field", None)
    if field is not None and field.is_relation:
        key = field.related_model._meta.pk
        return "00000000-0000-7000-8000-000000000000" if key.get_internal_type() == "UUIDField" else "1"
    choices = list(getattr(spec, "lookup_choices", ()) or (field.flatchoices if field is not None else ()))
    return str(choices[0][0]) if choices and field is None else (choices[0][0] if choices else "1")


# ---- Shown


def test_each_filter_that_is_on_is_shown_in_words_and_can_be_taken_away(staff_client):
    shop = make_shop(name="North")
    make_order(shop=shop, number="#1", state=Order.State.WAITING)
    query = f"state__exact=waiting&shop__id__exact={shop.pk}&hindrance=unknown_sku&q=%231&p=0"
    page = staff_client.get(f"{ORDERS}?{query}")
    shown = [(chip.name, chip.value) for chip in page.context["chips"]]
    assert shown == [
        ("state", "Needs attention"), ("what it waits for", "Nobody has said which product this SKU is."),
        ("shop", "North"), ("search", "#1"),
    ]  # fmt: skip
    for chip in page.context["chips"]:
        left = staff_client.get(f"{ORDERS}{chip.without}").context["chips"]
        assert [(one.name, one.value) for one in left] == [one for one in shown if one[0] != chip.name]
        assert f'href="{chip.without.replace("&", "&amp;")}"' in page.text


def test_a_filter_of_a_row_that_is_gone_is_still_shown(staff_client):
    gone = "00000000-0000-7000-8000-000000000000"
    page = staff_client.get(ORDERS, {"shop__id__exact": gone})
    assert [(chip.name, chip.value) for chip in page.context["chips"]] == [("shop", gone)]


def test_a_yes_or_no_is_shown_as_one(staff_client):
    page = staff_client.get("/admin/accounts/organization/", {"is_active__exact": "1"})
    assert [(chip.name, chip.value) for chip in page.context["chips"]] == [("is active", "Yes")]


def test_a_filter_that_is_not_there_is_said_and_the_list_is_whole(staff_client):
    page = staff_client.get(ORDERS, {"no_such": "1"}, follow=True)
    assert "asked for a filter that this list does not have" in page.text
    assert "asked for a filter" not in staff_client.get(ORDERS).text


def test_a_window_to_choose_one_row_has_no_chips(staff_client):
    page = staff_client.get("/admin/accounts/organization/", {"_popup": "1", "is_active__exact": "1"})
    assert "Without the filter" not in page.text


# ---- On the way


def test_filters_stay_through_paging_sorting_search_and_a_row(staff_client):
    shop = make_shop()
    for n in range(60):
        make_order(shop=shop, number=f"#{n}", ext_order_id=str(n), lines=[], state=Order.State.WAITING)
    page = staff_client.get(ORDERS, {"state__exact": "waiting"})
    row = page.context["cl"].result_list[0]
    assert f"/admin/orders/order/{row.pk}/change/?_changelist_filters=state__exact%3Dwaiting" in page.text
    links = [link for link in page.text.split('href="') if link.startswith("?")]
    assert [link[:60] for link in links if "state__exact=waiting" not in link.split('"')[0] and "p=" in link] == []
    assert '<input type="hidden" name="state__exact" value="waiting">' in page.text
