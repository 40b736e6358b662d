"""Whoever may see something, by whatever credential, and what the audiences say of the same thing."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from django.db import connection
from django.test import RequestFactory
from rest_framework.request import Request

from apps.accounts.models import Organization
from apps.api.principals import Principal
from apps.integrations.models import Integration
from apps.shops.models import Shop
from apps.shops.principals import MachineAuthentication
from apps.webhooks.audiences import AUDIENCES
from tests.catalog.partners import open_shop
from tests.factories import make_custom_integration, make_key, make_organization, make_partner_integration, make_shop


@dataclass(frozen=True)
class World:
    """One organization with a partner's two shops, a store of another's, a warehouse, and somebody who sees all."""

    organization: Organization
    first: Shop
    second: Shop
    store: Shop
    wms: Integration
    principals: dict[str, Principal]


def make_world() -> World:
    """`principals` are also two strangers."""
    ours = make_organization()
    partner, wms = make_partner_integration(organization=ours), make_custom_integration(organization=ours)
    (first, token), (second, other_token) = open_shop(partner), open_shop(partner)
    keys = {
        "partner": partner,
        "wms": wms,
        "other wms": make_custom_integration(organization=ours),
        "wide": make_custom_integration(organization=ours, org_wide_access=True),
        "stranger": make_custom_integration(),
        "strange wide": make_custom_integration(org_wide_access=True),
    }
    tokens = {"first": token, "second": other_token} | {name: make_key(integration=one) for name, one in keys.items()}
    store = make_shop(integration=make_custom_integration(organization=ours, category="shop"))
    return World(ours, first, second, store, wms, {name: principal(one) for name, one in tokens.items()})


def principal(token: str) -> Principal:
    """Who speaks with this key or token."""
    call = Request(RequestFactory().get("/", headers={"Authorization": f"Bearer {token}"}))
    found = MachineAuthentication().authenticate(call)
    assert found
    return found[0]


HAPPENED = """
WITH happened AS MATERIALIZED (
    SELECT event_id, %s AS entity, entity_id, NULL::jsonb AS data
    FROM unnest(%s::bigint[], %s::text[]) AS one (event_id, entity_id)
)
"""


def audience(entity: str, ids: Iterable[Any]) -> dict[str, set[tuple[Any, Any]]]:
    """By the entity's id: the shops and integrations whose it is."""
    found: dict[str, set[tuple[Any, Any]]] = {str(pk): set() for pk in ids}
    numbered = dict(enumerate(found, start=1))
    with connection.cursor() as cursor:
        cursor.execute(HAPPENED + AUDIENCES[entity], [entity, list(numbered), list(numbered.values())])
        for event, shop, integration in cursor.fetchall():
            found[numbered[event]].add((shop, integration))
    return found


def hears(who: Principal, heard: set[tuple[Any, Any]], *, of: Any) -> bool:
    """Whether a hook of theirs is told: of a shop's token by its shop, else by its integration."""
    if who.organization != of.organization:
        return False
    if who.sees_all:
        return True
    own = who.shop.pk if who.shop else who.integration.pk
    return own in {shop if who.shop else integration for shop, integration in heard}


def compare(entity: str, rows: Any, principals: dict[str, Principal]) -> dict[str, set[str]]:
    """What each principal may see of these, by its name; the audience says the same of all of them."""
    everything = list(rows)
    heard = audience(entity, (row.pk for row in everything))
    said, seen = {}, {}
    for name, who in principals.items():
        mine = set(type(everything[0]).objects.for_principal(SimpleNamespace(user=who)).values_list("pk", flat=True))
        said[name] = {str(row) for row in everything if hears(who, heard[str(row.pk)], of=row)}
        seen[name] = {str(row) for row in everything if row.pk in mine}
    assert said == seen
    return seen


def fits(value: Any, schema: dict[str, Any], at: str = "data") -> list[str]:
    """Where a value is not what a schema of ours says; a small part of JSON Schema, all that ours use."""
    if "const" in schema:
        return [] if value == schema["const"] else [f"{at}: {value!r}"]
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    if value is None and "null" in kinds:
        return []
    kind = next(kind for kind in kinds if kind != "null")
    if not isinstance(value, KINDS[kind]) or (isinstance(value, bool) and kind != "boolean"):
        return [f"{at}: {value!r} is no {kind}"]
    return [*_limits(value, schema, at), *_parts(value, schema, at)]


KINDS: dict[str, Any] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
}


def _limits(value: Any, schema: dict[str, Any], at: str) -> list[str]:
    wrong = "enum" in schema and value not in schema["enum"]
    wrong = wrong or ("minimum" in schema and value < schema["minimum"])
    wrong = wrong or ("pattern" in schema and not re.search(schema["pattern"], value))
    wrong = wrong or (schema.get("format") == "uuid" and not ID.fullmatch(value))
    wrong = wrong or (schema.get("format") == "date-time" and not MOMENT.fullmatch(value))
    return [f"{at}: {value!r}"] if wrong else []


ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def _parts(value: Any, schema: dict[str, Any], at: str) -> list[str]:
    if isinstance(value, list):
        return [wrong for n, item in enumerate(value) for wrong in fits(item, schema["items"], f"{at}[{n}]")]
    if not isinstance(value, dict):
        return []
    found = [f"{at}.{name} is missing" for name in schema["required"] if name not in value]
    found += [f"{at}.{name} is not in the schema" for name in value if name not in schema["properties"]]
    named = {name: value[name] for name in schema["properties"] if name in value}
    return found + [
        wrong for name, one in named.items() for wrong in fits(one, schema["properties"][name], f"{at}.{name}")
    ]
