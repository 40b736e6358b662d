"""The permissions our integrations hold at other sides, and the trips on which they were given."""

import hashlib
import uuid
from datetime import timedelta
from typing import Self

from django.db import models
from django.utils import timezone

from apps.accounts.models import Organization, TenantQuerySet, User
from apps.encrypted import Sealed
from apps.tenancy import SameOrganization

from .integrations import Integration


class Credential(Sealed):
    """What the other side gave us for one integration: tokens or keys, encrypted and bound to this row."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+")
    integration = models.OneToOneField(Integration, models.CASCADE, related_name="credential")
    expires_at = models.DateTimeField(null=True, blank=True)
    updated_at = models.DateTimeField(auto_now=True)
    objects = TenantQuerySet.as_manager()

    class Meta:
        constraints = [SameOrganization("integration", name="a_credential_is_of_its_organization")]

    def __str__(self) -> str:
        return f"Credential of {self.integration}"


class ApplicationToken(Sealed):
    """The 3PL's own token at a platform, from the deployment's client credentials; shared by all tenants."""

    connector = models.CharField(max_length=50, primary_key=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"Application token at {self.connector}"


class AttemptQuerySet(TenantQuerySet):
    def by_state(self, state: str) -> Self:
        return self.filter(state_digest=hashlib.sha256(state.encode()).digest())


class AuthorizationAttempt(Sealed):
    """One trip of one person to their platform's login page. Its `state` value can be used once (RFC 6749 10.12).

    Sealed inside: the PKCE verifier (RFC 7636). `browser_digest` binds it to the browser it began in, by a cookie.
    `integration` is set when an existing one is to be reconnected. `subject` is what the permission is wanted for,
    in the words of whoever began.
    """

    LIFETIME = timedelta(minutes=15)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+")
    connector = models.CharField(max_length=50)
    integration = models.ForeignKey(Integration, models.CASCADE, null=True, blank=True, related_name="attempts")
    subject = models.UUIDField()
    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    state_digest = models.BinaryField(max_length=32)
    browser_digest = models.BinaryField(max_length=32)
    is_restart = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=50, blank=True)
    detail = models.TextField(blank=True)
    objects = AttemptQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["state_digest"], name="one_attempt_per_state"),
            SameOrganization("integration", name="an_attempts_integration_is_of_its_organization"),
        ]
        indexes = [models.Index(fields=["organization", "-created_at"], name="attempts_of_an_organization")]

    def __str__(self) -> str:
        return f"{self.user} at {self.connector}, {self.created_at:%Y-%m-%d %H:%M}"

    def spend(self) -> bool:
        """Use it up. Only one caller ever gets True, and only while it has not expired."""
        unused = type(self).objects.filter(pk=self.pk, used_at=None, expires_at__gt=timezone.now())
        return bool(unused.update(used_at=timezone.now()))

    def end(self, outcome: str, detail: str = "") -> None:
        self.outcome, self.detail = outcome, detail[:2000].replace("\x00", "")
        self.save(update_fields=["outcome", "detail"])
