"""An organization's own rules: where its orders go, which come first, which are held back, and how they are shipped."""

from typing import Any, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Organization, TenantQuerySet
from apps.catalog.models import Location
from apps.integrations.models import Integration, OwnQuerySet
from apps.tenancy import SameOrganization


class RoutingRuleQuerySet(TenantQuerySet):
    def for_principal(self, request: Any) -> Self:
        """They are the organization's: a machine that may see its own rows only knows of none."""
        rows = super().for_principal(request)
        return rows if getattr(request.user, "own", None) is None else rows.none()

    def active(self) -> Self:
        return self.filter(is_active=True)


class RoutingRule(models.Model):
    """What holds for orders that it fits. An empty condition fits every order; of several, all must fit.

    Of the rules that choose a location the first that fits and whose location can ship counts, in the order of
    `position`; with `may_split` an order is divided over locations rather than kept waiting. Priorities add up; one
    rule that blocks is enough to hold an order back (behaviour 75). `shops` are ids, `countries` in two letters.
    """

    class Kind(models.TextChoices):
        ROUTE = "route", _("Ship from a location")
        PRIORITY = "priority", _("Give a priority")
        BLOCK = "block", _("Hold back")

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="routing_rules", db_index=False)
    position = models.PositiveIntegerField(default=0)
    kind = models.CharField(max_length=10, choices=Kind)
    name = models.CharField(max_length=200)
    is_active = models.BooleanField(default=True)
    shops = ArrayField(models.UUIDField(), default=list, blank=True)
    tags = ArrayField(models.CharField(max_length=255), default=list, blank=True)
    countries = ArrayField(models.CharField(max_length=2), default=list, blank=True)
    shipping_methods = ArrayField(models.CharField(max_length=255), default=list, blank=True)
    location = models.ForeignKey(Location, models.CASCADE, null=True, blank=True, related_name="+", db_index=False)
    may_split = models.BooleanField(default=False)
    priority = models.IntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    objects = RoutingRuleQuerySet.as_manager()

    class Meta:
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["organization", "name"], name="one_rule_per_name"),
            models.CheckConstraint(
                condition=Q(kind="route", location__isnull=False) | (~Q(kind="route") & Q(location=None)),
                name="a_rule_that_routes_names_a_location",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ShippingService(models.Model):
    """A way to ship that a warehouse or carrier offers, or a method that a shop's customers choose, as it told us.

    `removed_at` is when it was no longer on its list.
    """

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+", db_index=False)
    integration = models.ForeignKey(Integration, models.CASCADE, related_name="shipping_services", db_index=False)
    code = models.CharField(max_length=255)
    name = models.CharField(max_length=255)
    seen_at = models.DateTimeField(auto_now_add=True)
    removed_at = models.DateTimeField(null=True, blank=True)
    objects = OwnQuerySet.as_manager()

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(fields=["organization", "integration", "code"], name="one_service_per_code"),
            SameOrganization("integration", name="a_services_integration_is_of_its_organization"),
        ]

    def __str__(self) -> str:
        return self.name


class ShippingMethod(models.Model):
    """What a shop's shipping method means at one warehouse (Pipe17: contracts 2.11). Names must match exactly.

    The one without a name is the fallback, for every method that no other names (behaviour 80).
    """

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+", db_index=False)
    integration = models.ForeignKey(Integration, models.CASCADE, related_name="shipping_methods", db_index=False)
    name = models.CharField(max_length=255, blank=True)
    code = models.CharField(max_length=255)
    created_at = models.DateTimeField(auto_now_add=True)
    objects = OwnQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["organization", "integration", "name"], name="one_meaning_per_method"),
            SameOrganization("integration", name="a_methods_integration_is_of_its_organization"),
        ]

    def __str__(self) -> str:
        return f"{self.name or '*'} → {self.code}"
