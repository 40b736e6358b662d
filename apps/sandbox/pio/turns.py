"""Taking turns at writing. Left alone, SQLite's writers poll for the lock, and an unlucky one does so for seconds."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction

TURN = threading.RLock()


@contextmanager
def writing() -> Iterator[None]:
    """A transaction whose threads wait for each other; never begun within another transaction."""
    with TURN, transaction.atomic():
        yield
