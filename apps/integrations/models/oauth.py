"""What our authorization server keeps: django-oauth-toolkit's tables, and one of ours that ties them together."""

import uuid
from typing import Self

from django.db import models
from django.db.models.functions import Now
from oauth2_provider.models import (
    AbstractAccessToken,
    AbstractApplication,
    AbstractGrant,
    AbstractIDToken,
    AbstractRefreshToken,
)

from apps.accounts.models import Organization, User
from apps.tenancy import SameOrganization

from .integrations import Integration, OwnQuerySet
from .partners import PartnerConnector


class Application(AbstractApplication):
    """The OAuth client of a registered connector. Its one redirect URI is the registered `callback_url`."""

    connector = models.OneToOneField(PartnerConnector, models.CASCADE, related_name="application")

    def is_usable(self, request: object) -> bool:
        return self.connector.is_active


class AuthorizationQuerySet(OwnQuerySet):
    def live(self) -> Self:
        return self.filter(revoked_at=None)

    def revoke(self, reason: str) -> int:
        """End them, and with them every token that came of them. Returns how many were still alive."""
        return self.live().update(revoked_at=Now(), revoked_because=reason)


class Authorization(models.Model):
    """One consent of one person to one application: what a code, and every token that comes of it, hangs on.

    Revoking it ends them all at once, which is what RFC 9700 4.14.2 asks for when a code or a refresh token is used
    twice. When a shop is created with one of its tokens it becomes that shop's: `is_lasting`, its access tokens no
    longer expire, and its end no longer depends on the person (design, part 2 item 2).

    One without an application and a person was made by an integration key, for the shop it created: it is what that
    shop's own token hangs on.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="authorizations")
    integration = models.ForeignKey(Integration, models.CASCADE, related_name="authorizations")
    application = models.ForeignKey(Application, models.CASCADE, null=True, blank=True, related_name="authorizations")
    user = models.ForeignKey(User, models.SET_NULL, null=True, related_name="authorizations")
    scope = models.TextField()
    is_lasting = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_because = models.CharField(max_length=50, blank=True)
    objects = AuthorizationQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["id", "organization"], name="an_authorization_and_its_organization"),
            SameOrganization("integration", name="an_authorizations_integration_is_of_its_organization"),
        ]
        indexes = [
            models.Index(fields=["organization", "integration", "-created_at"], name="authorizations_of_integration")
        ]

    def __str__(self) -> str:
        return f"{self.application or self.integration}, {self.created_at:%Y-%m-%d %H:%M}"

    @property
    def is_in_force(self) -> bool:
        """Whether tokens that came of it are good: it was not revoked, its tenant is active, and so is its shop.

        Until it has a shop, it also ends with the right of the person who gave it.
        """
        shop = getattr(self, "shop", None)
        if self.revoked_at or not self.organization.is_active or (shop and not shop.is_active):
            return False
        return self.is_lasting or self._is_backed()

    def _is_backed(self) -> bool:
        """Whether the person who gave it is still there, and still an owner or admin."""
        user = self.user
        if user is None or not user.is_active or user.organization is None:
            return False
        return user.organization.pk == self.organization_id and user.may_manage


class Grant(AbstractGrant):
    """An authorization code, spent once: `used_at` is kept, so that a second use is recognised for what it is."""

    authorization = models.OneToOneField(Authorization, models.CASCADE, related_name="code")
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta(AbstractGrant.Meta):
        indexes = [models.Index(fields=["application", "code_challenge"], name="codes_by_challenge")]


class IDToken(AbstractIDToken):
    """Never made: we do not speak OpenID Connect. The toolkit's tables refer to it."""


class AccessToken(AbstractAccessToken):
    """A bearer token. Without an authorization it is the application's own (client credentials)."""

    authorization = models.ForeignKey(
        Authorization, models.CASCADE, null=True, blank=True, related_name="access_tokens"
    )


class RefreshToken(AbstractRefreshToken):
    """Whose it is, is its authorization's to say: a shop's outlives the person who consented."""

    user = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    authorization = models.ForeignKey(Authorization, models.CASCADE, related_name="refresh_tokens")
