"""How fast what has piled up goes out: with a million deliveries waiting, beside ten thousand.

The rate is taken at the receiver, between the thousandth message and the last that is looked at, so that neither the
beginning nor the end of a backlog counts.
"""

from collections.abc import Iterator
from time import monotonic

from django.db import connection, transaction

from apps.webhooks import addressing
from apps.webhooks.models import Delivery, Endpoint

from . import mail_room, sink
from .figures import Figure
from .measuring import database

FEW, MANY = 10_000, 1_000_000
SPARE = 150_000  # more than all rounds take of the many, so that a million are left
FROM, TO_FEW, TO_MANY = 1_000, 9_000, 31_000
TURNS = 3


def rounds(rows: int) -> Iterator[list[Figure]]:
    mail_room.furnish()
    grown = f"{connection.settings_dict['NAME']}_grown"
    connection.close()
    with database("postgres"):
        connection.cursor().execute(f"CREATE DATABASE {grown} TEMPLATE bench_draining")
    with database(grown):
        pile_up(MANY + SPARE)
    pile_up(FEW)
    with sink.running() as receiver:
        while True:
            few = [drain(receiver, again=FEW, until=TO_FEW) for _ in range(TURNS)]
            with database(grown):
                many = drain(receiver, again=0, until=TO_MANY)
            yield [Figure("draining", f"{MANY:,} waiting / {FEW:,}", many / (sum(few) / len(few)), goal=0.8)]


def pile_up(number: int) -> None:
    """That many, with their events; the hooks came when these had happened, so that nobody fans them out again."""
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        mail_room.happen(each=-(-number // (mail_room.ENDPOINTS * mail_room.LEVELS)), most=number, padding=0)
        mail_room.open_endpoints()
        cursor.execute(OWE)
    mail_room.settle()


OWE = """
INSERT INTO webhooks_delivery (organization_id, endpoint_id, hook_id, event_id, lane, state, tries, error)
SELECT event.organization_id, hook.endpoint_id, hook.id, event.id, event.entity || ':' || event.entity_id, 'pending',
       0, ''
FROM webhooks_event event JOIN webhooks_hook hook ON hook.organization_id = event.organization_id
ORDER BY event.id
"""


def drain(receiver: sink.Sink, *, again: int, until: int) -> float:
    """Messages a second. What was delivered `again` is to be sent first: so many wait, as at the beginning."""
    mail_room.address(receiver, mail_room.HEALTHY)
    if again:
        Delivery.objects.all().update(state=Delivery.State.PENDING, tries=0)
    mail_room.settle()
    receiver.forget()
    with mail_room.dispatchers(1):
        with transaction.atomic():
            Endpoint.objects.all().ring()
            addressing.wake()
        receiver.wait_for(FROM, "ok")
        began, first = monotonic(), receiver.took("ok")
        receiver.wait_for(until, "ok")
        return (receiver.took("ok") - first) / (monotonic() - began)
