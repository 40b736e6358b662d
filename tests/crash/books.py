"""The books at the end: what customers were told is there, what we have, and what the warehouse has."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from .customers import Customers
from .world import World


@dataclass(frozen=True)
class Books:
    """In orders, here and at the warehouse together; `notes` say which."""

    acknowledged: int
    lost: int
    duplicated: int
    invented: int
    notes: tuple[str, ...] = ()

    @property
    def balance(self) -> bool:
        return not (self.lost or self.duplicated or self.invented)

    def __str__(self) -> str:
        last = (
            f"acknowledged {self.acknowledged}, lost {self.lost}, duplicated {self.duplicated}, "
            f"invented {self.invented}"
        )
        return "\n".join([*self.notes, last])


def balance(world: World, customers: Customers) -> Books:
    """What was acknowledged has to be in each book exactly once, and nothing else that nobody ordered."""
    acknowledged, asked = set(customers.acknowledged), set(customers.tries)
    here, there, told = world.orders(), world.at_the_warehouse(), world.events()
    lost = {"here": acknowledged - set(here), "there": acknowledged - set(there), "event": acknowledged - set(told)}
    twice = {"here": repeated(here), "there": repeated(there), "answer": set(customers.contradictions)}
    invented = {"here": set(here) - asked, "there": set(there) - set(here), "refused": set(customers.refusals)}
    notes = [
        f"{word}, {place}: {len(found)}, such as {', '.join(sorted(found)[:5])}"
        for word, places in (("lost", lost), ("duplicated", twice), ("invented", invented))
        for place, found in places.items()
        if found
    ]
    again = sum(customers.tries.values()) - len(asked)
    notes.append(f"{len(here)} orders here, {len(there)} at the warehouse; {again} calls were sent again.")
    return Books(len(acknowledged), _together(lost), _together(twice), _together(invented), tuple(notes))


def repeated(names: Iterable[str]) -> set[str]:
    return {name for name, times in Counter(names).items() if times > 1}


def _together(places: dict[str, set[str]]) -> int:
    return len(set().union(*places.values()))
