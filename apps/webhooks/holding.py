"""How much waits for an address, counted no further than anybody reads."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.utils.formats import number_format
from django.utils.translation import gettext as _

MOST = 10_000  # counted at most of one state

# Of each state by itself: each has an index of its own.
WAITING = """
SELECT wanted.id, count(*) FROM unnest(%(ids)s::uuid[]) wanted (id) CROSS JOIN LATERAL (
    (SELECT FROM webhooks_delivery WHERE endpoint_id = wanted.id AND state = 'pending' LIMIT %(most)s)
    UNION ALL (SELECT FROM webhooks_delivery WHERE endpoint_id = wanted.id AND state = 'waiting' LIMIT %(most)s)
    UNION ALL (SELECT FROM webhooks_delivery WHERE endpoint_id = wanted.id AND state = 'behind' LIMIT %(most)s)
) one GROUP BY 1
"""


@dataclass(frozen=True, slots=True)
class Held:
    """How many messages wait: `count`, or more than that when `is_more`."""

    count: int = 0

    @property
    def is_more(self) -> bool:
        return self.count >= MOST

    def __str__(self) -> str:
        """For people."""
        shown = number_format(min(self.count, MOST), force_grouping=True)
        return _("more than %(n)s") % {"n": shown} if self.is_more else shown


def held(endpoints: Iterable[Any]) -> dict[Any, Held]:
    """What waits for each of these, by their ids. Where nothing does, there is no entry."""
    with connection.cursor() as cursor:
        cursor.execute(WAITING, {"ids": [endpoint.pk for endpoint in endpoints], "most": MOST})
        return {pk: Held(count) for pk, count in cursor.fetchall()}
