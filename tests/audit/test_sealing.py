"""Whoever alters the trail behind our back is found out (AD-04); whoever only writes to it late is not accused."""

import itertools
from datetime import timedelta
from html import unescape

import pytest
from django.core import mail
from django.core.management import call_command
from django.db import IntegrityError, ProgrammingError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.audit import sealing, tasks
from apps.audit.models import Entry, Seal, Sealed
from apps.audit.trail import Actor, record
from tests.concurrency import at_once

ANNA = Actor("anna@foo-3pl.example", address="192.0.2.7")
pytestmark = pytest.mark.django_db


def enter(count: int = 1) -> list[Entry]:
    return [record(ANNA, "key.rotate", before={"name": "ä"}, after={"n": n}, reason="Asked for") for n in range(count)]


def behind_our_back(statement: str, **values: object) -> None:
    """As a superuser of the database, who switches every trigger off."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(statement, values)
        cursor.execute("SET LOCAL session_replication_role = origin")


def as_the_portal(statement: str) -> None:
    """As whoever has the portal's own access to the database."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET LOCAL crossdock.may_empty_the_trail = off")
        cursor.execute(statement)


def later(since: timedelta = 2 * sealing.LATEST) -> None:
    """The seals there are were made so long ago."""
    behind_our_back("UPDATE audit_seal SET at = at - %(since)s", since=since)


@pytest.fixture
def sealed() -> list[Entry]:
    """Three seals: of two entries, of three, of one."""
    found = []
    for count in (2, 3, 1):
        found += enter(count)
        assert sealing.seal() == count
    return found


def test_a_trail_that_nobody_touched_fits_its_seals(sealed):
    enter()
    found = sealing.check()
    assert (found.seals, found.entries, found.unsealed, found.broken) == (3, 6, 1, "")
    assert found.digest == Seal.objects.first().digest


def test_nothing_is_sealed_twice_and_nothing_makes_no_seal(sealed):
    assert (sealing.seal(), Seal.objects.count(), Sealed.objects.count()) == (0, 3, 6)


@pytest.mark.parametrize("column", sealing.COLUMNS[1:])
def test_every_column_is_under_the_seal(column, sealed):
    altered = {"at": "at + interval '1 millisecond'", "before": '\'{"name": "a"}\'', "after": "'{}'"}
    altered |= {"organization_id": "gen_random_uuid()", "integration_id": "gen_random_uuid()", "user_id": "7"}
    altered |= {"address": "'192.0.2.8'"}
    value = altered.get(column, "'altered'")
    behind_our_back(f"UPDATE audit_entry SET {column} = {value} WHERE id = %(id)s", id=sealed[3].pk)  # noqa: S608 - ours
    first, second = sealed[2].pk, Seal.objects.order_by("pk")[1]
    assert sealing.check().broken == (
        f"Seal {second.pk} does not fit: something was changed among the entries {first} to {second.upto}."
    )


def test_no_column_is_forgotten():
    assert {field.attname for field in Entry._meta.concrete_fields} == set(sealing.COLUMNS)


def test_an_entry_taken_away_shows(sealed):
    behind_our_back("DELETE FROM audit_entry WHERE id = %(id)s", id=sealed[5].pk)
    assert "does not fit" in sealing.check().broken


def test_an_entry_taken_away_with_its_mark_shows(sealed):
    behind_our_back("DELETE FROM audit_sealed WHERE entry_id = %(id)s", id=sealed[0].pk)
    behind_our_back("DELETE FROM audit_entry WHERE id = %(id)s", id=sealed[0].pk)
    assert "does not fit" in sealing.check().broken


def test_a_seal_taken_away_with_all_its_entries_shows(sealed):
    middle = Seal.objects.order_by("pk")[1]
    for table, column in (("audit_sealed", "seal_id"), ("audit_seal", "id")):
        behind_our_back(f"DELETE FROM {table} WHERE {column} = %(id)s", id=middle.pk)  # noqa: S608 - ours
    for entry in sealed[2:5]:
        behind_our_back("DELETE FROM audit_entry WHERE id = %(id)s", id=entry.pk)
    assert "does not fit" in sealing.check().broken


def test_an_entry_slipped_in_later_shows(sealed):
    later()
    behind_our_back("DELETE FROM audit_sealed WHERE entry_id = %(id)s", id=sealed[0].pk)
    behind_our_back(
        "INSERT INTO audit_entry (id, at, actor, action, outcome, target_kind, target_id, target, before, after,"
        " reason, request_id) VALUES (%(id)s, now(), 'x', 'x', 'done', '', '', '', '{}', '{}', '', '')",
        id=sealed[0].pk - 1,
    )
    behind_our_back("INSERT INTO audit_sealed SELECT %(id)s, min(id) FROM audit_seal", id=sealed[0].pk)
    assert sealing.check().broken == f"Entry {sealed[0].pk - 1} was slipped in later."
    assert sealing.seal() == 0


def test_a_trail_sealed_anew_from_the_start_is_given_away_by_a_digest_noted_elsewhere(sealed):
    noted = sealing.check().digest
    assert sealing.check(noted).broken == ""
    for table in ("audit_sealed", "audit_seal"):
        behind_our_back(f"DELETE FROM {table}")  # noqa: S608 - ours
    behind_our_back("UPDATE audit_entry SET actor = 'nobody' WHERE id = %(id)s", id=sealed[0].pk)
    sealing.seal()
    assert (sealing.check().broken, sealing.check(noted).broken) == ("", "The digest you noted is not there.")


@pytest.mark.parametrize("table", ["audit_entry", "audit_seal", "audit_sealed"])
@pytest.mark.parametrize("change", ["DELETE FROM {}", "TRUNCATE {} CASCADE", "UPDATE {} SET {}"])
def test_the_database_refuses_to_change_or_empty_it(table, change, sealed):
    column = "entry_id = entry_id" if table == "audit_sealed" else "id = id"
    with pytest.raises(ProgrammingError, match="append-only"):
        as_the_portal(change.format(table, column))
    assert sealing.check().broken == ""


def test_two_marks_of_one_entry_are_refused(sealed):
    with pytest.raises(IntegrityError), transaction.atomic():
        Sealed.objects.create(entry=sealed[0], seal=Seal.objects.first())


def test_a_busy_trail_takes_several_seals_and_few_statements(monkeypatch):
    monkeypatch.setattr(sealing, "MOST", 4)
    enter(9)
    assert (sealing.seal(), [one.count for one in Seal.objects.order_by("pk")]) == (9, [4, 4, 1])
    monkeypatch.setattr(sealing, "AT_ONCE", 2)
    with CaptureQueriesContext(connection) as queries:
        assert sealing.check().broken == ""
    assert len(queries) <= 10


@pytest.mark.parametrize(("most", "statements"), [(1, 3), (4, 2), (5, 2), (6, 1)])
def test_no_statement_looks_through_more_entries_than_its_time_allows(most, statements, sealed, monkeypatch):
    monkeypatch.setattr(sealing, "ENTRIES_AT_ONCE", most)
    with CaptureQueriesContext(connection) as asked:
        assert sealing.check() == sealing.Found(3, 6, 0, Seal.objects.first().digest)
    assert sum("string_agg" in query["sql"] for query in asked.captured_queries) == statements


# ---- Who writes late, and who seals at once


@pytest.mark.django_db(transaction=True)
def test_an_entry_committed_late_comes_under_a_later_seal_and_accuses_nobody():
    def write_slowly(number: int) -> None:
        with transaction.atomic():
            record(Actor(f"slow {number}"), "x")
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_sleep(%s)", [0.05 * (number % 4)])
            if number % 5 == 0:
                transaction.set_rollback(True)

    numbers = itertools.count()

    def work() -> None:
        if (number := next(numbers)) % 3 == 0:
            sealing.seal()
        else:
            write_slowly(number)

    for _round in range(3):
        assert at_once(12, work) == [None] * 12
    sealing.seal()
    found = sealing.check()
    assert (found.broken, found.unsealed, found.entries) == ("", 0, Entry.objects.count())
    sealed = [row.entry_id for row in Sealed.objects.order_by("seal_id", "entry_id")]
    assert sorted(sealed) == list(Entry.objects.order_by("pk").values_list("pk", flat=True))


# ---- The alarm


def test_the_operators_are_told_once_and_the_first_page_until_it_fits_again(sealed, settings, staff_client):
    settings.OPERATORS_EMAIL = ["ops@foo-3pl.example"]
    assert (tasks.check_trail(), sealing.broken()) == ("", "")
    behind_our_back("UPDATE audit_entry SET actor = 'x' WHERE id = %(id)s", id=sealed[0].pk)
    for _night in range(2):
        tasks.check_trail()
    assert [(message.to, message.subject) for message in mail.outbox] == [
        (["ops@foo-3pl.example"], "The audit trail was tampered with")
    ]
    assert "does not fit" in sealing.broken()
    assert sealing.broken() in unescape(staff_client.get("/admin/").text)
    assert sealing.broken() in mail.outbox[0].body
    behind_our_back("UPDATE audit_entry SET actor = %(name)s WHERE id = %(id)s", id=sealed[0].pk, name=ANNA.text)
    tasks.check_trail()
    assert sealing.broken() == ""


def test_the_command_ends_with_1_and_the_place(sealed, capsys):
    call_command("check_audit")
    assert "Nothing was changed." in capsys.readouterr().out
    behind_our_back("UPDATE audit_entry SET reason = 'x' WHERE id = %(id)s", id=sealed[0].pk)
    with pytest.raises(SystemExit) as end:
        call_command("check_audit")
    assert (end.value.code, "does not fit" in capsys.readouterr().err) == (1, True)


def test_the_task_seals(sealed):
    enter(2)
    assert tasks.seal_trail() == 2
    assert timezone.now() - Seal.objects.first().at < timedelta(minutes=1)
