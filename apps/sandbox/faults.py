"""Faults: what goes wrong on order, once or until lifted.

A fault without `path` waits for the next resource call (`CALLS`); with one it waits for any request whose
path starts so, which is how the token endpoint, the pages and all of Pio (`/api/v1/`) are reached. Some kinds wait for
a call they can spoil: a page fault for a list, a consent fault for a decision. The `hook_` kinds wait for a delivery of
a hook, with a path for one of an event whose name starts so. Each use is counted once, however many threads ask.
"""

import socket
import time
from collections.abc import Callable

from django.db import transaction
from django.http import HttpRequest, HttpResponse

from apps.sandbox.errors import Refused, error
from apps.sandbox.models import Fault
from apps.sandbox.paths import CALLS, VENDOR_PATHS

KINDS = {
    "deny_consent": "The next decision on the consent page counts as a refusal.",
    "expire_token": "The access token that the next call presents dies: 401 now and from then on.",
    "unauthorized": "401 to a good token, which stays good.",
    "rate_limited": "429, with Retry-After when retry_after (seconds) is given.",
    "server_error": "500.",
    "slow": "Waits delay seconds, then answers as usual.",
    "cut_off_json": "200 and application/json, but the second half of the body is missing.",
    "lost_answer": "The next call that writes is done, and the connection dropped instead of its answer.",
    "html_page": "200 with a maintenance page in HTML.",
    "repeated_page": "A request for a following page gets the previous page again, with its offsetToken.",
    "short_page": "Half a page though more follows; its offsetToken is right.",
    "missing_pages": "The list ends early: a page with more to follow has no offsetToken.",
    "bad_item": "The middle item of a page lacks id, externalId and name.",
    "wrong_iss": "The redirect after consent carries another issuer (RFC 9207).",
    "wrong_state": "The redirect after consent carries another state.",
    "invalid_grant": "The token endpoint refuses a code or refresh token that is good, and leaves it good.",
    "missing_refresh": "The token answer leaves out the refresh token, where there would be one.",
    "hook_dropped": "The vendor never sends the next hook delivery.",
    "hook_late": "The vendor sends the next hook delivery delay seconds late.",
    "hook_shuffled": "The vendor holds the next hook delivery for a random time, delay seconds at most: order is lost.",
    "hook_duplicated": "The vendor sends the next hook delivery once more after it has arrived.",
    "hook_wrong_signature": "The next attempt at a hook delivery is signed with another secret.",
}
INSTEAD = ("unauthorized", "rate_limited", "server_error", "slow", "html_page")
MAINTENANCE = "<!doctype html><title>Maintenance</title><h1>We will be right back</h1>"


def failing(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: answers with the fault that waits for this request, or spoils the real answer."""

    def answer(request: HttpRequest) -> HttpResponse:
        if not request.path.startswith(VENDOR_PATHS):
            return get_response(request)
        request.faults = []
        # Most requests meet no fault: they look once, and every later question is answered from this.
        request.waiting_faults = list(Fault.objects.order_by("pk"))
        fault = take(request, *INSTEAD)
        return (fault and spoiled_answer(request, fault)) or lost(request, cut_off(request, get_response(request)))

    return answer


def spoiled_answer(request: HttpRequest, fault: Fault) -> HttpResponse | None:
    """The answer that takes the place of the real one; None when `slow` has waited long enough."""
    match fault.kind:
        case "unauthorized":
            return error(request, Refused(401, "Unauthorized"))
        case "rate_limited":
            response = error(request, Refused(429, "Too many requests"))
            if fault.retry_after is not None:
                response["Retry-After"] = str(fault.retry_after)
            return response
        case "server_error":
            return error(request, Refused(500, "Internal server error"))
        case "html_page":
            return HttpResponse(MAINTENANCE)
    time.sleep(fault.delay)
    return None


def cut_off(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """The response, or its first half when that fault waits. Only a JSON answer with a body can be cut."""
    is_json = response.headers.get("Content-Type") == "application/json" and response.status_code == 200
    if is_json and take(request, "cut_off_json"):
        response.content = response.content[: len(response.content) // 2]
    return response


def lost(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """The response, which nobody hears if that fault waits and the call has written."""
    if request.method not in ("GET", "HEAD") and response.status_code < 300 and take(request, "lost_answer"):
        # Gunicorn then fails to send the answer, and takes it for a client that has left.
        request.META["gunicorn.socket"].shutdown(socket.SHUT_RDWR)
    return response


def take(request: HttpRequest, *kinds: str, anywhere: bool = False) -> Fault | None:
    """Use up one of the faults of these kinds that wait for this request, the oldest first.

    `anywhere` is for the kinds that belong to one endpoint: without a path they wait for it, wherever it is.
    """
    by_default = anywhere or request.path.startswith(CALLS)

    def meets(fault: Fault) -> bool:
        return fault.kind in kinds and (request.path.startswith(fault.path) if fault.path else by_default)

    fault = use_up(meets) if any(map(meets, request.waiting_faults)) else None
    if fault:
        request.faults.append(fault.kind)
    return fault


def take_for_delivery(event_type: str, *kinds: str) -> Fault | None:
    """Use up one of the faults of these kinds that wait for a hook delivery of this event, the oldest first."""
    return use_up(lambda fault: fault.kind in kinds and event_type.startswith(fault.path))


def use_up(meets: Callable[[Fault], bool]) -> Fault | None:
    """The oldest fault that `meets` says yes to, with one use less."""
    if not any(map(meets, Fault.objects.all())):
        return None
    with transaction.atomic():
        fault = next(filter(meets, Fault.objects.order_by("pk")), None)
        if fault:
            count_down(fault)
        return fault


def count_down(fault: Fault) -> None:
    """One use less; the last use removes the fault."""
    if fault.times is None:
        return
    if fault.times <= 1:
        Fault.objects.filter(pk=fault.pk).delete()
    else:
        Fault.objects.filter(pk=fault.pk).update(times=fault.times - 1)
