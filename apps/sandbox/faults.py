"""Faults: what goes wrong on order, once or until lifted.

A fault without `path` waits for the next resource call (`CALLS`); with one it waits for any request whose
path starts so, which is how the token endpoint and the pages are reached. Some kinds wait for a call they can
spoil: a page fault for a list, a consent fault for a decision. Each use is counted once, however many threads ask.
"""

import time
from collections.abc import Callable, Iterable

from django.db import transaction
from django.http import HttpRequest, HttpResponse

from apps.sandbox.errors import error
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
    "html_page": "200 with a maintenance page in HTML.",
    "repeated_page": "A request for a following page gets the previous page again, with its offsetToken.",
    "short_page": "Half a page though more follows; its offsetToken is right.",
    "missing_pages": "The list ends early: a page with more to follow has no offsetToken.",
    "bad_item": "The middle item of a page lacks id, externalId and name.",
    "wrong_iss": "The redirect after consent carries another issuer (RFC 9207).",
    "wrong_state": "The redirect after consent carries another state.",
    "invalid_grant": "The token endpoint refuses a code or refresh token that is good, and leaves it good.",
    "missing_refresh": "The token answer leaves out the refresh token, where there would be one.",
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
        return (fault and spoiled_answer(fault)) or cut_off(request, get_response(request))

    return answer


def spoiled_answer(fault: Fault) -> HttpResponse | None:
    """The answer that takes the place of the real one; None when `slow` has waited long enough."""
    match fault.kind:
        case "unauthorized":
            return error(401, "Unauthorized")
        case "rate_limited":
            response = error(429, "Too many requests")
            if fault.retry_after is not None:
                response["Retry-After"] = str(fault.retry_after)
            return response
        case "server_error":
            return error(500, "Internal server error")
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


def take(request: HttpRequest, *kinds: str, anywhere: bool = False) -> Fault | None:
    """Use up one of the faults of these kinds that wait for this request, the oldest first.

    `anywhere` is for the kinds that belong to one endpoint: without a path they wait for it, wherever it is.
    """
    if first_for(request, request.waiting_faults, kinds=kinds, anywhere=anywhere) is None:
        return None
    with transaction.atomic():
        fault = first_for(request, Fault.objects.order_by("pk"), kinds=kinds, anywhere=anywhere)
        if fault:
            count_down(fault)
            request.faults.append(fault.kind)
        return fault


def first_for(request: HttpRequest, faults: Iterable[Fault], *, kinds: tuple[str, ...], anywhere: bool) -> Fault | None:
    """The first of the faults, of these kinds, that this request would meet."""
    by_default = anywhere or request.path.startswith(CALLS)
    for fault in faults:
        meets = request.path.startswith(fault.path) if fault.path else by_default
        if meets and fault.kind in kinds:
            return fault
    return None


def count_down(fault: Fault) -> None:
    """One use less; the last use removes the fault."""
    if fault.times is None:
        return
    if fault.times <= 1:
        Fault.objects.filter(pk=fault.pk).delete()
    else:
        Fault.objects.filter(pk=fault.pk).update(times=fault.times - 1)
