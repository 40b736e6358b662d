"""What a client needs to know of us, in one document (RFC 8414)."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from apps.api.grants import SCOPES

from ..validator import GRANT_TYPES

AUTHENTICATION = ["client_secret_basic", "client_secret_post"]
ENDPOINTS = {
    "authorization_endpoint": "oauth-authorize",
    "token_endpoint": "oauth-token",
    "revocation_endpoint": "oauth-revoke",
    "introspection_endpoint": "oauth-introspect",
}


@require_safe
def metadata(request: HttpRequest) -> JsonResponse:
    """The document. Anybody may read it, from any page."""
    return JsonResponse(document(), headers={"Access-Control-Allow-Origin": "*", "Cache-Control": "max-age=3600"})


def document() -> dict[str, Any]:
    addresses = {name: f"{settings.PUBLIC_URL}{reverse(route)}" for name, route in ENDPOINTS.items()}
    return addresses | {
        "issuer": settings.PUBLIC_URL,
        "scopes_supported": list(SCOPES),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": GRANT_TYPES,
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": AUTHENTICATION,
        "revocation_endpoint_auth_methods_supported": AUTHENTICATION,
        "introspection_endpoint_auth_methods_supported": AUTHENTICATION,
        "authorization_response_iss_parameter_supported": True,
        "service_documentation": f"{settings.PUBLIC_URL}/api/docs",
    }
