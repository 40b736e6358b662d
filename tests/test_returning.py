"""The way back to a list as one left it."""

import pytest

from apps.orders.models import Order
from apps.returning import along
from apps.shops.models import Connection
from tests.factories import make_connection, make_order, make_shop

FILTERS = "state__exact=waiting&q=a"
CAME = {"_changelist_filters": FILTERS}
GOES_ALONG = "?_changelist_filters=state__exact%3Dwaiting%26q%3Da"
ROW = "/admin/orders/order/7/change/"


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("/admin/orders/order/7/cancel/", f"/admin/orders/order/7/cancel/{GOES_ALONG}"),
        (ROW, f"{ROW}{GOES_ALONG}"),
        ("/admin/orders/order/", f"/admin/orders/order/?{FILTERS}"),
        ("/admin/orders/order/?p=1", "/admin/orders/order/?p=1"),
        ("/admin/orders/parcel/7/change/", "/admin/orders/parcel/7/change/"),
        ("/admin/", "/admin/"),
        ("/orders/", "/orders/"),
        ("https://elsewhere.example/admin/orders/order/", "https://elsewhere.example/admin/orders/order/"),
    ],
)
def test_filters_go_along_to_pages_of_the_same_list_alone(address, found, rf):
    assert along(rf.get(ROW, CAME), address) == found
    assert along(rf.get(ROW), address) == address


def test_what_comes_as_filters_cannot_break_out_of_the_address(rf):
    request = rf.get(ROW, {"_changelist_filters": 'a=1\r\nSet-Cookie: x=1#"><script>'})
    assert set(along(request, "/admin/orders/order/")) & set("\r\n<>#\"' ") == set()


def test_filters_stay_from_the_list_through_a_deed_and_back(staff_client):
    order = make_order(shop=make_shop(), state=Order.State.WAITING, lines=[])
    listed = staff_client.get("/admin/orders/order/?state__exact=waiting").text
    row = f"/admin/orders/order/{order.pk}/change/?_changelist_filters=state__exact%3Dwaiting"
    assert row in listed
    page = staff_client.get(row).text
    deed = f"/admin/orders/order/{order.pk}/cancel/?_changelist_filters=state__exact%3Dwaiting"
    assert (deed in page, 'href="/admin/orders/order/?state__exact=waiting"' in page) == (True, True)
    asked = staff_client.get(deed)
    assert row in asked.text
    assert staff_client.post(deed).headers["Location"] == row


def test_a_dialogs_deed_leads_back_with_the_filters_too(staff_client):
    made = make_connection(state=Connection.State.ACTIVE)
    address = f"/admin/shops/connection/{made.pk}/run_this/?_changelist_filters=state__exact%3Dactive"
    page = staff_client.get(f"/admin/shops/connection/{made.pk}/change/?_changelist_filters=state__exact%3Dactive")
    assert f'hx-get="{address}"' in page.text
    answer = staff_client.post(address, {"_form_submitted": "True"}, headers={"HX-Request": "true"})
    assert answer.headers["HX-Redirect"].endswith("/change/?_changelist_filters=state__exact%3Dactive")
