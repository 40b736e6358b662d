"""Where other systems send their webhooks."""

from collections.abc import Callable, Mapping

from django.core.exceptions import RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from apps.api.bodies import lacks_length
from apps.api.errors import Problem
from apps.integrations.connectors.base import BadSignature

from . import receiving
from .inboxes import Unreadable


@csrf_exempt
@require_POST
def receive(request: HttpRequest, token: str) -> HttpResponse:
    """To the inbox of one integration: 200 once it is stored, also when it had come before."""

    def take_in() -> bool:
        inbox = receiving.find_inbox(token)
        if inbox:
            receiving.receive(inbox, headers=request.headers, body=request.body)
        return inbox is not None

    return _problem_with(request, take_in) or JsonResponse({"received": True})


@csrf_exempt
@require_POST
def receive_from(request: HttpRequest, connector: str) -> HttpResponse:
    """From a sender that has one address for all stores: 200 with an empty body, as contracts 3.5 wants it.

    404 unknown_shop for a store that nobody has connected.
    """

    def take_in() -> bool:
        sender = receiving.find_sender(connector)
        if sender:
            receiving.receive_from(sender, headers=request.headers, body=request.body)
        return sender is not None

    return _problem_with(request, take_in) or HttpResponse()


def _problem_with(request: HttpRequest, take_in: Callable[[], bool]) -> JsonResponse | None:
    """None when it is stored, so that nobody need send it again.

    401 for a signature that does not hold, 400 for what was signed and says nothing, 404 for an address we gave nobody,
    411 for a body of no stated length, 413 above DATA_UPLOAD_MAX_MEMORY_SIZE; and, to be sent again, 429 for too many
    and 503 while nothing can be stored.
    """
    if lacks_length(request):
        return _problem(411, "length_required", Problem("length_required").title)
    try:
        if not take_in():
            return _problem(404, "not_found", "Nothing is received here.")
    except receiving.UnknownShop:
        return _problem(404, "unknown_shop", "No store is connected here under this id.")
    except RequestDataTooBig:
        return _problem(413, "too_large", "The message is too large.")
    except UnreadablePostError:
        return _problem(400, "broken_off", "The message broke off.")
    except BadSignature:
        return _problem(401, "bad_signature", "The signature does not hold.")
    except Unreadable as refused:
        return _problem(400, "unreadable", str(refused))
    except Problem as problem:
        return _problem(problem.status, problem.code, "Too many messages. Please send it again.", problem.headers)
    except (OperationalError, InterfaceError):
        return _problem(503, "try_again", "It could not be stored. Please send it again.", {"Retry-After": "5"})
    return None


def _problem(status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> JsonResponse:
    return JsonResponse({"code": code, "message": message}, status=status, headers=headers)
