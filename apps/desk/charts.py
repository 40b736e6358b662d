"""What happened over time, as bars that are drawn on the server.

Counted from an index of when each row ended, so that a day costs as much as happened that day, whatever came before.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any

from django.contrib.humanize.templatetags.humanize import intcomma
from django.contrib.postgres.fields import ArrayField
from django.db.models import Count, DateTimeField, Func, IntegerField, Model, Value
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format, time_format
from django.utils.functional import Promise
from django.utils.timezone import localdate, localtime, make_aware
from django.utils.translation import gettext_lazy

from apps.syncs.models import SyncRun
from apps.webhooks.models import Delivery

HEIGHT, WIDTH, GAP = 600, 100, 16  # of the picture, and of one bar in it
LEAST = 20  # how high a piece is, so that one failure among thousands is seen
ROOM = 3 * LEAST


@dataclass(frozen=True, slots=True)
class Span:
    """So many `bars`, an hour or a day (`unit`) each; asked for anew `every` so many seconds, by what it costs."""

    name: str
    title: Promise
    unit: str
    bars: int
    every: int


@dataclass(frozen=True, slots=True)
class Series:
    """Rows that ended in this state. `look` is good, fair or bad."""

    state: str
    name: Promise
    look: str


@dataclass(frozen=True, slots=True)
class Subject:
    model: type[Model]
    title: Promise
    series: Sequence[Series]

    @property
    def permission(self) -> str:
        return f"{self.model._meta.app_label}.view_{self.model._meta.model_name}"


SPANS = {
    "day": Span("day", gettext_lazy("24 hours"), "hour", 24, every=15),
    "fortnight": Span("fortnight", gettext_lazy("14 days"), "day", 14, every=60),
}
SUBJECTS = [
    Subject(
        Delivery,
        gettext_lazy("Deliveries"),
        [
            Series(Delivery.State.DELIVERED, gettext_lazy("delivered"), "good"),
            Series(Delivery.State.FAILED, gettext_lazy("given up"), "bad"),
        ],
    ),
    Subject(
        SyncRun,
        gettext_lazy("Syncs"),
        [
            Series(SyncRun.State.SUCCEEDED, gettext_lazy("complete"), "good"),
            Series(SyncRun.State.PARTIAL, gettext_lazy("with items left out"), "fair"),
            Series(SyncRun.State.FAILED, gettext_lazy("failed"), "bad"),
        ],
    ),
]


@dataclass(frozen=True, slots=True)
class Piece:
    """How many of one series ended in one hour or day. `link` lists them; empty when there are none."""

    series: Series
    number: int
    link: str
    x: int
    y: int
    height: int
    width: int = WIDTH - GAP


@dataclass(frozen=True, slots=True)
class Bar:
    when: str
    pieces: Sequence[Piece]


@dataclass(frozen=True, slots=True)
class Chart:
    subject: Subject
    span: Span
    bars: Sequence[Bar]
    totals: Mapping[Series, int]
    most: int
    height: int = HEIGHT

    @property
    def width(self) -> int:
        return len(self.bars) * WIDTH

    @property
    def said(self) -> str:
        """What the picture shows, in words."""
        return ", ".join(f"{intcomma(n)} {series.name}" for series, n in self.totals.items())


def chart(subject: Subject, span: Span, *, now: datetime | None = None) -> Chart:
    """What ended in each hour, or each day, up to now. One statement."""
    begins = _begins(span, now or timezone.now())
    counted = _counts(subject, begins)
    most = max(sum(counted[begin, one.state] for one in subject.series) for begin in begins)
    bars = [_bar(subject, begins, n, counted, most=most) for n in range(span.bars)]
    totals = {one: sum(counted[begin, one.state] for begin in begins) for one in subject.series}
    return Chart(subject, span, bars, totals, most)


def _begins(span: Span, now: datetime) -> list[datetime]:
    """When each hour or day begins, oldest first; and last, when the newest ends."""
    if span.unit == "hour":
        hour = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        return [hour - timedelta(hours=n) for n in range(span.bars - 1, -2, -1)]
    days = [localdate(now) - timedelta(days=n) for n in range(span.bars - 1, -2, -1)]
    return [make_aware(datetime.combine(day, time.min)) for day in days]


def _counts(subject: Subject, begins: Sequence[datetime]) -> Counter[tuple[datetime, str]]:
    states = [one.state for one in subject.series]
    ended = subject.model._default_manager.filter(finished_at__gte=begins[0], finished_at__lt=begins[-1])
    counted = ended.filter(state__in=states).order_by().values_list(_number(begins), "state").annotate(n=Count("*"))
    return Counter({(begins[n - 1], state): count for n, state, count in counted})


def _number(begins: Sequence[datetime]) -> Func:
    """In the how manieth hour or day a row ended, from 1 on."""
    edges = Value(list(begins), output_field=ArrayField(DateTimeField()))
    return Func("finished_at", edges, function="width_bucket", output_field=IntegerField())


def _bar(subject: Subject, begins: Sequence[datetime], n: int, counted: Mapping[Any, int], *, most: int) -> Bar:
    pieces, y = [], HEIGHT
    for one in subject.series:
        number = counted[begins[n], one.state]
        height = max(LEAST, number * (HEIGHT - ROOM) // most) if number else 0
        y -= height
        link = _link(subject.model, one, begins[n], begins[n + 1]) if number else ""
        pieces.append(Piece(one, number, link, n * WIDTH + GAP // 2, y, height))
    return Bar(_when(begins[n], begins[n + 1]), pieces)


def _when(begin: datetime, end: datetime) -> str:
    if end - begin > timedelta(hours=1):
        return date_format(localtime(begin), "D j M")
    return f"{time_format(localtime(begin), 'H:i')}–{time_format(localtime(end), 'H:i')}"


def _link(model: type[Model], series: Series, begin: datetime, end: datetime) -> str:
    """The list of exactly these rows."""
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"
    asked = {"finished_at__gte": begin.isoformat(), "finished_at__lt": end.isoformat()}
    return reverse(name, query={"state__exact": series.state} | asked)
