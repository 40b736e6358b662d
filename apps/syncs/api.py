"""What an integration can be made to do: syncs with their runs, actions; and its end (pack.cloud: contracts 4.1)."""

from typing import Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from django.urls import reverse
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.response import Response

from apps.api.bodies import Strict, checked
from apps.api.errors import Problem
from apps.api.idempotency import once
from apps.api.paging import LINKED_QUERY, linked_page
from apps.api.policy import PEOPLE
from apps.api.principals import Call
from apps.api.routes import operation
from apps.integrations import standing
from apps.integrations.models import Integration
from apps.integrations.org_api import FieldBody, Moment, integration_of
from apps.integrations.standing import Standing
from apps.shops import deleting

from . import acting, queueing
from .models import SyncFailure, SyncRun
from .offering import SYNCS

TAG, SYNCING = "Integrations", "Syncs"
MOST_RUNS = 100  # named in one answer
MOST_FAILURES = 100
WHAT = OpenApiParameter("what", str, OpenApiParameter.PATH, enum=list(SYNCS))


class RunBody(serializers.Serializer):
    """`total` is null while it is not known. `error` is a stable code, empty when nothing is wrong."""

    id = serializers.UUIDField()
    integration_id = serializers.UUIDField()
    shop_id = serializers.UUIDField()
    sync = serializers.ChoiceField(choices=SyncRun.Kind.values, source="kind")
    state = serializers.ChoiceField(choices=SyncRun.State.choices)
    done = serializers.IntegerField()
    total = serializers.IntegerField(allow_null=True)
    created_count = serializers.IntegerField()
    updated_count = serializers.IntegerField()
    removed_count = serializers.IntegerField()
    failed_count = serializers.IntegerField()
    error = serializers.CharField()
    created_at = Moment()
    started_at = Moment(allow_null=True)
    finished_at = Moment(allow_null=True)


class FailureBody(serializers.Serializer):
    """An item that could not be brought in: its own name at the platform, and a code that says why."""

    ref = serializers.CharField()
    code = serializers.CharField()


class RunWithFailures(RunBody):
    """With the first 100 items that failed."""

    failures = FailureBody(many=True)

    def to_representation(self, instance: SyncRun) -> dict[str, Any]:
        failed = SyncFailure.objects.filter(run=instance)[:MOST_FAILURES]
        return RunBody(instance).data | {"failures": FailureBody(failed, many=True).data}


class RunPage(serializers.Serializer):
    data = RunBody(many=True)  # type: ignore[assignment]
    prev = serializers.URLField(allow_null=True)
    next = serializers.URLField(allow_null=True)
    per_page = serializers.IntegerField()


class Runs(serializers.Serializer):
    """The first 100 of them."""

    runs = RunBody(many=True)


class ActionBody(serializers.Serializer):
    code = serializers.CharField()
    name = serializers.CharField()
    description = serializers.CharField()
    fields = FieldBody(many=True)  # type: ignore[assignment]


class Actions(serializers.Serializer):
    """With how the integration is doing, and why."""

    data = ActionBody(many=True)  # type: ignore[assignment]
    state = serializers.ChoiceField(choices=Standing.choices)
    state_reason = serializers.CharField()


class Performance(Strict):
    """Values of the action's fields, by key."""

    fields = serializers.DictField(required=False)  # type: ignore[assignment]


class OutcomeBody(serializers.Serializer):
    """`detail` is for people. `result` is what the action brought, in a shape of its own."""

    ok = serializers.BooleanField()
    detail = serializers.CharField()
    result = serializers.DictField()


def _run(run: SyncRun) -> dict[str, Any]:
    return RunBody(run).data


def _address(name: str, integration: Integration, **more: Any) -> str:
    ids = {"organization_id": integration.organization_id, "integration_id": integration.pk}
    return reverse(f"api:{name}", kwargs=ids | more)


@operation("Delete an integration", tag=TAG, answers={204: None}, writes=True)
def delete_integration(request: Call, organization_id: UUID, integration_id: UUID) -> Response:
    """Its stores are disconnected, its keys and tokens are void at once. What came in stays."""
    deleting.delete(integration_of(request, organization_id, integration_id), actor=request.user.actor)
    return Response(status=204)


@operation(
    "Ask for a sync",
    tag=SYNCING,
    answers={202: Runs},
    query=[WHAT],
    errors=["sync_not_supported", "integration_not_connected"],
    writes=True,
)
def sync_integration(request: Call, organization_id: UUID, integration_id: UUID, what: str) -> Response:
    """Answers at once; the work is done in the background, one run for each store. A run that waits is not doubled."""
    integration = integration_of(request, organization_id, integration_id)
    if what not in SYNCS:
        raise Problem("not_found")
    runs = queueing.ask(integration, what, by=request.user.user)
    one = {"run_id": runs[0].pk} if len(runs) == 1 else {}
    address = _address("integration-run" if one else "integration-runs", integration, **one)
    location = {"Location": request.build_absolute_uri(address)}
    return Response({"runs": [_run(run) for run in runs[:MOST_RUNS]]}, status=202, headers=location)


@operation("List sync runs", tag=SYNCING, answers={200: RunPage}, query=LINKED_QUERY)
def list_runs(request: Call, organization_id: UUID, integration_id: UUID) -> Response:
    """Newest first. Those that ended are kept for 30 days."""
    integration = integration_of(request, organization_id, integration_id)
    return linked_page(request, SyncRun.objects.filter(integration=integration).newest_first(), shape=_run)


@operation("Read a sync run", tag=SYNCING, answers={200: RunWithFailures})
def read_run(request: Call, organization_id: UUID, integration_id: UUID, run_id: UUID) -> Response:
    """How far it is, how it ended, and which items failed."""
    integration = integration_of(request, organization_id, integration_id)
    run = get_object_or_404(SyncRun, integration=integration, pk=run_id)
    return Response(RunWithFailures(run).data)


@operation("List actions", tag=TAG, answers={200: Actions})
def list_actions(request: Call, organization_id: UUID, integration_id: UUID) -> Response:
    """What can be done with this integration, and what each action asks for."""
    integration = integration_of(request, organization_id, integration_id)
    data, stands = ActionBody(acting.offered(integration), many=True).data, standing.of(integration)
    return Response({"data": data, "state": stands.standing, "state_reason": stands.reason})


@operation(
    "Execute an action",
    tag=TAG,
    body=Performance,
    answers={200: OutcomeBody},
    errors=["unknown_action", "sync_not_supported", "integration_not_connected"],
    writes=True,
    once=False,
)
def perform_action(request: Call, organization_id: UUID, integration_id: UUID, code: str) -> Response:
    """`disable` and `enable` are for a person's key. `test-connection` asks the platform each time it is called."""
    integration = integration_of(request, organization_id, integration_id)
    action, principal = acting.action_of(integration, code), request.user
    if action.for_people and principal.kind not in PEOPLE:
        raise Problem("forbidden", "This takes a person's key.")
    values = checked(Performance, request.data).get("fields", {})

    def work() -> Response:
        outcome = acting.perform(integration, code, values=values, actor=principal.actor, by=principal.user)
        return Response(OutcomeBody(outcome).data)

    return work() if action.calls_out else once(request, work)
