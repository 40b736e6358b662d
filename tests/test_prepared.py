from contextlib import suppress

import pytest
from django.db import DataError, ProgrammingError, connection, transaction
from django.test.utils import CaptureQueriesContext

from apps.prepared import Statement, array, ask_all

pytestmark = pytest.mark.django_db


def test_names_become_numbers_in_the_order_they_are_first_said():
    made = Statement.of("SELECT %(b)s::text, %(a)s::text, %(b)s::text, 5 %% 3")
    assert made.prepare.endswith(" AS SELECT $1::text, $2::text, $1::text, 5 % 3")
    assert made.names == ("b", "a")
    assert made.ask({"a": "A", "b": "B", "more": "C"}) == [("B", "A", "B", 2)]


def test_a_statement_is_prepared_once():
    made = Statement.of("SELECT 'prepared once', %(n)s::text")
    assert [made.ask({"n": str(n)}) for n in range(3)] == [[("prepared once", str(n))] for n in range(3)]
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%prepared once%'")
        assert cursor.fetchone() == (1,)


def test_one_without_rows_has_none():
    assert Statement.of("DELETE FROM webhooks_outgoing").ask({}) == []


def test_several_are_one_message_with_the_rows_of_each():
    doubled, none = Statement.of("SELECT 2 * %(n)s::integer"), Statement.of("DELETE FROM webhooks_outgoing")
    questions = [(doubled, {"n": 1}), (none, {}), (doubled, {"n": 4})]
    ask_all(questions)
    with CaptureQueriesContext(connection) as asked:
        assert ask_all(questions) == [[(2,)], [], [(8,)]]
    assert len(asked) == 1


@pytest.mark.django_db(transaction=True)
def test_several_are_a_transaction_that_ends_with_them():
    said = Statement.of("SELECT set_config('crossdock.said', 'here', true)")
    heard = Statement.of("SELECT current_setting('crossdock.said', true)")
    assert ask_all([(said, {}), (heard, {})]) == [[("here",)], [("here",)]]
    assert heard.ask({}) == [("",)]


@pytest.mark.django_db(transaction=True)
def test_one_of_several_that_goes_wrong_undoes_the_others():
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE noted (n integer)")
    noted = Statement.of("INSERT INTO noted SELECT %(n)s::integer RETURNING n")
    divided = Statement.of("SELECT 4 / %(n)s::integer")
    assert ask_all([(noted, {"n": 1}), (divided, {"n": 2})]) == [[(1,)], [(2,)]]
    with pytest.raises(DataError):
        ask_all([(noted, {"n": 2}), (divided, {"n": 0})])
    assert Statement.of("SELECT n FROM noted").ask({}) == [(1,)]
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE noted")


def test_what_goes_wrong_is_what_django_says():
    with pytest.raises(DataError), transaction.atomic():
        Statement.of("SELECT 1 / %(n)s::integer").ask({"n": 0})


def test_one_that_went_wrong_is_not_planned_again():
    made = Statement.of("SELECT 2 / %(n)s::integer")
    with CaptureQueriesContext(connection) as asked:
        for n in (0, 0, 2):
            with suppress(DataError), transaction.atomic():
                made.ask({"n": n})
    assert [query["sql"].split()[0] for query in asked if "crossdock_" in query["sql"]] == ["PREPARE", *["EXECUTE"] * 3]


def test_one_that_a_server_has_forgotten_is_planned_anew():
    made = Statement.of("SELECT 3 / %(n)s::integer")
    made.ask({"n": 1})
    with connection.cursor() as cursor:
        cursor.execute("DEALLOCATE ALL")
    with pytest.raises(ProgrammingError), transaction.atomic():
        made.ask({"n": 1})
    assert made.ask({"n": 1}) == [(3,)]


def test_an_array_is_written_as_postgresql_reads_it():
    made = Statement.of("SELECT %(n)s::bigint[], %(b)s::boolean[], %(f)s::float8[]")
    given = {"n": array([1, 2**40]), "b": array([True, False]), "f": array([1e-7, 0.1])}
    assert made.ask(given) == [([1, 2**40], [True, False], [1e-7, 0.1])]
    assert made.ask(dict.fromkeys("nbf", array([]))) == [([], [], [])]
