"""A refusal in the vendor's words: `{message, details: [{attribute, message}]}`."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, JsonResponse


class Refused(Exception):
    """Raised anywhere below a call; becomes the answer.

    `details` maps an attribute to what is wrong with it.
    """

    def __init__(self, status: int, message: str, *, details: dict[str, str] | None = None):
        super().__init__(message)
        self.status, self.message, self.details = status, message, details or {}


class Refusing:
    """Middleware: turns a `Refused` that a view raised into its answer."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, Refused):
            return error(exception.status, exception.message, details=exception.details)
        return None


def error(status: int, message: str, *, details: dict[str, str] | None = None) -> JsonResponse:
    """The error answer that every simulated call gives, whatever went wrong."""
    listed = [{"attribute": name, "message": text} for name, text in (details or {}).items()]
    return JsonResponse({"message": message, "details": listed}, status=status)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return error(400, "The request is malformed")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return error(404, "Resource not found")


def server_error(request: HttpRequest) -> HttpResponse:
    return error(500, "Internal server error")
