"""Who may sign in, for which organization, and that organization's brands and stores."""

import hashlib
import secrets
import uuid
from datetime import timedelta
from typing import Any, Self

from django.contrib.auth.models import AbstractUser, BaseUserManager
from django.core.exceptions import ObjectDoesNotExist
from django.db import models, transaction
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.tenancy import SameOrganization


class People(BaseUserManager["User"]):
    """Makes users who sign in by email."""

    @transaction.atomic
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """A user made by us, by hand or by command; so their address needs no confirmation."""
        user = self.model(email=self.normalize_email(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        user.trust_email()
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)


class User(AbstractUser):
    """A person. Signs in by email; belongs to at most one organization; `is_staff` is the 3PL's own people."""

    username = None  # type: ignore[assignment]
    email = models.EmailField(_("email address"), unique=True)
    objects = People()  # type: ignore[misc, assignment]
    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = []
    looks_at: "Organization | None" = None  # set by `looking` while one of the 3PL's people looks on, for one request

    class Meta:
        constraints = [models.UniqueConstraint(Lower("email"), name="one_user_per_email")]

    def __str__(self) -> str:
        return self.email

    def trust_email(self) -> None:
        """The address is theirs: nobody needs to confirm it by mail any more."""
        # allauth's record of who has confirmed what; by its reverse name, since allauth's models need ours.
        self.emailaddress_set.update_or_create(  # type: ignore[attr-defined]
            email=self.email.lower(), defaults={"primary": True, "verified": True}
        )

    @property
    def organization(self) -> "Organization | None":
        """The tenant this person works for, or looks at; None for the 3PL's staff and for people not invited yet."""
        if self.looks_at:
            return self.looks_at
        try:
            return self.membership.organization
        except ObjectDoesNotExist:
            return None

    def may(self, permission: str) -> bool:
        """Whether their role allows it: see, connect or manage. Nobody may anything without an active organization."""
        organization = self.organization
        if organization is None or not organization.is_active:
            return False
        role = Role.OWNER if self.looks_at else Role(self.membership.role)  # who looks on sees what an owner sees
        return permission in PERMISSIONS[role]

    @property
    def may_connect(self) -> bool:
        return self.may("connect")

    @property
    def may_manage(self) -> bool:
        return self.may("manage")


class Organization(models.Model):
    """A tenant: one customer of the 3PL. While it is not active nobody sees its data and nothing works for it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=200)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name", "id"]
        permissions = [("look_as_owner", "Can look at the portal as its people see it")]

    def __str__(self) -> str:
        return self.name


class Role(models.TextChoices):
    OWNER = "owner", _("Owner")
    ADMIN = "admin", _("Admin")
    MEMBER = "member", _("Member")
    VIEWER = "viewer", _("Viewer")


PERMISSIONS = {
    Role.OWNER: {"see", "connect", "manage"},
    Role.ADMIN: {"see", "connect", "manage"},
    Role.MEMBER: {"see", "connect"},
    Role.VIEWER: {"see"},
}


class TenantQuerySet(models.QuerySet):
    """Rows of one tenant. Every view starts here."""

    def for_principal(self, request: Any) -> Self:
        """The rows whoever makes this request may know of: those of their own, active organization, else none."""
        organization = getattr(request.user, "organization", None)
        return self.filter(organization=organization) if organization and organization.is_active else self.none()


class Membership(models.Model):
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="memberships")
    user = models.OneToOneField(User, models.CASCADE, related_name="membership")
    role = models.CharField(max_length=10, choices=Role, default=Role.MEMBER)
    created_at = models.DateTimeField(auto_now_add=True)
    objects = TenantQuerySet.as_manager()

    class Meta:
        ordering = ["created_at", "id"]

    def __str__(self) -> str:
        return f"{self.user} ({self.get_role_display()})"

    def is_last_owner(self) -> bool:
        others = self.organization.memberships.filter(role=Role.OWNER).exclude(pk=self.pk)
        return self.role == Role.OWNER and not others.exists()


class InvitationQuerySet(TenantQuerySet):
    def open(self) -> Self:
        return self.filter(accepted_at=None)

    def acceptable(self) -> Self:
        """Those whose link still lets somebody in."""
        return self.open().filter(expires_at__gt=timezone.now(), organization__is_active=True)

    def by_token(self, token: str) -> Self:
        return self.filter(token_digest=digest(token))


def digest(token: str) -> bytes:
    """What we keep of a 256-bit random token: enough to recognise it, useless to whoever reads the table."""
    return hashlib.sha256(token.encode()).digest()


class Invitation(models.Model):
    """An expiring link by which somebody joins an organization. The link itself is only ever in the email."""

    LIFETIME = timedelta(days=7)

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="invitations")
    email = models.EmailField(_("email address"))
    role = models.CharField(max_length=10, choices=Role, default=Role.MEMBER)
    token_digest = models.BinaryField(editable=False, max_length=32)
    invited_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    expires_at = models.DateTimeField(editable=False)
    sent_at = models.DateTimeField(editable=False)
    accepted_at = models.DateTimeField(null=True, blank=True, editable=False)
    objects = InvitationQuerySet.as_manager()

    class Meta:
        ordering = ["-sent_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                "organization",
                Lower("email"),
                condition=models.Q(accepted_at=None),
                name="one_open_invitation_per_email_in_an_organization",
            ),
            models.UniqueConstraint("token_digest", name="one_invitation_per_link"),
        ]

    def __str__(self) -> str:
        return self.email

    def renew(self) -> str:
        """Give it a fresh link and a fresh week. Returns the new token, which is not kept; the caller saves."""
        token = secrets.token_urlsafe(32)
        self.token_digest = digest(token)
        self.sent_at = timezone.now()
        self.expires_at = self.sent_at + self.LIFETIME
        return token

    @property
    def is_expired(self) -> bool:
        return timezone.now() >= self.expires_at


def own_id() -> str:
    """The outside id of a row that nobody outside told us about."""
    return str(uuid.uuid4())


class BrandQuerySet(TenantQuerySet):
    def for_principal(self, request: Any) -> Self:
        """An application that was let in for some stores only knows of their brands."""
        rows = super().for_principal(request)
        stores = getattr(request.user, "stores", None)
        return rows if stores is None else rows.filter(pk__in=stores.values("brand"))


class Brand(models.Model):
    """A brand of an organization. `source` and `ext_id` say who told us about it, in words opaque to this app.

    `stores_cursor` is where listing its stores goes on; `stores_listed_at` is when the list was last complete.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="brands")
    name = models.TextField()
    source = models.CharField(max_length=320, blank=True, editable=False)
    ext_id = models.CharField(max_length=255, default=own_id, editable=False)
    stores_cursor = models.TextField(blank=True, editable=False)
    stores_listed_at = models.DateTimeField(null=True, blank=True, editable=False)
    objects = BrandQuerySet.as_manager()

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "source", "ext_id"], name="one_brand_per_ext_id_of_a_source"
            ),
            models.UniqueConstraint(fields=["id", "organization"], name="a_brand_and_its_organization"),
        ]
        indexes = [models.Index(fields=["organization", "source", "name"], name="brands_of_a_source")]

    def __str__(self) -> str:
        return self.name


class StoreQuerySet(TenantQuerySet):
    def for_principal(self, request: Any) -> Self:
        """Those of their organization; for an application that was let in for some stores only, of those."""
        rows = super().for_principal(request)
        stores = getattr(request.user, "stores", None)
        return rows if stores is None else rows.filter(pk__in=stores)

    def matching(self, text: str) -> Self:
        """Those whose name or address holds every word of the text."""
        found = self
        for word in text.split():
            found = found.filter(models.Q(name__icontains=word) | models.Q(address__icontains=word))
        return found


class Store(models.Model):
    """A store of a brand, as its platform names it. `address` is one line for people to recognise it by."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="stores")
    brand = models.ForeignKey(Brand, models.CASCADE, related_name="stores")
    name = models.TextField()
    address = models.TextField(blank=True)
    ext_id = models.CharField(max_length=255, default=own_id, editable=False)
    objects = StoreQuerySet.as_manager()

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(fields=["organization", "brand", "ext_id"], name="one_store_per_ext_id_in_a_brand"),
            models.UniqueConstraint(fields=["id", "organization"], name="a_store_and_its_organization"),
            SameOrganization("brand", name="a_stores_brand_is_of_its_organization"),
        ]
        indexes = [models.Index(fields=["organization", "brand", "name", "id"], name="stores_of_a_brand")]

    def __str__(self) -> str:
        return self.name
