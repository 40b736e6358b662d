"""Doing a job: each row once, whatever happens to workers, people and rows meanwhile."""

import csv
from datetime import timedelta
from io import StringIO

import pytest
from django.contrib.auth.models import Permission
from django.db import OperationalError
from django.db.models import F
from django.utils import timezone

from apps.accounts.models import User
from apps.api.errors import Problem
from apps.audit.models import Entry
from apps.desk import bulk, exporting, finding, selecting, starting, tasks, working
from apps.desk.models import Job, JobPart
from apps.listed import MAY_LACK
from apps.orders.models import Order
from apps.webhooks import replaying
from apps.webhooks.models import Delivery
from tests.factories import make_delivery, make_hook, make_job, make_order, make_user

FAILED, DELIVERED, PENDING = Delivery.State.FAILED, Delivery.State.DELIVERED, Delivery.State.PENDING


@pytest.fixture(autouse=True)
def rung(monkeypatch) -> list:
    """The jobs that a worker was told of."""
    told: list = []
    monkeypatch.setattr(starting, "ring_for", told.append)
    monkeypatch.setattr(tasks, "ring_for", told.append)
    return told


@pytest.fixture
def small(monkeypatch):
    """Batches of two rows."""
    monkeypatch.setattr(working, "BATCH", 2)
    monkeypatch.setattr(working, "ONES", 2)
    monkeypatch.setattr(working, "LINES", 2)


def file_of(job: Job) -> list[list[str]]:
    text = "".join(exporting.download(job)).removeprefix("\ufeff")
    return list(csv.reader(StringIO(text, newline="")))


def finished(job: Job) -> Job:
    """The job after one turn of a worker."""
    working.run(job.pk)
    job.refresh_from_db()
    return job


def replay_of(query: str = "", **fields) -> Job:
    return make_job(model="webhooks.Delivery", action="replay", query=query, total=3, **fields)


def states() -> list[str]:
    return list(Delivery.objects.order_by("pk").values_list("state", flat=True))


# ---- What it does


def test_it_does_to_all_rows_of_the_filter_what_was_asked(small, db):
    hook = make_hook()
    failed = [make_delivery(hook=hook, state=FAILED) for _ in range(3)]
    make_delivery(hook=hook, state=DELIVERED)
    job = finished(replay_of(f"state__exact={FAILED}"))
    assert states() == [PENDING, PENDING, PENDING, DELIVERED]
    assert (job.state, job.done, job.skipped, job.failed) == (Job.State.FINISHED, 3, 0, 0)
    entries = Entry.objects.filter(action="delivery.replay")
    about = {"job": str(job.pk), "filter": f"state__exact={FAILED}"}
    assert [(one.organization_id, one.after["asked"]) for one in entries] == [(hook.organization_id, about)] * 2
    assert file_of(job) == [
        ["id", "what", "what came of it", "why"],
        *([str(one.pk), str(one), "done", ""] for one in failed),
    ]


def test_what_does_not_suit_is_left_alone_with_the_reason(db):
    hook = make_hook()
    make_delivery(hook=hook, state=FAILED)
    make_delivery(hook=hook, state=PENDING)
    job = finished(replay_of())
    assert (job.done, job.skipped) == (1, 1)
    assert file_of(job)[2][2:] == ["left alone", "It has still to arrive, or its hook was removed."]


def test_one_that_is_refused_keeps_no_other_from_being_done(db, monkeypatch):
    hook = make_hook()
    bad = make_delivery(hook=hook, state=FAILED)
    make_delivery(hook=hook, state=FAILED)
    replay = replaying.replay

    def refuse(rows, **more):
        if rows.filter(pk=bad.pk).exists():
            raise Problem("conflict", "Not this one.")
        return replay(rows, **more)

    monkeypatch.setattr(replaying, "replay", refuse)
    job = finished(replay_of())
    assert states() == [FAILED, PENDING]
    assert [line[2:] for line in file_of(job)[1:]] == [["left alone", "Not this one."], ["done", ""]]


def test_a_bug_at_one_row_is_told_and_undone_and_the_others_go_on(db, monkeypatch):
    hook = make_hook()
    bad = make_delivery(hook=hook, state=FAILED)
    make_delivery(hook=hook, state=FAILED)
    replay = replaying.replay

    def break_after(rows, **more):
        found = rows.filter(pk=bad.pk).exists()
        done = replay(rows, **more)
        if found:
            raise KeyError("inside")
        return done

    monkeypatch.setattr(replaying, "replay", break_after)
    job = finished(replay_of())
    assert states() == [FAILED, PENDING]
    assert (job.state, job.done, job.failed) == (Job.State.FINISHED, 1, 1)
    assert file_of(job)[1][2:] == ["failed", "KeyError"]


def test_a_deed_of_single_rows_tells_of_each(db):
    held, ready = make_order(state=Order.State.HELD), make_order(state=Order.State.READY)
    job = finished(make_job(action="release", total=2))
    assert {line[0]: line[2:] for line in file_of(job)[1:]} == {
        str(held.pk): ["done", ""],
        str(ready.pk): ["left alone", "It is not held."],
    }


def test_a_search_that_finds_too_much_meanwhile_ends_it_and_leaves_nothing_out_unsaid(small, db, monkeypatch):
    monkeypatch.setattr(finding, "MOST_LISTED", 2)
    for number in range(2):
        make_order(number=f"X-{number}")
    job = make_job(total=2, query="q=X-")
    make_order(number="X-9")
    assert (finished(job).state, job.detail, job.done) == (Job.State.FAILED, MAY_LACK, 0)


def asked_for(query: str, staff: User, **fields) -> Job:
    given = {"action": "release", "values": {}, "total": 1, "address": None} | fields
    return starting.start("orders.Order", query, user=staff, **given)


def test_a_search_goes_through_what_it_found_though_its_words_mean_others_by_now(small, staff):
    """Whoever is called just so comes before those whose number begins so: these are next when that one is done."""
    wanted, *others = [make_order(number=number, state=Order.State.HELD) for number in ("A-1", "A-10", "A-11")]
    job = finished(asked_for(f"q=A-1&state__exact={Order.State.HELD}", staff))
    assert [line[0] for line in file_of(job)[1:]] == [str(wanted.pk)]
    assert {order.state for order in Order.objects.filter(pk__in=[one.pk for one in others])} == {Order.State.HELD}
    assert (job.state, job.found) == (Job.State.FINISHED, None)


def test_a_search_goes_through_what_it_found_though_another_is_called_so_by_now(small, staff):
    orders = [make_order(number=number, state=Order.State.HELD) for number in ("A-10", "A-11", "A-12")]
    job = asked_for("q=A-1", staff, total=3)
    make_order(number="A-1", state=Order.State.HELD)
    assert [line[0] for line in file_of(finished(job))[1:]] == [str(order.pk) for order in orders]


def test_a_search_that_finds_too_many_begins_no_job(staff, monkeypatch):
    monkeypatch.setattr(selecting, "MOST_FOUND", 2)
    for number in range(3):
        make_order(number=f"A-{number}")
    with pytest.raises(Problem) as refused:
        asked_for("q=A-", staff)
    assert (refused.value.code, Job.objects.exists()) == ("validation_error", False)
    assert asked_for("q=A-1", staff).found == [str(Order.objects.get(number="A-1").pk)]


def test_an_export_is_all_rows_with_one_line_of_titles(small, db):
    orders = [make_order() for _ in range(5)]
    job = finished(make_job(total=5))
    assert (job.state, job.done, JobPart.objects.count()) == (Job.State.FINISHED, 5, 3)
    lines = file_of(job)
    assert lines[0][:2] == ["id", "number"]
    assert [line[0] for line in lines[1:]] == [str(order.pk) for order in orders]


def test_what_comes_after_it_was_asked_for_is_left_alone(staff):
    order = make_order()
    job = starting.start("orders.Order", "", action="export", user=staff, values={}, total=1, address=None)
    make_order()
    assert [line[0] for line in file_of(finished(job))[1:]] == [str(order.pk)]


def test_a_ticket_is_good_for_one_job(staff):
    ticket = starting.Ticket.of("orders.Order")
    asked = {"action": "export", "user": staff, "values": {}, "total": 1, "address": None, "ticket": ticket}
    jobs = {starting.start("orders.Order", "", **asked) for _ in range(2)}
    assert ([job.pk for job in jobs], Job.objects.count()) == ([ticket.job], 1)


def test_it_speaks_the_language_of_whoever_asked(db):
    make_order(state=Order.State.READY)
    job = finished(make_job(values={"language": "nl"}, total=1))
    assert job.state == Job.State.FINISHED


# ---- Who may


def operator(*permissions: str):
    user = make_user(is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return user


@pytest.mark.parametrize("kept", [[], ["view_delivery"], ["change_delivery"]])
def test_somebody_who_lost_a_permission_does_no_more(kept, db):
    make_delivery(state=FAILED)
    job = finished(replay_of(asked_by=operator(*kept)))
    if kept == ["change_delivery"]:  # whoever may change them may see them
        assert (job.state, states()) == (Job.State.FINISHED, [PENDING])
    else:
        assert (job.state, states()) == (Job.State.FAILED, [FAILED])
        assert "any more" in job.detail


def test_a_permission_lost_in_the_middle_stops_it_there(small, db, monkeypatch):
    hook, user = make_hook(), operator("view_delivery", "change_delivery")
    for _ in range(3):
        make_delivery(hook=hook, state=FAILED)
    keep = working._keep

    def keep_and_lose(job, piece):
        keep(job, piece)
        user.user_permissions.clear()

    monkeypatch.setattr(working, "_keep", keep_and_lose)
    job = finished(replay_of(asked_by=user))
    assert (job.state, job.done, states()) == (Job.State.FAILED, 2, [PENDING, PENDING, FAILED])


@pytest.mark.parametrize("change", [{"is_active": False}, {"is_staff": False}])
def test_somebody_who_left_does_no_more(change, db):
    make_order()
    user = make_user(is_staff=True, is_superuser=True)
    job = make_job(asked_by=user)
    type(user).objects.filter(pk=user.pk).update(**change)
    assert finished(job).detail == f"{user} may not work here any more."
    assert (job.state, job.done) == (Job.State.FAILED, 0)


def test_a_filter_that_is_gone_ends_it_with_a_sentence(db):
    make_order()
    job = finished(make_job(query="gone__exact=1"))
    assert (job.state, job.done) == (Job.State.FAILED, 0)
    assert "cannot be read any more" in job.detail


# ---- Workers


def test_whoever_lost_the_job_keeps_nothing(small, db, monkeypatch):
    hook = make_hook()
    for _ in range(3):
        make_delivery(hook=hook, state=FAILED)
    job, outcomes = replay_of(), working.outcomes

    def be_overtaken(*arguments):
        Job.objects.update(fence=99)
        return outcomes(*arguments)

    monkeypatch.setattr(working, "outcomes", be_overtaken)
    finished(job)
    assert (states(), job.done, job.state, JobPart.objects.count()) == ([FAILED] * 3, 0, Job.State.RUNNING, 0)


def test_whoever_wakes_up_after_the_lease_does_not_go_on_as_the_one_who_has_it_now(small, db, monkeypatch):
    for _ in range(4):
        make_order()
    job, keep = make_job(total=4), working._keep

    def keep_and_fall_asleep(found, piece):
        keep(found, piece)
        Job.objects.update(fence=F("fence") + 1, lease_until=timezone.now() + timedelta(minutes=1))

    monkeypatch.setattr(working, "_keep", keep_and_fall_asleep)
    assert (finished(job).done, job.state, JobPart.objects.count()) == (2, Job.State.RUNNING, 1)


def test_a_job_that_somebody_is_at_is_left_to_them(db):
    make_order()
    job = make_job()
    assert Job.objects.claim(job.pk).fence == 1
    assert Job.objects.claim(job.pk) is None
    assert working.run(job.pk) is False
    assert JobPart.objects.count() == 0


def test_after_the_lease_the_next_goes_on_where_it_was(small, db, monkeypatch):
    orders = [make_order() for _ in range(5)]
    job, turn = make_job(total=5), iter([0.0, 0.0, 99.0])
    monkeypatch.setattr(working.time, "monotonic", lambda: next(turn))
    assert working.run(job.pk) is True
    monkeypatch.undo()
    monkeypatch.setattr(working, "LINES", 2)
    Job.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert [line[0] for line in file_of(finished(job))[1:]] == [str(order.pk) for order in orders]


def test_a_job_that_kills_its_workers_ends(db):
    make_order()
    job = make_job(tries=working.MOST_TRIES, state="running", lease_until=timezone.now())
    assert (finished(job).state, job.detail) == (Job.State.FAILED, "Workers died at it again and again.")


def test_a_database_in_trouble_leaves_the_job_for_later(db, monkeypatch):
    make_order()
    job = make_job()

    def fail(*_arguments):
        raise OperationalError

    monkeypatch.setattr(working, "_next", fail)
    with pytest.raises(OperationalError):
        working.run(job.pk)
    job.refresh_from_db()
    assert job.state == Job.State.RUNNING


def test_the_sweep_rings_for_what_nobody_is_at(rung, db):
    due = [make_job(), make_job(state="running", lease_until=timezone.now())]
    make_job(state="running", lease_until=timezone.now() + timedelta(minutes=1))
    make_job(state="finished")
    tasks.ring_for_due_jobs()
    assert rung == [job.pk for job in due]


def test_a_job_that_has_had_its_turn_is_rung_for_again(rung, db, monkeypatch):
    make_order()
    job = make_job()
    monkeypatch.setattr(working, "TURN", -1)
    tasks.work_on_job(str(job.pk))
    assert rung == [str(job.pk)]


# ---- Asking and calling off


def test_a_worker_is_told_at_commit_and_the_trail_has_who_and_what(
    rung, staff, django_capture_on_commit_callbacks, monkeypatch
):
    make_order()
    with django_capture_on_commit_callbacks(execute=True):
        job = starting.start(
            "orders.Order",
            "q=x",
            action="release",
            user=staff,
            values={"reason": "asked"},
            total=1,
            address="192.0.2.7",
        )
        assert rung == []
    assert rung == [job.pk]
    entry = Entry.objects.get()
    assert (entry.action, entry.actor, entry.address, entry.reason) == ("job.start", staff.email, "192.0.2.7", "asked")
    assert entry.after == {"list": "orders.Order", "action": "release", "filter": "q=x", "rows": 1}


def test_the_trail_has_how_it_ended(db):
    make_order(state=Order.State.READY)
    finished(make_job(action="release"))
    (entry,) = Entry.objects.filter(action="job.end")
    assert entry.after == {"state": "finished", "done": 0, "skipped": 1, "failed": 0}


def test_one_that_nobody_works_on_is_called_off_at_once(staff):
    job = make_job()
    assert starting.cancel(job, actor=job.actor) is True
    job.refresh_from_db()
    assert (job.state, job.finished_at is not None) == (Job.State.CANCELLED, True)
    assert working.run(job.pk) is False
    assert starting.cancel(job, actor=job.actor) is False


def test_one_at_work_stops_before_its_next_batch(small, db, monkeypatch):
    for _ in range(5):
        make_order()
    job, keep = make_job(total=5), working._keep

    def keep_and_cancel(found, piece):
        keep(found, piece)
        starting.cancel(found, actor=found.actor)

    monkeypatch.setattr(working, "_keep", keep_and_cancel)
    finished(job)
    assert (job.state, job.done, len(file_of(job))) == (Job.State.CANCELLED, 2, 3)
    assert [entry.action for entry in Entry.objects.order_by("pk")] == ["job.cancel", "job.end"]


# ---- Forgetting


def test_files_are_forgotten_after_a_week_and_jobs_after_a_quarter(db):
    ages = [6, 8, 89, 91]
    jobs = [make_job(state="finished", finished_at=timezone.now() - timedelta(days=age)) for age in ages]
    for job in jobs:
        job.parts.create(number=0, text="x")
    tasks.forget_old_jobs()
    assert set(Job.objects.all()) == set(jobs[:3])
    assert [part.job for part in JobPart.objects.all()] == jobs[:1]


def test_every_deed_has_a_code_of_its_own_in_its_list():
    codes = [(deed.model, deed.code) for deed in bulk.DEEDS]
    assert len(codes) == len(set(codes))
