"""The peer with Celery: a task for each delivery, which loads its row, signs, posts, and says in the row how it went.

Run by `python -m tests.bench.inside celery -A tests.bench.posting worker`. Two processes, each with a session that
keeps its connections; nothing else is in the way of it: the rows are there when the clock starts.
"""

import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests
from celery import Celery
from django.db import connection, transaction
from django.utils import timezone

from apps.webhooks import signing
from apps.webhooks.models import Delivery, Endpoint, Event, Hook, Outgoing, SigningSecret
from config.local.child import Child, wait_until
from config.local.programs import CHECKOUT

from . import mail_room
from .sink import Sink

app = Celery("peer", broker=os.environ["BROKER_URL"])
app.conf.task_ignore_result = True
app.conf.CELERY_DB_REUSE_MAX = 1_000_000  # or it connects to the database anew for each task, in ten milliseconds
session = requests.Session()
keys: dict[str, bytes] = {}
hooks: dict[str, Hook] = {}


@app.task
def deliver(pk: int) -> None:
    delivery = Delivery.objects.select_related("event", "endpoint").get(pk=pk)
    event, endpoint = delivery.event, delivery.endpoint
    body = json.dumps({"type": event.type, "sequence": event.sequence, "data": event.data}).encode()
    answer = post(endpoint.url, delivery.message_id, key_of(endpoint), body)
    delivery.state = Delivery.State.DELIVERED if answer.ok else Delivery.State.FAILED
    delivery.status, delivery.tries, delivery.finished_at = answer.status_code, delivery.tries + 1, timezone.now()
    delivery.save(update_fields=["state", "status", "tries", "finished_at"])


@app.task
def send(url: str, message_id: str, key: str, body: str) -> None:
    post(url, message_id, signing.key_bytes(key), body.encode())


def post(url: str, message_id: str, key: bytes, body: bytes) -> requests.Response:
    headers = signing.standard(message_id, timestamp=int(time.time()), body=body, keys=[key])
    return session.post(url, data=body, headers=headers | {"Content-Type": "application/json"}, timeout=15)


def key_of(endpoint: Endpoint) -> bytes:
    """Opened once in each process."""
    if (found := keys.get(endpoint.url)) is None:
        secret = SigningSecret.objects.get(endpoint=endpoint)
        found = keys[endpoint.url] = signing.key_bytes(secret.secrets["key"])
    return found


def owe(hook_id: str, data: dict[str, Any]) -> Delivery:
    """The row of one delivery, with the event that it is of."""
    if (hook := hooks.get(hook_id)) is None:
        hook = hooks[hook_id] = Hook.objects.get(pk=hook_id)
    own = {"organization_id": hook.organization_id}
    with transaction.atomic():
        about = {"type": "stock.changed", "entity": "stock_level", "entity_id": data["sku"]}
        event = Event.objects.create(**own, **about, sequence=data["in_stock"], data=data)
        return Delivery.objects.create(**own, hook=hook, endpoint_id=hook.endpoint_id, event=event)


@contextmanager
def worker(broker: str) -> Iterator[None]:
    quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat", "-l", "WARNING"]
    command = [sys.executable, "-m", "tests.bench.inside", "celery", "-A", "tests.bench.posting", "worker", "-c", "2"]
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        env = os.environ | {"BROKER_URL": broker}
        child = Child(name="worker", command=[*command, *quiet], log=log, env=env, cwd=CHECKOUT)
        child.start()
        try:
            yield
        finally:
            child.bury()


def took(receiver: Sink, broker: str, number: int) -> float:
    """The seconds from the first task that is queued to the last delivery that is on record."""
    mail_room.forget()
    mail_room.address(receiver, mail_room.HEALTHY)
    with worker(broker), app.connection_for_write(broker) as wire:
        measured(owed(100), wire)  # until both processes are there, and have loaded what is loaded late
        return measured(owed(number), wire)


def measured(owed: list[int], wire: object) -> float:
    began = time.perf_counter()
    for pk in owed:
        deliver.apply_async((pk,), connection=wire)
    wanted = Delivery.objects.filter(pk__in=owed, state=Delivery.State.DELIVERED)
    if not wait_until(lambda: wanted.count() == len(owed), within=120):
        raise TimeoutError(f"{wanted.count()} of {len(owed)} were delivered by tasks")
    return time.perf_counter() - began


def owed(number: int) -> list[int]:
    """New deliveries, while nobody else is there to send them."""
    before = mail_room.newest()
    mail_room.happen(each=1, most=number)
    with connection.cursor() as cursor:
        cursor.execute(OWE)
    Outgoing.objects.all().delete()
    return list(Delivery.objects.filter(pk__gt=before).order_by("pk").values_list("pk", flat=True))


OWE = """
INSERT INTO webhooks_delivery (organization_id, endpoint_id, hook_id, event_id, lane, state, tries, error)
SELECT event.organization_id, hook.endpoint_id, hook.id, event.id, '', 'pending', 0, ''
FROM webhooks_outgoing JOIN webhooks_event event ON event.id = event_id
JOIN webhooks_hook hook ON hook.organization_id = event.organization_id
ORDER BY event.id
"""
