"""Reading a list ahead of who writes it down: in a thread of its own, that knows the platform and no database."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from threading import Condition, Thread
from typing import Self

from apps.catalog import importing
from apps.catalog.remembering import Known
from apps.integrations.connectors.base import BadItem, Page, RemoteProduct, Unreachable, is_storable

AHEAD = 5_000  # items that may wait to be written: all that is in memory, however long the list
THREAD = "read-ahead"

type Fetch = Callable[[str], "Read"]


@dataclass(frozen=True, slots=True)
class Read:
    """A page, ready to be written: its items, why others cannot be stored, and how the list goes on.

    Of one that came just so before, `known` says what reading it would bring, and there are no items.
    """

    items: importing.Sorted
    bad: list[BadItem]
    next_cursor: str
    total: int | None
    digest: str = ""
    known: Known | None = None

    @classmethod
    def again(cls, digest: str, known: Known) -> Self:
        return cls(importing.Sorted({}, [], []), [], known.next_cursor, known.total, digest, known)

    @classmethod
    def of(cls, page: Page[RemoteProduct], *, cursor: str, digest: str = "") -> Self:
        """Raises Unreachable when the page does not say how to go on from `cursor`: another try may."""
        if not is_storable(page.next_cursor):
            raise Unreachable("The name of the next page cannot be stored.", code="garbled")
        if page.next_cursor and page.next_cursor == cursor:
            raise Unreachable("The list names the same next page again.", code="repeated_page")
        if page.next_cursor and not (page.items or page.bad):
            raise Unreachable("An empty page names a next one.", code="garbled")
        items = importing.sort_out(page.items)
        items.unread.extend(item.ref for item in page.bad)
        return cls(items, [*page.bad, *items.bad], page.next_cursor, page.total, digest)

    @property
    def count(self) -> int:
        return self.known.items if self.known else len(self.items.lines) + len(self.bad)

    @property
    def is_clean(self) -> bool:
        """Whether all of it could be read, so that its like need not be looked at again."""
        return bool(self.digest and not self.known and self.items.lines and not self.bad and not self.items.unread)


class ReadAhead:
    """Fetches page after page from a cursor on, until AHEAD items wait, the list ends, or a page cannot be had."""

    def __init__(self, fetch: Fetch, cursor: str) -> None:
        self._fetch, self._changed = fetch, Condition()
        self._waiting: deque[Read] = deque()
        self._error: BaseException | None = None
        self._closed = False
        Thread(target=self._run, args=[cursor], name=THREAD, daemon=True).start()

    def take(self, most: int, *, timeout: float) -> list[Read]:
        """What has arrived, at most so many pages and AHEAD items, but one at least. Nothing after `timeout` seconds.

        Raises what kept the next page from arriving, once all before it are taken.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._error, timeout)
            if self._error and not self._waiting:
                raise self._error
            taken: list[Read] = []
            items = 0
            while self._waiting and len(taken) < most and (not taken or items + self._waiting[0].count <= AHEAD):
                taken.append(self._waiting.popleft())
                items += taken[-1].count
            self._changed.notify_all()
        return taken

    def close(self) -> None:
        """What is on its way is dropped."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _run(self, cursor: str) -> None:
        try:
            while self._may_go_on():
                read = self._fetch(cursor)
                with self._changed:
                    self._waiting.append(read)
                    self._changed.notify_all()
                if not (cursor := read.next_cursor):
                    return
        except BaseException as error:
            with self._changed:
                self._error = error
                self._changed.notify_all()

    def _may_go_on(self) -> bool:
        with self._changed:
            self._changed.wait_for(lambda: self._closed or sum(read.count for read in self._waiting) < AHEAD)
            return not self._closed
