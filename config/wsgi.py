"""Production entry: gunicorn config.wsgi."""

import gc
import os
from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver
from gunicorn.http.errors import ParseException

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

STEP = 64 * 1024  # bytes

portal = get_wsgi_application()
# All views are loaded now, and not while the first caller waits. What is there by now stays: a full collection that
# walks it as well takes 150 ms, in which nobody is answered.
get_resolver().url_patterns  # noqa: B018
gc.freeze()


def application(environ: dict[str, Any], start_response: Callable) -> Iterable[bytes]:
    """The portal's answer, over a connection that takes another call, or says that it does not.

    A call may be answered before its body was read. Of what is left gunicorn reads less than 64 KiB and then closes
    the connection, which it had said to keep; a header of Django's that says otherwise is not passed on.
    """
    answer = portal(environ, start_response)
    close = getattr(getattr(start_response, "__self__", None), "force_close", None)
    if close and not _is_read(environ["wsgi.input"]):
        close()
    return answer


def _is_read(body: Any) -> bool:
    """Read what is left, up to as much as is read of a call that is taken in; whether that was all."""
    try:
        return any(not body.read(STEP) for _ in range(settings.DATA_UPLOAD_MAX_MEMORY_SIZE // STEP + 1))
    except (OSError, ParseException):
        return False
