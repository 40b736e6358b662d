"""An Otter that lists what a test says, answers wrongly when told to, and remembers what it was asked."""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests
import responses

from apps.syncs import running
from apps.syncs.models import SyncRun
from apps.syncs.reading import THREAD
from config.local.child import wait_until
from tests.conftest import OTTER

type Answer = tuple[int, dict[str, str], str]
NOW_ENOUGH = 20  # how often a test lets a run go on before it takes it for endless


def item(number: int, **fields: Any) -> dict[str, Any]:
    """An inventory summary."""
    return {"id": f"p{number}", "externalId": f"HAT-{number}", "name": f"Hat {number}", "sellableQuantity": 7} | fields


@dataclass
class Platform:
    """Lists `pages`; the cursor of each is its number. `wrong` answers come first, once each, by cursor.

    `meanwhile` is called before each answer, with the cursor that was asked for.
    """

    pages: list[list[dict[str, Any]]] = field(default_factory=list)
    wrong: dict[str, list[Answer | Exception]] = field(default_factory=dict)
    meanwhile: Callable[[str], None] = lambda cursor: None
    asked: list[str] = field(default_factory=list)

    def serve(self, web: responses.RequestsMock) -> None:
        web.add_callback(responses.GET, f"{OTTER}/inventories/v1/summaries", callback=self.answer)

    def answer(self, request: requests.PreparedRequest) -> Answer:
        cursor = parse_qs(urlsplit(request.url).query).get("token", ["0"])[0]
        self.asked.append(cursor)
        self.meanwhile(cursor)
        if self.wrong.get(cursor):
            answer = self.wrong[cursor].pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer
        return 200, {}, json.dumps(self.page(int(cursor)))

    def page(self, number: int) -> dict[str, Any]:
        more = {"offsetToken": str(number + 1)} if number + 1 < len(self.pages) else {}
        return {"items": self.pages[number] if self.pages else []} | more


def work_on(run: SyncRun) -> SyncRun:
    """Let a worker have one turn at it."""
    running.run(run.pk)
    return fresh(run)


def work_out(run: SyncRun) -> SyncRun:
    """Let workers at it, with time passing in between, until it has ended or waits for a person."""
    for _ in range(NOW_ENOUGH):
        SyncRun.objects.filter(pk=run.pk, state=SyncRun.State.QUEUED).update(next_attempt_at=run.created_at)
        if not SyncRun.objects.due().filter(pk=run.pk).exists():
            return fresh(run)
        running.run(run.pk)
    raise AssertionError("The run does not come to an end.")


def abandon(run: SyncRun) -> None:
    """Its worker died, and the lease has run out."""
    abandoned = {"state": SyncRun.State.RUNNING, "lease_until": run.created_at, "fence": run.fence + 1}
    SyncRun.objects.filter(pk=run.pk).update(**abandoned)


def fresh(run: SyncRun) -> SyncRun:
    return SyncRun.objects.get(pk=run.pk)


def nothing_on_its_way() -> None:
    """Waits until whoever reads ahead has read to the end, or as far as it may."""
    assert wait_until(lambda: THREAD not in {thread.name for thread in threading.enumerate()}, within=10)
