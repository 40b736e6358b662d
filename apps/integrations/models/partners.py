"""Connectors that are rows: what a partner registered, or what one organization has for itself."""

import uuid
from typing import Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Organization, TenantQuerySet, User
from apps.encrypted import Sealed

from ..connectors import Connector
from ..connectors.base import CallsUs, Category


class PartnerConnectorQuerySet(TenantQuerySet):
    def active(self) -> Self:
        return self.filter(deactivated_at=None)

    def registered(self) -> Self:
        return self.filter(kind=PartnerConnector.Kind.REGISTERED)

    def custom(self) -> Self:
        return self.filter(kind=PartnerConnector.Kind.CUSTOM)


class PartnerConnector(Sealed):
    """A connector whose code runs at a partner: it calls us, we hold no credentials of theirs.

    `registered`: an application any organization may consent to (Pio, contracts 1.2); its `organization` is empty.
    `custom`: private to one organization, with exactly one integration (Pipe17, contracts 2.1).
    `directions` is {entity: ["in", "out"]}: what flows into Crossdock and out of it. `grants` are those recommended
    when it is put to work; they and `org_wide_access` give nothing by themselves, an integration has its own.
    `settings_fields` are fields as in `fields.py`. `version` grows with each change of the definition.
    Sealed inside: the client secret of a registered one, for one use only: Pio-format signatures.
    """

    class Kind(models.TextChoices):
        REGISTERED = "registered", _("Registered by a partner")
        CUSTOM = "custom", _("Custom")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=20, choices=Kind)
    organization = models.ForeignKey(
        Organization, models.CASCADE, null=True, blank=True, related_name="custom_connectors"
    )
    name = models.CharField(max_length=200)
    email = models.EmailField(blank=True)
    category = models.CharField(max_length=20, choices=Category.choices, default=Category.SHOP)
    description = models.TextField(blank=True)
    readme = models.TextField(blank=True)
    directions = models.JSONField(default=dict, blank=True)
    grants = models.JSONField(default=list, blank=True)
    settings_fields = models.JSONField(default=list, blank=True)
    org_wide_access = models.BooleanField(default=False)
    version = models.PositiveIntegerField(default=1)
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    deactivated_at = models.DateTimeField(null=True, blank=True)
    objects = PartnerConnectorQuerySet.as_manager()

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="registered", organization__isnull=True)
                | Q(kind="custom", organization__isnull=False),
                name="only_a_custom_connector_belongs_to_an_organization",
            ),
            models.UniqueConstraint(fields=["id", "organization"], name="a_custom_connector_and_its_organization"),
        ]
        indexes = [models.Index(fields=["organization", "name"], name="custom_connectors_by_name")]

    def __str__(self) -> str:
        return self.name

    @property
    def is_custom(self) -> bool:
        return self.kind == self.Kind.CUSTOM

    @property
    def is_active(self) -> bool:
        return self.deactivated_at is None

    @property
    def facts(self) -> Connector:
        """The same words a built-in connector has. `client` can do nothing: we never call a partner's connector."""
        return Connector(
            slug=str(self.pk),
            name=self.name,
            category=Category(self.category),
            auth=CallsUs(),
            client=object,
            needs=(),
            summary=self.description,
            recommended_grants=tuple(self.grants),
            settings_fields=tuple(self.settings_fields),
        )
