"""What all simulators share: the faults that wait to happen, and the switches."""

from django.db import models


class Fault(models.Model):
    """One thing that is going to go wrong; `apps.sandbox.faults` says what each kind does."""

    kind = models.CharField(max_length=40)
    times = models.PositiveIntegerField(null=True, help_text="how often it still happens; null: until lifted")
    path = models.CharField(max_length=200, blank=True)
    retry_after = models.PositiveIntegerField(null=True, help_text="seconds")
    delay = models.FloatField(default=3.0, help_text="seconds")

    def __str__(self) -> str:
        return self.kind


class Switches(models.Model):
    """How the simulated vendors behave until told otherwise: one row, number 1."""

    refresh_tokens = models.BooleanField(default=False)
    rate_limits = models.BooleanField(default=False)
    published_inventory_names = models.BooleanField(default=False)
    token_seconds = models.PositiveIntegerField(default=2_627_999)

    def __str__(self) -> str:
        return "switches"

    @classmethod
    def current(cls) -> "Switches":
        """The switches as they stand; the row is made when it is first needed."""
        return cls.objects.get_or_create(pk=1)[0]
