"""What the 3PL's own people may do: superusers everything, operators and readers what the table here says.

Each role is a group with Django's own permissions, kept as the table says by every `migrate`.
"""

from typing import Any

from django.apps import AppConfig
from django.contrib.auth.models import Group, Permission
from django.db import models, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.audit.trail import Actor, record

from .models import User


class Power(models.TextChoices):
    """The roles. The value of each that is a group is that group's name."""

    NONE = "", gettext_lazy("Does not work for the 3PL")
    READER = "Read-only", gettext_lazy("Read-only: sees everything, changes nothing")
    OPERATOR = "Operator", gettext_lazy("Operator: fixes things, but decides nothing about people")
    SUPERUSER = "superuser", gettext_lazy("Superuser: everything")
    BY_HAND = "by hand", gettext_lazy("As it is: rights given one by one")


GROUPS = (Power.READER, Power.OPERATOR)
SUPERUSERS = models.Q(is_staff=True, is_superuser=True, is_active=True)

# What an operator may do with each kind of row; a reader may view whatever an operator views. Deeds ask for `change`.
OPERATORS = {
    "account.emailaddress": "view",
    "accounts.brand": "view",
    "accounts.invitation": "view",
    "accounts.membership": "view",
    "accounts.organization": "view add change look_as_owner",
    "accounts.store": "view",
    "accounts.user": "view",
    "audit.entry": "view",
    "audit.seal": "view",
    "auth.group": "view",
    "catalog.handover": "view change",
    "catalog.heldreport": "view change",
    "catalog.ignoredsku": "view delete",
    "catalog.listing": "view change",
    "catalog.location": "view add change delete",
    "catalog.product": "view change",
    "catalog.publication": "view change",
    "catalog.skumapping": "view change",
    "catalog.skupair": "view change",
    "catalog.stockfeed": "view change",
    "catalog.stocklevel": "view change",
    "catalog.stockmovement": "view",
    "catalog.waitingsku": "view change",
    "desk.dismissal": "view add change delete",
    "desk.job": "view add change delete",
    "desk.view": "view add change delete",
    "integrations.apikey": "view add change",
    "integrations.applicationtoken": "view delete",
    "integrations.authorization": "view change",
    "integrations.authorizationattempt": "view",
    "integrations.credential": "view",
    "integrations.integration": "view add change",
    "integrations.revision": "view",
    "integrations.partnerconnector": "view add change",
    "mfa.authenticator": "",
    "orders.fulfillment": "view change",
    "orders.order": "view change",
    "orders.parcel": "view change",
    "orders.routingrule": "view add change delete",
    "orders.shippingmethod": "view add change delete",
    "orders.shippingservice": "view change",
    "shops.connection": "view change",
    "shops.shop": "view change",
    "syncs.drift": "view change",
    "syncs.orderfeed": "view change",
    "syncs.syncfailure": "view change",
    "syncs.syncrun": "view change",
    "webhooks.delivery": "view change",
    "webhooks.endpoint": "view change",
    "webhooks.event": "view",
    "webhooks.hook": "view change",
    "webhooks.inbox": "view add change",
    "webhooks.message": "view",
    "webhooks.notice": "view",
    "webhooks.outgoing": "view",
    "webhooks.receipt": "view change",
}


class Refused(Exception):
    """Nothing changed. The text says why, to the person who asked."""


def keep_groups(sender: AppConfig | None = None, **kwargs: Any) -> None:
    """Give both groups exactly the permissions of the table. After `migrate`, when all permissions are made."""
    known: dict[tuple[str, str], Permission] = {}
    for permission in Permission.objects.select_related("content_type"):
        known[permission.content_type.app_label, permission.codename] = permission
    for power in GROUPS:
        group, _made = Group.objects.get_or_create(name=power)
        group.permissions.set(known[pair] for pair in permissions_of(power) if pair in known)


def permissions_of(power: Power) -> list[tuple[str, str]]:
    """The app and the codename of each permission that a role's group has."""
    found = []
    for label, deeds in OPERATORS.items():
        app, model = label.split(".")
        kept = deeds.split() if power == Power.OPERATOR else [deed for deed in deeds.split() if deed == "view"]
        found += [(app, deed if "_" in deed else f"{deed}_{model}") for deed in kept]
    return found


def power_of(user: User) -> Power:
    """Their role; BY_HAND for staff whose rights are another superuser's own choice."""
    if not user.is_staff:
        return Power.NONE
    if user.is_superuser:
        return Power.SUPERUSER
    names = list(user.groups.values_list("name", flat=True))
    if len(names) == 1 and names[0] in GROUPS and not user.user_permissions.exists():
        return Power(names[0])
    return Power.BY_HAND


def check_may_give(user: User, power: Power, *, by: Any) -> None:
    """Raises Refused: nobody changes their own role, and one superuser stays."""
    former = power_of(user)
    if power in {former, Power.BY_HAND}:
        return
    if user.pk == by.pk:
        raise Refused(_("You cannot change your own role. Ask another superuser."))
    if former == Power.SUPERUSER:
        _keep_one_other_than(user)


@transaction.atomic
def give(user: User, power: Power, *, actor: Actor) -> None:
    """Let somebody, for whom it was checked, work for the 3PL in this role, or no longer. BY_HAND changes nothing."""
    former = power_of(user)
    if power in {former, Power.BY_HAND}:
        return
    user.is_staff, user.is_superuser = power != Power.NONE, power == Power.SUPERUSER
    user.save(update_fields=["is_staff", "is_superuser"])
    user.user_permissions.clear()
    user.groups.set(Group.objects.filter(name=power) if power in GROUPS else [])
    record(actor, "user.role", on=user, before={"role": former.name.lower()}, after={"role": power.name.lower()})


def check_may_leave(user: User) -> None:
    """Before somebody is switched off. Raises Refused for the last superuser."""
    if power_of(user) == Power.SUPERUSER:
        _keep_one_other_than(user)


def hold(user: User) -> None:
    """Lock somebody, and all superusers, in one order: two who change people at once do not wait for each other."""
    list(User.objects.select_for_update().filter(SUPERUSERS | models.Q(pk=user.pk)).order_by("pk").values_list("pk"))


def _keep_one_other_than(user: User) -> None:
    # All of them are locked, so that the last two cannot go at once.
    superusers = User.objects.select_for_update().filter(SUPERUSERS).order_by("pk")
    if user.pk in {one.pk for one in superusers} and len(superusers) == 1:
        raise Refused(_("There must be one superuser at least. Make somebody else one first."))
