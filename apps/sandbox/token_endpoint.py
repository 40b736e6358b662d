"""What the vendors' token endpoints share: errors in the words of RFC 6749, and how a client proves itself."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from apps.sandbox.credentials import basic_pairs


class TokenError(Exception):
    """An error of the token endpoint: its RFC 6749 code and a description."""

    def __init__(self, code: str, description: str, *, status: int = 400):
        super().__init__(description)
        self.code, self.description, self.status = code, description, status


def token_endpoint(answer_to: Callable[[HttpRequest], dict]) -> Callable[[HttpRequest], HttpResponse]:
    """A view that answers a form-encoded request with a token or with an error as JSON, never cached."""

    @csrf_exempt
    def view(request: HttpRequest) -> HttpResponse:
        try:
            check_shape(request)
            response = JsonResponse(answer_to(request))
        except TokenError as refused:
            body = {"error": refused.code, "error_description": refused.description}
            response = JsonResponse(body, status=refused.status)
            if refused.status == 401:
                response["WWW-Authenticate"] = 'Basic realm="token"'
        response["Cache-Control"] = "no-store"
        return response

    return view


def check_shape(request: HttpRequest) -> None:
    """Raises TokenError unless it is a POST that gives each field once."""
    if request.method != "POST":
        raise TokenError("invalid_request", "Use POST", status=405)
    repeated = [name for name in request.POST if len(request.POST.getlist(name)) > 1]
    if repeated:
        raise TokenError("invalid_request", f"{repeated[0]} is given more than once")


def presented_pairs(request: HttpRequest) -> list[tuple[str, str]]:
    """The client's id and secret, by HTTP Basic or by the body but not by both. Raises TokenError."""
    kind, _, value = request.headers.get("Authorization", "").partition(" ")
    in_body = (request.POST.get("client_id", ""), request.POST.get("client_secret", ""))
    if kind.lower() != "basic":
        return [in_body]
    if in_body[1]:
        raise TokenError("invalid_request", "Send the client's secret in one place only")
    return basic_pairs(value)
