"""Taking one guard away, so that the books can be seen to go wrong: WITHOUT=synchronous_commit or WITHOUT=idempotency.

The first answers before the order is on disk. Without the second nobody's second try is known as one: neither its key
nor the order's own ids are remembered.
"""

import sys

import psycopg

STATEMENTS = {
    "": [],
    "synchronous_commit": [
        "ALTER SYSTEM SET synchronous_commit = off",
        "ALTER SYSTEM SET wal_writer_delay = '10s'",
        "SELECT pg_reload_conf()",
    ],
    "idempotency": [
        """CREATE FUNCTION forgotten() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$""",
        """CREATE TRIGGER forgotten BEFORE INSERT ON api_answer FOR EACH ROW EXECUTE FUNCTION forgotten()""",
        """CREATE FUNCTION unlike_any_other() RETURNS trigger LANGUAGE plpgsql AS $$
           BEGIN NEW.ext_fulfillment_order_id = gen_random_uuid()::text; RETURN NEW; END $$""",
        """CREATE TRIGGER unlike_any_other BEFORE INSERT ON orders_order
           FOR EACH ROW EXECUTE FUNCTION unlike_any_other()""",
    ],
}


def check(guard: str) -> None:
    if guard not in STATEMENTS:
        sys.exit(f"There is no guard {guard}; there are {', '.join(filter(None, STATEMENTS))}.")


def remove(guard: str, *, database: str) -> None:
    """From the database of a run that has started."""
    with psycopg.connect(database, autocommit=True) as connection:
        for statement in STATEMENTS[guard]:
            connection.execute(statement)
