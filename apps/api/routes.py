"""An API view is a function for one method of one address. This puts them together, and gives every call its manners.

In this order: who calls (one SELECT), the rate limit (one statement), what the policy says; then the work, for a write
in one transaction with its audit entry and its answer (`Idempotency-Key`); and whatever goes wrong becomes a Problem.
"""

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import translation
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.audit import trail

from . import limits
from .bodies import lacks_length
from .errors import CODES, Problem
from .idempotency import LONGEST, once
from .principals import Principal
from .problems import ProblemBody

type View = Callable[..., Response]
WRITES = {"POST", "PUT", "PATCH", "DELETE"}
# What a call can be refused for wherever it goes, before anything is done; of writes, with an Idempotency-Key.
ALWAYS = (
    "malformed_request", "credential_in_address", "two_credentials", "unauthorized", "forbidden", "insufficient_scope",
    "integration_disabled", "length_required", "rate_limited", "try_again",
)  # fmt: skip
OF_WRITES = ("idempotency_key_in_use", "idempotency_key_reused", "conflict", "body_too_large")
OF_QUERIES = ("validation_error",)
OF_BODIES = ("body_too_large", "unsupported_media_type", "validation_error")

IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "minLength": 1, "maxLength": LONGEST, "pattern": "^[ -~]+$"},
    OpenApiParameter.HEADER,
    description="Yours to choose, kept for 7 days: the same call sent again gets the first answer again.",
)


def operation(
    summary: str,
    *,
    tag: str,
    answers: dict[int, Any],
    body: Any = None,
    errors: Sequence[str] = (),
    query: Sequence[OpenApiParameter] = (),
    writes: bool = False,
    once: bool = True,
) -> Callable[[View], View]:
    """Describe a view for OpenAPI; its docstring is the description. `errors` are codes of its own, `query` what it
    takes in the address.

    `answers` maps a status to a serializer (None for no body). With `once=False` a write sees to its transaction and
    to `Idempotency-Key` by itself, since it calls somebody else's server in between; or it is a POST that only reads.
    """

    def decorate(view: View) -> View:
        is_asked = any(one.location == OpenApiParameter.QUERY for one in query)
        parts = (OF_WRITES, writes), (OF_QUERIES, is_asked), (OF_BODIES, body is not None)
        codes = [*ALWAYS, *errors, *(code for part, has_it in parts if has_it for code in part)]
        view.is_once = once  # type: ignore[attr-defined]
        described = extend_schema(
            summary=summary,
            description=(view.__doc__ or "").strip(),
            tags=[tag],
            request=body,
            parameters=[*query, *([IDEMPOTENCY_KEY] if writes else [])],
            responses=answers | _problems(codes),
        )
        return described(view)

    return decorate


def _problems(codes: Sequence[str]) -> dict[Any, Any]:
    """The error answers, by status: which codes each can carry."""
    by_status: dict[int, list[str]] = {}
    for code in [*codes, "not_found", "internal_error"]:
        by_status.setdefault(CODES[code][0], []).append(code)
    return {
        (status, "application/problem+json"): OpenApiResponse(ProblemBody, " · ".join(dict.fromkeys(found)))
        for status, found in sorted(by_status.items())
    }


class AlwaysJSON(BaseContentNegotiation):
    """There is one form of every answer, whatever was asked for."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        kind = (request.content_type or "").split(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == kind), None)

    def select_renderer(self, request: Request, renderers: Any, format_suffix: Any = None) -> Any:
        return renderers[0], renderers[0].media_type


class Operations(APIView):
    """The methods of one address."""

    http_method_names = ["get", "head", *(method.lower() for method in sorted(WRITES))]
    content_negotiation_class = AlwaysJSON
    left: limits.Left | None = None

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """In English for everybody: programs read it."""
        with translation.override("en"):
            return super().dispatch(request, *args, **kwargs).render()  # type: ignore[attr-defined]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        trail.forget_what_was_recorded()
        if request.method not in self.allowed_methods:
            self.http_method_not_allowed(request)
        _check_transport(request)
        super().initial(request, *args, **kwargs)

    def check_permissions(self, request: Request) -> None:
        """What is refused counts as well: it is looked up, and leaves a trace."""
        if isinstance(request.user, Principal):
            self.left = limits.spend_all(_rates(request.user))
        super().check_permissions(request)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)
        response.headers["Content-Language"] = "en"
        response.headers.setdefault("Cache-Control", "no-store")
        for name, value in (self.left.headers if self.left else {}).items():
            response.headers.setdefault(name, value)
        if problem := getattr(response, "problem", None):
            _record_refusal(request, problem)
        return response


def operations(**views: View) -> Callable[..., HttpResponseBase]:
    """The view of an address: `operations(get=list_shops, post=create_shop)`."""
    methods = {method: _method(view, method.upper()) for method, view in views.items()}
    names = "_or_".join(view.__name__ for view in views.values())
    group: Any = type(names, (Operations,), methods)
    return group.as_view()


def _method(view: View, method: str) -> Callable[..., Response]:
    @wraps(view)
    def call(self: Operations, request: Request, *args: Any, **kwargs: Any) -> Response:
        if method not in WRITES or not getattr(view, "is_once", True):
            return view(request, *args, **kwargs)
        return once(request, lambda: _write(view, request, *args, **kwargs))

    return call


def _write(view: View, request: Request, *args: Any, **kwargs: Any) -> Response:
    """The work of a write, and an audit entry unless the work made a better one."""
    response = view(request, *args, **kwargs)
    if isinstance(request.user, Principal) and not trail.was_anything_recorded():
        trail.record(request.user.actor, f"{request.method} {request.path}")
    return response


def _record_refusal(request: Request, problem: Problem) -> None:
    """A known caller who was told no leaves a trace under its integration (behaviour 26)."""
    principal = getattr(request._request, "principal", None)
    if problem.status in (401, 403) and isinstance(principal, Principal):
        trail.record(principal.actor, f"{request.method} {request.path}", refused=True, reason=problem.code)


def _rates(principal: Principal) -> dict[str, limits.Rate]:
    """The buckets a call is taken from; a shop that calls too often takes nothing from its integration's."""
    rates = {f"shop:{principal.shop.pk}": limits.CALLS_OF_A_SHOP} if principal.shop else {}
    return rates | {principal.usage_key: limits.CALLS}


def _check_transport(request: Request) -> None:
    """RFC 6750, 5.3: no credential in the address. And a body must say how long it is."""
    if {"access_token", "api_key", "client_secret"} & set(request.query_params):
        raise Problem("credential_in_address")
    if lacks_length(request):
        raise Problem("length_required")
