"""How bad it is: each concern's rows and orders counted, no further than anybody reads, and its oldest rows named.

One statement counts everything, and one for each kind of row reads those that are named.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any

from django.contrib.humanize.templatetags.humanize import naturaltime
from django.db import connection
from django.db.models import Model
from django.db.models.expressions import RawSQL
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from apps.operations import address_of

from . import concerns_of_messages, concerns_of_work
from .causes import Who
from .concern import Concern, Each, Rows

MOST = 1_000  # counted at most
LISTED = 20_000  # of the orders of a concern, where somebody asks which they are
NAMED = 5  # rows of each concern that are named
READ = 50  # of which these are found: a row may have several reasons
RELATED = {
    "syncs.SyncRun": ["shop"],
    "syncs.Drift": ["product"],
    "syncs.OrderFeed": ["integration"],
    "catalog.StockFeed": ["shop"],
    "orders.Fulfillment": ["order", "location"],
    "shops.Connection": ["store"],
    "webhooks.Inbox": ["integration"],
    "webhooks.Outgoing": ["event"],
}

LOOKS = {Who.US: "danger", Who.OWNER: "warning", Who.PARTNER: "info", Who.PLATFORM: "default"}

IDS = "SELECT one.id FROM ({rows}) one (id)"
COUNTED = "SELECT ARRAY[count(DISTINCT one.id), count(*)] FROM ({rows}) one (id)"
OLDEST = "SELECT jsonb_agg(to_jsonb(one) ORDER BY one.since) FROM ({rows}) one ({names})"
EACH_OF = "SELECT one.* FROM ({outer}) each (id) CROSS JOIN LATERAL ({inner}) one LIMIT {most}"
FIRST = "SELECT '{name}', one.id::text, one.since FROM ({rows}) one (id, since)"

type Statement = tuple[str, Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Count:
    """`number` of them, or more than that when `is_more`."""

    number: int = 0
    is_more: bool = False

    def __bool__(self) -> bool:
        return self.number > 0

    def __str__(self) -> str:
        return number_format(self.number, force_grouping=True) + ("+" if self.is_more else "")


@dataclass(frozen=True, slots=True)
class Row:
    name: str
    link: str
    organization: Any
    since: datetime

    @property
    def ago(self) -> str:
        return ago(self.since)


@dataclass(frozen=True, slots=True)
class Found:
    """What was found of a concern: `count` rows, which hold up `orders`."""

    concern: Concern
    count: Count
    orders: Count
    rows: Sequence[Row]

    @property
    def since(self) -> datetime:
        return self.rows[0].since

    @property
    def ago(self) -> str:
        return ago(self.since)

    @property
    def look(self) -> str:
        """The colour of who must act."""
        return LOOKS[self.concern.who]

    @property
    def title(self) -> str:
        return str(self.concern.title)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the database said of a concern; `first` are its oldest rows."""

    concern: Concern
    count: Count
    orders: Count
    first: Sequence[Mapping[str, Any]]

    @property
    def ids(self) -> list[str]:
        return [str(row["id"]) for row in self.first]


def ago(since: datetime) -> str:
    """How long ago; seconds are not told, since they would be news each time that somebody asks."""
    return naturaltime(since) if timezone.now() - since >= timedelta(minutes=1) else _("less than a minute ago")


def concerns() -> list[Concern]:
    return concerns_of_work.concerns() + concerns_of_messages.concerns()


def reckon(looked_for: Sequence[Concern]) -> tuple[list[Found], list[Concern]]:
    """What is broken, that which holds up most orders first, then the oldest; and what is fine."""
    asked = _ask(looked_for) if looked_for else []
    known = _read((answer.concern.of, answer.ids) for answer in asked if not answer.concern.tells)
    rows = [[_row(answer, one, known) for one in answer.first] for answer in asked]
    found = [
        Found(answer.concern, answer.count, answer.orders, about)
        for answer, named in zip(asked, rows, strict=True)
        if (about := [row for row in named if row])
    ]
    broken = [one.concern for one in found]
    return sorted(found, key=lambda one: (-one.orders.number, one.since)), [x for x in looked_for if x not in broken]


def at_risk(concern: Concern) -> RawSQL:
    """The ids of the orders that it holds up, to be looked for in."""
    return RawSQL(*_filled(IDS, concern.orders, most=LISTED))  # noqa: S611 - Django's own SQL


def oldest(sets: Mapping[str, Rows]) -> dict[str, tuple[str, datetime]]:
    """Of each of these sets of an id and a time the first, where there is any: one statement."""
    parts = [_filled(FIRST, [rows], most=1, name=name) for name, rows in sets.items()]
    found = _rows_of(" UNION ALL ".join(sql for sql, _given in parts), _values(parts)) if parts else []
    return {name: (pk, since) for name, pk, since in found}


def _ask(looked_for: Sequence[Concern]) -> list[Answer]:
    texts, values = [], []
    for n, one in enumerate(looked_for):
        parts = [_counted(one.parts), _counted(one.orders), _oldest(one)]
        texts.append(f"SELECT {n}, " + ", ".join(f"({sql})" for sql, _given in parts))
        values += _values(parts)
    return [_answer(looked_for[n], *rest) for n, *rest in sorted(_rows_of(" UNION ALL ".join(texts), values))]


def _answer(concern: Concern, count: Sequence[int], orders: Sequence[int], found: str | None) -> Answer:
    rows = json.loads(found or "[]")
    first = {str(row["id"]): row for row in reversed(rows)}  # of a row's reasons the oldest
    oldest = sorted(first.values(), key=itemgetter("since"))[:NAMED]
    counted = _count(count) if concern.parts else _count([len(first), len(rows)])
    return Answer(concern, counted, _count(orders), oldest)


def _rows_of(text: str, values: Sequence[Any]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(text, values)
        return cursor.fetchall()


def _counted(sets: Sequence[Rows | Each]) -> Statement:
    return _filled(COUNTED, sets, most=MOST + 1) if sets else ("ARRAY[0, 0]", [])


def _oldest(concern: Concern) -> Statement:
    names = "id, since, name, organization" if concern.tells else "id, since"
    return _filled(OLDEST, [concern.oldest], most=READ if concern.parts else MOST + 1, names=names)


def _filled(template: str, sets: Iterable[Rows | Each], *, most: int, **words: str) -> Statement:
    """The template with the first rows of these sets."""
    parts = [_first(rows, most) for rows in sets]
    text = template.format(rows=" UNION ALL ".join(f"({sql})" for sql, _given in parts), **words)
    return text, _values(parts)


def _first(rows: Rows | Each, most: int) -> Statement:
    if not isinstance(rows, Each):
        return rows[:most].query.sql_with_params()
    (outer, given), (inner, more) = rows.outer.query.sql_with_params(), _first(rows.inner, most)
    return EACH_OF.format(outer=outer, inner=inner, most=most), [*given, *more]


def _values(parts: Iterable[Statement]) -> list[Any]:
    return [value for _sql, given in parts for value in given]


def _count(found: Sequence[int]) -> Count:
    """`found` are how many there are, and how many were read to know that."""
    number, read = found
    return Count(min(number, MOST), is_more=read > MOST)


def _read(wanted: Iterable[tuple[type[Model], Sequence[str]]]) -> dict[tuple[type[Model], str], Any]:
    pks: dict[type[Model], set[str]] = defaultdict(set)
    for model, ids in wanted:
        pks[model].update(ids)
    return {
        (model, str(row.pk)): row
        for model, ids in pks.items()
        if ids
        for row in model._default_manager.select_related("organization", *_related(model)).filter(pk__in=ids)
    }


def _related(model: type[Model]) -> list[str]:
    return RELATED.get(model._meta.label, [])


def _row(answer: Answer, found: Mapping[str, Any], known: Mapping[Any, Any]) -> Row | None:
    """None when it has gone since it was counted."""
    model, pk, since = answer.concern.of, str(found["id"]), datetime.fromisoformat(found["since"])
    if answer.concern.tells:
        return Row(found["name"], address_of(model(pk=pk)), found["organization"], since)
    row = known.get((model, pk))
    return row and Row(str(row), address_of(row), row.organization, since)
