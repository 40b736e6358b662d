from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.desk.charts import SPANS, SUBJECTS, chart
from apps.syncs.models import SyncRun

from ..factories import make_delivery, make_run

pytestmark = pytest.mark.django_db
DELIVERIES, SYNCS = SUBJECTS
NOW = datetime(2026, 11, 21, 12, 20, tzinfo=UTC)


def ended(state: str, at: datetime) -> SyncRun:
    return make_run(state=state, finished_at=at)


def numbers(drawn) -> dict[str, list[int]]:
    """By the beginnings of the bars that are not empty."""
    bars = {bar.when: [piece.number for piece in bar.pieces] for bar in drawn.bars}
    return {when: of for when, of in bars.items() if any(of)}


def test_what_ended_is_counted_by_hours_and_by_how_it_ended():
    ended("succeeded", NOW)
    ended("succeeded", NOW - timedelta(minutes=20))
    ended("failed", NOW - timedelta(minutes=20, microseconds=1))
    ended("partial", NOW - timedelta(hours=23))
    ended("succeeded", NOW - timedelta(hours=23, minutes=21))
    ended("cancelled", NOW)
    make_run()
    drawn = chart(SYNCS, SPANS["day"], now=NOW)
    assert numbers(drawn) == {"13:00–14:00": [0, 1, 0], "11:00–12:00": [0, 0, 1], "12:00–13:00": [2, 0, 0]}
    assert (len(drawn.bars), drawn.most, list(drawn.totals.values())) == (24, 2, [2, 1, 1])
    assert drawn.said == "2 complete, 1 with items left out, 1 failed"


def test_a_fortnight_is_cut_at_midnight_of_the_3pls_own_clock():
    zone = ZoneInfo("Europe/Amsterdam")
    with timezone.override(zone):
        midnight = datetime(2026, 11, 20, tzinfo=zone)
        ended("failed", midnight)
        ended("failed", midnight - timedelta(seconds=1))
        ended("succeeded", datetime(2026, 11, 8, tzinfo=zone) - timedelta(seconds=1))
        drawn = chart(SYNCS, SPANS["fortnight"], now=NOW)
    assert numbers(drawn) == {"Thu 19 Nov": [0, 0, 1], "Fri 20 Nov": [0, 0, 1]}
    assert len(drawn.bars) == 14


def test_a_fortnight_with_a_change_of_the_clock_has_fourteen_days():
    zone = ZoneInfo("Europe/Amsterdam")
    with timezone.override(zone):
        ended("failed", datetime(2026, 10, 25, 23, 30, tzinfo=zone))
        drawn = chart(SYNCS, SPANS["fortnight"], now=datetime(2026, 10, 30, 12, tzinfo=zone))
    assert numbers(drawn) == {"Sun 25 Oct": [0, 0, 1]}


def test_each_piece_opens_the_list_of_what_it_counts(staff_client):
    now = timezone.now()
    for subject, make in ((DELIVERIES, make_delivery), (SYNCS, make_run)):
        for state in ("failed", subject.series[0].state):
            for minutes in (0, 0, 61):
                make(state=state, finished_at=now - timedelta(minutes=minutes))
    for subject in SUBJECTS:
        for span in SPANS.values():
            pieces = [piece for bar in chart(subject, span).bars for piece in bar.pieces if piece.number]
            assert sum(piece.number for piece in pieces) == 6
            for piece in pieces:
                listed = staff_client.get(piece.link).context["cl"].result_list
                assert len(listed) == piece.number
                assert {row.state for row in listed} == {piece.series.state}


def test_bars_are_as_high_as_what_they_count_stand_on_each_other_and_fit():
    for _ in range(9):
        ended("succeeded", NOW)
    ended("failed", NOW)
    ended("succeeded", NOW - timedelta(hours=1))
    drawn = chart(SYNCS, SPANS["day"], now=NOW)
    low, high = drawn.bars[-2], drawn.bars[-1]
    complete, _partial, failed = high.pieces
    assert complete.y + complete.height == drawn.height
    assert failed.y + failed.height == complete.y
    assert complete.height == 9 * low.pieces[0].height
    assert (failed.y >= 0, failed.height > 0, high.pieces[0].x < drawn.width) == (True, True, True)


def test_one_failure_among_thousands_is_seen():
    many = [SyncRun(finished_at=NOW, state="succeeded") for _ in range(2000)]
    one = ended("failed", NOW)
    for run in many:
        run.organization_id, run.integration_id, run.shop_id, run.kind = (
            one.organization_id,
            one.integration_id,
            one.shop_id,
            one.kind,
        )
    SyncRun.objects.bulk_create(many)
    drawn = chart(SYNCS, SPANS["day"], now=NOW)
    failed = drawn.bars[-1].pieces[-1]
    assert (failed.number, failed.height) == (1, 20)
    assert drawn.said == "2,000 complete, 0 with items left out, 1 failed"


@pytest.mark.parametrize("span", SPANS.values(), ids=str)
def test_where_nothing_happened_there_is_an_empty_picture_for_one_statement(span):
    with CaptureQueriesContext(connection) as asked:
        drawn = chart(DELIVERIES, span)
    assert (numbers(drawn), drawn.most, len(asked)) == ({}, 0, 1)
