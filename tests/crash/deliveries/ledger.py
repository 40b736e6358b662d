"""Reading what the sink wrote."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from standardwebhooks import Webhook

from .sink import CUT, TAKEN
from .warehouse import Fact

SKEW = 60  # seconds that the time of a message may differ from when it came


@dataclass(frozen=True)
class Entry:
    """One message at one endpoint. One that was dropped before it was read has no body, and so no fact."""

    endpoint: str
    id: str
    at: float
    timestamp: str
    signature: str
    answer: int | str
    body: str

    @property
    def is_taken(self) -> bool:
        """Whether its receiver has acted on it, whatever we heard of that."""
        return self.answer in TAKEN

    @property
    def is_read(self) -> bool:
        return self.answer != CUT

    @cached_property
    def content(self) -> dict[str, Any]:
        read: dict[str, Any] = json.loads(self.body)
        return read

    @property
    def fact(self) -> Fact:
        data = self.content["data"]
        return data["location_id"], data["sku"], data["in_stock"]

    def is_signed(self, secret: str) -> bool:
        """By the reference library; with a time that is about when it came."""
        if not self.timestamp.isdecimal() or abs(self.at - int(self.timestamp)) > SKEW:
            return False
        moment = datetime.fromtimestamp(int(self.timestamp), UTC)
        return self.signature == Webhook(secret).sign(self.id, moment, self.body)


@dataclass
class Ledger:
    """`taken` counts the messages of different ids that were acted on, as far as was looked."""

    path: Path
    ids: set[tuple[str, str]] = field(default_factory=set)
    read: int = 0

    @property
    def taken(self) -> int:
        return len(self.ids)

    def look(self) -> None:
        """At what was added since."""
        with self.path.open("rb") as lines:
            lines.seek(self.read)
            for line in lines:
                if not line.endswith(b"\n"):
                    return
                self.read += len(line)
                entry = Entry(**json.loads(line))
                if entry.is_taken:
                    self.ids.add((entry.endpoint, entry.id))

    def entries(self) -> Iterator[Entry]:
        with self.path.open() as lines:
            for line in lines:
                yield Entry(**json.loads(line))
