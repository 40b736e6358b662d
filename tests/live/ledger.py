"""Counting what was checked, and what was written."""

import sys
from dataclasses import dataclass, field
from typing import Any

import psycopg


@dataclass
class Checks:
    """Prints each check as it is made."""

    passed: int = 0
    failed: list[str] = field(default_factory=list)

    def equal(self, what: str, found: Any, expected: Any) -> None:
        if found == expected:
            self.passed += 1
            say(f"  ok      {what}")
        else:
            self.fail(what, f"found {found!r:.2000}, expected {expected!r:.2000}")

    def fail(self, what: str, why: str) -> None:
        self.failed.append(what)
        say(f"  FAILED  {what}: {why}")


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def row_versions(database: str) -> dict[tuple[str, int], str]:
    """Which transaction last wrote each product and listing: PostgreSQL's own xmin."""
    with psycopg.connect(database) as connection:
        rows = connection.execute(
            """SELECT 'product', id, xmin::text FROM catalog_product
               UNION ALL SELECT 'listing', id, xmin::text FROM catalog_listing"""
        )
        return {(table, number): version for table, number, version in rows}


def written(before: dict[tuple[str, int], str], after: dict[tuple[str, int], str]) -> dict[str, int]:
    """How many rows of each table are new or were written again."""
    changed = [table for (table, number), version in after.items() if before.get((table, number)) != version]
    return {table: changed.count(table) for table in ("product", "listing")}
