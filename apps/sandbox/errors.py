"""A refusal in the vendor's words: `{message, details: [{attribute, message}]}`, for Pio with a `code` before them."""

from collections.abc import Callable
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse, JsonResponse

from apps.sandbox.paths import PIO_API


class Refused(Exception):
    """Raised anywhere below a call; becomes the answer.

    `details` maps an attribute to what is wrong with it; `code` is for the vendor that has codes.
    """

    def __init__(self, status: int, message: str, *, code: str = "", details: dict[str, str] | None = None):
        super().__init__(message)
        self.status, self.message, self.code, self.details = status, message, code, details or {}


class Refusing:
    """Middleware: turns a `Refused` that a view raised into its answer."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, Refused):
            return error(request, exception)
        return None


def error(request: HttpRequest, refused: Refused) -> JsonResponse:
    """The error answer that every simulated call gives, whatever went wrong."""
    listed = [{"attribute": name, "message": text} for name, text in refused.details.items()]
    body = {"message": refused.message, "details": listed}
    if request.path.startswith(PIO_API):
        body = {"code": refused.code or code_of(refused.status)} | body
    return JsonResponse(body, status=refused.status)


def code_of(status: int) -> str:
    """The code where none is published: the name of the status, as a validation error's where it is one."""
    return "validation_error" if status == 422 else HTTPStatus(status).phrase.lower().replace(" ", "_")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return error(request, Refused(400, "The request is malformed"))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return error(request, Refused(404, "Resource not found"))


def server_error(request: HttpRequest) -> HttpResponse:
    return error(request, Refused(500, "Internal server error"))
