"""What is said of addresses and messages."""

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.webhooks import sentences
from tests.factories import make_delivery, make_endpoint, make_hook

pytestmark = pytest.mark.django_db
NOTHING_WAITS = "Nothing waits for it now: the next message shows whether it is taken."


@pytest.mark.parametrize(
    ("fields", "asked"),
    [
        ({"failures": 7}, "We keep trying."),
        ({"state": "disabled", "reason": "failing"}, "We ask it now and then"),
    ],
)
def test_of_one_that_takes_nothing_it_is_said_whether_anything_is_still_sent(fields, asked):
    now = timezone.now()
    busy = make_endpoint(failing_since=now - timedelta(hours=1), due_at=now, **fields)
    idle = make_endpoint(failing_since=now - timedelta(hours=1), **fields)

    said = [str(sentences.of_endpoint(one, held=0).todo) for one in (busy, idle)]
    assert [(asked in one, NOTHING_WAITS in one) for one in said] == [(True, False), (False, True)]


@pytest.mark.parametrize(
    ("error", "text"),
    [
        ("unpublished", "Messages of this kind are not sent any more."),
        ("bug", "Something went wrong on our side."),
    ],
)
def test_what_went_wrong_at_our_side_is_said_to_have(error, text):
    assert sentences.why(error) == text


def test_one_whose_secrets_cannot_be_opened_is_ours_to_mend():
    endpoint = make_endpoint(last_error="cannot_open")
    look = sentences.of_endpoint(endpoint, held=1)
    assert (look.label, str(look.text)) == (
        "Locked",
        "Its secrets cannot be opened, so nothing is sent there. What happens is kept.",
    )
    kept = sentences.of_delivery(make_delivery(hook=make_hook(endpoint=endpoint)))
    assert (kept.label, kept.text) == ("Kept", "It is kept until the secrets of its address can be opened.")
