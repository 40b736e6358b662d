"""What allauth asks us about signing in and signing up."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.db import transaction
from django.http import HttpRequest

from apps.audit.trail import Actor, record

from .models import Invitation, InvitationQuerySet

INVITED = "invitation_token"  # the session key under which an opened invitation waits for its sign-up


class AccountAdapter(DefaultAccountAdapter):
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Accounts are for invited people: the link in their email put its token into this session."""
        return self._invitation(request).exists()

    def is_email_verified(self, request: HttpRequest, email: str) -> bool:
        """Whoever holds the link we mailed to an address has that address; no second mail is needed."""
        return self._invitation(request).filter(email__iexact=email).exists()

    def _invitation(self, request: HttpRequest) -> InvitationQuerySet:
        """The one whose link was opened in this session, as long as it can be accepted."""
        return Invitation.objects.by_token(request.session.get(INVITED, "")).acceptable()

    @transaction.atomic
    def set_password(self, user: Any, password: str) -> None:
        """Another one, of somebody who knows the one before or follows a link in their mail."""
        super().set_password(user, password)
        team = user.organization
        address = self.get_client_ip(self.request)
        record(Actor(user.email, team and team.pk, user_id=user.pk, address=address), "user.password", on=user)

    def get_login_redirect_url(self, request: HttpRequest) -> Any:
        """The 3PL's own people, who have no stores, start in the admin."""
        user = request.user
        if user.is_authenticated and user.is_staff and not user.organization:
            return "/admin/"
        return super().get_login_redirect_url(request)
