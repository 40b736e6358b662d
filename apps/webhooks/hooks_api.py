"""Hooks over the API (Pio: contracts 1.8), and the endpoints they go to."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.response import Response

from apps.api.bodies import checked
from apps.api.errors import Problem
from apps.api.paging import LINKED_QUERY, linked_page
from apps.api.principals import Call
from apps.api.routes import operation
from apps.shops.api import SHOP, shops_named
from apps.shops.models import Shop

from . import hooking, trying
from .asking import Owner
from .catalogue import EVENTS
from .hook_bodies import (
    AnswerBody,
    ChangedEndpoint,
    ChangedHook,
    Choice,
    EndpointBody,
    EndpointInFull,
    EndpointPage,
    EventBody,
    EventList,
    HookBody,
    HookPage,
    HookQuery,
    HookRotation,
    MadeHook,
    NewHook,
    Preview,
    Previewed,
    Resumed,
    Rotated,
    previewed,
)
from .models import Endpoint, Hook
from .models.endpoints import EndpointQuerySet, HookQuerySet

HOOKS, ENDPOINTS = "Hooks", "Endpoints"
QUERY = [
    SHOP,
    OpenApiParameter("event", {"type": "string", "maxLength": 50}, description="Those of this event."),
    OpenApiParameter("endpoint_id", OpenApiTypes.UUID, description="Those that go to this endpoint."),
]
NOT_YOURS = "It is another integration's: only that one, and people of the organization, change it."


def _hooks(request: Call) -> HookQuerySet:
    return Hook.objects.for_principal(request).kept().select_related("endpoint")


def _hook(request: Call, hook_id: UUID) -> Hook:
    """Raises Problem hook_not_found."""
    found = _hooks(request).filter(pk=hook_id).first()
    if found is None:
        raise Problem("hook_not_found")
    return found


def _endpoints(request: Call) -> EndpointQuerySet:
    return Endpoint.objects.for_principal(request).kept()


def _endpoint(request: Call, endpoint_id: UUID) -> Endpoint:
    """Raises Problem endpoint_not_found."""
    found = _endpoints(request).select_related("organization", "integration__partner", "shop").filter(pk=endpoint_id)
    if not found:
        raise Problem("endpoint_not_found")
    return found[0]


def _check_own(request: Call, row: Hook | Endpoint) -> None:
    """A machine that sees its whole organization changes its own hooks alone. Raises Problem forbidden."""
    integration = request.user.integration
    if integration and row.integration_id != integration.pk:
        raise Problem("forbidden", NOT_YOURS)


def _check_may_send(request: Call, *hooks: Hook) -> None:
    """Nobody sends somewhere else what they may not see themselves. Raises Problem insufficient_scope."""
    if lacking := sorted({hook.grant for hook in hooks} - request.user.grants):
        raise Problem("insufficient_scope", f"This needs the grant {lacking[0]}.")


def _owner(request: Call, shop_id: UUID | None) -> Owner:
    """Raises Problem: shop_required, shop_not_found."""
    owner = Owner.of_principal(request.user)
    if shop_id is None:
        return owner
    shop = Shop.objects.for_principal(request).active().filter(pk=shop_id).first()
    if shop is None:
        raise Problem("shop_not_found")
    return Owner.of_principal(request.user, shop=shop)


@operation(
    "List hooks",
    tag=HOOKS,
    answers={200: HookPage},
    query=[*LINKED_QUERY, *QUERY],
    errors=["shop_not_found"],
)
def list_hooks(request: Call) -> Response:
    """With a shop's own token: that shop's. With a key: its integration's; with a person's: all of the organization."""
    rows = _hooks(request).filter(**checked(HookQuery, request.query_params.dict()))
    if "shop_id" in request.query_params:
        rows = rows.filter(shop__in=shops_named(request))
    return linked_page(request, rows, shape=lambda hook: HookBody(hook).data)


@operation(
    "Create a hook",
    tag=HOOKS,
    body=NewHook,
    answers={200: MadeHook},
    errors=["hook_already_exists", "shop_required", "shop_not_found"],
    writes=True,
)
def create_hook(request: Call) -> Response:
    """One for each event of a shop. Those with one address share an endpoint: its secret, its order, its health.

    The secret comes along when the endpoint is new, and is shown this once. Without a `format` the shop of a registered
    application gets events that have Pio's names in Pio's format, and everybody else Standard Webhooks.
    """
    asked = checked(NewHook, request.data)
    owner = _owner(request, asked.pop("shop_id", None))
    hook, secret = hooking.subscribe(owner, url=asked.pop("target_url"), **asked, actor=request.user.actor)
    return Response(HookBody(hook).data | {"secret": secret})


@operation("Read a hook", tag=HOOKS, answers={200: HookBody}, errors=["hook_not_found"])
def read_hook(request: Call, hook_id: UUID) -> Response:
    return Response(HookBody(_hook(request, hook_id)).data)


@operation(
    "Update a hook",
    tag=HOOKS,
    body=ChangedHook,
    answers={200: HookBody},
    errors=["hook_not_found", "endpoint_not_found", "hook_already_exists"],
    writes=True,
)
def update_hook(request: Call, hook_id: UUID) -> Response:
    """What waits goes to the new address, signed as before. A hook that shares its endpoint leaves it for that."""
    hook, asked = _hook(request, hook_id), checked(ChangedHook, request.data)
    _check_own(request, hook)
    _check_may_send(request, hook)
    changed = hooking.change(hook, url=asked.pop("target_url", None), **asked, actor=request.user.actor)
    return Response(HookBody(changed).data)


@operation(
    "Delete a hook",
    tag=HOOKS,
    answers={204: None},
    errors=["hook_not_found", "endpoint_not_found"],
    writes=True,
)
def delete_hook(request: Call, hook_id: UUID) -> Response:
    """What still waited for it is never sent."""
    hook = _hook(request, hook_id)
    _check_own(request, hook)
    hooking.unsubscribe(hook, actor=request.user.actor)
    return Response(status=204)


@operation("List the events", tag=HOOKS, answers={200: EventList})
def list_events(request: Call) -> Response:
    """All there are, with the schema of each and a sample. What you may hear of depends on your grants."""
    return Response({"data": EventBody(list(EVENTS.values()), many=True).data})


@operation(
    "Test a hook",
    tag=HOOKS,
    answers={200: AnswerBody},
    errors=["hook_not_found", "endpoint_not_found", "conflict"],
    once=False,
)
def test_hook(request: Call, hook_id: UUID) -> Response:
    """Sends a sample of its event there now, signed as any message is, and says what came back. Ten a minute at most.

    Its id begins with test_. The sample is about nothing that exists.
    """
    hook = _hook(request, hook_id)
    _check_own(request, hook)
    endpoint = _endpoint(request, hook.endpoint_id)
    return Response(AnswerBody(trying.test(endpoint, event=hook.event, actor=request.user.actor)).data)


@operation(
    "Try a filter",
    tag=HOOKS,
    body=Preview,
    answers={200: Previewed},
    errors=["shop_required", "shop_not_found"],
    once=False,
)
def preview_filter(request: Call) -> Response:
    """The last 50 events of that name that you may hear of, and which of them would pass."""
    asked = checked(Preview, request.data)
    owner = _owner(request, asked.get("shop_id"))
    found = trying.preview(owner, event=asked["event"], filter=asked.get("filter"))
    return Response(previewed(found))


@operation("List endpoints", tag=ENDPOINTS, answers={200: EndpointPage}, query=LINKED_QUERY)
def list_endpoints(request: Call) -> Response:
    """The addresses that hooks go to, and how each is doing."""
    return linked_page(request, _endpoints(request), shape=lambda endpoint: EndpointBody(endpoint).data)


@operation("Read an endpoint", tag=ENDPOINTS, answers={200: EndpointInFull}, errors=["endpoint_not_found"])
def read_endpoint(request: Call, endpoint_id: UUID) -> Response:
    """With its events, and how many messages wait for it."""
    return Response(EndpointInFull(_endpoint(request, endpoint_id)).data)


def _own_endpoint(request: Call, endpoint_id: UUID) -> Endpoint:
    endpoint = _endpoint(request, endpoint_id)
    _check_own(request, endpoint)
    return endpoint


@operation(
    "Update an endpoint",
    tag=ENDPOINTS,
    body=ChangedEndpoint,
    answers={200: EndpointBody},
    errors=["endpoint_not_found"],
    writes=True,
)
def update_endpoint(request: Call, endpoint_id: UUID) -> Response:
    """Its address, name and headers. All its hooks, and what waits, go to the new address."""
    endpoint, asked = _own_endpoint(request, endpoint_id), checked(ChangedEndpoint, request.data)
    _check_may_send(request, *Hook.objects.kept().filter(endpoint=endpoint))
    changed: dict[str, Any] = {"actor": request.user.actor} | asked
    return Response(EndpointBody(hooking.change_endpoint(endpoint, **changed)).data)


@operation("Remove an endpoint", tag=ENDPOINTS, answers={204: None}, errors=["endpoint_not_found"], writes=True)
def remove_endpoint(request: Call, endpoint_id: UUID) -> Response:
    """With all its hooks. What still waited is never sent."""
    hooking.remove(_own_endpoint(request, endpoint_id), actor=request.user.actor)
    return Response(status=204)


@operation(
    "Rotate an endpoint's secret",
    tag=ENDPOINTS,
    body=HookRotation,
    answers={200: Rotated},
    errors=["endpoint_not_found"],
    writes=True,
)
def rotate_secret(request: Call, endpoint_id: UUID) -> Response:
    """A new secret, shown this once. For the overlap, messages carry the signatures of both. At most three sign."""
    endpoint = _own_endpoint(request, endpoint_id)
    overlap = timedelta(seconds=checked(HookRotation, request.data)["overlap_seconds"])
    return Response({"secret": hooking.rotate(endpoint, overlap=overlap, actor=request.user.actor)})


@operation(
    "Pause an endpoint",
    tag=ENDPOINTS,
    answers={200: EndpointBody},
    errors=["endpoint_not_found"],
    writes=True,
)
def pause_endpoint(request: Call, endpoint_id: UUID) -> Response:
    """Nothing is sent there until it is resumed. What happens meanwhile is kept, and counted."""
    endpoint = _own_endpoint(request, endpoint_id)
    hooking.pause(endpoint, actor=request.user.actor)
    return Response(EndpointBody(_endpoint(request, endpoint_id)).data)


@operation(
    "Resume an endpoint",
    tag=ENDPOINTS,
    body=Choice,
    answers={200: Resumed},
    errors=["endpoint_not_found"],
    writes=True,
)
def resume_endpoint(request: Call, endpoint_id: UUID) -> Response:
    """One that was paused or disabled is sent to again; say what becomes of what was held. `waiting` says how many."""
    endpoint = _own_endpoint(request, endpoint_id)
    choice = checked(Choice, request.data)["choice"]
    return Response({"sent": hooking.resume(endpoint, choice=choice, actor=request.user.actor)})
