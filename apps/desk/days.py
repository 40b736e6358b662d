"""How the last thirty days of an integration went: a cell for each, of its syncs and of what was sent to it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import TextChoices
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.integrations.models import Integration

DAYS = 30
# Looked at of each day. What failed is never overlooked: it has an index of its own.
NEWEST_RUNS, NEWEST_SENT, MOST_FAILED = 300, 50, 10_000

RUNS = """
WITH day AS (SELECT * FROM unnest(%(begins)s::timestamptz[], %(ends)s::timestamptz[]) AS day (begins, ends)),
failed AS (
    SELECT created_at FROM syncs_syncrun
    WHERE state = 'failed' AND created_at >= %(since)s
        AND shop_id IN (SELECT id FROM shops_shop WHERE integration_id = %(integration)s)
    LIMIT %(failed)s
)
SELECT (SELECT count(*) FROM failed WHERE failed.created_at >= day.begins AND failed.created_at < day.ends),
       seen.partly, seen.well, seen.failed
FROM day CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE state = 'partial') AS partly, count(*) FILTER (WHERE state = 'succeeded') AS well,
           count(*) FILTER (WHERE state = 'failed') AS failed
    FROM (
        SELECT state FROM syncs_syncrun
        WHERE integration_id = %(integration)s AND created_at >= day.begins AND created_at < day.ends
        ORDER BY created_at DESC, id DESC LIMIT %(newest)s
    ) newest
) seen ORDER BY day.begins
"""
# Deliveries of a hook are found by their events, whose ids grow with time: the organization's first of a day says where
# the day begins.
SENT = """
WITH day AS (SELECT * FROM unnest(%(begins)s::timestamptz[], %(ends)s::timestamptz[]) AS day (begins, ends)),
spans AS MATERIALIZED (
    SELECT begins, ends, first.event_id AS since, lead(first.event_id) OVER (ORDER BY begins) AS until
    FROM day LEFT JOIN LATERAL (
        SELECT event_id FROM webhooks_delivery
        WHERE organization_id = %(organization)s AND created_at >= day.begins ORDER BY created_at, id LIMIT 1
    ) first ON true
), failed AS (
    SELECT created_at FROM webhooks_delivery
    WHERE state = 'failed' AND hook_id = ANY(%(hooks)s::uuid[]) AND created_at >= %(since)s
        AND endpoint_id IN (SELECT id FROM webhooks_endpoint WHERE integration_id = %(integration)s)
    LIMIT %(failed)s
)
SELECT (SELECT count(*) FROM failed WHERE failed.created_at >= spans.begins AND failed.created_at < spans.ends),
       sent.tried, sent.well, sent.failed
FROM spans CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE state = 'failed') AS failed,
           count(*) FILTER (WHERE state = 'waiting') AS tried,
           count(*) FILTER (WHERE state = 'delivered') AS well
    FROM unnest(%(hooks)s::uuid[]) hook (id) CROSS JOIN LATERAL (
        SELECT state FROM webhooks_delivery
        WHERE hook_id = hook.id AND event_id >= spans.since AND event_id < coalesce(spans.until, %(end)s)
        ORDER BY event_id DESC LIMIT %(newest)s
    ) newest
) sent ORDER BY spans.begins
"""
END = 2**63 - 1


class How(TextChoices):
    """A day went."""

    WELL = "well", gettext_lazy("All went well")
    PARTLY = "partly", gettext_lazy("Something failed")
    BADLY = "badly", gettext_lazy("Most of it failed")
    NOTHING = "nothing", gettext_lazy("Nothing happened")


@dataclass(frozen=True, slots=True)
class Counts:
    """Of a day's syncs, or of its messages: how many failed, went so-so, went well. `lately` are those that failed of
    the newest, of which the others are counted. `is_more`: of all thirty days more failed than were counted."""

    failed: int
    partly: int
    well: int
    lately: int
    is_more: bool = False

    @property
    def told(self) -> str:
        """How many failed."""
        return number_format(self.failed, force_grouping=True) + ("+" if self.is_more else "")

    @property
    def how(self) -> How:
        if self.lately > self.well + self.partly:
            return How.BADLY
        if self.failed or self.partly:
            return How.PARTLY
        return How.WELL if self.well else How.NOTHING


@dataclass(frozen=True, slots=True)
class Day:
    begins: datetime
    runs: Counts
    sent: Counts
    link: str

    @property
    def how(self) -> How:
        """The worse of the two."""
        both = {self.runs.how, self.sent.how}
        return next((how for how in (How.BADLY, How.PARTLY, How.WELL) if how in both), How.NOTHING)

    @property
    def text(self) -> str:
        """For whoever points at it, or hears it read."""
        when = date_format(self.begins, "DATE_FORMAT")
        said = [f"{when}: {self.how.label}"]
        if self.runs.failed:
            said.append(_("failed syncs: %(n)s") % {"n": self.runs.told})
        if self.sent.failed:
            said.append(_("messages that did not arrive: %(n)s") % {"n": self.sent.told})
        return ", ".join(said)


def days(integration: Integration) -> list[Day]:
    """The last thirty, the oldest first; in two statements, however much happened."""
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    begins = [midnight - timedelta(days=back) for back in range(DAYS - 1, -1, -1)]
    ends = [*begins[1:], midnight + timedelta(days=1)]
    runs = _counts(RUNS, begins, ends, integration=integration.pk)
    sent = _sent(integration, begins, ends)
    rows = zip(begins, ends, runs, sent, strict=True)
    return [Day(begin, of_runs, of_sent, _link(integration, begin, end, of_runs, of_sent))
            for begin, end, of_runs, of_sent in rows]  # fmt: skip


def _sent(integration: Integration, begins: Sequence[datetime], ends: Sequence[datetime]) -> list[Counts]:
    hooks = list(integration.hooks.order_by().values_list("pk", flat=True))
    if not hooks:
        return [Counts(0, 0, 0, 0)] * DAYS
    asked = {"organization": integration.organization_id, "integration": integration.pk, "hooks": hooks, "end": END}
    return _counts(SENT, begins, ends, **asked, newest=NEWEST_SENT)


def _counts(statement: str, begins: Sequence[datetime], ends: Sequence[datetime], **asked: Any) -> list[Counts]:
    with connection.cursor() as cursor:
        given: dict[str, Any] = {"begins": begins, "ends": ends, "since": begins[0], "newest": NEWEST_RUNS}
        given["failed"] = MOST_FAILED
        cursor.execute(statement, given | asked)
        rows = cursor.fetchall()
    is_more = sum(failed for failed, *_rest in rows) >= MOST_FAILED
    return [Counts(failed, partly, well, lately, is_more) for failed, partly, well, lately in rows]


def _link(integration: Integration, begin: datetime, end: datetime, runs: Counts, sent: Counts) -> str:
    """That day's syncs; its messages, when only they have something to tell: those that failed, where any did."""
    span = {"created_at__gte": begin.isoformat(), "created_at__lt": end.isoformat()}
    is_sent = sent.how != How.NOTHING and runs.how in {How.NOTHING, How.WELL} and sent.how != How.WELL
    if is_sent or (runs.how == How.NOTHING and sent.how != How.NOTHING):
        query = {"hook__integration__id__exact": str(integration.pk)} | span
        query |= {"state__exact": "failed"} if sent.failed else {}
        return f"{reverse('admin:webhooks_delivery_changelist')}?{urlencode(query)}"
    query = {"integration__id__exact": str(integration.pk)} | span
    return f"{reverse('admin:syncs_syncrun_changelist')}?{urlencode(query)}"
