"""The port's Pick: a list in the right order, and one order after the other (behaviours 70, 75 and 93)."""

import re

import pytest
from django.contrib.auth.models import Permission

from apps.audit.trail import Actor
from apps.orders import picking
from apps.orders.models import Fulfillment, Parcel
from tests.conftest import signed_in
from tests.factories import make_user
from tests.onboarding.pages import HTMX, is_part, text

from .goods import handed, line_ids, stock

pytestmark = pytest.mark.django_db


@pytest.fixture
def one():
    to = {"first_name": "Ann", "address1": "Main Street 1", "city": "Delft", "country": "NL"}
    order = {"notes": "Wrap it <b>well</b>", "tags": ["gift"], "number": "#77", "destination": to}
    return handed(2, 3, by_hand=True, order=order, service_name="Next day")


def page_of(one):
    return f"/port/picks/{one.pk}/"


def filled(client, one, **given):
    """The form as the page has it, filled in."""
    page = client.get(page_of(one)).content.decode()
    names = ("entry", "version", *(f"line-{pk}" for pk in line_ids(one)))
    fields = {name: re.search(rf'name="{name}" value="([^"]*)"', page)[1] for name in names}
    return fields | {"do": "ship"} | given


def post(client, one, **given):
    return client.post(page_of(one), filled(client, one, **given), follow=True)


def state(one):
    return Fulfillment.objects.get(pk=one.pk).state


def test_picking_is_for_people_of_the_3pl_who_may_change_stock(one, owner, staff_client):
    allowed = make_user(is_staff=True)
    allowed.user_permissions.add(Permission.objects.get(codename="change_stocklevel"))
    addresses = ["/port/picks/", f"/port/{one.organization_id}/picks/", page_of(one)]
    found = {
        name: [signed_in(user).get(address).status_code for address in addresses]
        for name, user in {"owner": owner, "allowed": allowed, "new": make_user()}.items()
    }
    assert found == {"owner": [403] * 3, "allowed": [200] * 3, "new": [403] * 3}
    assert signed_in(owner).post(page_of(one), {"do": "begin", "version": "1"}).status_code == 403
    assert state(one) == "ready"


def test_the_list_has_the_most_urgent_first(staff_client, one):
    urgent = handed(1, by_hand=True, priority=5)
    numbers = re.compile(r'picks/[0-9a-f-]+/">([^<]+)</a>')
    page = staff_client.get("/port/picks/")
    assert numbers.findall(page.content.decode()) == [urgent.order.number, "#77"]
    assert is_part(staff_client.get("/port/picks/", headers=HTMX), of=page)
    of_one = staff_client.get(f"/port/{one.organization_id}/picks/")
    assert numbers.findall(of_one.content.decode()) == ["#77"]
    assert "5 pieces" in text(of_one)


def test_a_page_shows_all_that_a_picker_needs(staff_client, one):
    """Behaviour 70: the notes are shown to the picker."""
    page = staff_client.get(page_of(one))
    lines = one.lines.select_related("product", "order_line")
    wanted = ["Wrap it", "gift", "Ann", "Main Street 1", "Delft", "Next day", *(line.product.sku for line in lines)]
    assert [word for word in wanted if word not in text(page)] == []
    assert "&lt;b&gt;well&lt;/b&gt;" in page.content.decode()


def test_all_is_picked_and_packed(staff_client, one):
    """Behaviour 93."""
    answer = post(staff_client, one, carrier="DHL", tracking_number="3S1", tracking_url="https://dhl.example/3S1")
    assert answer.redirect_chain == [(f"/port/{one.organization_id}/picks/", 302)]
    assert "5 pieces of #77 are on their way." in text(answer)
    parcel = Parcel.objects.get()
    assert (parcel.carrier, parcel.tracking_number, parcel.tracking_url) == ("DHL", "3S1", "https://dhl.example/3S1")
    assert (state(one), stock(one)) == ("shipped", [(8, 0), (7, 0)])
    assert "3 of 3" in text(staff_client.get(page_of(one)))


def test_a_form_that_is_sent_twice_ships_once(staff_client, one):
    form = filled(staff_client, one)
    for _ in range(2):
        assert staff_client.post(page_of(one), form).status_code == 302
    assert (stock(one), Parcel.objects.count()) == ([(8, 0), (7, 0)], 1)


def test_some_now_and_the_rest_later(staff_client, one):
    first, _second = line_ids(one)
    post(staff_client, one, **{f"line-{first}": "1", "rest": "later"})
    assert (state(one), stock(one)) == ("picking", [(9, 1), (7, 0)])
    form = staff_client.get(page_of(one)).content.decode()
    assert f'name="line-{first}" value="1"' in form
    assert form.count('name="line-') == 1


def test_what_is_missing_is_said(staff_client, one):
    first, _second = line_ids(one)
    post(staff_client, one, **{f"line-{first}": "1", "rest": "missing", "reason": "1 broken"})
    assert (state(one), stock(one)) == ("partly_shipped", [(9, 0), (7, 0)])
    assert "1 broken" in text(staff_client.get(page_of(one)))


def test_nothing_is_there(staff_client, one):
    none = dict.fromkeys((f"line-{pk}" for pk in line_ids(one)), "0")
    answer = post(staff_client, one, **none, rest="missing", reason="shelf is empty")
    assert "nothing of #77 is there" in text(answer)
    assert (state(one), stock(one), Parcel.objects.count()) == ("rejected", [(10, 0), (10, 0)], 0)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"first": "3"}, "less than or equal to 2"),
        ({"first": "-1"}, "greater than or equal to 0"),
        ({"first": "many"}, "Enter a whole number"),
        ({"first": ""}, "This field is required"),
        ({"first": "1"}, "Say what becomes of the rest"),
        ({"first": "1", "rest": "missing"}, "Say what is missing"),
        ({"first": "1", "rest": "lost"}, "Select a valid choice"),
        ({"first": "0", "second": "0", "rest": "later"}, "Nothing is picked yet"),
        ({"tracking_url": "javascript:alert(1)"}, "Enter a valid URL"),
        ({"carrier": "x" * 256}, "at most 255 characters"),
        ({"carrier": "a\x00b"}, "Null characters are not allowed"),
    ],
)
def test_wrong_input_is_a_sentence_and_nothing_is_lost(staff_client, one, given, sentence):
    first, second = line_ids(one)
    names = {"first": f"line-{first}", "second": f"line-{second}"}
    typed = {"tracking_number": "3S1"} | {names.get(name, name): value for name, value in given.items()}
    answer = post(staff_client, one, **typed)
    assert answer.status_code == 200
    assert sentence in text(answer)
    assert 'value="3S1"' in answer.content.decode()
    assert (state(one), stock(one), Parcel.objects.count()) == ("ready", [(10, 2), (10, 3)], 0)


@pytest.mark.parametrize("given", [{"do": "lose"}, {"do": "begin", "version": "one"}, {"do": "begin", "version": ""}])
def test_what_no_form_of_ours_sends_is_refused(staff_client, one, given):
    assert staff_client.post(page_of(one), filled(staff_client, one, **given)).status_code == 400
    assert state(one) == "ready"


def test_two_pickers_are_told_of_each_other(staff_client, one):
    """Behaviour 93."""
    late = filled(staff_client, one, carrier="DHL")
    bram = signed_in(make_user(email="bram@foo-3pl.example", is_staff=True, is_superuser=True))
    begun = bram.post(page_of(one), {"do": "begin", "version": "1"}, follow=True)
    assert begun.redirect_chain == [(page_of(one), 302)]
    assert "bram@foo-3pl.example" not in text(begun).replace("Sign out", "").partition("Order #77")[2]
    assert "bram@foo-3pl.example picks it since" in text(staff_client.get(page_of(one)))
    told = staff_client.post(page_of(one), {"do": "begin", "version": "1"}, follow=True)
    assert "bram@foo-3pl.example is at it, too" in text(told)
    told = staff_client.post(page_of(one), late)
    assert "bram@foo-3pl.example is at it, too" in text(told)
    assert 'value="DHL"' in told.content.decode()
    assert (state(one), stock(one)) == ("picking", [(10, 2), (10, 3)])
    post(bram, one)
    told = staff_client.post(page_of(one), late, follow=True)
    assert "Somebody was faster" in text(told)
    assert (stock(one), Parcel.objects.count()) == ([(8, 0), (7, 0)], 1)


def test_after_being_told_the_second_may_go_on(staff_client, one):
    late = filled(staff_client, one)
    picking.begin(one, by=Actor("bram"), version=1)
    told = staff_client.post(page_of(one), late).content.decode()
    version = re.search(r'<input type="hidden" name="version" value="(\d+)"', told)[1]
    assert staff_client.post(page_of(one), late | {"version": version}).status_code == 302
    assert state(one) == "shipped"


def test_what_a_warehouse_picks_is_not_for_the_port(staff_client):
    one = handed(2)
    assert staff_client.get(page_of(one)).status_code == 404
    assert staff_client.post(page_of(one), {"do": "begin", "version": "1"}).status_code == 404
    assert state(one) == "ready"
