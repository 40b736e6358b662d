"""The pages of jobs: what is asked first, how it is going, and what came of it."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.audit.models import Entry
from apps.desk import finding, jobs_admin, starting, working
from apps.desk.models import Job
from apps.listed import MAY_LACK
from apps.orders.models import Order
from apps.syncs.models import SyncRun
from tests.conftest import signed_in
from tests.factories import make_job, make_order, make_run, make_user

ORDERS = "/admin/orders/order/"
EXPORT = "/admin/desk/job/ask/orders.Order/export/"
RELEASE = "/admin/desk/job/ask/orders.Order/release/"


@pytest.fixture(autouse=True)
def _demo(settings, monkeypatch):
    settings.DEMO = True
    monkeypatch.setattr(starting, "ring_for", lambda pk: None)


def operator(*permissions: str) -> Client:
    user = make_user(is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = signed_in(user)
    client.user = user
    return client


def answer(client: Client, address: str, **more: str):
    """To the page that asks first, with the number that it shows unless told otherwise."""
    form = client.get(address).context["form"]
    return client.post(address, {"expected": str(form.number), "ticket": form.initial["ticket"]} | more)


def page_of(job: Job, part: str = "change") -> str:
    return reverse(f"admin:desk_job_{part}", args=[job.pk])


# ---- From the list


def test_each_list_offers_what_can_be_done_to_all_rows_of_its_filter(staff_client):
    make_order(number="A-1")
    page = staff_client.get(f"{ORDERS}?q=A-1&o=1").text
    assert re.findall(r'href="(/admin/desk/job/ask/[^"]*)"', page) == [
        f"/admin/desk/job/ask/orders.Order/{code}/?q=A-1&amp;o=1"
        for code in ("export", "release", "route-again", "tell-warehouses")
    ]


def test_a_list_says_when_its_search_may_not_have_found_all_and_offers_no_job_then(staff_client, monkeypatch):
    for number in range(3):
        make_order(number=f"X-{number}")
    assert str(MAY_LACK) not in staff_client.get(f"{ORDERS}?q=X-").text
    monkeypatch.setattr(finding, "MOST_LISTED", 2)
    page = staff_client.get(f"{ORDERS}?q=X-").text
    assert (str(MAY_LACK) in page, "/admin/desk/job/ask/" in page) == (True, False)
    told = staff_client.get(f"{EXPORT}?q=X-", follow=True)
    assert (told.redirect_chain, str(MAY_LACK) in told.text) == ([(f"{ORDERS}?q=X-", 302)], True)


def test_one_row_is_asked_about_as_one(staff_client):
    make_order(number="A-1")
    assert staff_client.get(f"{EXPORT}?q=A-1").context["title"] == "Export: 1 order"


def test_an_empty_list_offers_nothing(staff_client):
    assert "/admin/desk/job/ask/" not in staff_client.get(ORDERS).text


def test_whoever_may_only_look_is_offered_an_export_alone(db):
    make_order()
    page = operator("view_order").get(ORDERS).text
    assert re.findall(r'href="(/admin/desk/job/ask/[^"]*)"', page) == [EXPORT]


# ---- Asking


def test_it_says_first_how_many_which_and_what_will_happen(staff_client):
    orders = [make_order(state=Order.State.HELD, number=f"H-{n}") for n in range(7)]
    make_order(state=Order.State.READY, number="R-1")
    page = staff_client.get(f"{RELEASE}?state__exact={Order.State.HELD}")
    assert (page.status_code, page.context["title"]) == (200, "Release now: 7 orders")
    assert page.context["form"].sample == [str(order) for order in orders[:5]]
    assert page.context["form"].words == [("state", Order.State.HELD.label)]
    assert "and 2 more" in page.text
    assert Job.objects.count() == 0


def test_a_yes_makes_a_job_of_the_filter_and_leads_to_its_page(staff_client, staff):
    make_order(state=Order.State.HELD)
    query = f"state__exact={Order.State.HELD}"
    told = answer(staff_client, f"{RELEASE}?{query}", reason="Stock is here")
    job = Job.objects.get()
    assert told.headers["Location"] == page_of(job)
    assert (job.model, job.action, job.query, job.total, job.asked_by) == ("orders.Order", "release", query, 1, staff)
    assert job.values == {"reason": "Stock is here", "language": "en"}
    assert Entry.objects.get().reason == "Stock is here"
    working.run(job.pk)
    assert Order.objects.filter(state=Order.State.HELD).count() == 0


def test_when_they_are_more_than_was_shown_it_is_asked_again(staff_client):
    make_order()
    make_order()
    told = answer(staff_client, EXPORT, expected="1")
    assert (told.status_code, Job.objects.count()) == (422, 0)
    assert "It is 2 now. Look again, and confirm." in told.text
    form = told.context["form"]
    assert staff_client.post(EXPORT, {name: form[name].value() for name in ("expected", "ticket")}).status_code == 302


def test_what_comes_into_the_list_after_it_was_shown_neither_asks_again_nor_is_in_the_job(staff_client):
    first = make_order()
    form = staff_client.get(EXPORT).context["form"]
    make_order()
    told = staff_client.post(EXPORT, {"expected": "1", "ticket": form.initial["ticket"]})
    job = Job.objects.get()
    assert (told.status_code, job.total, job.upto) == (302, 1, str(first.pk))
    working.run(job.pk)
    assert Job.objects.get().done == 1


def test_what_comes_where_ids_are_random_is_left_out_by_its_time(staff_client):
    make_run()
    export = "/admin/desk/job/ask/syncs.SyncRun/export/"
    form = staff_client.get(export).context["form"]
    SyncRun.objects.filter(pk=make_run().pk).update(created_at=timezone.now() + timedelta(seconds=1))
    staff_client.post(export, {"expected": "1", "ticket": form.initial["ticket"]})
    working.run(Job.objects.get().pk)
    assert Job.objects.get().done == 1


def test_fewer_than_were_shown_need_no_second_look(staff_client):
    orders = [make_order(state=Order.State.HELD) for _ in range(2)]
    address = f"{RELEASE}?state__exact={Order.State.HELD}"
    form = staff_client.get(address).context["form"]
    Order.objects.filter(pk=orders[0].pk).update(state=Order.State.READY)
    told = staff_client.post(address, {"expected": "2", "ticket": form.initial["ticket"]})
    assert (told.status_code, Job.objects.get().total) == (302, 1)


@pytest.mark.parametrize("other", ["", "x", f"{EXPORT}?q=O", RELEASE])
def test_a_page_that_was_made_for_something_else_asks_again(other, staff_client):
    make_order(number="O-1")
    ticket = staff_client.get(other).context["form"].initial["ticket"] if "/" in other else other
    assert staff_client.post(EXPORT, {"expected": "1", "ticket": ticket}).status_code == 422
    assert Job.objects.count() == 0


def test_a_page_that_was_left_open_asks_again(staff_client, monkeypatch):
    make_order()
    form = staff_client.get(EXPORT).context["form"]
    monkeypatch.setattr(starting, "TICKET", timedelta(seconds=-1))
    assert staff_client.post(EXPORT, {"expected": "1", "ticket": form.initial["ticket"]}).status_code == 422


@pytest.mark.parametrize("data", [{}, {"expected": "x"}, {"expected": ""}])
def test_an_answer_without_a_number_is_none(data, staff_client):
    make_order()
    ticket = staff_client.get(EXPORT).context["form"].initial["ticket"]
    assert staff_client.post(EXPORT, data | {"ticket": ticket}).status_code == 422
    assert Job.objects.count() == 0


@pytest.mark.parametrize(("typed", "status"), [("", 422), ("2", 422), ("3", 302), (" 3 ", 302)])
def test_above_a_hundred_the_number_has_to_be_typed(typed, status, staff_client, monkeypatch):
    monkeypatch.setattr(jobs_admin, "UNTYPED", 2)
    for _ in range(3):
        make_order()
    assert 'name="typed"' in staff_client.get(EXPORT).text
    assert answer(staff_client, EXPORT, typed=typed).status_code == status


def test_a_button_pressed_twice_is_one_job_even_when_it_is_over_by_then(staff_client):
    make_order(state=Order.State.HELD)
    address = f"{RELEASE}?state__exact={Order.State.HELD}"
    given = {"expected": "1", "ticket": staff_client.get(address).context["form"].initial["ticket"]}
    first = staff_client.post(address, given)
    working.run(Job.objects.get().pk)
    again = staff_client.post(address, given)
    assert (again.headers["Location"], Job.objects.count()) == (first.headers["Location"], 1)
    assert Entry.objects.filter(action="job.start").count() == 1


def test_the_same_asked_for_once_more_is_another_job(staff_client):
    make_order()
    for _ in range(2):
        answer(staff_client, EXPORT)
    assert Job.objects.count() == 2


def test_somebody_with_many_jobs_waits_for_one(staff_client, staff):
    make_order()
    for _ in range(starting.MOST):
        make_job(asked_by=staff)
    told = answer(staff_client, EXPORT)
    assert (told.status_code, Job.objects.count()) == (422, starting.MOST)
    assert "10 of your jobs are not over yet." in told.text
    Job.objects.filter(pk=Job.objects.first().pk).update(state="finished")
    assert answer(staff_client, EXPORT).status_code == 302


def test_up_to_a_hundred_nothing_has_to_be_typed(staff_client):
    make_order()
    assert 'name="typed"' not in staff_client.get(EXPORT).text


@pytest.mark.parametrize(
    ("address", "why"),
    [
        (f"{EXPORT}?gone=1", "The filter of this list cannot be read any more. Choose it anew."),
        (EXPORT, "The list is empty: there is nothing to do."),
        ("/admin/desk/job/ask/orders.Order/nothing/", "You may not do this, or not any more."),
        (f"{EXPORT}?q={'x' * 4000}", "The filter is too long."),
    ],
)
def test_what_cannot_be_done_leads_back_and_says_why(address, why, staff_client):
    if "nothing" in address:
        make_order()
    assert staff_client.get(address).status_code == 302
    page = staff_client.get(ORDERS)
    assert [str(message) for message in page.context["messages"]] == [why]


@pytest.mark.parametrize("model", ["nothing", "orders.OrderLine", "a.b.c"])
def test_what_is_no_list_is_not_there(model, staff_client):
    assert staff_client.get(f"/admin/desk/job/ask/{model}/export/").status_code == 404


def test_whoever_may_not_see_the_list_is_refused(db):
    make_order()
    assert operator("view_product").get(EXPORT).status_code == 403


def test_whoever_may_not_do_it_is_told_so(db):
    make_order(state=Order.State.HELD)
    client = operator("view_order")
    assert client.post(RELEASE, {"expected": "1"}).status_code == 302
    assert Job.objects.count() == 0


# ---- How it is going


def test_the_page_shows_how_far_it_is_and_fetches_itself_anew(staff_client):
    job = make_job(state="running", total=200, done=40, skipped=10, failed=1)
    page = staff_client.get(page_of(job)).text
    assert "51 of 200 rows" in page
    assert f'hx-get="{page_of(job, "progress")}?seen=running-51-0"' in page


def test_it_stays_silent_when_nothing_changed_and_stops_when_over(staff_client):
    job = make_job(state="running", total=2)
    address = page_of(job, "progress")
    assert staff_client.get(f"{address}?seen={job.mark}").status_code == 204
    piece = staff_client.get(f"{address}?seen=other")
    assert (piece.status_code, "hx-get" in piece.text, "<html" in piece.text) == (200, True, False)
    Job.objects.update(state="finished", done=2)
    assert "hx-get" not in staff_client.get(f"{address}?seen={job.mark}").text


def test_rows_that_left_the_list_meanwhile_are_told_of(staff_client):
    page = staff_client.get(page_of(make_job(state="finished", total=3, done=1))).text
    assert "2 rows had left the list before their turn came." in page
    assert 'value="100" max="100"' in page


def test_calling_off_asks_nothing(staff_client):
    job = make_job()
    assert "Call it off" in staff_client.get(page_of(job)).text
    assert staff_client.post(page_of(job, "cancel")).headers["Location"] == page_of(job)
    assert Job.objects.get().state == Job.State.CANCELLED
    assert staff_client.get(page_of(job, "cancel")).status_code == 405


def test_the_filter_stands_there_in_words_with_a_link_to_the_list(staff_client):
    query = f"state__exact={Order.State.HELD}"
    page = staff_client.get(page_of(make_job(query=query))).text
    assert f"state: {Order.State.HELD.label}" in page
    assert f'href="{ORDERS}?{query}"' in page


def test_a_job_of_a_list_that_is_gone_still_has_its_pages(staff_client):
    job = make_job(model="orders.gone", query="a=b")
    assert staff_client.get(page_of(job)).status_code == 200
    assert staff_client.get("/admin/desk/job/").status_code == 200
    assert staff_client.get(page_of(job, "result")).status_code == 404


def test_the_file_is_downloaded_as_one(staff_client):
    make_order()
    job = make_job(total=1)
    working.run(job.pk)
    file = staff_client.get(page_of(job, "result"))
    assert file.streaming
    assert file.headers["Content-Type"] == "text/csv; charset=utf-8"
    name = f"orders-export-{job.created_at:%Y-%m-%d-%H%M}.csv"
    assert file.headers["Content-Disposition"] == f'attachment; filename="{name}"'
    assert b"".join(file.streaming_content).startswith(b"\xef\xbb\xbfid,number,")


def test_a_file_that_is_forgotten_is_not_there(staff_client):
    assert staff_client.get(page_of(make_job(state="finished"), "result")).status_code == 404


def test_a_file_is_there_when_it_is_whole(staff_client):
    job = make_job(state="running")
    job.parts.create(number=0, text="x")
    assert staff_client.get(page_of(job, "result")).status_code == 404


# ---- Whose


def test_people_see_their_own_and_those_who_may_see_all(db):
    client = operator("view_order")
    me, other = make_job(asked_by=client.user), make_job()
    assert client.get(page_of(me)).status_code == 200
    assert client.get(page_of(other)).status_code == 403
    assert [client.get(page_of(other, part)).status_code for part in ("progress", "result")] == [404, 404]
    assert client.post(page_of(other, "cancel")).status_code == 404
    assert client.get("/admin/desk/job/").status_code == 403


def test_whoever_sees_all_jobs_may_neither_stop_them_nor_read_what_they_may_not_see(db):
    client = operator("view_job")
    job = make_job(state="finished")
    job.parts.create(number=0, text="secret")
    assert client.get(page_of(job)).status_code == 200
    assert client.get(page_of(job, "result")).status_code == 403
    assert client.post(page_of(job, "cancel")).status_code == 403


def test_a_file_is_its_askers_and_a_superusers(db, staff_client):
    asker = operator("view_order")
    colleague = operator("view_job", "view_order")
    job = make_job(asked_by=asker.user, state="finished")
    job.parts.create(number=0, text="secret")
    fetched = [one.get(page_of(job, "result")).status_code for one in (asker, colleague, staff_client)]
    assert fetched == [200, 403, 200]
    shown = [page_of(job, "result") in one.get(page_of(job)).text for one in (asker, colleague, staff_client)]
    assert shown == [True, False, True]


def test_who_may_see_the_list_no_more_gets_no_file_of_it(db):
    asker = operator("view_job")
    job = make_job(asked_by=asker.user, state="finished")
    job.parts.create(number=0, text="secret")
    assert asker.get(page_of(job, "result")).status_code == 403
    assert page_of(job, "result") not in asker.get(page_of(job)).text


def test_the_list_can_be_narrowed_to_ones_own(staff_client, staff):
    mine, _other = make_job(asked_by=staff), make_job()
    page = staff_client.get("/admin/desk/job/?whose=mine")
    assert list(page.context["cl"].result_list) == [mine]
