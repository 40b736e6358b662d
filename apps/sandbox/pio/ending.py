"""How things end: a token, a shop, an integration. Whatever hangs on them ends with them."""

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from apps.sandbox.pio.models import Delivery, Integration, Shop, Token


def revoke(token: Token) -> Token:
    token.revoked_at = timezone.now()
    token.save(update_fields=["revoked_at"])
    return token


def deactivate_shops(shops: QuerySet[Shop]) -> None:
    """Their tokens stop working and what was not delivered yet is given up."""
    now = timezone.now()
    Token.objects.filter(shop__in=shops, revoked_at=None).update(revoked_at=now)
    Delivery.objects.filter(hook__shop__in=shops, state="waiting").update(state="given_up")
    shops.filter(deactivated_at=None).update(deactivated_at=now)


def deactivate(integration: Integration) -> None:
    """The integration, every shop that it made, and every token (contracts 1.2)."""
    now = timezone.now()
    with transaction.atomic():
        deactivate_shops(Shop.objects.filter(integration=integration))
        Token.objects.filter(integration=integration, revoked_at=None).update(revoked_at=now)
        Integration.objects.filter(pk=integration.pk).update(deactivated_at=now)
