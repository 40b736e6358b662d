"""The trail of who did what, to what, from where: written once, never changed."""

from typing import Any, Self

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class EntryQuerySet(models.QuerySet):
    def about(self, kind: str, pk: Any) -> Self:
        return self.filter(target_kind=kind, target_id=str(pk))

    def of_integration(self, pk: Any) -> Self:
        return self.filter(integration_id=pk)


class Entry(models.Model):
    """One thing that was done or refused. Names rows by their ids without referring to them: it outlives them.

    `actor` is a short sentence for people ("admin@foo-3pl.example", "Integration key WMS (xdi_3f…)"). `before` and
    `after` hold what changed, never a secret. A trigger of the database refuses to change or delete an entry.
    """

    class Outcome(models.TextChoices):
        DONE = "done", _("Done")
        REFUSED = "refused", _("Refused")

    at = models.DateTimeField(auto_now_add=True)
    organization_id = models.UUIDField(null=True)
    integration_id = models.UUIDField(null=True)
    user_id = models.BigIntegerField(null=True)
    actor = models.CharField(max_length=300)
    action = models.CharField(max_length=100)
    outcome = models.CharField(max_length=10, choices=Outcome, default=Outcome.DONE)
    target_kind = models.CharField(max_length=50, blank=True)
    target_id = models.CharField(max_length=64, blank=True)
    target = models.CharField(max_length=300, blank=True)
    before = models.JSONField(default=dict, blank=True)
    after = models.JSONField(default=dict, blank=True)
    reason = models.CharField(max_length=300, blank=True)
    address = models.GenericIPAddressField(null=True)
    request_id = models.CharField(max_length=32, blank=True)
    objects = EntryQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit trail")
        indexes = [
            models.Index(fields=["organization_id", "-id"], name="audit_of_an_organization"),
            models.Index(fields=["integration_id", "-id"], name="audit_of_an_integration"),
            models.Index(fields=["target_kind", "target_id", "-id"], name="audit_of_a_row"),
        ]

    def __str__(self) -> str:
        return f"{self.actor}: {self.action}"


class Seal(models.Model):
    """Closes a batch of entries: `digest` is over what they say, and over the seal before, so that none of them can be
    altered, taken away or slipped in later without breaking every seal from there on.

    Which entries it closes is in `Sealed`, and not a range of their ids: a transaction may commit after a later one.
    """

    at = models.DateTimeField(db_default=Now())
    count = models.PositiveIntegerField()
    upto = models.BigIntegerField()  # the highest id of its entries
    digest = models.CharField(max_length=64)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("seal of the audit trail")
        verbose_name_plural = _("seals of the audit trail")

    def __str__(self) -> str:
        return f"{self.pk}: {self.digest[:12]}"


class Sealed(models.Model):
    """An entry that a seal has closed. Refers to it without a constraint, which would write to each entry's page."""

    entry = models.OneToOneField(Entry, models.DO_NOTHING, primary_key=True, db_constraint=False, related_name="mark")
    seal = models.ForeignKey(Seal, models.PROTECT)

    class Meta:
        verbose_name = _("sealed entry")

    def __str__(self) -> str:
        return f"{self.entry_id} {self.seal_id}"
