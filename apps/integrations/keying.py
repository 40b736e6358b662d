"""API keys: made, rotated, terminated. Whoever makes one is shown it, once; we keep its digest."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.accounts.models import User, digest
from apps.api.errors import Problem, invalid
from apps.api.grants import CONSENTED
from apps.api.models import Usage
from apps.api.tokens import CONNECTOR_KEY, INTEGRATION_KEY, USER_KEY, new_token
from apps.audit.trail import Actor, record

from .models import LONGEST_OVERLAP, ApiKey, Integration, PartnerConnector

PREFIXES = {
    ApiKey.Kind.INTEGRATION: INTEGRATION_KEY,
    ApiKey.Kind.CONNECTOR: CONNECTOR_KEY,
    ApiKey.Kind.USER: USER_KEY,
}
SHOWN = 10  # characters of a key that people recognise it by


@dataclass(frozen=True, slots=True)
class Issued:
    """A new key, and the secret itself for the one time it is shown."""

    key: ApiKey
    secret: str


type Owner = Integration | PartnerConnector | User


@transaction.atomic
def issue(owner: Owner, *, name: str, by: User | None, actor: Actor, grants: Sequence[str] | None = None) -> Issued:
    """Make a key for an integration, for the definition of a custom connector, or for an organization's admin.

    `grants` None is all that the integration may do, now and later. Raises Problem: conflict (the owner takes no
    keys), validation_error (grants that it cannot have).
    """
    belongs = _belonging(owner)
    _check(grants or (), owner=owner)
    follows = grants is None and isinstance(owner, Integration)
    issued = _make(name=name, all_grants=follows, grants=sorted(set(grants or ())), created_by=by, **belongs)
    record(actor, "key.issue", on=issued.key, after=facts(issued.key))
    record(actor, "key.reveal", on=issued.key)
    return issued


def _belonging(owner: Owner) -> dict[str, Any]:
    """To whom a key of this owner belongs. Raises Problem conflict."""
    match owner:
        case Integration(partner=PartnerConnector(is_custom=False)):
            raise Problem("conflict", _("A registered application gets in by consent, and has no keys."))
        case Integration() if owner.deleted_at:
            raise Problem("conflict", _("The integration was deleted."))
        case Integration():
            return {"kind": ApiKey.Kind.INTEGRATION, "organization": owner.organization, "integration": owner}
        case PartnerConnector(is_custom=True):
            return {"kind": ApiKey.Kind.CONNECTOR, "organization": owner.organization, "connector": owner}
        case User(may_manage=True):
            return {"kind": ApiKey.Kind.USER, "organization": owner.organization, "user": owner}
    raise Problem("conflict", _("Only a custom connector, and an owner or admin of an organization, can have keys."))


def _check(grants: Sequence[str], *, owner: Owner) -> None:
    """Raises Problem validation_error."""
    match owner:
        case Integration():
            allowed = set(owner.grants)
        case User():
            allowed = set(CONSENTED)
        case _:
            allowed = set()  # a definition's key has the two of its kind, and no others
    if beyond := sorted(set(grants) - allowed):
        raise invalid("grants", _("Not among what it may be granted: %(grants)s.") % {"grants": ", ".join(beyond)})


def _make(*, kind: str, **fields: Any) -> Issued:
    secret = new_token(PREFIXES[ApiKey.Kind(kind)])
    key = ApiKey.objects.create(kind=kind, prefix=secret[:SHOWN], token_digest=digest(secret), **fields)
    return Issued(key, secret)


def facts(key: ApiKey) -> dict[str, Any]:
    """What the trail says of a key."""
    return {"name": key.name, "kind": key.kind, "grants": "all" if key.all_grants else key.grants}


@transaction.atomic
def rotate(key: ApiKey, *, overlap: timedelta, by: User | None, actor: Actor) -> Issued:
    """Replace a key by a new one that may do the same. The old one works for `overlap` more: 0 to 7 days, 0 is none.

    What it is still called with in that time shows who has not changed over (`ApiKey.calls_since_rotation`).
    Raises Problem: validation_error (overlap), conflict (ended or rotated before, or a person's own).
    """
    if not timedelta(0) <= overlap <= LONGEST_OVERLAP:
        raise invalid("overlapSeconds", _("From 0 to %(most)d seconds.") % {"most": LONGEST_OVERLAP.total_seconds()})
    old = _locked(key)
    if old.kind == ApiKey.Kind.USER:
        raise Problem("conflict", _("A personal key is not rotated. Make another one, then terminate this."))
    if old.rotated_at or not old.is_live:
        raise Problem("conflict", _("This key was rotated before, or has ended."))
    issued = _make(created_by=by, **{name: getattr(old, name) for name in _COPIED})
    _retire(old, overlap=overlap, replaced_by=issued.key)
    after = {"overlap_seconds": int(overlap.total_seconds()), "replaced_by": str(issued.key)}
    record(actor, "key.rotate", on=old, before=facts(old), after=after)
    record(actor, "key.reveal", on=issued.key)
    return issued


_COPIED = ("kind", "organization", "integration", "connector", "name", "all_grants", "grants")


def _locked(key: ApiKey) -> ApiKey:
    """Of two who change a key at once, one comes second and sees what the first did."""
    return ApiKey.objects.select_for_update(no_key=True, of=("self",)).get(pk=key.pk)


def _retire(old: ApiKey, *, overlap: timedelta, replaced_by: ApiKey) -> None:
    now = timezone.now()
    used = Usage.objects.filter(key=old.usage_key).values_list("calls", flat=True).first()
    old.rotated_at, old.replaced_by, old.calls_when_rotated = now, replaced_by, used or 0
    old.expires_at = now + overlap
    old.revoked_at = None if overlap else now
    old.save()


@transaction.atomic
def terminate(key: ApiKey, *, actor: Actor) -> bool:
    """End a key at once, in every process. Returns whether it was still alive."""
    found = _locked(key)
    if not found.is_live:
        return False
    found.revoked_at = timezone.now()
    found.save(update_fields=["revoked_at"])
    record(actor, "key.terminate", on=found, before=facts(found))
    return True
