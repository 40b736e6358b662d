"""Inviting people into an organization, and their joining it."""

import structlog
from django.conf import settings
from django.core.mail import send_mail
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.audit.trail import Actor, record

from .models import Invitation, Membership, Organization, Role, User

log = structlog.get_logger(__name__)

OF_A_LINK = ("role", "invited_by", "token_digest", "sent_at", "expires_at")


class CannotInvite(Exception):
    """Nothing was sent. The text says why, to the person who invites."""


class CannotAccept(Exception):
    """Nothing changed. The text says why, to the person invited."""


def invite(
    organization: Organization, *, email: str, role: str, by: User | None, address: str | None = None
) -> Invitation:
    """Send somebody a link. Inviting the same address again replaces the earlier link. `address` is the IP address that
    is put on record. Raises CannotInvite."""
    if role == Role.OWNER and by and by.organization and by.membership.role != Role.OWNER:
        raise CannotInvite(_("Only an owner can invite an owner."))
    if Membership.objects.filter(organization=organization, user__email__iexact=email).exists():
        raise CannotInvite(_("%(email)s is in your team already.") % {"email": email})
    found = organization.invitations.open().filter(email__iexact=email).first()
    invitation = found or Invitation(organization=organization, email=email)
    invitation.role, invitation.invited_by = role, by
    send(invitation, by=by, address=address)
    return invitation


def _actor(invitation: Invitation, by: User | None, address: str | None) -> Actor:
    text, user_id = (by.email, by.pk) if by else (invitation.email, None)
    return Actor(text, organization_id=invitation.organization_id, user_id=user_id, address=address)


def send(invitation: Invitation, *, by: User | None = None, address: str | None = None) -> None:
    """Give the invitation a fresh link and mail it. The link before it stops working. Without `by` whoever was invited
    asked for it; `address` as above. Raises CannotInvite."""
    if not invitation.organization.is_active:
        closed = {"organization": invitation.organization}
        raise CannotInvite(_("%(organization)s is closed here at the moment.") % closed)
    token = invitation.renew()
    with transaction.atomic():
        _keep(invitation)
        facts = {"email": invitation.email, "role": invitation.role}
        record(_actor(invitation, by, address), "invitation.send", on=invitation, after=facts)
    try:
        _mail(invitation, token)
    except OSError as error:  # smtplib's errors are OSErrors
        log.exception("an invitation could not be mailed")
        raise CannotInvite(_("The email could not be sent just now. Send a new link in a few minutes.")) from error


def _keep(invitation: Invitation) -> None:
    """A new one, or the new link of one that is still open. Raises CannotInvite."""
    if invitation.pk:
        changed = {name: getattr(invitation, name) for name in OF_A_LINK}
        if not Invitation.objects.open().filter(pk=invitation.pk).update(**changed):
            raise CannotInvite(_("%(email)s has joined already.") % {"email": invitation.email})
        return
    try:
        with transaction.atomic():
            invitation.save()
    except IntegrityError:
        raise CannotInvite(_("Somebody else has just invited the same person.")) from None


def _mail(invitation: Invitation, token: str) -> None:
    link = settings.PUBLIC_URL + reverse("accept-invitation", args=[token])
    send_mail(
        _("Join %(organization)s on %(portal)s")
        % {"organization": invitation.organization, "portal": settings.PORTAL_NAME},
        _(
            "You are invited to look after the stores of %(organization)s on %(portal)s.\n\n"
            "Open this link to join. It works for 7 days:\n%(link)s\n\n"
            "You did not expect this? Then you can ignore it; nothing happens."
        )
        % {"organization": invitation.organization, "portal": settings.PORTAL_NAME, "link": link},
        None,
        [invitation.email],
    )


@transaction.atomic
def withdraw(invitation: Invitation, *, by: User, address: str | None = None) -> bool:
    """Its link no longer works. `address` as above. False when it was accepted or withdrawn just now."""
    if not Invitation.objects.open().filter(pk=invitation.pk).delete()[0]:
        return False
    facts = {"email": invitation.email, "role": invitation.role}
    record(_actor(invitation, by, address), "invitation.withdraw", on=invitation, before=facts)
    return True


@transaction.atomic
def accept(invitation: Invitation, *, user: User, address: str | None = None) -> Membership:
    """Make the user a member; pressing twice is pressing once. `address` as above.

    Raises CannotAccept, or Invitation.DoesNotExist when it was withdrawn just now; then nothing changed.
    """
    invitation = Invitation.objects.select_for_update().get(pk=invitation.pk)
    user = User.objects.select_for_update().get(pk=user.pk)  # who may hold several invitations, and can join once
    if user.email.lower() != invitation.email.lower():
        raise CannotAccept(
            _("This invitation is for %(invited)s, and you are signed in as %(email)s.")
            % {"invited": invitation.email, "email": user.email}
        )
    if user.organization == invitation.organization:
        return user.membership
    if invitation.accepted_at:
        raise CannotAccept(_("This invitation was used already."))
    if invitation.is_expired:
        raise CannotAccept(_("This invitation has expired."))
    if not invitation.organization.is_active:
        closed = {"organization": invitation.organization}
        raise CannotAccept(_("%(organization)s is closed here at the moment.") % closed)
    if user.organization:
        raise CannotAccept(_("You belong to %(organization)s already.") % {"organization": user.organization})
    invitation.accepted_at = timezone.now()
    invitation.save()
    _trust(user)
    joined = Membership.objects.create(organization=invitation.organization, user=user, role=invitation.role)
    record(_actor(invitation, user, address), "member.join", on=joined, after={"role": joined.role})
    return joined


def _trust(user: User) -> None:
    """The link came by mail to this very address. Raises CannotAccept when somebody else has proven it to be theirs."""
    try:
        with transaction.atomic():
            user.trust_email()
    except IntegrityError:
        raise CannotAccept(_("%(email)s is somebody else's already.") % {"email": user.email}) from None
