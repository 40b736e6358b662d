"""`/api/v1/hooks`: one hook per event and shop (contracts 1.8). A hook's address must answer when it is given."""

from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse

from apps.sandbox.errors import Refused
from apps.sandbox.pio.bodies import HookForm, accepted
from apps.sandbox.pio.models import Hook
from apps.sandbox.pio.sending import answers


def page(request: HttpRequest) -> HttpResponse:
    """All hooks of the shop, of which there are few."""
    hooks = Hook.objects.filter(shop=request.token.shop_id).order_by("pk")
    return JsonResponse({"data": [shown(hook) for hook in hooks], "next": None})


def add(request: HttpRequest) -> HttpResponse:
    return saved(Hook(shop=request.token.shop), accepted(HookForm, request))


def read(request: HttpRequest, *, hook_id: int) -> HttpResponse:
    return JsonResponse(shown(own_hook(request, hook_id)))


def change(request: HttpRequest, *, hook_id: int) -> HttpResponse:
    """Change the given fields only; what waits goes to the new address."""
    hook = own_hook(request, hook_id)
    before = {"event_type": hook.event_type, "target_url": hook.target_url}
    return saved(hook, accepted(HookForm, request, over=before))


def remove(request: HttpRequest, *, hook_id: int) -> HttpResponse:
    """204, and nothing that waits is sent any more."""
    own_hook(request, hook_id).delete()
    return HttpResponse(status=204)


def own_hook(request: HttpRequest, hook_id: int) -> Hook:
    """Raises Refused (404) unless it is the calling shop's."""
    hook = Hook.objects.filter(pk=hook_id, shop=request.token.shop_id).first()
    if hook is None:
        raise Refused(404, "There is no such hook in this shop", code="hook_not_found")
    return hook


def saved(hook: Hook, given: dict) -> HttpResponse:
    """Save the hook as given. Raises Refused: 400 for a second hook of an event, 422 for an address that is dead."""
    hook.event_type, hook.target_url = given["event_type"], given["target_url"]
    if not answers(hook.target_url):
        problem = {"target_url": "does not answer"}
        raise Refused(422, "Nothing answers at target_url", code="target_url_unreachable", details=problem)
    with transaction.atomic():
        if Hook.objects.filter(shop=hook.shop, event_type=hook.event_type).exclude(pk=hook.pk).exists():
            raise Refused(400, "This shop has a hook for that event already", code="hook_already_exists")
        hook.save()
    return JsonResponse(shown(hook))


def shown(hook: Hook) -> dict:
    return {"id": hook.pk, "event_type": hook.event_type, "target_url": hook.target_url}
