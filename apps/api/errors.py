"""Every way an API call can fail: application/problem+json (RFC 9457) with a stable code.

The body also has the fields of the seeds' contracts: `message` and `details[{attribute, message}]` (Otter, 3.3).
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import structlog
from django.conf import settings
from django.core import signals
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import IntegrityError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.views import defaults
from django.views.decorators.csrf import csrf_exempt
from psycopg.errors import UniqueViolation
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.serializers import ValidationError

log = structlog.get_logger(__name__)

CONTENT_TYPE = "application/problem+json"

# code: (status, title). Names of the seeds where they have one (contracts 1.4), their spelling corrected.
CODES: dict[str, tuple[int, str]] = {
    "malformed_request": (400, "The request could not be read."),
    "two_credentials": (400, "Send one credential, in one place."),
    "credential_in_address": (400, "A credential in the address ends up in logs: send it in a header."),
    "ext_shop_id_already_exists": (400, "Another shop of this organization has that ext_shop_id."),
    "product_sku_already_exists_and_in_use_by_other_product": (400, "Another product has this SKU."),
    "mismatched_ext_product_id": (400, "Your shop does not list the product under this ext_product_id."),
    "mismatched_ext_variant_id": (400, "Your shop does not list the product under this ext_variant_id."),
    "duplicate_products_found": (400, "The product is listed more than once: name both of the ids that are meant."),
    "ext_product_id_already_exists": (400, "The shop lists another product under these ids."),
    "repeated_in_request": (400, "Something before it in the same call has the same ids."),
    "order_already_exists": (400, "Your shop has an order under these ids already."),
    "hook_already_exists": (400, "There is a hook for that event already."),
    "unauthorized": (401, "No valid credential."),
    "forbidden": (403, "This credential is not for that."),
    "insufficient_scope": (403, "The credential lacks the grant this needs."),
    "integration_disabled": (403, "The integration is disabled until its organization enables it again."),
    "access_token_already_created_store": (403, "This access token has created its shop already."),
    "shop_required": (403, "Create the shop of this access token first."),
    "stock_is_read_only": (403, "Only the integration of a warehouse reports stock, and only of its own locations."),
    "location_of_another": (403, "Another integration, or people, look after the stock of that location."),
    "registration_closed": (403, "Registration is not open here: ask the 3PL to register your application."),
    "not_found": (404, "There is no such thing here."),
    "location_not_found": (404, "There is no such location here."),
    "product_not_found": (404, "There is no such product here."),
    "order_not_found": (404, "There is no such order here."),
    "fulfillment_not_found": (404, "There is no such fulfillment here."),
    "hook_not_found": (404, "There is no such hook here."),
    "endpoint_not_found": (404, "There is no such endpoint here."),
    "delivery_not_found": (404, "There is no such delivery here."),
    "shop_not_found": (404, "There is no such shop here."),
    "method_not_allowed": (405, "The address does not know this method."),
    "not_connected": (404, "The store is not connected."),
    "already_connected": (409, "The store is connected already."),
    "store_id_taken": (409, "Another store is connected under that id."),
    "stale_version": (409, "Somebody changed it since that version."),
    "idempotency_key_in_use": (409, "The first call with this Idempotency-Key is still at work."),
    "conflict": (409, "The state it is in does not allow this."),
    "more_than_expected": (409, "More match now than you said: nothing was done."),
    "location_not_active": (409, "The location is not active."),
    "integration_not_connected": (409, "The integration is not connected."),
    "sku_shared": (409, "Another shop lists the product, too, or calls it by another SKU: it keeps the one it has."),
    "not_linked": (409, "Somebody of the organization has to say first which product this is."),
    "fulfillment_is_final": (409, "The fulfillment is final: it does not change any more."),
    "location_already_exists": (409, "You have a location under that ext_location_id already."),
    "length_required": (411, "Send the length of the body."),
    "body_too_large": (413, "The body is too large."),
    "unsupported_media_type": (415, "Send application/json."),
    "validation_error": (422, "Something in the request is not as it has to be."),
    "idempotency_key_reused": (422, "This Idempotency-Key came with another request before."),
    "old_ext_variant_id_required": (422, "Name the old ext_variant_id, the same in the address and in the body."),
    "product_has_stock": (422, "There is stock of the product, or some is on its way: it has to go first."),
    "order_already_fulfilled": (422, "The order has been shipped: use a return."),
    "picking_in_progress": (422, "The warehouse is picking the order already."),
    "more_than_ordered": (422, "More pieces than are still to be shipped."),
    "unknown_connector": (422, "There is no such connector."),
    "unknown_action": (422, "The integration does not offer this action."),
    "sync_not_supported": (422, "The integration cannot do this sync."),
    "rate_limited": (429, "Too many calls."),
    "internal_error": (500, "Something went wrong on our side."),
    "platform_failed": (502, "The other platform did not do what we asked."),
    "try_again": (503, "Busy right now: send the same request again."),
}


class Problem(Exception):
    """A call fails with this code. `detail` says more than the code's title, `details` which attribute is wrong how.

    `headers` go along with the answer.
    """

    def __init__(
        self,
        code: str,
        detail: str = "",
        *,
        details: Sequence[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(f"{code}: {detail}")
        self.code, self.detail, self.details = code, detail, list(details)
        self.status, self.title = CODES[code]
        self.headers = dict(headers or {})

    def body(self) -> dict[str, Any]:
        return {
            "type": f"{settings.PUBLIC_URL}/api/errors#{self.code}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail or self.title,
            "code": self.code,
            "message": self.detail or self.title,
            "details": [{"attribute": attribute, "message": message} for attribute, message in self.details],
            "request_id": structlog.contextvars.get_contextvars().get("request_id", ""),
        }


def invalid(attribute: str, message: str) -> Problem:
    """One attribute is not as it has to be (422)."""
    return Problem("validation_error", f"{attribute}: {message}", details=[(attribute, message)])


def unauthorized() -> Problem:
    """The one answer to every wrong credential: it does not say why (behaviour 14)."""
    return Problem("unauthorized", headers={"WWW-Authenticate": 'Bearer realm="Crossdock"'})


def problem_of(error: Exception) -> Problem:
    """The Problem that any exception of an API view is to its caller."""
    match error:
        case Problem():
            return error
        case ValidationError():
            return _of_validation(error)
        case OperationalError() | InterfaceError():
            log.warning("database busy", exc_info=error)
            return Problem("try_again", headers={"Retry-After": "1"})
        case IntegrityError(__cause__=UniqueViolation()):
            log.warning("lost a race", exc_info=error)
            return Problem("conflict", "Somebody else made the same at this moment.")
        case _:
            return _of_framework(error)


def _of_framework(error: Exception) -> Problem:
    match error:
        case Http404() | exceptions.NotFound():
            return Problem("not_found")
        case PermissionDenied() | exceptions.PermissionDenied():
            return Problem("forbidden")
        case exceptions.NotAuthenticated() | exceptions.AuthenticationFailed():
            return unauthorized()
        case exceptions.MethodNotAllowed():
            return Problem("method_not_allowed")
        case exceptions.UnsupportedMediaType():
            return Problem("unsupported_media_type")
        case RequestDataTooBig():
            return Problem("body_too_large")
        case exceptions.ParseError() | SuspiciousOperation() | UnreadablePostError():
            return Problem("malformed_request")
        case _:
            return Problem("internal_error")


def answer(error: Exception, context: dict[str, Any]) -> Response:
    """DRF's EXCEPTION_HANDLER."""
    problem = problem_of(error)
    if problem.status == 500:
        request = context["request"]
        log.error("API call failed", exc_info=error)
        signals.got_request_exception.send(sender=type(context["view"]), request=getattr(request, "_request", request))
    response = Response(problem.body(), status=problem.status, headers=problem.headers, content_type=CONTENT_TYPE)
    response.problem = problem  # type: ignore[attr-defined]
    return response


@csrf_exempt
def no_such_address(request: HttpRequest, rest: str = "") -> JsonResponse:
    """What every address below /api/ answers that is none."""
    return plain_answer(Problem("not_found", "There is no such address. The API is described at /api/docs."))


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler400: what was refused before any view saw it."""
    return plain_answer(problem_of(exception)) if is_call(request) else defaults.bad_request(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler404: an address with signs that no pattern takes."""
    return no_such_address(request) if is_call(request) else defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler500: what went wrong outside of any view."""
    return plain_answer(Problem("internal_error")) if is_call(request) else defaults.server_error(request)


def is_call(request: HttpRequest) -> bool:
    """Whether it is a machine that asks."""
    return request.path_info.startswith("/api/")


def plain_answer(problem: Problem) -> JsonResponse:
    headers = problem.headers | {"Cache-Control": "no-store", "Content-Language": "en"}
    return JsonResponse(problem.body(), status=problem.status, content_type=CONTENT_TYPE, headers=headers)


def _of_validation(error: ValidationError) -> Problem:
    details = list(_flattened(error.detail))
    text = "; ".join(f"{attribute}: {message}" if attribute else message for attribute, message in details)
    return Problem("validation_error", text, details=details)


def _flattened(found: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """DRF's nested errors as pairs: `lines[0].sku`, message."""
    if isinstance(found, dict):
        for name, inner in found.items():
            yield from _flattened(inner, _below(path, name))
    elif isinstance(found, list):
        for place, inner in enumerate(found):
            nested = isinstance(inner, dict | list)
            yield from _flattened(inner, f"{path}[{place}]" if nested and inner else path)
    else:
        yield path, str(found)


def _below(path: str, name: Any) -> str:
    if isinstance(name, int):
        return f"{path}[{name}]"
    return path if name == "non_field_errors" else f"{path}.{name}" if path else str(name)
