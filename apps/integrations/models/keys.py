"""API keys: what an integration's own program, or a person's script, calls us with."""

import uuid
from datetime import timedelta
from typing import Self

from django.db import models
from django.db.models import F, OuterRef, Q, Subquery, Value
from django.db.models.functions import Cast, Coalesce, Concat, Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Organization, User, digest
from apps.api.models import Usage
from apps.tenancy import SameOrganization

from .integrations import Integration, OwnQuerySet
from .partners import PartnerConnector

LONGEST_OVERLAP = timedelta(days=7)


class ApiKeyQuerySet(OwnQuerySet):
    def live(self) -> Self:
        """Neither terminated nor past the overlap of its rotation."""
        return self.filter(Q(expires_at=None) | Q(expires_at__gt=Now()), revoked_at=None)

    def by_token(self, token: str) -> Self:
        return self.filter(token_digest=digest(token))

    def of_integration(self, integration: Integration) -> Self:
        """Its own keys, and those of its definition when that is nobody else's (a custom one)."""
        belongs = Q(integration=integration)
        if integration.partner and integration.partner.is_custom:
            belongs |= Q(connector=integration.partner)
        return self.filter(belongs)

    def with_defined(self) -> Self:
        """Each with `defined_id` and `defined_state`, of the one integration whose definition it is the key of."""
        found = {"defined_id": F("connector__integrations__id"), "defined_state": F("connector__integrations__state")}
        return self.annotate(**found)

    def with_use(self) -> Self:
        """Each with its count of `calls` and when the last one was (`last_used_at`)."""
        key = Concat(Value("key:"), Cast(OuterRef("pk"), models.TextField()), output_field=models.TextField())
        use = Usage.objects.filter(key=key)
        calls = Coalesce(Subquery(use.values("calls")), 0, output_field=models.BigIntegerField())
        return self.annotate(calls=calls, last_used_at=Subquery(use.values("last_at")))


class ApiKey(models.Model):
    """One key. The key itself is shown once; we keep its digest, and `prefix` for people to recognise it by.

    `integration`: moves data for one integration. `connector`: changes the definition of one custom connector and
    reads no data (behaviour 28). `user`: belongs to an organization's admin and sees all of its granted kinds
    (behaviour 30). `all_grants`: whatever its integration may do, now and later; else it may do what is both in its
    own `grants` and in its integration's. When rotated, `expires_at` is the end of the overlap, and
    `calls_when_rotated` what its count of calls was then: what came since shows who still uses it.
    """

    class Kind(models.TextChoices):
        INTEGRATION = "integration", _("Integration key")
        CONNECTOR = "connector", _("Connector key")
        USER = "user", _("User key")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="api_keys")
    kind = models.CharField(max_length=20, choices=Kind)
    integration = models.ForeignKey(Integration, models.CASCADE, null=True, blank=True, related_name="keys")
    connector = models.ForeignKey(PartnerConnector, models.CASCADE, null=True, blank=True, related_name="keys")
    user = models.ForeignKey(User, models.CASCADE, null=True, blank=True, related_name="api_keys")
    name = models.CharField(max_length=200)
    all_grants = models.BooleanField(default=False)
    grants = models.JSONField(default=list, blank=True)
    prefix = models.CharField(max_length=20, editable=False)
    token_digest = models.BinaryField(max_length=32, editable=False)
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    rotated_at = models.DateTimeField(null=True, blank=True, editable=False)
    calls_when_rotated = models.BigIntegerField(default=0, editable=False)
    replaced_by = models.OneToOneField("self", models.SET_NULL, null=True, blank=True, related_name="replaces")
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "id"]
        verbose_name = _("API key")
        constraints = [
            models.UniqueConstraint(fields=["token_digest"], name="one_api_key_per_digest"),
            models.CheckConstraint(
                condition=Q(kind="integration", integration__isnull=False, connector=None, user=None)
                | Q(kind="connector", integration=None, connector__isnull=False, user=None)
                | Q(kind="user", integration=None, connector=None, user__isnull=False),
                name="an_api_key_belongs_to_what_its_kind_says",
            ),
            models.UniqueConstraint(fields=["id", "organization"], name="an_api_key_and_its_organization"),
            SameOrganization("integration", name="an_api_keys_integration_is_of_its_organization"),
            SameOrganization("connector", name="an_api_keys_connector_is_of_its_organization"),
            SameOrganization("replaced_by", name="an_api_key_is_replaced_in_its_organization"),
        ]
        indexes = [
            models.Index(fields=["organization", "integration", "-created_at"], name="keys_of_an_integration"),
            models.Index(fields=["organization", "user", "-created_at"], name="keys_of_a_user"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    @property
    def usage_key(self) -> str:
        """Under which name its calls are counted (`apps.api.models.Usage`)."""
        return f"key:{self.pk}"

    @property
    def is_live(self) -> bool:
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > timezone.now())

    @property
    def state(self) -> str:
        """live, ending (rotated, and still good for a while) or ended."""
        if not self.is_live:
            return "ended"
        return "ending" if self.rotated_at else "live"

    @property
    def may(self) -> list[str]:
        """Which grants it has."""
        if self.integration is None:
            return self.grants
        held = self.integration.grants
        return list(held) if self.all_grants else [grant for grant in self.grants if grant in held]

    @property
    def calls_since_rotation(self) -> int | None:
        """How often it was used after it was replaced; None when it was not. Wants `with_use`."""
        return self.calls - self.calls_when_rotated if self.rotated_at else None  # type: ignore[attr-defined]
