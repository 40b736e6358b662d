"""One JSON line per log event, with the id of the request or task it belongs to, and no secrets."""

import logging.config
import re
import uuid
from collections.abc import Callable, MutableMapping
from typing import Any

import structlog
from celery.signals import setup_logging, task_prerun
from django.http import HttpRequest, HttpResponse

SECRET_KEY_NAMES = re.compile(r"token|secret|password|authorization|api.?key|cookie|verifier", re.IGNORECASE)
SECRET_IN_TEXT = re.compile(
    r"""
    ( \b(?:bearer|basic)\s+                                      # RFC 6750, RFC 7617
    | \b(?:code|state)=                                          # of an address people come back to
    | (?:token|secret|password|api.?key|verifier)["']?\s*[=:]\s*["']?
    | /invitations/ | /password/reset/key/ | /receive/           # links that let whoever has them in
    | xd[a-z]_(?=[0-9a-z]{16})                                   # our own keys and tokens, pasted anywhere
    ) [^\s&"',;<>/]+
    """,
    re.IGNORECASE | re.VERBOSE,
)


def mask(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Hide values by the name they carry and by their looks."""
    for key, value in event.items():
        if SECRET_KEY_NAMES.search(key):
            event[key] = "***"
        elif not isinstance(value, int | float | None):
            event[key] = SECRET_IN_TEXT.sub(r"\1***", str(value))  # a request shows its whole address
    return event


def configure(options: dict[str, str]) -> None:
    """Django's LOGGING_CONFIG: everything to standard error."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.ExtraAdder(),
        structlog.processors.format_exc_info,
        mask,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.PositionalArgumentsFormatter(),
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    json = {
        "()": structlog.stdlib.ProcessorFormatter,
        "processors": [
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.JSONRenderer(default=str),
        ],
        "foreign_pre_chain": shared,
    }
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"json": json},
            "handlers": {"out": {"class": "logging.StreamHandler", "formatter": "json"}},
            "root": {"handlers": ["out"], "level": options["level"]},
            # A line per ring of the doorbell drowns everything else.
            "loggers": {name: {"level": "WARNING"} for name in ("celery.app.trace", "celery.worker.strategy")},
        }
    )


def request_id(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable:
    """Every request has an id: in its log lines and in the X-Request-Id header of the answer."""

    def middleware(request: HttpRequest) -> HttpResponse:
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=(found := uuid.uuid4().hex))
        response = get_response(request)
        response["X-Request-Id"] = found
        return response

    return middleware


@task_prerun.connect
def bind_task(task_id: str, task: Any, **kwargs: Any) -> None:
    # A signal, since Celery has no other place before every task.
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(task_id=task_id, task=task.name)


@setup_logging.connect
def keep_our_logging(**kwargs: Any) -> None:
    # Celery replaces the root logger's handlers unless somebody listens to this signal.
    pass
