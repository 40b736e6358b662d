"""The dispatcher: a process that sends what is owed, woken by the commit that owes it.

Two loops share the endpoints it serves. One attends: it fans events out, leases endpoints and gives them back. The
other works: it writes down what came back, loads what is next, and sends it. Each has a thread and a connection to the
database of its own; nothing is locked while a message is on its way.
"""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import structlog
import uvloop
from django.db import InterfaceError, OperationalError, connection

from . import envelopes, fanning, outcomes, serving
from .answers import Finished, record_of
from .bell import Bell
from .catalogue import EVENTS
from .health import WIDEST
from .lines import Line, line_of
from .models import Delivery
from .outcomes import SECONDS, Verdict
from .sending import Answer, open_door, post
from .serving import Behind, Claimed, Loaded

log = structlog.get_logger(__name__)

POLL_SECONDS = 1.0  # between two looks when nobody rings: for what waits for its time
RENEW_SECONDS = 4.0
GATHER_SECONDS = 0.004  # that results are gathered before they are written down, while much is on its way
MUCH = 20
CROWDED, FEW = 100, 2  # messages on their way to all, and then still to each
GRACE_SECONDS = 16.0  # for what is on its way when it is asked to stop
AGAIN_SECONDS = 1.0  # after the database was away
State = Delivery.State


class Dispatcher:
    """`is_stopping`: begin nothing new. With `until_idle` it stops by itself when nothing is to be done now."""

    def __init__(self, *, until_idle: bool = False) -> None:
        self.lines: dict[str, Line] = {}
        self.finished: list[Finished] = []
        self.sending = 0
        self.behind: list[tuple[Line, Behind]] = []
        self.stirred = asyncio.Event()
        self.bell = Bell()
        self.until_idle = until_idle
        self.is_stopping = False
        self.stopped_at = 0.0
        self.claimed_at = self.renewed_at = 0.0
        self.attendant = ThreadPoolExecutor(1, thread_name_prefix="attending")
        self.clerk = ThreadPoolExecutor(1, thread_name_prefix="writing")
        self.on_their_way: set[asyncio.Task[None]] = set()

    def stop(self) -> None:
        if not self.is_stopping:
            self.is_stopping, self.stopped_at = True, time.monotonic()
        self.bell.ring()
        self.stirred.set()

    async def run(self) -> None:
        """Until it is stopped; then what is on its way comes to its end, and is written down."""
        async with open_door() as self.door:
            worker = asyncio.create_task(self._work())
            attendant = asyncio.create_task(self._attend())
            try:
                done, _ = await asyncio.wait([worker, attendant], return_when=asyncio.FIRST_EXCEPTION)
                for one in done:
                    one.result()
            finally:
                await self._leave(worker, attendant)

    async def _leave(self, *loops: asyncio.Task[None]) -> None:
        for one in loops:
            one.cancel()
        await asyncio.gather(*loops, return_exceptions=True)
        self.bell.close()
        for pool in (self.attendant, self.clerk):
            await asyncio.get_running_loop().run_in_executor(pool, _leave_the_database)
            pool.shutdown(wait=True)

    # ---- Attending

    async def _attend(self) -> None:
        while not self.is_stopping:
            await self._turn()
            if not self.is_stopping:
                await self.bell.heard(within=self._patience())
        await self._finish()

    async def _turn(self) -> None:
        """One batch of events, and what is due about the endpoints. What is given back may be due again: whether
        nothing is left to be done is seen before that."""
        is_called = self.bell.is_about_endpoints()
        fanned = await self._ask(self.attendant, fanning.fan_out, list(self.lines))
        for pk in fanned.rung.keys() & self.lines.keys():
            self.lines[pk].hear(fanned.rung[pk])
        if fanned.rung:
            self.stirred.set()
        if not fanned.is_all:
            self.bell.ring()
        if is_called or fanned.rung.keys() - self.lines.keys() or self._is_time_to_claim():
            await self._claim()
        has_nothing = self.until_idle and not fanned.events and not self.lines
        if self.lines and (is_called or time.monotonic() - self.renewed_at >= RENEW_SECONDS):
            await self._look()
        await self._release()
        self.stirred.set()
        if has_nothing:
            self.stop()

    def _is_time_to_claim(self) -> bool:
        """Time alone makes endpoints due, and dispatchers come and go."""
        return self.until_idle or time.monotonic() - self.claimed_at >= POLL_SECONDS

    def _patience(self) -> float:
        return 0.02 if self.until_idle else POLL_SECONDS

    async def _claim(self) -> None:
        self.claimed_at = began = time.monotonic()
        claimed, share = await self._ask(self.attendant, self._enter_and_claim)
        for one in claimed:
            self._add(one, began)
        for line in list(self.lines.values())[max(share, 1) :]:
            line.close()
        if claimed:
            self.stirred.set()

    def _enter_and_claim(self) -> tuple[list[Claimed], int]:
        """Whoever asks over a new connection counts itself first. What that tells of endpoints, we know."""
        if getattr(connection.connection, "counted", None) is None:
            connection.ensure_connection()
            serving.enter()
            connection.connection.counted = True
            self.bell.own = connection.connection.info.backend_pid
        return serving.claim(len(self.lines))

    def _add(self, claimed: Claimed, began: float) -> None:
        """One that was ours until its lease ran out may have messages on their way: they come back to the old line, and
        cannot be recorded any more."""
        self.lines[claimed.id] = line_of(claimed)
        self.lines[claimed.id].leased_at = began

    async def _look(self) -> None:
        """Keep what is ours. What has changed about an endpoint is learned by leasing it anew."""
        began = time.monotonic()
        held = [(line.id, line.claimed.fence) for line in self.lines.values()]
        ours = await self._ask(self.attendant, serving.renew, held)
        self.renewed_at = began
        for pk in self.lines.keys() - ours:
            self.lines.pop(pk).close()
        for looked in await self._ask(self.attendant, serving.look, list(self.lines)):
            line = self.lines[looked.id]
            line.leased_at = began
            if looked.rung != line.claimed.rung:
                line.claimed.rung = looked.rung
                line.look_again()
            if not looked.is_servable or looked.changed_at != line.facts.changed_at:
                line.close()

    async def _release(self) -> None:
        now = time.monotonic()
        for line in self.lines.values():
            if line.claimed.health.is_shut:
                line.close()
        idle = [line for line in self.lines.values() if self._is_idle(line, now)]
        if not idle:
            return
        held = [(line.id, line.claimed.fence, line.claimed.rung) for line in idle]
        released = await self._ask(self.attendant, serving.release, held)
        for line in idle:
            if line.id in released:
                del self.lines[line.id]
            else:
                await self._keep(line)

    def _is_idle(self, line: Line, now: float) -> bool:
        if self.until_idle and line.is_exhausted and not line.known:
            line.close()
        return line.is_idle(now)

    async def _keep(self, line: Line) -> None:
        """It was rung for meanwhile, or is somebody else's by now: given up as it is, and leased anew if it is due."""
        for looked in await self._ask(self.attendant, serving.look, [line.id]):
            line.claimed.rung = looked.rung
        line.look_again()
        line.idle_since = time.monotonic()

    async def _finish(self) -> None:
        """Wait for what is on its way, and give back what is ours."""
        until = time.monotonic() + GRACE_SECONDS
        for line in self.lines.values():
            line.close()
        while any(line.open for line in self.lines.values()) and time.monotonic() < until:
            self.stirred.set()
            await asyncio.sleep(0.02)
        while self.lines:
            await self._look_and_release()
        self.is_done = True
        self.stirred.set()

    async def _look_and_release(self) -> None:
        for looked in await self._ask(self.attendant, serving.look, list(self.lines)):
            self.lines[looked.id].claimed.rung = looked.rung
        held = [(line.id, line.claimed.fence, line.claimed.rung) for line in self.lines.values()]
        for pk in await self._ask(self.attendant, serving.release, held):
            del self.lines[pk]
        await self._look_for_lost()

    async def _look_for_lost(self) -> None:
        held = [(line.id, line.claimed.fence) for line in self.lines.values()]
        if held:
            ours = await self._ask(self.attendant, serving.renew, held)
            for pk in self.lines.keys() - ours:
                del self.lines[pk]

    # ---- Working

    is_done = False

    async def _work(self) -> None:
        while not self.is_done:
            await self.stirred.wait()
            self.stirred.clear()
            await self._load()
            self._send()
            await self._write_down()
            self._send()

    def _send(self) -> None:
        for line in list(self.lines.values()):
            self._send_from(line)

    async def _write_down(self) -> None:
        if not self.finished and not self.behind:
            return
        if len(self.finished) < MUCH <= self.sending:
            await asyncio.sleep(GATHER_SECONDS)
        finished, self.finished = self.finished, []
        behind, self.behind = self.behind, []
        record = record_of(finished)
        record.behind = [one for _, one in behind]
        await self._ask(self.clerk, serving.write, record)
        for line, _ in behind:
            line.open -= 1
        stalled = {row["delivery"] for row in record.results if row["state"] == State.WAITING}
        for one in finished:
            if one.loaded.id in stalled:
                self.behind += [(one.line, other) for other in one.line.stall(one.loaded)]
            else:
                one.line.move_on(one.loaded)
        self.stirred.set()  # there is room for more
        if self.behind or any(one.line.is_closing or one.line.claimed.health.is_shut for one in finished):
            self.bell.ring()

    async def _load(self) -> None:
        now = time.monotonic()
        wanted = [wish for line in self.lines.values() if (wish := line.wants(now))]
        if not wanted or self.is_stopping:
            return
        loaded: dict[str, list[Loaded]] = {}
        for one in await self._ask(self.clerk, serving.load, wanted):
            loaded.setdefault(one.endpoint, []).append(one)
        for wish in wanted:
            if line := self.lines.get(wish.endpoint):
                self.behind += [(line, one) for one in line.accept(loaded.get(wish.endpoint, []), room=wish.room)]
        if self.behind:
            self.stirred.set()

    def _send_from(self, line: Line) -> None:
        now = time.monotonic()
        while one := line.take(now, most=self._most()):
            self.sending += 1
            task = asyncio.create_task(self._send_all(line, one))
            self.on_their_way.add(task)
            task.add_done_callback(self.on_their_way.discard)

    def _most(self) -> int:
        """To one endpoint at a time. When much is on its way, everybody still gets a few: who is slow takes no more."""
        return WIDEST if self.sending < CROWDED else FEW

    async def _send_all(self, line: Line, first: Loaded) -> None:
        """One after the other, as long as there are any."""
        one: Loaded | None = first
        while one:
            began = time.time()
            answer = await self._answer_to(line, one, began)
            verdict = outcomes.verdict_on(answer, format=line.facts.format)
            line.sending -= 1
            self._feel(line, answer, verdict)
            self.finished.append(Finished(line, one, answer, verdict, began))
            self.stirred.set()
            one = line.take(time.monotonic(), most=self._most())
        self.sending -= 1

    async def _answer_to(self, line: Line, one: Loaded, began: float) -> Answer:
        """What came back, or a code of ours when there was nothing to send. Never raises: one message ends, and no
        other waits for it."""
        if one.event not in EVENTS:
            return Answer(None, outcomes.UNPUBLISHED, 0)
        if not one.is_allowed:
            return Answer(None, outcomes.FORBIDDEN, 0)
        facts = line.facts
        try:
            body = envelopes.body(one)
            headers = envelopes.headers_of(facts, one, body=body, now=began)
            seconds, latest = SECONDS[facts.format], line.leased_until
            return await post(self.door, facts.url, headers=headers, body=body, seconds=seconds, latest=latest)
        except Exception:
            log.exception("a message could not be made", delivery=one.id)
            return Answer(None, outcomes.BUG, 0)

    def _feel(self, line: Line, answer: Answer, verdict: Verdict) -> None:
        if answer.error in outcomes.OURS:
            return
        health = line.claimed.health
        if verdict in (Verdict.DELIVERED, Verdict.FINAL):  # one that is refused for good shows that somebody is there
            health.takes(time.time())
        else:
            health.fails(time.time(), verdict=verdict, error=outcomes.error_of(answer))

    async def _ask(self, pool: ThreadPoolExecutor, question: Callable[..., Any], *args: Any) -> Any:
        """In its thread; again and again while the database is away, but for ever only until it is to stop."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                return await loop.run_in_executor(pool, _in_thread, question, args)
            except (OperationalError, InterfaceError) as error:
                if self.is_stopping and time.monotonic() - self.stopped_at > GRACE_SECONDS:
                    raise
                log.warning("database away", reason=str(error)[:200])
                await asyncio.sleep(AGAIN_SECONDS)


def _in_thread(question: Callable[..., Any], args: Any) -> Any:
    try:
        return question(*args)
    except (OperationalError, InterfaceError):
        connection.close()
        raise


def _leave_the_database() -> None:
    connection.close()


def deliver_all(*, seconds: float = 30.0) -> None:
    """Send what is due now, and return: a dispatcher for one errand. Raises TimeoutError after so long."""

    async def errand() -> None:
        async with asyncio.timeout(seconds):
            await Dispatcher(until_idle=True).run()

    with ThreadPoolExecutor(1) as thread:
        thread.submit(uvloop.run, errand()).result()
