"""Taking one guard away, so that the books can be seen to go wrong: WITHOUT=synchronous_commit, idempotency or order.

The first answers before the order, or the event, is on disk. Without the second nobody's second try is known as one:
neither its key nor the order's own ids are remembered. Without the third each message to an endpoint is in a lane of
its own, and goes out whatever became of the one before.
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
    "order": [
        """CREATE FUNCTION a_lane_of_its_own() RETURNS trigger LANGUAGE plpgsql AS $$
           BEGIN NEW.lane = gen_random_uuid()::text; RETURN NEW; END $$""",
        """CREATE TRIGGER a_lane_of_its_own BEFORE INSERT ON webhooks_delivery
           FOR EACH ROW EXECUTE FUNCTION a_lane_of_its_own()""",
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
