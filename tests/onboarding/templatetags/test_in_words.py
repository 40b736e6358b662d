from datetime import timedelta

import pytest
from django.utils import timezone

from apps.onboarding.templatetags.in_words import ago, run_next, run_sentence, run_story
from tests.factories import make_run


@pytest.mark.parametrize(
    ("fields", "story"),
    [
        ({"state": "queued"}, "Products are arriving."),
        ({"state": "running"}, "Products are arriving."),
        ({"state": "cancelled"}, "An import was stopped."),
        ({"state": "failed", "error": "timeout"}, "Otter took too long to answer."),
        ({"state": "succeeded", "done": 1, "created_count": 1}, "1 product read, 1 new"),
        (
            {
                "state": "partial",
                "done": 9,
                "created_count": 2,
                "updated_count": 3,
                "removed_count": 4,
                "failed_count": 1,
            },
            "9 products read, 2 new, 3 changed, 4 gone, 1 left out",
        ),
        ({"state": "succeeded", "done": 200}, "200 products read, all as before"),
        ({"state": "partial", "done": 200, "failed_count": 3}, "200 products read, 3 left out, all as before"),
    ],
)
def test_an_import_is_told_in_one_line(db, fields, story):
    assert run_story(make_run(**fields)) == story


def test_what_went_wrong_comes_with_what_happens_now(db):
    run = make_run(error="rate_limited")
    assert run_sentence(run) == "Otter asked us to slow down. We try again by ourselves. You need not do anything."
    assert run_next(run) == "We try again by ourselves. You need not do anything."


def test_nothing_is_said_of_what_went_well(db):
    assert run_sentence(make_run(state="succeeded")) == ""


@pytest.mark.parametrize(
    ("passed", "told"),
    [
        (timedelta(seconds=5), "just now"),
        (timedelta(minutes=1), "1\xa0minute ago"),
        (timedelta(hours=25), "1\xa0day ago"),
        (timedelta(seconds=-5), "just now"),
    ],
)
def test_how_long_ago_is_said_as_people_do(passed, told):
    assert ago(timezone.now() - passed) == told
