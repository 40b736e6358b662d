"""The same fan-out with a tenth of the endpoints slow, and one each that never answers and that always fails."""

from collections.abc import Iterator

from . import mail_room, sink
from .figures import Figure
from .mail_room import ENDPOINTS

SLOW, SILENT, BROKEN = ENDPOINTS // 10, ENDPOINTS // 50, ENDPOINTS // 50
WELL = ENDPOINTS - SLOW - SILENT - BROKEN
ALL_WELL = ["ok"] * WELL + ["fine"] * (ENDPOINTS - WELL)
MIXED = ["ok"] * WELL + ["slow"] * SLOW + ["never"] * SILENT + ["broken"] * BROKEN


def rounds(rows: int) -> Iterator[list[Figure]]:
    with sink.running() as receiver:
        mail_room.furnish()
        mail_room.open_endpoints()
        took(receiver, ALL_WELL)
        while True:
            alone, beside = took(receiver, ALL_WELL), took(receiver, MIXED)
            yield [Figure("isolation", "the same endpoints, when all are healthy", alone / beside, goal=0.9)]


def took(receiver: sink.Sink, kinds: list[str]) -> float:
    """Seconds until the healthy ones had everything."""
    mail_room.forget()
    mail_room.address(receiver, kinds)
    mail_room.settle()
    with mail_room.dispatchers(1):
        return mail_room.deliver(receiver, counting={"ok"})
