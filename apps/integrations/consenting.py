"""An organization lets a registered application in, sees what it let in, and shows it the door."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from apps.accounts.models import Organization, Store, User
from apps.audit.trail import Actor, record

from .models import Application, Authorization, Grant, Integration, PartnerConnector, ReachableStore, Revision
from .oauth.asking import Asked
from .oauth.issuing import give_code
from .revising import revised

CHALLENGE_REMEMBERED = timedelta(minutes=10)
WITHDRAWN = "Disconnected by its owner."  # why an integration is disabled that a new consent brings back


class SwitchedOff(Exception):
    """The integration was disabled by somebody, and consent is not how it is enabled again."""


class ChallengeReused(Exception):
    """A code was given out for this code_challenge already: one challenge is for one transaction (RFC 9700 2.1.1)."""


def has_code(asked: Asked) -> bool:
    """Whether a code was given out for its challenge lately (AS-07)."""
    return _codes_of(asked).exists()


def _codes_of(asked: Asked) -> Any:
    since = timezone.now() - CHALLENGE_REMEMBERED
    return Grant.objects.filter(application=asked.application, code_challenge=asked.challenge, created__gt=since)


def refuse_reuse(asked: Asked, *, actor: Actor) -> str:
    """Write it down; where the application hears of it."""
    record(actor, "app.consent", on=asked.application, refused=True, reason="code_challenge used twice")
    return asked.answer(error="invalid_request", error_description="This code_challenge was used before.")


@transaction.atomic
def agree(asked: Asked, *, by: User, stores: Sequence[Store] | None, ticket: str, actor: Actor) -> str:
    """Let the application into the person's organization, for all stores (None) or these. Returns a new code.

    `ticket` tells one press of the button from another: the second half of a double-click gets a code for the same
    consent, and the first half's code, which nobody will see, is void. Raises ChallengeReused, SwitchedOff.
    """
    assert by.organization
    Application.objects.select_for_update(no_key=True).get(pk=asked.application.pk)  # one consent at a time
    if earlier := _codes_of(asked).select_related("authorization").first():
        return _code_again(earlier, ticket=ticket)
    integration = _integration(asked.application.connector, organization=by.organization, by=by)
    before = facts(integration)
    with revised(integration, actor=actor, origin=Revision.Origin.CONSENT):
        authorization = _authorize(integration, asked=asked, by=by)
        _reach(integration, stores=stores)
    record(actor, "app.consent", on=authorization, before=before, after=facts(integration))
    return give_code(
        Grant(
            application=asked.application,
            authorization=authorization,
            user=by,
            redirect_uri=asked.redirect_uri,
            scope=authorization.scope,
            code_challenge=asked.challenge,
            code_challenge_method=Grant.CODE_CHALLENGE_S256,
            nonce=ticket,
        )
    )


def _code_again(earlier: Grant, *, ticket: str) -> str:
    if earlier.nonce != ticket or earlier.used_at or earlier.authorization.revoked_at:
        raise ChallengeReused
    return give_code(earlier)


def _integration(partner: PartnerConnector, *, organization: Organization, by: User) -> Integration:
    """Theirs, locked. Raises SwitchedOff."""
    new = {"connector": str(partner.pk), "name": partner.name, "created_by": by}
    Integration.objects.get_or_create(organization=organization, partner=partner, defaults=new)
    found = Integration.objects.select_for_update(no_key=True).get(organization=organization, partner=partner)
    if found.state == Integration.State.DISABLED and found.state_reason != WITHDRAWN:
        raise SwitchedOff
    return found


def _authorize(integration: Integration, *, asked: Asked, by: User) -> Authorization:
    authorization = Authorization.objects.create(
        organization=integration.organization,
        integration=integration,
        application=asked.application,
        user=by,
        scope=" ".join(asked.scopes),
    )
    integration.grants = sorted(scopes_of(integration))
    integration.state, integration.state_reason, integration.deleted_at = Integration.State.CONNECTED, "", None
    return authorization


def scopes_of(integration: Integration) -> set[str]:
    """What has been consented to and still holds."""
    held = integration.authorizations.live().values_list("scope", flat=True)
    return {scope for scopes in held for scope in scopes.split()}


def _reach(integration: Integration, *, stores: Sequence[Store] | None) -> None:
    integration.reaches_all_stores = stores is None
    integration.save()
    integration.reachable_stores.all().delete()
    of = {"organization": integration.organization, "integration": integration}
    ReachableStore.objects.bulk_create(ReachableStore(store=store, **of) for store in stores or [])


def facts(integration: Integration) -> dict[str, Any]:
    """What a consent decides, for the trail."""
    stores = sorted(str(pk) for pk in integration.reachable_stores.values_list("store", flat=True))
    return {
        "grants": integration.grants,
        "state": integration.state,
        "stores": "all" if integration.reaches_all_stores else stores,
    }


def decline(asked: Asked, *, actor: Actor) -> str:
    """The person said no; where the application hears of it."""
    record(actor, "app.decline", on=asked.application, refused=True, reason="declined by the person who was asked")
    return asked.answer(error="access_denied")


@transaction.atomic
def withdraw(integration: Integration, *, actor: Actor) -> None:
    """Show the application the door: whatever it holds is void at once, in every process. Its shops stay as rows."""
    locked = Integration.objects.select_for_update(no_key=True).get(pk=integration.pk)
    before = facts(locked)
    Authorization.objects.filter(integration=locked).revoke("withdrawn")
    if locked.state != Integration.State.DISABLED:
        locked.state_before = locked.state
    locked.state, locked.state_reason = Integration.State.DISABLED, WITHDRAWN
    locked.save()
    record(actor, "app.withdraw", on=locked, before=before, after=facts(locked))


@transaction.atomic
def revoke(authorization: Authorization, *, actor: Actor) -> bool:
    """End one consent, with every token that came of it. Returns whether it was still in force."""
    ended = Authorization.objects.filter(pk=authorization.pk).revoke("revoked by the 3PL")
    if ended:
        record(actor, "app.revoke", on=authorization)
    return bool(ended)
