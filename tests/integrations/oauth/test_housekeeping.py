"""What is forgotten of codes and tokens, and what is not."""

from datetime import timedelta

import time_machine
from django.utils import timezone

from apps.integrations.models import AccessToken, Authorization, Grant, RefreshToken
from apps.integrations.tasks import forget_old_tokens

from .flow import TOKEN, is_good


def left() -> tuple[int, int, int]:
    return Grant.objects.count(), AccessToken.objects.count(), RefreshToken.objects.count()


def after(**time: int) -> tuple[int, int, int]:
    """What is left when the task runs then."""
    with time_machine.travel(timezone.now() + timedelta(**time), tick=False):
        forget_old_tokens()
        return left()


def test_what_expired_a_day_ago_is_forgotten(flow):
    flow.refresh(flow.tokens()["refresh_token"])
    flow.call(TOKEN, grant_type="client_credentials")
    assert left() == (1, 2, 2)
    assert after(hours=23) == (1, 2, 2)
    assert after(hours=24, minutes=2) == (0, 2, 2)
    assert after(hours=26) == (0, 0, 2)
    assert after(days=30) == (0, 0, 2)
    assert after(days=31, minutes=1) == (0, 0, 0)
    assert Authorization.objects.count() == 1


def test_what_belongs_to_a_shop_is_kept(flow):
    tokens = flow.tokens()
    Authorization.objects.update(is_lasting=True)
    assert after(days=400)[1:] == (1, 1)
    assert is_good(tokens["access_token"])


def test_there_may_be_many(flow, monkeypatch):
    monkeypatch.setattr("apps.integrations.tasks.BATCH", 2)
    for _ in range(5):
        flow.call(TOKEN, grant_type="client_credentials")
    assert after(days=2) == (0, 0, 0)
