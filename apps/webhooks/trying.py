"""Trying a hook before anything depends on it: a sample sent now, and a filter on what has happened lately."""

import json
import secrets
import time
from collections.abc import Sequence
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _

from apps.api import limits
from apps.api.errors import Problem
from apps.audit.trail import Actor, record

from . import filtering
from .asking import Owner, published_as
from .audiences import AUDIENCES, DESCRIPTIONS
from .catalogue import body_of, sample_of
from .envelopes import signed, unsaid
from .models import Endpoint, Event
from .outcomes import SECONDS, error_of
from .sending import Answer, post_now
from .serving import Facts, facts_of

TESTS = limits.Rate(10 / 60, 10)  # of one endpoint
MOST = 50  # events that a filter is tried on
SEARCHED = 20  # times as many are looked through for those that their owner may know of


def test(endpoint: Endpoint, *, event: str, actor: Actor) -> Answer:
    """Send a sample of this event there now, signed as any message is. It is no delivery, and in no log of them.

    Not for use in a transaction: somebody else's server takes its time. Raises Problem: validation_error, rate_limited,
    conflict when what it is signed with cannot be opened.
    """
    published = published_as(event)
    limits.spend(f"test:{endpoint.pk}", rate=TESTS)
    facts, body = _facts(endpoint), body_of(published, sample_of(published))
    message, shop = f"test_{secrets.token_hex(8)}", endpoint.shop
    named = (str(shop.pk), shop.ext_shop_id) if shop else (None, None)
    headers = facts.headers | signed(facts, message, event=event, shop=named, body=body, now=time.time())
    answer = unsaid(
        post_now(facts.url, headers=headers, body=body, seconds=SECONDS[Endpoint.Format(facts.format)]), facts
    )
    told = {"event": event, "message": message, "status": answer.status, "error": error_of(answer)}
    record(actor, "endpoint.test", on=endpoint, after=told)
    return answer


def _facts(endpoint: Endpoint) -> Facts:
    if found := facts_of([endpoint.pk]).get(str(endpoint.pk)):
        return found
    raise Problem("conflict", _("Its secrets cannot be opened, so nothing is sent there. Please tell us."))


def preview(owner: Owner, *, event: str, filter: Any, most: int = MOST) -> list[Event]:
    """The last events that the owner may hear of under this name, newest first, with whether each `passes` the filter.

    Raises Problem: validation_error, insufficient_scope.
    """
    published = published_as(event)
    owner.check_may_hear(published)
    conditions = filtering.parse(filter, published=published)
    found = _lately(owner, entity=published.entity, source=published.source, most=most)
    describe = DESCRIPTIONS.get(published.entity)
    said = describe({one.entity_id for one in found}) if describe and found else {}
    for one in found:
        one.data = json.loads(json.dumps(said.get(one.entity_id, {}), default=str)) | (one.data or {})
        one.passes = filtering.passes(conditions, one.data)  # type: ignore[attr-defined]
    return found


def _lately(owner: Owner, *, entity: str, source: str, most: int) -> list[Event]:
    ids = _ids(LATELY, owner, source, most) if owner.hears_all else _heard(owner, entity, source, most)
    return list(Event.objects.filter(organization=owner.organization, pk__in=ids).order_by("-pk"))


def _heard(owner: Owner, entity: str, source: str, most: int) -> Sequence[int]:
    """Those of the last ones whose audience the owner is among."""
    if entity not in AUDIENCES:
        return []
    column, one = ("shop_id", owner.shop) if owner.shop else ("integration_id", owner.integration)
    heard = HEARD.format(lately=LATELY, audience=AUDIENCES[entity], column=column)
    assert one is not None  # else it hears all
    return _ids(heard, owner, source, most * SEARCHED, one.pk, most)


def _ids(sql: str, owner: Owner, *values: Any) -> Sequence[int]:
    with connection.cursor() as cursor:
        cursor.execute(sql, [owner.organization.pk, *values])
        return [row[0] for row in cursor.fetchall()]


LATELY = """
SELECT id AS event_id, entity, entity_id, data FROM webhooks_event
WHERE organization_id = %s AND type = %s ORDER BY id DESC LIMIT %s
"""
HEARD = """
WITH happened AS MATERIALIZED ({lately}), heard (event_id, shop_id, integration_id) AS ({audience})
SELECT DISTINCT event_id FROM heard WHERE {column} = %s ORDER BY event_id DESC LIMIT %s
"""
