"""A partner opens a shop over the API, and closes it (Pio: contracts 1.4). Each shop has a token of its own."""

from collections.abc import Iterable

from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from apps.api.errors import Problem
from apps.api.principals import Principal
from apps.audit.trail import Actor, record
from apps.integrations.models import AccessToken, Authorization, Integration
from apps.integrations.oauth import issuing

from .models import Connection, Shop


@transaction.atomic
def open_with_token(authorization: Authorization, *, name: str, ext_shop_id: str, actor: Actor) -> Shop:
    """A shop for a token that has none yet. The token is that shop's from now on, and no longer expires.

    Of several calls with one token, one UPDATE lets the first through (behaviour 46). Raises Problem:
    access_token_already_created_store, ext_shop_id_already_exists.
    """
    unbound = Authorization.objects.live().filter(pk=authorization.pk, is_lasting=False)
    if not unbound.update(is_lasting=True):
        raise Problem("access_token_already_created_store")
    live = AccessToken.objects.filter(authorization=authorization, expires__gt=Now())
    live.update(expires=issuing.NEVER, user=None)  # it outlives the person who consented
    return _open(authorization, name=name, ext_shop_id=ext_shop_id, actor=actor)


@transaction.atomic
def open_with_key(
    integration: Integration, *, grants: Iterable[str], name: str, ext_shop_id: str, actor: Actor
) -> tuple[Shop, str]:
    """A shop for an integration that calls with a key, and the shop's own token, which may do what `grants` say.

    Raises Problem ext_shop_id_already_exists.
    """
    authorization = Authorization.objects.create(
        organization=integration.organization,
        integration=integration,
        scope=" ".join(sorted(grants)),
        is_lasting=True,
    )
    token = issuing.access_token()
    issuing.keep_access_token(token, application=None, scope=authorization.scope, of=authorization)
    return _open(authorization, name=name, ext_shop_id=ext_shop_id, actor=actor), token


def _open(authorization: Authorization, *, name: str, ext_shop_id: str, actor: Actor) -> Shop:
    """The integration's own shop of that id, as long as no token speaks for it; else a new one."""
    place = {"organization": authorization.organization, "integration": authorization.integration}
    known = Shop.objects.select_for_update(no_key=True).filter(**place, ext_shop_id=ext_shop_id).first()
    if known and known.has_token:
        raise Problem("ext_shop_id_already_exists")
    shop = known or Shop(**place, ext_shop_id=ext_shop_id)
    shop.name, shop.authorization, shop.is_active, shop.deactivated_at = name, authorization, True, None
    _save(shop)
    record(actor, "shop.open", on=shop, after={"ext_shop_id": ext_shop_id})
    return shop


def _save(shop: Shop) -> None:
    try:
        with transaction.atomic():
            shop.save()
    except IntegrityError as error:
        raise Problem("ext_shop_id_already_exists") from error


@transaction.atomic
def close(shop: Shop, *, actor: Actor) -> None:
    """Deactivate it: its token is void at once, and no other's (behaviour 50). Closing twice is closing once.

    Raises Problem conflict when it is a store's that we connected at its platform, which has to be told first.
    """
    held = Connection.objects.held_stores().filter(shop=shop)
    if not shop.integration.partner_id and held.exists():
        raise Problem("conflict", "Disconnect its store first.")
    if Shop.objects.filter(pk=shop.pk).close():
        held.update(state=Connection.State.DISCONNECTED)
        record(actor, "shop.close", on=shop)


def shop_of(principal: Principal) -> Shop:
    """The shop that whatever this caller brings belongs to (behaviour 49). Raises Problem shop_required."""
    if principal.shop is None:
        raise Problem("shop_required")
    return principal.shop
