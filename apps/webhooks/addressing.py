"""The endpoints of an owner: found or made, with the secret they sign with, and rung for when they change."""

from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import F, Func, Q, TextField, Value
from django.utils.translation import gettext as _

from apps.api.errors import Problem
from apps.audit.trail import Actor, record
from apps.encrypted import CannotOpen

from . import signing
from .asking import Owner, check_headers
from .models import Endpoint, SigningSecret

CHANNEL = "crossdock_endpoints"
MOST_ENDPOINTS = 100  # of one owner


def wake() -> None:
    """When this commits, dispatchers look for what is new."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, '')", [CHANNEL])


def ring(endpoint: Endpoint) -> None:
    Endpoint.objects.filter(pk=endpoint.pk).ring()
    wake()


def locked(endpoint: Endpoint) -> Endpoint:
    """Of two who change it at once, one comes second and sees what the first did. Raises Problem endpoint_not_found."""
    rows = Endpoint.objects.kept().select_related("organization", "integration__partner", "shop")
    found = rows.select_for_update(no_key=True, of=("self",)).filter(pk=endpoint.pk).first()
    if found is None:
        raise Problem("endpoint_not_found")
    return found


def lock_both(endpoint: Endpoint, url: str) -> None:
    """It, and the one that its owner has at this address, in the order in which dispatchers lock many."""
    there = Q(**Owner.of(endpoint).fields, url=url, format=endpoint.format)
    both = Endpoint.objects.kept().filter(Q(pk=endpoint.pk) | there).order_by("pk")
    list(both.select_for_update(no_key=True).values_list("pk"))


def endpoint_at(owner: Owner, url: str, *, format: str, actor: Actor) -> tuple[Endpoint, str | None]:
    """The owner's endpoint, locked; made, with the secret it signs with, when there is none."""
    found = find(owner, url, format=format)
    if found:
        return found, None
    made = make(owner, url, format=format, actor=actor)
    if made is None:  # somebody else made it at this moment
        return endpoint_at(owner, url, format=format, actor=actor)
    secret = None if format == Endpoint.Format.PIO else new_secret(made)
    record(actor, "endpoint.create", on=made, after={"url": shown(url), "format": format})
    return made, secret


def is_known(owner: Owner, url: str, *, format: str) -> bool:
    """Whether the owner has an endpoint there: then its address was checked, and is again with each message."""
    return Endpoint.objects.kept().filter(**owner.fields, url=url, format=format).exists()


def find(owner: Owner, url: str, *, format: str) -> Endpoint | None:
    rows = Endpoint.objects.kept().select_for_update(no_key=True)
    return rows.filter(**owner.fields, url=url, format=format).first()


def make(owner: Owner, url: str, *, format: str, actor: Actor) -> Endpoint | None:
    """None when there is one by now. Raises Problem conflict for an owner who has too many."""
    if Endpoint.objects.kept().filter(**owner.fields).count() >= MOST_ENDPOINTS:
        raise Problem("conflict", _("There are %(most)d addresses already.") % {"most": MOST_ENDPOINTS})
    made = Endpoint(url=url, format=format, created_by_id=actor.user_id, **owner.fields)
    made.secrets = {"headers": {}}
    try:
        with transaction.atomic():
            made.save(force_insert=True)
    except IntegrityError:
        return None
    return made


def like(old: Endpoint, url: str, *, actor: Actor) -> Endpoint:
    """Another endpoint of the same owner, with the same secrets and headers, and paused if that one is."""
    made = make(Owner.of(old), url, format=old.format, actor=actor)
    if made is None:
        raise Problem("try_again")
    made.secrets, made.name = old.secrets, old.name
    if old.state == Endpoint.State.PAUSED:
        made.state, made.reason = old.state, old.reason
    made.save()
    for secret in SigningSecret.objects.filter(endpoint=old).live():
        keep_secret(made, secret.secrets["key"], created_at=secret.created_at, not_after=secret.not_after)
    record(actor, "endpoint.create", on=made, after={"url": shown(url), "format": made.format})
    return made


def say(endpoint: Endpoint, *, name: str | None, headers: Mapping[str, Any] | None) -> None:
    """Keep the headers that go along, which nobody is shown again. Raises Problem validation_error."""
    if headers is not None:
        endpoint.secrets = {"headers": check_headers(headers)}
    if name is not None:
        endpoint.name = name
    if headers is not None or name is not None:
        endpoint.save(update_fields=["sealed", "name", "updated_at"])


def forget_unopened(endpoint: Endpoint) -> None:
    """Headers that cannot be opened stand in the way of each message: their owner has to give them again."""
    try:
        endpoint.secrets  # noqa: B018 - opens them
    except CannotOpen:
        say(endpoint, name=None, headers={})


def header_names(endpoint: Endpoint) -> list[str]:
    """Of what goes along with each message; the values are secret. None where these cannot be opened."""
    try:
        return sorted(endpoint.secrets.get("headers", {}))
    except CannotOpen:
        return []


def new_secret(endpoint: Endpoint) -> str:
    key = signing.new_key()
    keep_secret(endpoint, key)
    return key


def keep_secret(endpoint: Endpoint, key: str, **fields: Any) -> None:
    made = SigningSecret(organization_id=endpoint.organization_id, endpoint=endpoint, **fields)
    made.secrets = {"key": key}
    made.save(force_insert=True)


def shown(url: str) -> str:
    """An address without its query, in which others' secrets may be."""
    address, asked, _query = url.partition("?")
    return f"{address}?…" if asked else address


def without_query(column: str) -> Func:
    """The same in SQL, of the address in this column: what is not shown is not found by guessing either."""
    return Func(F(column), Value("?"), Value(1), function="split_part", output_field=TextField())
