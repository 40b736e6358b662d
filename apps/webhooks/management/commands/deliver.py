"""`manage.py deliver`: send webhooks until told to stop. Several may run."""

import asyncio
import gc
import resource
import signal
from typing import Any

import uvloop
from django.core.management.base import BaseCommand, CommandParser

from apps.webhooks.dispatching import Dispatcher, deliver_all

MOST_FILES = 65_536


class Command(BaseCommand):
    help = "Send webhooks to their receivers until told to stop (SIGTERM). Several may run."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--once", type=float, metavar="SECONDS", help="send what is due now, and end within so many"
        )

    def handle(self, *args: Any, once: float | None, **options: Any) -> None:
        if once is None:
            uvloop.run(deliver())
        else:
            deliver_all(seconds=once)


async def deliver() -> None:
    open_as_many_as_we_may()
    gc.freeze()  # what is loaded by now stays: a collection that walks it as well takes longer than ten messages
    dispatcher = Dispatcher()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, dispatcher.stop)
    await dispatcher.run()


def open_as_many_as_we_may() -> None:
    """Each receiver has connections of its own, and 1,024 files, as is usual, are few."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
    if soft != resource.RLIM_INFINITY:
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))
