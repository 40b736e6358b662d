"""The ledger: what was asked of the simulated vendors, without secrets, newest last."""

from collections import deque
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils import timezone

from apps.sandbox.paths import VENDOR_PATHS

SECRET_PARAMETERS = {
    "client_secret",
    "code",
    "code_verifier",
    "state",
    "access_token",
    "refresh_token",
    "password",
}
ENTRIES: deque[dict] = deque(maxlen=10_000)


def recording(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: writes each call to a vendor path into the ledger when its answer is known."""

    def record(request: HttpRequest) -> HttpResponse:
        at = timezone.now()
        response = get_response(request)
        if request.path.startswith(VENDOR_PATHS):
            ENTRIES.append(entry(request, at=at.isoformat(), status=response.status_code))
        return response

    return record


def entry(request: HttpRequest, *, at: str, status: int) -> dict:
    """One line of the ledger; `faults` are the kinds that hit this call, `store` the X-Store-Id it sent."""
    return {
        "at": at,
        "method": request.method,
        "path": request.path,
        "query": without_secrets(request.GET),
        "store": request.headers.get("X-Store-Id"),
        "status": status,
        "faults": getattr(request, "faults", []),
    }


def without_secrets(query: QueryDict) -> dict[str, str]:
    """The query as a dict, with the values that prove something replaced."""
    return {name: "(hidden)" if name in SECRET_PARAMETERS else value for name, value in query.items()}
