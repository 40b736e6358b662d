"""What the API itself keeps: how much each caller calls, and the answers to calls that may be repeated."""

import json
import uuid
from typing import Any

from django.db import models
from django.utils import timezone

from apps.encrypted import Sealed


class Usage(models.Model):
    """One caller's calls: a token bucket, a count, and the time of the last one, in one row and one statement.

    `key` says who: key:<id>, integration:<id>, client:<id>, ip:<address>. `level` is what the bucket holds;
    `is_over` says whether the last call found it empty.
    """

    key = models.CharField(max_length=100, primary_key=True)
    level = models.FloatField()
    is_over = models.BooleanField(default=False)
    calls = models.BigIntegerField(default=0)
    last_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "usage"
        indexes = [models.Index(fields=["last_at"], name="usage_by_age")]

    def __str__(self) -> str:
        return self.key


class Answer(Sealed):
    """The answer to a call that carried an `Idempotency-Key`, committed together with what the call did.

    Sealed inside: the answer's body, since it may hold a secret that is shown once. `caller` is who called.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    caller = models.CharField(max_length=100)
    key = models.CharField(max_length=255)
    fingerprint = models.BinaryField(max_length=32)
    status = models.PositiveSmallIntegerField()
    headers = models.JSONField(default=dict)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["caller", "key"], name="one_answer_per_idempotency_key")]
        indexes = [models.Index(fields=["created_at"], name="answers_by_age")]

    def __str__(self) -> str:
        return f"{self.caller} {self.key}"

    def matches(self, fingerprint: bytes) -> bool:
        return bytes(self.fingerprint) == fingerprint

    def body(self) -> Any:
        text = self.secrets["body"]
        return json.loads(text) if text else None
