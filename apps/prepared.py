"""Statements that PostgreSQL plans once for each connection: the few that are asked all day, and cost more to plan."""

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Self

import psycopg
from django.db import Error, connection

type Row = tuple[Any, ...]
type Question = tuple[Statement, dict[str, Any]]  # with the values of its names

PARAMETER = re.compile(r"%\((\w+)\)s")


@dataclass(frozen=True, slots=True)
class Statement:
    """`prepare` names it on a server, `execute` asks it there, with the values of `names` in their order."""

    prepare: str
    execute: str
    names: tuple[str, ...]

    @classmethod
    def of(cls, sql: str) -> Self:
        """From a text with %(name)s in it, and %% for a percent sign. Say the type where nothing else does."""
        names = tuple(dict.fromkeys(PARAMETER.findall(sql)))
        numbered = PARAMETER.sub(lambda found: f"${names.index(found[1]) + 1}", sql).replace("%%", "%")
        name = f"crossdock_{hashlib.sha256(numbered.encode()).hexdigest()[:16]}"
        given = f" ({', '.join(['%s'] * len(names))})" if names else ""
        return cls(f"PREPARE {name} AS {numbered}", f"EXECUTE {name}{given}", names)

    def ask(self, values: dict[str, Any]) -> list[Row]:
        """Run it with the values of its names: its rows. Raises what Django raises."""
        return ask_all([(self, values)])[0]


def ask_all(questions: Sequence[Question]) -> list[list[Row]]:
    """Run several, in one message and in this order: the rows of each. Raises what Django raises.

    Where no transaction is open they are one, and it ends with them: what they lock waits for nothing of ours.
    """
    with connection.cursor() as cursor:
        planned = vars(connection.connection).setdefault("planned", set())
        for statement, _ in questions:
            if statement.execute not in planned:
                cursor.execute(statement.prepare)
                planned.add(statement.execute)
        try:
            cursor.execute(
                "; ".join(statement.execute for statement, _ in questions),
                [values[name] for statement, values in questions for name in statement.names],
            )
        except Error as error:
            if isinstance(error.__cause__, psycopg.errors.InvalidSqlStatementName):
                planned.clear()  # a pooler in between gave us another connection
            raise
        return [_rows(cursor, is_first=not nth) for nth, _ in enumerate(questions)]


def _rows(cursor: Any, *, is_first: bool) -> list[Row]:
    if not is_first:
        cursor.nextset()
    return cursor.fetchall() if cursor.description else []


def array(values: Iterable[Any]) -> str:
    """An array of numbers or ids as PostgreSQL writes it: much quicker made than one that is adapted item by item."""
    return "{" + ",".join(map(str, values)) + "}"
