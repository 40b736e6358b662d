"""30,000 signed messages of a kilobyte to 50 endpoints: from the commit of the events to the last success on record.

Ours are kept, in order for each level of stock, and each try is written down. Held against a loop that has them in
memory only, and against what most Django code does: one Celery task for each, which loads its row and says in it how it
went; and django-webhook, which does that for you. Those two have two processes, and are held against two dispatchers;
they send fewer, so it is rates that are compared.
"""

from collections.abc import Iterator
from contextlib import ExitStack

from config.local.testing import private_broker

from . import django_webhook, in_memory, mail_room, posting, sink
from .figures import Figure
from .mail_room import ENDPOINTS, EVENTS, HEALTHY

TASKS, SAVES = 1_500, 450


def rounds(rows: int) -> Iterator[list[Figure]]:
    with ExitStack() as rooms:
        receiver = rooms.enter_context(sink.running())
        broker = rooms.enter_context(private_broker())
        mail_room.furnish()
        mail_room.open_endpoints()
        ours(receiver, dispatchers=1)
        django_webhook.install()
        peer = django_webhook.make_database()
        while True:
            yield round_of(receiver, broker, peer)


def round_of(receiver: sink.Sink, broker: str, peer: str) -> list[Figure]:
    urls = [receiver.url("ok", number) for number in range(ENDPOINTS)]
    rates = {loop: EVENTS / in_memory.took(loop, EVENTS, urls) for loop in ("asyncio", "uvloop")}
    one, two = (EVENTS / ours(receiver, dispatchers=number) for number in (1, 2))
    task = TASKS / posting.took(receiver, broker, TASKS)
    save = SAVES / django_webhook.took(receiver, broker, SAVES, database=peer)
    print(f"a second: {one:.0f}, two dispatchers {two:.0f}, {rates}, tasks {task:.0f}, django-webhook {save:.0f}")
    return [
        Figure("fan_out", "aiohttp in memory", one / rates["asyncio"], goal=0.8),
        Figure("fan_out", "aiohttp in memory, on uvloop", one / rates["uvloop"], goal=0.8),
        Figure("fan_out", "two dispatchers / one", two / one, goal=1),
        Figure("fan_out", "a Celery task for each, with its row", two / task, goal=15),
        Figure("fan_out", "django-webhook", two / save, goal=60),
    ]


def ours(receiver: sink.Sink, *, dispatchers: int) -> float:
    mail_room.forget()
    mail_room.address(receiver, HEALTHY)
    mail_room.settle()
    with mail_room.dispatchers(dispatchers):
        return mail_room.deliver(receiver, counting={"ok"})
