"""What can be done with an integration: the actions it offers, and doing one (behaviour 38).

Pages, the API and the admin offer the same ones and call the same function.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.accounts.models import User
from apps.api.errors import Problem
from apps.api.limits import Rate, spend, usage_of
from apps.audit.trail import Actor, record
from apps.integrations import exporting, switching
from apps.integrations.connectors import UnknownConnector
from apps.integrations.connectors.base import CallsUs, ConnectorError, ListsOrganization
from apps.integrations.fields import Field, check_definition, check_required, check_values
from apps.integrations.models import ApiKey, Application, Integration
from apps.integrations.sessions import call
from apps.shops.models import Connection

from . import queueing, sentences
from .offering import can_compare, supported, switched_on

TESTS = Rate(6 / 60, 6)  # of one integration: a platform that is slow to answer keeps one of our threads waiting


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an action. `detail` is a sentence; `result` is what it brought, of a shape of its own."""

    ok: bool
    detail: str
    result: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Asked:
    """An action on its way: for which integration, with which values of its fields, on whose behalf."""

    integration: Integration
    values: Mapping[str, Any]
    actor: Actor
    by: User | None


@dataclass(frozen=True, slots=True)
class Action:
    """`suits` says whether an integration offers it. `calls_out`: it asks the platform, so no transaction may be open.

    `for_people`: no program may do it to itself or to others. `leaves_trace`: its work writes its own audit entry.
    """

    code: str
    name: Promise
    description: Promise
    work: Callable[[Asked], Outcome]
    suits: Callable[[Integration], bool]
    fields: tuple[Field, ...] = ()
    calls_out: bool = False
    for_people: bool = False
    leaves_trace: bool = False


def offered(integration: Integration) -> list[Action]:
    """The actions of this integration, whatever state it is in."""
    return [action for action in ACTIONS if action.suits(integration)]


def action_of(integration: Integration, code: str) -> Action:
    """Raises Problem unknown_action for one that it does not offer."""
    for action in offered(integration):
        if action.code == code:
            return action
    raise Problem("unknown_action", _("It offers: %(codes)s.") % {"codes": ", ".join(_codes(integration))})


def is_offered(integration: Integration, code: str) -> bool:
    return code in _codes(integration)


def _codes(integration: Integration) -> list[str]:
    return [action.code for action in offered(integration)]


def perform(integration: Integration, code: str, *, values: Any, actor: Actor, by: User | None) -> Outcome:
    """Do it. An action that `calls_out` must not be inside a transaction.

    Raises Problem: unknown_action, validation_error (its fields), and whatever stands in its way (409).
    """
    action = action_of(integration, code)
    checked = check_values(action.fields, values, attribute="fields")
    check_required(action.fields, checked, attribute="fields")
    asked = Asked(integration, checked, actor, by)
    if action.calls_out:
        return _traced(action, asked)
    with transaction.atomic():
        return _traced(action, asked)


def _traced(action: Action, asked: Asked) -> Outcome:
    outcome = action.work(asked)
    if not action.leaves_trace:
        record(asked.actor, f"integration.{action.code}", on=asked.integration, after={"ok": outcome.ok})
    return outcome


def _test(asked: Asked) -> Outcome:
    """Ask the platform whose account it is; of a partner, who calls us, say when it last did.

    Raises Problem rate_limited.
    """
    integration = asked.integration
    if integration.is_disabled:
        return Outcome(False, _("It is disabled."), {"error": "integration_disabled"})
    if _calls_us(integration):
        return _last_call(integration)
    if integration.state == Integration.State.NOT_CONFIGURED:
        return Outcome(False, _("Nobody has given it permission yet."), {"error": "integration_not_connected"})
    spend(f"test:{integration.pk}", rate=TESTS)
    platform = integration.kind.name
    try:
        account = call(integration, lambda client: client.organization())
    except ConnectorError as error:
        said = str(sentences.RUN.get(error.code, sentences.OTHER_CALL))
        return Outcome(False, said % {"platform": platform, "portal": settings.PORTAL_NAME}, {"error": error.code})
    words = {"platform": platform, "account": account.name}
    return Outcome(True, _("%(platform)s answers, for the account %(account)s.") % words, {"account": account.name})


def _last_call(integration: Integration) -> Outcome:
    keys = [key.usage_key for key in ApiKey.objects.filter(integration=integration)]
    used = usage_of([f"integration:{integration.pk}", *keys]).values()
    last = max((usage.last_at for usage in used), default=None)
    if last is None:
        return Outcome(False, _("It has not called us yet."), {"last_call_at": None})
    return Outcome(True, _("It last called us at %(time)s.") % {"time": last.isoformat()}, {"last_call_at": last})


def _sync(asked: Asked) -> Outcome:
    codes = switched_on(asked.integration)
    runs = [run for code in codes for run in queueing.ask(asked.integration, code, by=asked.by)]
    return Outcome(True, _("Syncs asked for: %(n)d.") % {"n": len(runs)}, {"runs": [run.pk for run in runs]})


def _compare(asked: Asked) -> Outcome:
    runs = queueing.owe_comparisons(Connection.objects.filter(integration=asked.integration), by=asked.by)
    return Outcome(True, _("Comparisons asked for: %(n)d.") % {"n": len(runs)}, {"runs": [run.pk for run in runs]})


def _pause(asked: Asked) -> Outcome:
    paused = queueing.pause(Connection.objects.filter(integration=asked.integration))
    return Outcome(True, _("Stores paused: %(n)d.") % {"n": paused}, {"stores": paused})


def _resume(asked: Asked) -> Outcome:
    resumed = queueing.resume(Connection.objects.filter(integration=asked.integration))
    return Outcome(True, _("Stores resumed: %(n)d.") % {"n": resumed}, {"stores": resumed})


def _link(asked: Asked) -> Outcome:
    integration = asked.integration
    if integration.partner:
        return Outcome(True, _("Add your state and code_challenge."), {"links": [_consent_link(integration)]})
    held = Connection.objects.held_stores().filter(integration=integration).order_by("name", "pk")
    links = [_store_link(connection) for connection in held]
    if not links:
        links = [{"connection_id": None, "name": integration.name, "url": _absolute("connect")}]
    return Outcome(True, _("An owner or member of the organization has to open it and log in."), {"links": links})


def _store_link(connection: Connection) -> dict[str, Any]:
    return {"connection_id": connection.pk, "name": str(connection), "url": _absolute("reconnect", connection.pk)}


def _consent_link(integration: Integration) -> dict[str, Any]:
    application = Application.objects.get(connector=integration.partner_id)
    asked = {
        "response_type": "code",
        "client_id": application.client_id,
        "redirect_uri": application.redirect_uris,
        "scope": " ".join(integration.grants),
    }
    url = f"{_absolute('oauth-authorize')}?{urlencode(asked)}"
    return {"connection_id": None, "name": integration.name, "url": url}


def _absolute(name: str, *arguments: Any) -> str:
    return settings.PUBLIC_URL + reverse(name, args=arguments)


def _export(asked: Asked) -> Outcome:
    document = exporting.export(asked.integration)
    record(asked.actor, "configuration.export", on=asked.integration)
    return Outcome(True, _("It holds no secret."), {"configuration": document})


def _disable(asked: Asked) -> Outcome:
    switching.disable(asked.integration, actor=asked.actor, reason=asked.values.get("reason") or "")
    return Outcome(True, _("It is disabled."), {"state": asked.integration.state})


def _enable(asked: Asked) -> Outcome:
    enabled = switching.enable(asked.integration, actor=asked.actor)
    detail = _("It is enabled again.") if enabled else _("It was not disabled.")
    return Outcome(True, detail, {"state": asked.integration.state})


def _is_there(integration: Integration) -> bool:
    """Whether its connector is: the operator may have removed it."""
    try:
        return bool(integration.kind)
    except UnknownConnector:
        return False


def _calls_us(integration: Integration) -> bool:
    return isinstance(integration.kind.auth, CallsUs)


def _can_be_tested(integration: Integration) -> bool:
    return _is_there(integration) and (_calls_us(integration) or integration.kind.can(ListsOrganization))


def _can_be_authorized(integration: Integration) -> bool:
    """By somebody logging in: at the platform, or here, to let a registered application in. A custom one has keys."""
    return _is_there(integration) and not (integration.partner and integration.partner.is_custom)


def _always(integration: Integration) -> bool:
    return True


REASON = check_definition([{"key": "reason", "title": "Why, for whoever asks", "type": "text"}])
ACTIONS = (
    Action(
        "test-connection",
        gettext_lazy("Test the connection"),
        gettext_lazy("Asks the platform whether it still lets us in; of a partner, when it last called us."),
        _test,
        suits=_can_be_tested,
        calls_out=True,
    ),
    Action(
        "sync-now",
        gettext_lazy("Sync now"),
        gettext_lazy("Reads everything again that this integration can sync, in the background."),
        _sync,
        suits=lambda integration: bool(supported(integration)),
    ),
    Action(
        "compare-stock",
        gettext_lazy("Compare stock"),
        gettext_lazy("Asks the other side for its stock, and notes where it differs from ours."),
        _compare,
        suits=can_compare,
    ),
    Action(
        "pause",
        gettext_lazy("Pause"),
        gettext_lazy("Nothing is read from its stores until they are resumed."),
        _pause,
        suits=lambda integration: bool(supported(integration)),
    ),
    Action(
        "resume",
        gettext_lazy("Resume"),
        gettext_lazy("Its paused stores go on, beginning with a sync."),
        _resume,
        suits=lambda integration: bool(supported(integration)),
    ),
    Action(
        "reconnect-link",
        gettext_lazy("Link to reconnect"),
        gettext_lazy("Addresses for a person to open, log in, and give permission anew."),
        _link,
        suits=_can_be_authorized,
    ),
    Action(
        "export-configuration",
        gettext_lazy("Export the configuration"),
        gettext_lazy("Its settings and flags, without secrets."),
        _export,
        suits=_is_there,
        leaves_trace=True,
    ),
    Action(
        "disable",
        gettext_lazy("Disable"),
        gettext_lazy("Its calls are refused and its syncs held until it is enabled. Nothing is lost."),
        _disable,
        suits=_always,
        fields=tuple(REASON),
        for_people=True,
        leaves_trace=True,
    ),
    Action(
        "enable",
        gettext_lazy("Enable"),
        gettext_lazy("Everything goes on as it was before it was disabled."),
        _enable,
        suits=_always,
        for_people=True,
        leaves_trace=True,
    ),
)
