"""The owner's pages of messages: all that came in and went out, and each by itself, to be sent or opened again."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import prefetch_related_objects
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from apps.accounts.deciding import SignedIn, actor_of, needs
from apps.api.errors import Problem
from apps.htmx import go, show
from apps.integrations.models import Integration
from apps.shops.models import Shop

from . import log, receiving, replaying, sentences, showing
from .forms import AgainForm
from .models import Attempt, Delivery, Endpoint, Hook, Message, Receipt
from .sentences import ENTITIES, MESSAGES, Look

PAGE = 50
ATTEMPTS_SHOWN = 30
ASKED = ("integration", "shop", "direction", "entity", "status", "q")


@login_required
@needs("see")
def message_log(request: SignedIn) -> HttpResponse:
    """What came in and went out, newest first (behaviour 94). Keyset pages: the last is as quick as the first."""
    asked = {name: request.GET.get(name, "").strip()[:255] for name in ASKED}
    after = request.GET.get("after", "")[:100]
    page = log.page(request, asked, after=after, most=PAGE)
    prefetch_related_objects(page.rows, "hook__endpoint")
    query = urlencode({name: value for name, value in asked.items() if value})
    context = {
        "rows": [_row(message) for message in page.rows],
        "next": page.next,
        "is_first": not after,
        "asked": asked,
        "query": query,
        "integrations": Integration.objects.for_principal(request).select_related("partner").order_by("name", "pk"),
        "shops": Shop.objects.for_principal(request),
        "entities": ENTITIES.items(),
        "statuses": [(status, look.label) for status, look in MESSAGES.items()],
        "here": f"{request.path}?{query}" if query else request.path,
    }
    return show(request, "webhooks/messages.html", context, part="results")


def _row(message: Message) -> tuple[Message, Look, str, str]:
    """With how it looks, what it is about in words, and why it failed."""
    heading = sentences.heading(message.type) if message.direction == Message.Direction.OUT else message.type
    return message, MESSAGES[message.status], heading, sentences.why_message(message)


def _delivery(request: SignedIn, pk: int) -> Delivery:
    found = Delivery.objects.for_principal(request)
    return get_object_or_404(
        found.select_related("event", "hook", "endpoint__shop", "endpoint__integration__partner"), pk=pk
    )


@login_required
@needs("see")
def message_out(request: SignedIn, pk: int) -> HttpResponse:
    """One message that goes out: what it says, each try, what came back, and when it is tried next."""
    delivery = _delivery(request, pk)
    attempts = list(Attempt.objects.for_principal(request).filter(delivery=delivery).order_by("-pk")[:ATTEMPTS_SHOWN])
    body = showing.body_of(delivery)
    headers = showing.headers_of(delivery, attempts[0] if attempts else None, body=body)
    context = {
        "delivery": delivery,
        "look": sentences.of_delivery(delivery),
        "attempts": [_tried(one) for one in reversed(attempts)],
        "headers": headers,
        "body": showing.legible(body),
        "curl": showing.as_curl(delivery.endpoint.url, headers=headers, body=body),
        "is_undone": delivery.state in Delivery.UNDONE,
        "may_replay": request.user.may_connect and _can_be_sent(delivery),
    }
    return show(request, "webhooks/message_out.html", context, part="live")


def _tried(attempt: Attempt) -> dict[str, Any]:
    """One try: what went wrong, and what came back."""
    headers = showing.without_secrets(attempt.headers)
    return {"attempt": attempt, "why": sentences.why(_error_of(attempt)), "headers": headers, "body": attempt.body}


def _can_be_sent(delivery: Delivery) -> bool:
    """Once more, or before its time: not what is about to be, and not to where nobody wants it any more."""
    is_over = delivery.state not in Delivery.UNDONE and delivery.hook.deleted_at is None
    return is_over or (delivery.state == Delivery.State.WAITING and delivery.endpoint.is_active)


def _error_of(attempt: Attempt) -> str:
    """The code of what went wrong; empty when it arrived."""
    if attempt.error or attempt.status is None:
        return attempt.error
    return "" if 200 <= attempt.status < 300 else f"status_{attempt.status}"


@login_required
@needs("connect")
@require_POST
def replay_out(request: SignedIn, pk: int) -> HttpResponse:
    """Send it once more: the same message with the same id, and a new attempt on the same row (behaviour 95).

    One that waits for its next try has it now.
    """
    found = _delivery(request, pk)
    send = replaying.try_now if found.state == Delivery.State.WAITING else replaying.replay
    try:
        sent = send(Delivery.objects.for_principal(request).filter(pk=found.pk), actor=actor_of(request))
    except Problem as problem:
        messages.error(request, problem.detail or problem.title)
    else:
        if sent:
            messages.success(request, _("It is sent once more. What comes of it stands here."))
        else:
            messages.info(request, _("It is about to be sent already."))
    return go(request, "message-out", pk)


@login_required
@needs("connect")
def replay_failed(request: SignedIn, pk: UUID) -> HttpResponse:
    """All that an address did not take: say how many, then send them once more."""
    endpoint = get_object_or_404(Endpoint.objects.for_principal(request).kept(), pk=pk)
    hooks = Hook.objects.kept().filter(endpoint=endpoint)
    failed = Delivery.objects.for_principal(request).filter(hook__in=hooks, state=Delivery.State.FAILED)
    form = AgainForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            sent = replaying.replay(failed, actor=actor_of(request), expected=form.cleaned_data["expected"])
        except Problem as problem:
            form.add_error(None, problem.detail or problem.title)
        else:
            text = ngettext("%(n)d message is sent once more.", "%(n)d messages are sent once more.", sent)
            messages.success(request, text % {"n": sent})
            return go(request, "hook", pk)
    context = {"endpoint": endpoint, "form": form, "count": replaying.count(failed)}
    return render(request, "webhooks/again.html", context)


def _receipt(request: SignedIn, pk: UUID) -> Receipt:
    found = Receipt.objects.for_principal(request).select_related("integration__partner")
    return get_object_or_404(found, pk=pk)


@login_required
@needs("see")
def message_in(request: SignedIn, pk: UUID) -> HttpResponse:
    """One message that came in: what it said, and what became of it."""
    receipt = _receipt(request, pk)
    ended_badly = receipt.state in {Receipt.State.PARKED, Receipt.State.FAILED}
    context = {
        "receipt": receipt,
        "look": sentences.of_receipt(receipt),
        "headers": showing.without_secrets(receipt.headers),
        "body": showing.legible(bytes(receipt.body)),
        "is_undone": receipt.state == Receipt.State.RECEIVED,
        "may_replay": request.user.may_connect and ended_badly,
    }
    return show(request, "webhooks/message_in.html", context, part="live")


@login_required
@needs("connect")
@require_POST
def replay_in(request: SignedIn, pk: UUID) -> HttpResponse:
    """Open it again: the same row, a new attempt."""
    found = _receipt(request, pk)
    if receiving.replay(Receipt.objects.for_principal(request).filter(pk=found.pk), actor=actor_of(request)):
        messages.success(request, _("It is opened again. What comes of it stands here."))
    else:
        messages.info(request, _("Only what was put aside or failed can be opened again."))
    return go(request, "message-in", pk)
