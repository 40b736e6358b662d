"""Views of lists that somebody saved."""

from typing import Self

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User


class ViewQuerySet(models.QuerySet):
    def for_person(self, user: User) -> Self:
        """Their own, and those that colleagues share."""
        return self.filter(Q(user=user) | Q(is_shared=True))


class View(models.Model):
    """A list of the admin as somebody wants to find it again: `model` is its label, `query` what follows the "?" in its
    address (filters, search, order)."""

    user = models.ForeignKey(User, models.CASCADE, related_name="views")
    model = models.CharField(max_length=100)
    name = models.CharField(max_length=60)
    query = models.CharField(max_length=2000, blank=True)
    is_shared = models.BooleanField(_("shared with colleagues"), default=False)
    created_at = models.DateTimeField(db_default=Now())
    objects = ViewQuerySet.as_manager()

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(fields=["user", "model", "name"], name="one_view_of_a_name"),
        ]
        indexes = [models.Index(fields=["model"], name="views_of_a_list")]
        verbose_name = _("saved view")

    def __str__(self) -> str:
        return self.name
