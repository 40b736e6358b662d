"""Changing what people of a team may do. An organization always keeps an owner."""

from django.db import transaction
from django.utils.translation import gettext as _

from apps.audit.trail import Actor, record

from .models import Membership, Organization, Role, User


class Refused(Exception):
    """Nothing changed. The text says why, to the person who asked."""


def _locked(membership: Membership) -> Membership:
    # The organization's row is the lock, so that two last owners cannot remove each other at once.
    Organization.objects.select_for_update().get(pk=membership.organization_id)
    found = Membership.objects.select_related("organization").filter(pk=membership.pk).first()
    if found is None:
        raise Refused(_("They have just left the team."))
    return found


def _check(membership: Membership, *, by: User) -> None:
    if membership.is_last_owner():
        raise Refused(_("There must be one owner at least. Make somebody else an owner first."))
    if membership.role == Role.OWNER and by.membership.role != Role.OWNER:
        raise Refused(_("Only an owner can change an owner."))


def _actor(membership: Membership, by: User, address: str | None) -> Actor:
    return Actor(by.email, organization_id=membership.organization_id, user_id=by.pk, address=address)


@transaction.atomic
def change_role(membership: Membership, *, role: str, by: User, address: str | None = None) -> None:
    """Give a member another role. `address` is the IP address that is put on record. Raises Refused."""
    membership = _locked(membership)
    if role == membership.role:
        return
    if role == Role.OWNER and by.membership.role != Role.OWNER:
        raise Refused(_("Only an owner can make somebody an owner."))
    _check(membership, by=by)
    former, membership.role = membership.role, role
    membership.save(update_fields=["role"])
    actor = _actor(membership, by, address)
    record(actor, "member.role", on=membership, before={"role": former}, after={"role": role})


@transaction.atomic
def remove(membership: Membership, *, by: User, address: str | None = None) -> None:
    """Take a member out of the organization. Their account stays. `address` as above. Raises Refused."""
    membership = _locked(membership)
    _check(membership, by=by)
    record(_actor(membership, by, address), "member.remove", on=membership, before={"role": membership.role})
    membership.delete()
