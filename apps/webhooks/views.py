"""Where other systems send their webhooks."""

from django.core.exceptions import RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, JsonResponse, UnreadablePostError
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from apps.integrations.connectors.base import BadSignature

from . import receiving


@csrf_exempt
@require_POST
def receive(request: HttpRequest, token: str) -> JsonResponse:
    """200 once it is stored, also when it had come before; then nobody need send it again.

    401 for a signature that does not hold, 404 for an address we gave nobody, 413 above
    DATA_UPLOAD_MAX_MEMORY_SIZE, and 503, to be sent again, while nothing can be stored.
    """
    try:
        inbox = receiving.find_inbox(token)
        if inbox is None:
            return _problem(404, "not_found", "Nothing is received here.")
        receiving.receive(inbox, headers=request.headers, body=request.body)
    except RequestDataTooBig:
        return _problem(413, "too_large", "The message is too large.")
    except UnreadablePostError:
        return _problem(400, "broken_off", "The message broke off.")
    except BadSignature:
        return _problem(401, "bad_signature", "The signature does not hold.")
    except (OperationalError, InterfaceError):
        return _problem(503, "try_again", "It could not be stored. Please send it again.")
    return JsonResponse({"received": True})


def _problem(status: int, code: str, message: str) -> JsonResponse:
    return JsonResponse({"code": code, "message": message}, status=status)
