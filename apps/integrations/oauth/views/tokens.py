"""The endpoints that applications call themselves: token, revoke, introspect."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import BadRequest, RequestDataTooBig, SuspiciousOperation
from django.db import OperationalError, transaction
from django.http import HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.views.decorators.csrf import csrf_exempt
from oauth2_provider.oauth2_backends import get_oauthlib_core

from apps.api import limits
from apps.api.bodies import lacks_length
from apps.api.errors import Problem
from apps.api.principals import address_of

from .. import clients
from ..introspecting import facts_of

type View = Callable[[HttpRequest], HttpResponse]
UNREADABLE = (BadRequest, SuspiciousOperation, MultiPartParserError, UnreadablePostError)  # a form, to Django


def refused(error: str, description: str = "", *, status: int = 400, **headers: str) -> JsonResponse:
    """RFC 6749, 5.2."""
    body = {"error": error} | ({"error_description": description} if description else {})
    return JsonResponse(body, status=status, headers={name.replace("_", "-"): text for name, text in headers.items()})


def for_clients(view: View) -> View:
    """What these endpoints share: form POST only, each parameter once, one transaction, and nothing cached.

    After 20 wrong secrets in a minute an address gets 429 for that client, whatever it sends next (AS-14); the same
    client from elsewhere, and other clients from there, notice nothing.
    """

    @csrf_exempt
    @wraps(view)
    def guarded(request: HttpRequest) -> HttpResponse:
        try:
            response = _refusal(request) or _in_one_transaction(view, request)
        except RequestDataTooBig:
            response = refused("invalid_request", Problem("body_too_large").title, status=413)
        except UNREADABLE:
            response = refused("invalid_request", Problem("malformed_request").title)
        if response.status_code == 401:
            response = _count_wrong(request) or response
            response["WWW-Authenticate"] = 'Basic realm="Crossdock"'
        response["Cache-Control"], response["Pragma"] = "no-store", "no-cache"
        return response

    return guarded


def _refusal(request: HttpRequest) -> HttpResponse | None:
    if request.method != "POST":
        return refused("invalid_request", "Use POST.", status=405, Allow="POST")
    if lacks_length(request):
        return refused("invalid_request", Problem("length_required").title, status=411)
    if request.GET:
        return refused("invalid_request", "Parameters belong into the body.")
    if any(len(values) > 1 for _, values in request.POST.lists()):
        return refused("invalid_request", "A parameter is there twice.")
    if any("\x00" in text for pair in request.POST.items() for text in pair):
        return refused("invalid_request", "A parameter holds a NUL.")
    return _locked_out() if limits.is_exhausted(_guessing(request), rate=limits.GUESSES) else None


def _in_one_transaction(view: View, request: HttpRequest) -> HttpResponse:
    try:
        with transaction.atomic():
            return view(request)
    except OperationalError:
        return refused("temporarily_unavailable", "Busy: try again.", status=503, Retry_After="1")


def _guessing(request: HttpRequest) -> str:
    """What its wrong secrets are counted under; those of calls that claim two things, together."""
    try:
        claim = claim_of(request)
    except clients.TwoCredentials:
        claim = clients.Claim("", "")
    return claim.guesses_from(address_of(request))


def _count_wrong(request: HttpRequest) -> HttpResponse | None:
    try:
        limits.spend(_guessing(request), rate=limits.GUESSES)
    except Problem:
        return _locked_out()
    return None


def _locked_out() -> HttpResponse:
    wait = round(1 / limits.GUESSES.per_second)
    return refused("temporarily_unavailable", "Too many wrong secrets.", status=429, Retry_After=str(wait))


def claim_of(request: HttpRequest) -> clients.Claim:
    return clients.claim_of(
        authorization=request.headers.get("Authorization", ""),
        client_id=request.POST.get("client_id", ""),
        client_secret=request.POST.get("client_secret", ""),
    )


def _relayed(answer: tuple[Any, dict[str, str], str, int]) -> HttpResponse:
    """The toolkit's answer as Django's."""
    _, headers, body, status = answer
    return HttpResponse(body or "", status=status, headers={"Content-Type": "application/json"} | headers)


@for_clients
def token(request: HttpRequest) -> HttpResponse:
    """RFC 6749 3.2: a code, a refresh token or the client's own credentials against an access token."""
    if not request.POST.get("grant_type"):
        return refused("invalid_request", "Missing grant_type.")
    return _relayed(get_oauthlib_core().create_token_response(request))


@for_clients
def revoke(request: HttpRequest) -> HttpResponse:
    """RFC 7009: 200 for any token, known or not, of this client or not."""
    return _relayed(get_oauthlib_core().create_revocation_response(request))


@for_clients
def introspect(request: HttpRequest) -> HttpResponse:
    """RFC 7662, for one's own tokens only: of another client's nobody hears even whether it exists."""
    try:
        application = clients.authenticate(claim_of(request))
    except clients.TwoCredentials:
        return refused("invalid_request", "Authenticate in one way only.")
    if application is None:
        return refused("invalid_client", status=401)
    if not (text := request.POST.get("token")):
        return refused("invalid_request", "Missing token parameter.")
    return JsonResponse(facts_of(text, of=application) or {"active": False})
