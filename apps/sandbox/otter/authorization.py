"""`GET /v1/auth/oauth2/authorize`: login, consent, and the redirect that carries the code (RFC 6749 part 4.1).

A wrong client or redirect address is a page and never a redirect; every other mistake is told to the client.
PKCE by S256 only (RFC 7636); the answer names its issuer (RFC 9207).
"""

import re
from datetime import timedelta
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone

from apps.sandbox.credentials import digest, new_secret
from apps.sandbox.faults import take
from apps.sandbox.models import Switches
from apps.sandbox.otter.models import Application, Grant, User
from apps.sandbox.otter.scopes import CONSENT, MACHINE, within

CODE_LIFE = timedelta(seconds=60)
SINGLE = (
    "client_id",
    "redirect_uri",
    "response_type",
    "scope",
    "state",
    "code_challenge",
    "code_challenge_method",
)


def authorize(request: HttpRequest) -> HttpResponse:
    """GET shows the login or the consent page, POST with `decision` takes the user back to the application."""
    application = asking_application(request.GET)
    if application is None:
        return render(request, "refused.html", status=400)
    problem = problem_with(request.GET)
    if problem:
        return back(request, {"error": problem[0], "error_description": problem[1]})
    user = User.objects.filter(email=request.session.get("user")).select_related("organization").first()
    if user is None:
        return redirect("/v1/auth/login?" + urlencode({"next": request.get_full_path()}))
    if request.method == "POST":
        return decide(request, application=application, user=user)
    wishes = [CONSENT[name] for name in request.GET["scope"].split()]
    return render(request, "consent.html", {"application": application, "user": user, "wishes": wishes})


def asking_application(query: QueryDict) -> Application | None:
    """The application that asks, if it is known and sent exactly one redirect address, a registered one."""
    if any(len(query.getlist(name)) != 1 for name in ("client_id", "redirect_uri")):
        return None
    application = Application.objects.filter(pk=query["client_id"]).first()
    return application if application and query["redirect_uri"] in application.redirect_uris else None


def problem_with(query: QueryDict) -> tuple[str, str] | None:
    """The error code and description of what is wrong with an authorization request, or None."""
    repeated = [name for name in SINGLE if len(query.getlist(name)) > 1]
    if repeated:
        return "invalid_request", f"{repeated[0]} is given more than once"
    missing = [name for name in ("response_type", "scope", "state") if not query.get(name)]
    if missing:
        return "invalid_request", f"{missing[0]} is required"
    if query["response_type"] != "code":
        return "unsupported_response_type", "Only code is supported"
    if not within(query["scope"], CONSENT):
        return "invalid_scope", f"Allowed here: {' '.join(CONSENT)}"
    return problem_with_challenge(query)


def problem_with_challenge(query: QueryDict) -> tuple[str, str] | None:
    """A challenge is optional, but if there is one it is S256: without a method RFC 7636 would mean plain."""
    challenge, method = query.get("code_challenge"), query.get("code_challenge_method")
    if challenge is None and method is None:
        return None
    if method != "S256":
        return "invalid_request", "code_challenge_method must be S256"
    if not re.fullmatch(r"[A-Za-z0-9_-]{43}", challenge or ""):
        return "invalid_request", "code_challenge must be the base64url form of a SHA-256"
    return None


def decide(request: HttpRequest, *, application: Application, user: User) -> HttpResponse:
    """Take the user's decision back to the application: a code, or access_denied."""
    if take(request, "deny_consent", anywhere=True) or request.POST.get("decision") != "approve":
        return back(request, {"error": "access_denied", "error_description": "The user did not allow this"})
    code = new_secret()
    Grant.objects.create(
        code=digest(code),
        application=application,
        user=user,
        redirect_uri=request.GET["redirect_uri"],
        scope=request.GET["scope"],
        challenge=request.GET.get("code_challenge", ""),
        expires_at=timezone.now() + CODE_LIFE,
    )
    return back(request, {"code": code})


def back(request: HttpRequest, answer: dict[str, str]) -> HttpResponse:
    """Redirect to the application with the answer, its own state and our issuer."""
    state = {"state": request.GET["state"]} if request.GET.get("state") else {}
    if take(request, "wrong_state", anywhere=True):
        state = {"state": new_secret()}
    issuer = "https://somebody-else.example" if take(request, "wrong_iss", anywhere=True) else settings.BASE_URL
    address = request.GET["redirect_uri"]
    joint = "&" if "?" in address else "?"
    response = HttpResponse(status=302)
    response["Location"] = address + joint + urlencode(answer | state | {"iss": issuer})
    return response


def login(request: HttpRequest) -> HttpResponse:
    """The vendor's login page: e-mail and password of a simulated account; `next` is where it leads."""
    following = request.GET.get("next", "")
    # A path of our own only: "//host" and "/\host" would leave the site.
    following = following if re.match(r"/v1/auth/oauth2/authorize\?", following) else "/"
    email = request.POST.get("email", "").strip()
    if request.method == "POST":
        user = User.objects.filter(email__iexact=email, password=request.POST.get("password", "")).first()
        if user:
            request.session.cycle_key()
            request.session["user"] = user.email
            return HttpResponseRedirect(following)
    failed = request.method == "POST"
    return render(request, "login.html", {"email": email, "failed": failed}, status=401 if failed else 200)


def logout(request: HttpRequest) -> HttpResponse:
    """Forget who is logged in (POST) and show the login page again, with the same `next`."""
    if request.method == "POST":
        request.session.flush()
    return redirect("/v1/auth/login?" + request.GET.urlencode())


def metadata(request: HttpRequest) -> HttpResponse:
    """`/.well-known/oauth-authorization-server` (RFC 8414).

    The vendor has none; clients that look are helped.
    """
    grants = ["authorization_code", "client_credentials"]
    return JsonResponse(
        {
            "issuer": settings.BASE_URL,
            "authorization_endpoint": settings.BASE_URL + "/v1/auth/oauth2/authorize",
            "token_endpoint": settings.BASE_URL + "/v1/auth/token",
            "response_types_supported": ["code"],
            "grant_types_supported": grants + ["refresh_token"] * Switches.current().refresh_tokens,
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
            "scopes_supported": [*CONSENT, *sorted(MACHINE)],
            "authorization_response_iss_parameter_supported": True,
        }
    )
