"""Asking to hear of an event, changing that, and no longer wanting it; and what the addresses are to do.

Whoever changes an address holds its row's lock, and rings for it: what serves it looks again. A name is looked up
before that lock is had, since it takes as long as somebody else's server likes.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F, Window
from django.db.models.functions import Now, RowNumber
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.api.errors import Problem, invalid
from apps.audit.trail import Actor, record

from . import addressing, filtering
from .addressing import wake as wake
from .asking import Owner as Owner
from .asking import check_url, format_for, published_as
from .models import Delivery, Endpoint, Hook, SigningSecret
from .models.deliveries import DeliveryQuerySet

DAY = timedelta(days=1)
LONGEST_OVERLAP = timedelta(days=7)
MOST_SECRETS = 3  # of one endpoint that sign
CHOICES = ("all", "newest", "drop")


# ---- Hooks


@transaction.atomic
def subscribe(
    owner: Owner,
    *,
    event: str,
    url: str,
    filter: Any = (),
    format: str | None = None,
    headers: Mapping[str, Any] | None = None,
    name: str = "",
    actor: Actor,
) -> tuple[Hook, str | None]:
    """A hook of this owner; and the secret that its messages are signed with, when it is new: shown this once.

    Hooks of one owner with one address and format share an endpoint: its secret, its headers, its order. Raises
    Problem: validation_error, insufficient_scope, hook_already_exists (behaviour 81), conflict.
    """
    published = published_as(event)
    owner.check_may_hear(published)
    form = format_for(owner, published, asked=format)
    conditions = filtering.parse(filter, published=published)
    if not addressing.is_known(owner, url, format=form):
        check_url(url)
    endpoint, secret = addressing.endpoint_at(owner, url, format=form, actor=actor)
    addressing.say(endpoint, name=name or None, headers=headers)
    hook = Hook(endpoint=endpoint, event=event, source=published.source, grant=published.grant, **owner.fields)
    hook.filter = conditions
    _insert(hook)
    record(actor, "hook.create", on=hook, after=facts(hook))
    addressing.ring(endpoint)
    return hook, secret


def _insert(hook: Hook) -> None:
    """Of several at once, the constraints let one through."""
    try:
        with transaction.atomic():
            hook.save(force_insert=True)
    except IntegrityError:
        raise Problem("hook_already_exists") from None


def facts(hook: Hook) -> dict[str, Any]:
    """What the trail says of a hook."""
    endpoint = hook.endpoint
    url = addressing.shown(endpoint.url)
    return {"event": hook.event, "url": url, "format": endpoint.format, "filter": hook.filter}


@transaction.atomic
def change(hook: Hook, *, url: str | None = None, filter: Any = None, event: str | None = None, actor: Actor) -> Hook:
    """What is None stays. What waits goes to the new address, signed and with headers as before (WO-17).

    A hook that is alone at its endpoint takes it along; another one moves. Raises Problem: validation_error,
    hook_not_found, hook_already_exists.
    """
    if url not in (None, hook.endpoint.url):
        check_url(url)
    if url is not None:
        addressing.lock_both(hook.endpoint, url)
    hook = _locked_hook(hook)
    before = facts(hook)
    if event not in (None, hook.event):
        raise invalid("event", _("A hook keeps its event: delete it, and make another one."))
    if filter is not None:
        hook.filter = filtering.parse(filter, published=published_as(hook.event))
        hook.save(update_fields=["filter", "updated_at"])
    if url is not None and url != hook.endpoint.url:
        _move(hook, url, actor=actor)
    record(actor, "hook.change", on=hook, before=before, after=facts(hook))
    addressing.ring(hook.endpoint)
    return hook


def _locked_hook(hook: Hook) -> Hook:
    """With its endpoint, which is what is locked. Raises Problem hook_not_found for one that is gone."""
    endpoint = Endpoint.objects.filter(pk__in=Hook.objects.kept().filter(pk=hook.pk).values("endpoint")).first()
    if endpoint:
        endpoint = addressing.locked(endpoint)
        rows = Hook.objects.kept().select_related("organization", "integration__partner", "shop")
        if found := rows.filter(pk=hook.pk, endpoint=endpoint).first():
            found.endpoint = endpoint
            return found
    raise Problem("hook_not_found")


def _move(hook: Hook, url: str, *, actor: Actor) -> None:
    old = hook.endpoint
    is_alone = not Hook.objects.kept().filter(endpoint=old).exclude(pk=hook.pk).exists()
    there = addressing.find(Owner.of(old), url, format=old.format)
    if is_alone and there is None:
        _readdress(old, url)
        return
    hook.endpoint = there or addressing.like(old, url, actor=actor)
    _insert_at(hook)
    waiting = Delivery.objects.filter(organization=hook.organization_id, endpoint=old, hook=hook).undone()
    waiting.update(endpoint=hook.endpoint, **ANEW)
    if is_alone:
        _close(old)
    addressing.ring(old)


def _insert_at(hook: Hook) -> None:
    """Raises Problem hook_already_exists when there is one of this event."""
    try:
        with transaction.atomic():
            hook.save(update_fields=["endpoint", "updated_at"])
    except IntegrityError:
        raise Problem("hook_already_exists") from None


# Sent off anew, as if it had never been tried.
ANEW: dict[str, Any] = {
    "state": Delivery.State.PENDING, "tries": 0, "first_tried_at": None, "next_attempt_at": None,
}  # fmt: skip
# Nothing is known against an endpoint any more. Whoever serves it now can write no more, since they know it otherwise;
# but their lease has to end first, so that nothing overtakes what they sent before.
WELL: dict[str, Any] = {
    "state": Endpoint.State.ACTIVE, "reason": "", "state_since": Now(), "failures": 0, "failing_since": None,
    "probe_at": None, "fence": F("fence") + 1,
}  # fmt: skip


def _readdress(endpoint: Endpoint, url: str) -> None:
    """What failed at the old address says nothing of the new one; but what somebody paused stays paused."""
    was_paused = endpoint.state == Endpoint.State.PAUSED
    kept = {"state": endpoint.state, "reason": endpoint.reason, "state_since": endpoint.state_since}
    Endpoint.objects.filter(pk=endpoint.pk).update(url=url, lease_until=None, **WELL | (kept if was_paused else {}))
    endpoint.refresh_from_db()
    _undone(endpoint).exclude(state=Delivery.State.PENDING).update(**ANEW)


def _undone(endpoint: Endpoint) -> DeliveryQuerySet:
    return Delivery.objects.filter(organization=endpoint.organization_id, endpoint=endpoint).undone()


def _drop(deliveries: DeliveryQuerySet) -> int:
    """They are never sent."""
    return deliveries.update(state=Delivery.State.DROPPED, next_attempt_at=None, finished_at=Now())


@transaction.atomic
def unsubscribe(hook: Hook, *, actor: Actor) -> None:
    """What it is still owed is dropped. A machine's endpoint goes with its last hook. Raises Problem hook_not_found."""
    hook = _locked_hook(hook)
    Hook.objects.filter(pk=hook.pk).update(deleted_at=Now())
    _drop(_undone(hook.endpoint).filter(hook=hook))
    record(actor, "hook.delete", on=hook, before=facts(hook))
    if hook.integration_id and not Hook.objects.kept().filter(endpoint=hook.endpoint).exists():
        _close(hook.endpoint)
    addressing.ring(hook.endpoint)


def _close(endpoint: Endpoint) -> None:
    Endpoint.objects.filter(pk=endpoint.pk).update(deleted_at=Now())


# ---- Endpoints


@transaction.atomic
def change_endpoint(
    endpoint: Endpoint,
    *,
    url: str | None = None,
    name: str | None = None,
    headers: Mapping[str, Any] | None = None,
    actor: Actor,
) -> Endpoint:
    """What is None stays. All its hooks, and what waits, go to the new address, signed as before (WO-17).

    Raises Problem: validation_error, endpoint_not_found, conflict when its owner has another there.
    """
    if url not in (None, endpoint.url):
        check_url(url)
    endpoint = addressing.locked(endpoint)
    before = _facts_of(endpoint)
    if url is not None and url != endpoint.url:
        if addressing.find(Owner.of(endpoint), url, format=endpoint.format):
            raise Problem("conflict", _("There is an endpoint with this address already."))
        _readdress(endpoint, url)
    addressing.say(endpoint, name=name, headers=headers)
    record(actor, "endpoint.change", on=endpoint, before=before, after=_facts_of(endpoint))
    addressing.ring(endpoint)
    return endpoint


def _facts_of(endpoint: Endpoint) -> dict[str, Any]:
    """Of its headers the names."""
    return {"url": addressing.shown(endpoint.url), "name": endpoint.name, "headers": addressing.header_names(endpoint)}


@transaction.atomic
def remove(endpoint: Endpoint, *, actor: Actor) -> None:
    """With all its hooks; what waits is dropped. Raises Problem endpoint_not_found."""
    endpoint = addressing.locked(endpoint)
    hooks = list(Hook.objects.kept().filter(endpoint=endpoint).order_by("event"))
    Hook.objects.filter(pk__in=[hook.pk for hook in hooks]).update(deleted_at=Now())
    dropped = _drop(_undone(endpoint))
    _close(endpoint)
    events = [hook.event for hook in hooks]
    record(actor, "endpoint.delete", on=endpoint, before=_facts_of(endpoint) | {"events": events, "dropped": dropped})
    addressing.ring(endpoint)


@transaction.atomic
def rotate(endpoint: Endpoint, *, overlap: timedelta = DAY, actor: Actor) -> str:
    """A new secret, shown this once. For `overlap` messages carry the old one's signature as well; 0 ends it at once,
    and with it whatever else cannot be opened any more.

    Raises Problem: validation_error, endpoint_not_found, conflict (Pio's format has none, or three sign already).
    """
    if not timedelta(0) <= overlap <= LONGEST_OVERLAP:
        most = {"most": int(LONGEST_OVERLAP.total_seconds())}
        raise invalid("overlap_seconds", _("From 0 to %(most)d seconds.") % most)
    endpoint = addressing.locked(endpoint)
    if endpoint.format == Endpoint.Format.PIO:
        raise Problem("conflict", _("Pio's format is signed with your application's client secret."))
    _retire(endpoint, overlap=overlap)
    if not overlap:
        addressing.forget_unopened(endpoint)
    secret = addressing.new_secret(endpoint)
    record(actor, "endpoint.rotate_secret", on=endpoint, after={"overlap_seconds": int(overlap.total_seconds())})
    addressing.ring(endpoint)
    return secret


def _retire(endpoint: Endpoint, *, overlap: timedelta) -> None:
    """End what signs now after `overlap`, or when it was to end, if that is before."""
    live = SigningSecret.objects.filter(endpoint=endpoint).live()
    if overlap and live.count() >= MOST_SECRETS:
        raise Problem("conflict", _("Several secrets sign already. Wait until the oldest ends, or use no overlap."))
    end = timezone.now() + overlap
    for secret in live:
        secret.not_after = min(secret.not_after or end, end)
        secret.save(update_fields=["not_after"])


@transaction.atomic
def pause(endpoint: Endpoint, *, actor: Actor) -> None:
    """Nothing is sent until somebody resumes it; what happens meanwhile is kept. Raises Problem endpoint_not_found."""
    endpoint = addressing.locked(endpoint)
    if endpoint.state == Endpoint.State.PAUSED:
        return
    paused = {"state": Endpoint.State.PAUSED, "reason": Endpoint.Reason.ASKED, "state_since": Now()}
    Endpoint.objects.filter(pk=endpoint.pk).update(**paused)
    record(actor, "endpoint.pause", on=endpoint, before={"state": endpoint.state, "reason": endpoint.reason})
    addressing.ring(endpoint)


@transaction.atomic
def resume(endpoint: Endpoint, *, choice: str, actor: Actor) -> int:
    """Send again, of what was held: `all` in order, of each event the `newest` of each entity, or none (`drop`).

    Returns how many are sent. Raises Problem: validation_error, endpoint_not_found, conflict for an active one.
    """
    if choice not in CHOICES:
        raise invalid("choice", _("Choose one of %(names)s.") % {"names": ", ".join(CHOICES)})
    endpoint = addressing.locked(endpoint)
    if endpoint.is_active:
        raise Problem("conflict", _("It is active: nothing is held."))
    dropped = _drop(_not_chosen(endpoint, choice))
    _undone(endpoint).exclude(state=Delivery.State.PENDING).update(**ANEW)
    sent = _undone(endpoint).count()
    Endpoint.objects.filter(pk=endpoint.pk).update(**WELL)
    before = {"state": endpoint.state, "reason": endpoint.reason}
    after = {"choice": choice, "sent": sent, "dropped": dropped}
    record(actor, "endpoint.resume", on=endpoint, before=before, after=after)
    addressing.ring(endpoint)
    return sent


def _not_chosen(endpoint: Endpoint, choice: str) -> DeliveryQuerySet:
    undone = _undone(endpoint)
    if choice == "newest":
        return undone.filter(pk__in=_ranked(endpoint).filter(rank__gt=1).values("pk"))
    return undone if choice == "drop" else undone.none()


def _ranked(endpoint: Endpoint) -> DeliveryQuerySet:
    """With their `rank` among those of their hook and entity: 1 is the newest."""
    newest_first = Window(RowNumber(), partition_by=[F("hook"), F("lane")], order_by=F("id").desc())
    return _undone(endpoint).order_by().annotate(rank=newest_first)


def would_send(endpoint: Endpoint) -> dict[str, int]:
    """How many each choice of `resume` would send now."""
    newest = _undone(endpoint).order_by().values("hook", "lane").distinct()
    return {"all": _undone(endpoint).count(), "newest": newest.count(), "drop": 0}
