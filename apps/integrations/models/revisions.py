"""Each state that an integration's configuration was ever in, and who brought it there."""

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Organization
from apps.tenancy import SameOrganization

from .integrations import Integration, OwnQuerySet


class RevisionQuerySet(OwnQuerySet):
    def of_integration(self, integration: Integration) -> models.QuerySet:
        """Newest first."""
        own = self.filter(organization=integration.organization_id, integration=integration)
        return own.order_by("-number")


class Revision(models.Model):
    """The whole configuration of an integration after one change. None is ever changed; the highest number holds.

    `document` is as `revising.document_of` gives it, without secrets; `changes` are what differs from the revision
    before, `{attribute, before, after}` each, secrets among them as "set", "not set" and "changed". `actor` and
    `user_id` are those of the audit trail: they outlive the person.
    """

    class Origin(models.TextChoices):
        MADE = "made", _("Made")
        FOUND = "found", _("As it was")
        CHANGE = "change", _("Changed")
        IMPORT = "import", _("Imported")
        DEFINITION = "definition", _("New definition")
        APPLIED = "applied", _("Definition applied")
        CONSENT = "consent", _("Consent")
        ROLLBACK = "rollback", _("Rolled back")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+", db_index=False)
    integration = models.ForeignKey(Integration, models.CASCADE, related_name="revisions", db_index=False)
    number = models.PositiveIntegerField()
    origin = models.CharField(max_length=20, choices=Origin, default=Origin.CHANGE)
    document = models.JSONField(default=dict)
    changes = models.JSONField(default=list, blank=True)
    note = models.CharField(max_length=500, blank=True)
    user_id = models.BigIntegerField(null=True, editable=False)
    actor = models.CharField(max_length=300)
    created_at = models.DateTimeField(auto_now_add=True)
    objects = RevisionQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-number"]
        verbose_name = _("version of settings")
        verbose_name_plural = _("versions of settings")
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "integration", "number"], name="one_revision_per_number_of_an_integration"
            ),
            SameOrganization("integration", name="a_revisions_integration_is_of_its_organization"),
        ]

    def __str__(self) -> str:
        return _("%(name)s, version %(n)d") % {"name": self.integration, "n": self.number}
