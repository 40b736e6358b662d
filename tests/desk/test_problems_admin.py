"""The pages of problems, as people of the 3PL use them."""

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.audit.models import Entry
from apps.desk import problems, selecting
from apps.desk.kinds import KINDS
from apps.desk.models import Dismissal
from apps.orders.models import Hindrance, Order
from apps.shops.models import Connection
from apps.webhooks.models import Endpoint, Hook, Receipt

from ..conftest import signed_in
from ..factories import (
    make_delivery,
    make_endpoint,
    make_hindrance,
    make_hook,
    make_order,
    make_product,
    make_receipt,
    make_run,
    make_shop,
    make_user,
)
from .breaking import BREAKS, ago, make_refused, make_unknown

pytestmark = pytest.mark.django_db
Code = Hindrance.Code
LIST = "/admin/problems/"


@pytest.fixture
def colleague(settings):
    """Whoever may do what the test says, and nothing else."""
    settings.DEMO = True

    def make(*names: str):
        user = make_user(is_staff=True)
        for name in names:
            label, code = name.split(".")
            user.user_permissions.add(Permission.objects.get(content_type__app_label=label, codename=code))
        return signed_in(user)

    return make


def page_of(code: str) -> str:
    (cause,) = (cause for cause in problems.look(KINDS).causes if cause.kind.code == code)
    return reverse("problem", args=[cause.address])


def listed(page) -> list[str]:
    return [trouble.cause.kind.code for trouble in page.context["problems"]]


def test_an_empty_list_says_that_all_is_well(staff_client):
    page = staff_client.get(LIST)
    assert "All is well" in page.text
    assert "All is well" not in staff_client.get(LIST, {"q": "hat"}).text


@pytest.mark.parametrize("code", BREAKS)
def test_each_kind_of_problem_is_listed_and_has_its_page(code, staff_client):
    BREAKS[code]()
    page = staff_client.get(LIST)
    assert listed(page) == [code]
    answer = staff_client.get(page_of(code))
    assert (answer.status_code, answer.context["trouble"].title in page.context["problems"][0].title) == (200, True)
    for _name, link in answer.context["rows"]:
        assert staff_client.get(link).status_code == 200
    for link in filter(None, [answer.context["list"], (answer.context.get("elsewhere") or [""])[0]]):
        assert staff_client.get(link).status_code == 200


def _nearby_message() -> None:
    """One that failed for the same reason, but days ago."""
    receipt = Receipt.objects.first()
    make_receipt(integration=receipt.integration, state="failed", error="bug", received_at=ago(days=4))


def _nearby_delivery() -> None:
    """To the same address, for another reason, and for the same one to a hook that was removed."""
    hook = Hook.objects.get()
    failed = {"state": "failed", "finished_at": ago(hours=1)}
    make_delivery(hook=hook, error="status_404", **failed)
    gone = make_hook(endpoint=hook.endpoint, event="order.updated", deleted_at=ago(days=1))
    make_delivery(hook=gone, error="status_500", **failed)


def _nearby_order(code: str, ref: str, detail: dict) -> None:
    make_hindrance(order=make_order(shop=Order.objects.get().shop), code=code, ref=ref, detail=detail)


# What the list of a problem must not show, beside one of its kind.
NEARBY = {
    "failed-message": _nearby_message,
    "failed-delivery": _nearby_delivery,
    "failed-sync": lambda: make_run(connection=Connection.objects.get(), kind="orders", state="failed", error="denied"),
    "refused-order": lambda: _nearby_order(Code.REJECTED, "2", {"location": "Dock", "reason": "too long"}),
    "unmapped-method": lambda: _nearby_order(Code.UNMAPPED_METHOD, "Slow", {"locations": ["Dock"]}),
    "bug": lambda: _nearby_order(Code.BUG, "", {"error": "TypeError"}),
}
ONE_ROW = {"unknown-sku", "login-lost"}  # of which what waits for it, and stores, are counted


@pytest.mark.parametrize("code", BREAKS)
def test_the_list_of_a_problem_shows_just_the_rows_that_it_counts(code, staff_client):
    BREAKS[code]()
    NEARBY.get(code, lambda: None)()
    BREAKS[code]()
    causes = problems.look(KINDS).causes
    assert len(causes) == 2 + (code in NEARBY and code != "failed-message")
    for cause in causes:
        link = staff_client.get(reverse("problem", args=[cause.address])).context["list"]
        page = staff_client.get(link)
        assert page.context["cl"].result_count == (1 if code in ONE_ROW else cause.count)


def test_the_filter_of_a_problem_says_what_it_is_and_can_be_taken_off(staff_client):
    make_refused()
    link = staff_client.get(page_of("refused-order")).context["list"]
    (chip,) = staff_client.get(link).context["chips"]
    assert (chip.name, chip.value, chip.without) == ("problem", "Dock refused orders. It says: too heavy", "?")
    Hindrance.objects.all().delete()
    page = staff_client.get(link)
    assert [chip.value for chip in page.context["chips"]] == ["Orders a warehouse refused"]
    assert list(page.context["cl"].result_list) == []


def test_what_is_no_problem_of_a_list_is_no_filter_of_it(staff_client):
    make_refused()
    address = problems.look(KINDS).causes[0].address
    for name, text in [("webhooks/delivery", address), ("orders/order", "x"), ("orders/order", "WyJidWciLCJ4IiwieSJd")]:
        answer = staff_client.get(f"/admin/{name}/", {"problem": text})
        assert answer.headers["Location"] == f"/admin/{name}/?e=1"


def test_a_job_goes_through_just_the_rows_of_a_problem(staff):
    rejected = make_refused()
    make_refused(order=make_order(shop=rejected.order.shop), ref="2", detail={"location": "Dock", "reason": "too long"})
    address = problems.look(KINDS).causes[0].address
    selection = selecting.select("orders.Order", f"problem={address}", user=staff)
    assert selecting.count(selection) == 1


def test_the_sidebar_leads_to_problems(staff_client):
    links = [item["link"] for item in staff_client.get(LIST).context["sidebar_navigation"][0]["items"]]
    assert links[:2] == ["/admin/", LIST]


def test_the_filters_stand_in_the_address(staff_client):
    make_unknown("HAT-2")
    make_hindrance(code=Code.INCOMPLETE_ADDRESS, ref="zip")
    unknown = problems.look(KINDS).causes[0].refs
    for query, found in [
        ({"kind": "unknown-sku"}, ["unknown-sku"]),
        ({"who": "owner"}, ["incomplete-address"]),
        ({"organization": unknown["organization"]}, ["unknown-sku"]),
        ({"integration": unknown["integration"]}, ["unknown-sku"]),
        ({"q": "at-2"}, ["unknown-sku"]),
        ({"state": "dismissed"}, []),
        ({"kind": "nonsense", "who": "x", "organization": "x", "page": "x"}, ["unknown-sku", "incomplete-address"]),
        ({"q": "", "page": "99"}, ["unknown-sku", "incomplete-address"]),
    ]:
        assert listed(staff_client.get(LIST, query)) == found, query


def test_a_list_costs_the_same_whatever_its_length(staff_client):
    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert staff_client.get(LIST).status_code == 200
        return len(queries)

    for one in BREAKS.values():
        one()
    staff_client.get(LIST)
    before = cost()
    for one in [*BREAKS.values(), *BREAKS.values()]:
        one()
    assert cost() == before


def test_a_long_list_has_pages(staff_client):
    for n in range(30):
        make_receipt(state="parked", error=f"reason_{n}")
    first, second = staff_client.get(LIST, {"q": "reason"}), staff_client.get(LIST, {"q": "reason", "page": "2"})
    assert (len(listed(first)), len(listed(second))) == (25, 5)
    assert "?q=reason&amp;page=2" in first.text


def test_what_is_no_problem_is_not_found_and_one_that_is_gone_leads_to_the_list(staff_client):
    assert staff_client.get(f"{LIST}nonsense/").status_code == 404
    make_hindrance(code=Code.NO_LOCATION)
    page = page_of("no-location")
    Hindrance.objects.all().delete()
    answer = staff_client.get(page, follow=True)
    assert answer.redirect_chain == [(LIST, 302)]
    assert "This problem is gone" in answer.text


# ---- Mending


def test_an_unknown_sku_is_mended_in_three_clicks(staff_client):
    shop = make_shop(creates_products=False)
    make_unknown("hat 1", orders=2, shop=shop)
    meant = make_product(organization=shop.organization, sku="HAT-1", name="A hat")
    page = staff_client.get(page_of("unknown-sku"))
    assert "This releases 2 orders" in page.text
    assert page.context["form"].fields["product"].choices[0][0] == str(meant.pk)
    answer = staff_client.post(page_of("unknown-sku"), {"deed": "fix", "product": meant.pk}, follow=True)
    assert "Saved. What waited for “hat 1” goes on now: 2 orders." in answer.text
    assert listed(answer) == []
    assert Entry.objects.filter(action="sku.accept").exists()


def test_any_other_product_of_theirs_is_found_by_a_search(staff_client):
    shop = make_shop(creates_products=False)
    make_unknown("XYZ", shop=shop)
    meant = make_product(organization=shop.organization, sku="HAT-1", name="A straw hat")
    make_product(sku="HAT-1", name="A straw hat")
    for text, found in [("hat", [str(meant.pk)]), ("straw", [str(meant.pk)]), ("cap", [])]:
        page = staff_client.get(page_of("unknown-sku"), {"q": text})
        assert [pk for pk, _label in page.context["form"].fields["product"].choices] == found, text


@pytest.mark.parametrize("product", ["", "0", "x", "99999999999999999999", "-1"])
def test_what_is_no_product_of_theirs_is_refused(product, staff_client):
    make_unknown("XYZ")
    other = make_product(sku="XYZ-1")
    for given in (product, str(other.pk)):
        answer = staff_client.post(page_of("unknown-sku"), {"deed": "fix", "product": given})
        assert answer.status_code == 422
    assert listed(staff_client.get(LIST)) == ["unknown-sku"]


def test_an_address_that_was_stopped_is_resumed_in_two_clicks(staff_client):
    endpoint = make_endpoint(state="disabled", reason="failing", failing_since=ago(days=5), last_error="timeout")
    answer = staff_client.post(page_of("endpoint-down"), {"deed": "fix", "choice": "all"}, follow=True)
    assert "0 messages are sent now." in answer.text
    endpoint.refresh_from_db()
    assert endpoint.state == Endpoint.State.ACTIVE


def test_what_stands_in_the_way_is_said_on_the_page(staff_client):
    make_endpoint(state="disabled", reason="gone", last_error="status_410")
    answer = staff_client.post(page_of("endpoint-down"), {"deed": "fix", "choice": "nonsense"})
    assert answer.status_code == 422
    assert Endpoint.objects.get().state == Endpoint.State.DISABLED


@pytest.mark.parametrize("deed", ["", "nonsense"])
def test_a_deed_that_there_is_not_is_not_found(deed, staff_client):
    make_hindrance(code=Code.NO_LOCATION)
    assert staff_client.post(page_of("no-location"), {"deed": deed}).status_code == 404


def test_where_nothing_mends_all_at_once_nothing_is_done(staff_client):
    make_hindrance(code=Code.INCOMPLETE_ADDRESS, ref="zip")
    assert "Nothing mends all of it at once" in staff_client.get(page_of("incomplete-address")).text
    assert staff_client.post(page_of("incomplete-address"), {"deed": "fix"}).status_code == 404


# ---- Setting aside


def test_one_is_set_aside_with_a_reason_and_brought_back(staff_client):
    make_hindrance(code=Code.NO_LOCATION)
    page = page_of("no-location")
    assert staff_client.post(page, {"deed": "dismiss", "reason": ""}).status_code == 422
    answer = staff_client.post(page, {"deed": "dismiss", "reason": "They close down"}, follow=True)
    assert listed(answer) == []
    assert "1 problem is set aside" in staff_client.get(LIST).text
    aside = staff_client.get(LIST, {"state": "dismissed"})
    assert (listed(aside), "They close down" in aside.text) == (["no-location"], True)
    row = Dismissal.objects.get()
    assert page in staff_client.get(reverse("admin:desk_dismissal_change", args=[row.pk])).text
    assert listed(staff_client.post(page, {"deed": "heed"}, follow=True).client.get(LIST)) == ["no-location"]
    assert Dismissal.objects.exists() is False


def test_what_is_too_long_to_be_remembered_is_not_set_aside(staff_client):
    make_refused(detail={"location": '"' * 300, "reason": '"' * 200})
    answer = staff_client.post(page_of("refused-order"), {"deed": "dismiss", "reason": "We know"})
    assert (answer.status_code, "is too long to be remembered" in answer.text) == (422, True)
    assert not Dismissal.objects.exists()


# ---- Who may


def test_nobody_else_gets_in(client, owner_client):
    assert client.get(LIST).headers["Location"].startswith("/admin/login/")
    assert owner_client.get(LIST, follow=True).status_code == 403


def test_people_see_the_kinds_that_they_may_look_at(colleague):
    make_unknown()
    make_hindrance(code=Code.NO_LOCATION)
    page = page_of("no-location")
    nobody, reader = colleague(), colleague("catalog.view_waitingsku")
    assert "You may not look at anything here yet" in nobody.get(LIST).text
    assert listed(reader.get(LIST)) == ["unknown-sku"]
    assert reader.get(page).status_code == 403
    assert reader.get(page_of("unknown-sku")).status_code == 200


def test_mending_takes_the_permission_of_what_it_changes(colleague):
    make_hindrance(code=Code.NO_LOCATION)
    page, reader = page_of("no-location"), colleague("orders.view_order")
    assert "You may look at this, and not change it" in reader.get(page).text
    assert reader.post(page, {"deed": "fix"}).status_code == 403
    assert reader.post(page, {"deed": "dismiss", "reason": "x"}).status_code == 403
    assert reader.post(page, {"deed": "heed"}).status_code == 403
    operator = colleague("orders.view_order", "orders.change_order", "desk.add_dismissal")
    assert operator.post(page, {"deed": "fix"}).status_code == 302
    assert operator.post(page, {"deed": "dismiss", "reason": "x"}).status_code == 302
    assert operator.post(page, {"deed": "heed"}).status_code == 403
