"""The owner's pages of the addresses that hear from us: which there are, how they are doing, what they hear."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Case, Prefetch, Value, When
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from apps.accounts.deciding import SignedIn, actor_of, needs
from apps.api.errors import Problem
from apps.htmx import go, show
from apps.shops.models import Shop

from . import addressing, holding, hooking, log, sentences, showing, trying
from .catalogue import EVENTS
from .forms import AddForm, ChangeAddressForm, EventsForm, ResumeForm, RotateForm, offered
from .holding import Held
from .hooking import Owner
from .models import Endpoint, Hook
from .outcomes import error_of
from .sending import Answer
from .sentences import Look

PAGE = 50
DELIVERIES_SHOWN = 10
NOTHING = Held()


@dataclass(frozen=True, slots=True)
class Row:
    """An address, how it is doing, what waits for it, and in words what it hears."""

    endpoint: Endpoint
    look: Look
    held: Held
    events: list[str]

    @property
    def is_in_trouble(self) -> bool:
        return self.endpoint.failing_since is not None or self.endpoint.state == Endpoint.State.DISABLED


def endpoints_of(request: SignedIn) -> Any:
    """Those of the organization, each with what it hears."""
    hooks = Prefetch("hooks", Hook.objects.kept().order_by("event"), to_attr="hears")
    found = Endpoint.objects.for_principal(request).kept()
    return found.select_related("organization", "integration__partner", "shop").prefetch_related(hooks)


def endpoint_of(request: SignedIn, pk: UUID) -> Endpoint:
    return get_object_or_404(endpoints_of(request), pk=pk)


def own_endpoint_of(request: SignedIn, pk: UUID) -> Endpoint:
    """One that people may change. An application looks after its own addresses by itself."""
    endpoint = endpoint_of(request, pk)
    if endpoint.integration_id is not None:
        raise Http404
    return endpoint


def said(problem: Problem) -> str:
    return " ".join(text for _place, text in problem.details) or problem.detail or problem.title


@login_required
@needs("see")
def hooks(request: SignedIn) -> HttpResponse:
    """The addresses, those in trouble first."""
    trouble = Case(
        When(state=Endpoint.State.DISABLED, then=Value(0)), When(failing_since=None, then=Value(2)), default=1
    )
    found = endpoints_of(request).annotate(trouble=trouble).order_by("trouble", "-created_at", "pk")
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    rows = rows_of(page.object_list)
    context = {
        "page": page,
        "own": [row for row in rows if row.endpoint.integration_id is None],
        "others": [row for row in rows if row.endpoint.integration_id is not None],
        "trouble": [row for row in rows if row.is_in_trouble],
        "events": offered(),
    }
    return show(request, "webhooks/hooks.html", context, part="addresses")


def rows_of(endpoints: Any) -> list[Row]:
    found = list(endpoints)
    held = holding.held(found)
    return [_row(endpoint, held.get(endpoint.pk, NOTHING)) for endpoint in found]


def _row(endpoint: Any, held: Held) -> Row:
    events = [sentences.heading(hook.event) for hook in endpoint.hears]
    return Row(endpoint, sentences.of_endpoint(endpoint, held=held.count), held, events)


@login_required
@needs("connect")
@never_cache
def add_hook(request: SignedIn) -> HttpResponse:
    """A new address. Its secret is shown once, in the answer to the form."""
    shops = Shop.objects.for_principal(request).active()
    form = AddForm(request.POST if request.method == "POST" else None, shops=shops)
    if form.is_valid():
        try:
            endpoint, secret = _add(request, form.cleaned_data)
        except Problem as problem:
            form.refused(problem)
        else:
            return _added(request, endpoint, secret)
    return render(request, "webhooks/add.html", {"form": form, "has_shops": len(shops) > 1})


@transaction.atomic
def _add(request: SignedIn, given: dict[str, Any]) -> tuple[Endpoint, str | None]:
    """All of its events or none. Raises Problem."""
    owner, secret, endpoint = Owner.of_people(request.organization, shop=given["shop"]), None, None
    place = {"url": given["url"], "name": given["name"], "headers": given["headers"], "actor": actor_of(request)}
    for event in given["events"]:
        hook, made = hooking.subscribe(owner, event=event, **place)
        secret, endpoint = secret or made, hook.endpoint
    assert endpoint
    return endpoint, secret


def _added(request: SignedIn, endpoint: Endpoint, secret: str | None) -> HttpResponse:
    if secret is None:
        messages.success(request, _("You had this address already. It hears of these events now, too."))
        return go(request, "hook", endpoint.pk)
    return _show_secret(request, endpoint_of(request, endpoint.pk), secret, is_new=True)


def _show_secret(request: SignedIn, endpoint: Any, secret: str, *, is_new: bool) -> HttpResponse:
    context = {"endpoint": endpoint, "secret": secret, "is_new": is_new, "testable": _testable(endpoint)}
    return render(request, "webhooks/secret.html", context)


@login_required
@needs("see")
def hook(request: SignedIn, pk: UUID) -> HttpResponse:
    """One address: how it is doing and who must act, what it hears, and what was sent there lately."""
    return _page(request, endpoint_of(request, pk), part="live")


def _page(request: SignedIn, endpoint: Any, *, part: str, **more: Any) -> HttpResponse:
    row = rows_of([endpoint])[0]
    lately = log.last_of(endpoint.hooks.all(), most=DELIVERIES_SHOWN).filter(endpoint=endpoint)
    is_own = endpoint.integration_id is None
    context = {
        "endpoint": endpoint,
        "row": row,
        "hooks": [(one, sentences.heading(one.event), one.event in EVENTS) for one in endpoint.hears],
        "deliveries": [(one, sentences.of_delivery(one)) for one in lately.select_related("endpoint", "event")],
        "secrets": list(endpoint.signing_secrets.live()),
        "header_names": addressing.header_names(endpoint),
        "may_change": request.user.may_connect and is_own,
        "testable": _testable(endpoint),
    }
    return show(request, "webhooks/hook.html", context | more, part=part)


def _testable(endpoint: Any) -> list[tuple[str, Any]]:
    """The events of which a test can be sent: those it hears of."""
    names = [one.event for one in endpoint.hears if one.event in EVENTS] or list(offered())[:1]
    return [(name, sentences.heading(name)) for name in names]


@login_required
@needs("connect")
@require_POST
def test_hook(request: SignedIn, pk: UUID) -> HttpResponse:
    """Send a sample there now, and show what comes back."""
    endpoint = own_endpoint_of(request, pk)
    event, answer, problem = request.POST.get("event", ""), None, ""
    if event not in dict(_testable(endpoint)):
        problem = _("Choose an event that is sent there.")
    else:
        try:
            answer = trying.test(endpoint, event=event, actor=actor_of(request))
        except Problem as refused:
            problem = said(refused)
    return _page(request, endpoint, part="tested", answer=answer and shown(answer), problem=problem, event=event)


def shown(answer: Answer) -> dict[str, Any]:
    """What came back, for people: whether it arrived, why not, and its first bytes."""
    return {
        "answer": answer,
        "why": sentences.why(error_of(answer)),
        "headers": showing.without_secrets(answer.headers),
        "body": answer.body,
    }


@login_required
@needs("connect")
def change_events(request: SignedIn, pk: UUID) -> HttpResponse:
    """Choose anew what is sent there. What goes on being sent keeps its filter."""
    endpoint: Any = own_endpoint_of(request, pk)
    hears = {one.event: one for one in endpoint.hears}
    form = EventsForm(request.POST if request.method == "POST" else None, initial={"events": list(hears)})
    if form.is_valid():
        try:
            _choose(request, endpoint, hears, set(form.cleaned_data["events"]))
        except Problem as problem:
            form.add_error(None, said(problem))
        else:
            messages.success(request, _("Saved."))
            return go(request, "hook", pk)
    return render(request, "webhooks/events.html", {"endpoint": endpoint, "form": form})


@transaction.atomic
def _choose(request: SignedIn, endpoint: Endpoint, hears: dict[str, Hook], wanted: set[str]) -> None:
    """Raises Problem."""
    actor = actor_of(request)
    for name, one in hears.items():
        if name not in wanted and name in offered():
            hooking.unsubscribe(one, actor=actor)
    for name in sorted(wanted - set(hears)):
        hooking.subscribe(Owner.of(endpoint), event=name, url=endpoint.url, format=endpoint.format, actor=actor)


@login_required
@needs("connect")
@never_cache
def rotate_secret(request: SignedIn, pk: UUID) -> HttpResponse:
    """A new secret, shown once. For a while the old one goes on signing, too, if that is wanted."""
    endpoint = own_endpoint_of(request, pk)
    form = RotateForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        overlap = timedelta(hours=form.cleaned_data["hours"])
        try:
            secret = hooking.rotate(endpoint, overlap=overlap, actor=actor_of(request))
        except Problem as problem:
            form.add_error(None, said(problem))
        else:
            return _show_secret(request, endpoint, secret, is_new=False)
    return render(request, "webhooks/rotate.html", {"endpoint": endpoint, "form": form})


@login_required
@needs("connect")
def change_address(request: SignedIn, pk: UUID) -> HttpResponse:
    """Its address, name and headers. What waits goes to the new address."""
    endpoint = own_endpoint_of(request, pk)
    form = ChangeAddressForm(
        request.POST if request.method == "POST" else None,
        initial={"url": endpoint.url, "name": endpoint.name},
        header_names=addressing.header_names(endpoint),
    )
    if form.is_valid():
        try:
            _change(request, endpoint, form)
        except Problem as problem:
            form.refused(problem)
        else:
            messages.success(request, _("Saved."))
            return go(request, "hook", pk)
    held = holding.held([endpoint]).get(endpoint.pk, NOTHING)
    return render(request, "webhooks/address.html", {"endpoint": endpoint, "form": form, "held": held})


def _change(request: SignedIn, endpoint: Endpoint, form: ChangeAddressForm) -> None:
    """Raises Problem."""
    given = form.cleaned_data
    hooking.change_endpoint(
        endpoint, url=given["url"], name=given["name"], headers=form.wanted_headers, actor=actor_of(request)
    )


@login_required
@needs("connect")
@require_POST
def pause_hook(request: SignedIn, pk: UUID) -> HttpResponse:
    hooking.pause(endpoint_of(request, pk), actor=actor_of(request))
    messages.success(request, _("Paused. What happens from now on is kept until you resume."))
    return go(request, "hook", pk)


@login_required
@needs("connect")
def resume_hook(request: SignedIn, pk: UUID) -> HttpResponse:
    """Say what was kept, ask what becomes of it, and go on."""
    endpoint = endpoint_of(request, pk)
    form = ResumeForm(request.POST if request.method == "POST" else None)
    if endpoint.is_active:
        messages.info(request, _("It is not paused any more."))
        return go(request, "hook", pk)
    if form.is_valid():
        return _resumed(request, endpoint, form.cleaned_data["choice"])
    sends = hooking.would_send(endpoint)
    older = sends["all"] - sends["newest"]
    return render(request, "webhooks/resume.html", {"endpoint": endpoint, "form": form, "sends": sends, "older": older})


def _resumed(request: SignedIn, endpoint: Endpoint, choice: str) -> HttpResponse:
    try:
        hooking.resume(endpoint, choice=choice, actor=actor_of(request))
    except Problem as problem:
        messages.error(request, said(problem))
    else:
        messages.success(request, _("Resumed."))
    return go(request, "hook", endpoint.pk)


@login_required
@needs("connect")
def remove_hook(request: SignedIn, pk: UUID) -> HttpResponse:
    """Say what is lost, then take it away."""
    endpoint = own_endpoint_of(request, pk)
    held = holding.held([endpoint]).get(endpoint.pk, NOTHING)
    if request.method != "POST":
        return render(request, "webhooks/remove.html", {"endpoint": endpoint, "held": held})
    hooking.remove(endpoint, actor=actor_of(request))
    text = ngettext("Removed. %(n)s message was dropped.", "Removed. %(n)s messages were dropped.", held.count)
    messages.success(request, text % {"n": held} if held.count else _("Removed."))
    return go(request, "hooks")
