"""`/api/v1/integrations`: register, read and deactivate an integration (contracts 1.2; the paths are our guess)."""

import secrets

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from apps.sandbox.credentials import new_secret
from apps.sandbox.errors import Refused
from apps.sandbox.pio.bodies import IntegrationForm, accepted
from apps.sandbox.pio.calling import own_integration
from apps.sandbox.pio.ending import deactivate
from apps.sandbox.pio.models import Integration


@csrf_exempt
def register(request: HttpRequest) -> HttpResponse:
    """Anybody may register; the secret is answered once, here."""
    if request.method != "POST":
        raise Refused(405, "Method not allowed")
    given = accepted(IntegrationForm, request)
    made = Integration.objects.create(
        client_id=secrets.token_hex(16),
        client_secret=new_secret(),
        name=given["name"],
        email=given["email"],
        callback_urls=[given["callback_url"]],
    )
    return JsonResponse(shown(made) | {"client_secret": made.client_secret})


@csrf_exempt
def own(request: HttpRequest) -> HttpResponse:
    """The integration whose credentials are presented. DELETE deactivates it for good: 204."""
    integration = own_integration(request)
    if request.method == "DELETE":
        deactivate(integration)
        return HttpResponse(status=204)
    if request.method != "GET":
        raise Refused(405, "Method not allowed")
    return JsonResponse(shown(integration))


def shown(integration: Integration) -> dict:
    return {
        "client_id": integration.client_id,
        "name": integration.name,
        "email": integration.email,
        "callback_url": next(iter(integration.callback_urls), ""),
    }
