"""The API's description: an OpenAPI 3.1 document of every operation, with who may call it as the policy says."""

import hashlib
from collections.abc import Iterator
from functools import cache
from typing import Any

from django.conf import settings
from django.urls import URLResolver, get_resolver
from django.utils import translation
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.renderers import OpenApiJsonRenderer

from .grants import CONSENTED, ITSELF
from .policy import POLICY, Rule
from .principals import Kind

# How each kind of caller sends its credential, by the names of the schemes below.
SENT = {
    Kind.APPLICATION: ("basic", "oauth2"),
    Kind.TOKEN: ("oauth2", "bearer"),
    Kind.KEY: ("key", "bearer"),
    Kind.CONNECTOR_KEY: ("key", "bearer"),
    Kind.USER_KEY: ("key", "bearer"),
}
WORDS = {
    Kind.APPLICATION: "an application with its client credentials",
    Kind.TOKEN: "an OAuth token",
    Kind.KEY: "an integration key",
    Kind.CONNECTOR_KEY: "a connector key",
    Kind.USER_KEY: "a user key",
}


class Description(AutoSchema):
    """One operation."""

    @property
    def rule(self) -> Rule:
        return POLICY[route_of(type(self.view)), self.method]

    def get_operation_id(self) -> str:
        return f"{route_of(type(self.view))}-{self.method}".lower().replace("-", "_")

    def get_description(self) -> str:  # type: ignore[override]
        return "\n\n".join(filter(None, [super().get_description(), _callers(self.rule)]))

    def get_extensions(self) -> dict[str, Any]:
        grant = {"x-grant": self.rule.grant} if self.rule.grant else {}
        return super().get_extensions() | grant

    def _map_serializer_field(self, field: Any, direction: str, bypass_extensions: bool = False) -> dict[str, Any]:
        """Anything at all may be null, too: drf-spectacular says "one of anything and null", which null never is."""
        found = super()._map_serializer_field(field, direction, bypass_extensions)
        return {name: said for name, said in found.items() if (name, said) != ("oneOf", [{}, {"type": "null"}])}


def _callers(rule: Rule) -> str:
    if rule.is_open:
        return "Anybody may call this."
    needs = f" with the grant `{rule.grant}`" if rule.grant else ""
    return f"For {', '.join(WORDS[kind] for kind in Kind if kind in rule.kinds)}{needs}."


class Credentials(OpenApiAuthenticationExtension):
    """How callers show who they are."""

    target_class = "apps.shops.principals.MachineAuthentication"
    name = ["bearer", "key", "basic", "oauth2"]

    def get_security_definition(self, auto_schema: Any) -> list[dict[str, Any]]:
        return [
            {"type": "http", "scheme": "bearer", "description": "An OAuth access token, or a key."},
            {"type": "apiKey", "in": "header", "name": "X-Api-Key", "description": "A key. X-Pipe17-Key is the same."},
            {"type": "http", "scheme": "basic", "description": "An application's client id and client secret."},
            {"type": "oauth2", "flows": _flows()},
        ]

    def get_security_requirement(self, auto_schema: Any) -> list[dict[str, list[str]]]:
        rule: Rule = auto_schema.rule
        schemes = dict.fromkeys(scheme for kind in Kind if kind in rule.kinds for scheme in SENT[kind])
        return [{scheme: [rule.grant] if scheme == "oauth2" and rule.grant else []} for scheme in schemes]


def _flows() -> dict[str, Any]:
    at = f"{settings.PUBLIC_URL}/oauth"
    token = {"tokenUrl": f"{at}/token"}
    consented = {"authorizationUrl": f"{at}/authorize", "refreshUrl": f"{at}/token", "scopes": _worded(CONSENTED)}
    return {"authorizationCode": token | consented, "clientCredentials": token | {"scopes": _worded(ITSELF)}}


def _worded(grants: dict[str, Any]) -> dict[str, str]:
    return {grant: str(words) for grant, words in grants.items()}


def route_of(view: type) -> str:
    """The name of the address that these operations are the methods of."""
    return next(name for cls, name in _views(get_resolver()) if cls is view)


def _views(found: URLResolver) -> Iterator[tuple[type, str]]:
    for inner in found.url_patterns:
        if isinstance(inner, URLResolver):
            yield from _views(inner)
        elif cls := getattr(inner.callback, "cls", None):
            yield cls, inner.name or ""


@cache
def document() -> tuple[bytes, str]:
    """The whole description as JSON, in English, and its ETag. Made once in each process."""
    with translation.override("en"):
        text = OpenApiJsonRenderer().render(SchemaGenerator().get_schema(request=None, public=True))
    return text, f'"{hashlib.sha256(text).hexdigest()[:32]}"'
