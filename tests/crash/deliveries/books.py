"""The books at the end: what our API acknowledged, and what each endpoint's own ledger says it took."""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from tests.crash import books

from .ledger import Entry
from .warehouse import Fact


@dataclass(frozen=True)
class Books(books.Books):
    """`disordered` messages told of an entity what was older than what its receiver knew; `unsigned` were not ours;
    `undone` deliveries are not delivered by our own log."""

    disordered: int = 0
    unsigned: int = 0
    undone: int = 0

    @property
    def balance(self) -> bool:
        return super().balance and not (self.disordered or self.unsigned or self.undone)


@dataclass
class Reader:
    """What one endpoint makes of its messages, in the order in which they came."""

    name: str
    secret: str
    taken: dict[Fact, set[str]] = field(default_factory=lambda: defaultdict(set))
    bodies: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    newest: dict[str, tuple[int, str]] = field(default_factory=dict)
    disordered: list[str] = field(default_factory=list)
    unsigned: list[str] = field(default_factory=list)
    messages: int = 0
    repeats: int = 0

    def read(self, entry: Entry) -> None:
        self.messages += 1
        if not entry.is_read:
            return
        self.bodies[entry.id].add(hashlib.sha256(entry.body.encode()).hexdigest())
        if not entry.is_signed(self.secret):
            self.unsigned.append(entry.id)
        if entry.is_taken:
            self._take(entry)

    def _take(self, entry: Entry) -> None:
        """A repeat is of the entity's newest message, and has its id; whatever is older comes too late."""
        entity, told = entry.content["entity_id"], (entry.content["sequence"], entry.id)
        newest = self.newest.setdefault(entity, told)
        self.repeats += entry.id in self.taken[entry.fact]
        self.taken[entry.fact].add(entry.id)
        if told[0] > newest[0]:
            self.newest[entity] = told
        elif told != newest:
            self.disordered.append(f"{entry.id} ({entity}: {told[0]} after {newest[0]})")

    @property
    def duplicated(self) -> set[Fact]:
        """Facts that it heard of under two names, or whose message was not the same twice."""
        changed = {message for message, bodies in self.bodies.items() if len(bodies) > 1}
        return {fact for fact, ids in self.taken.items() if len(ids) > 1 or ids & changed}


def balance(acknowledged: set[Fact], *, entries: Iterable[Entry], secrets: dict[str, str], undone: int = 0) -> Books:
    """Each endpoint of `secrets` has to have taken each acknowledged fact, and nothing else."""
    readers = {name: Reader(name, secret) for name, secret in secrets.items()}
    for entry in entries:
        readers[entry.endpoint].read(entry)
    everybody = readers.values()
    lost = [acknowledged - set(one.taken) for one in everybody]
    twice = [one.duplicated for one in everybody]
    invented = [set(one.taken) - acknowledged for one in everybody]
    disordered, unsigned = [one.disordered for one in everybody], [one.unsigned for one in everybody]
    found = {"lost": lost, "duplicated": twice, "invented": invented, "out of order": disordered, "unsigned": unsigned}
    return Books(
        acknowledged=len(acknowledged),
        lost=len(set().union(*lost)),
        duplicated=len(set().union(*twice)),
        invented=len(set().union(*invented)),
        notes=(*_examples(found, readers), _summary(everybody, undone=undone)),
        disordered=sum(map(len, disordered)),
        unsigned=sum(map(len, unsigned)),
        undone=undone,
    )


def _examples(found: dict[str, list[Collection[object]]], names: Iterable[str]) -> list[str]:
    return [
        f"{word}, {name}: {len(each)}, such as {', '.join(sorted(map(str, each))[:5])}"
        for word, places in found.items()
        for name, each in zip(names, places, strict=True)
        if each
    ]


def _summary(everybody: Collection[Reader], *, undone: int) -> str:
    messages, repeats = sum(one.messages for one in everybody), sum(one.repeats for one in everybody)
    same = "" if any(one.duplicated for one in everybody) else ", all with their own id"
    return (
        f"{messages:,} messages came to {len(everybody)} endpoints, {repeats:,} repeats{same}; "
        f"{sum(len(one.disordered) for one in everybody):,} out of order, "
        f"{sum(len(one.unsigned) for one in everybody):,} badly signed; {undone:,} not delivered by our own log."
    )
