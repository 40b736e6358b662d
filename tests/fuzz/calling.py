"""schemathesis over the whole OpenAPI document, as one kind of caller."""

import json
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from threading import Thread
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import schemathesis
from django.core.wsgi import get_wsgi_application
from django.db import connections
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema

from .world import World, lift_limits

# Those that are left out: what a description cannot say (an id that is known, a state that allows it) refuses many a
# call that fits the schema; the session cookies and retries of other checks are nothing of ours.
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "response_headers_conformance",
    "negative_data_rejection",
    "unsupported_method",
    "ignored_auth",
)
SEED = 20_261


@dataclass
class Found:
    """What came of one kind of caller. `failures`: of which check, at which operation, with what message."""

    kind: str
    cases: int = 0
    statuses: dict[int, int] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)


def fuzz(kind: str, *, examples: int, only: str = "") -> Found:
    """Call every operation (or `only` those whose id has this in it) as a caller of this kind."""
    world, found = World(kind), Found(kind)
    logging.disable(logging.CRITICAL)  # a line for each of thousands of refusals
    lift_limits()
    world.renew()
    with served() as address, _inhabited(world):
        schema = _schema(address, examples=examples)
        if world.headers:
            _authenticate(schema, world)
        for event in from_schema(schema.include(operation_id_regex=only) if only else schema).execute():
            _note(event, found)
    return found


def _note(event: Any, found: Found) -> None:
    if isinstance(event, events.ScenarioFinished):
        _read(event.recorder, found)
    elif isinstance(event, events.NonFatalError):
        found.failures[f"error: {event.label}"] = str(event.value)
    elif isinstance(event, events.FatalError):
        raise event.exception


def _schema(address: str, *, examples: int) -> Any:
    config = SchemathesisConfig.from_dict(
        {
            "seed": SEED,
            "continue-on-failure": True,
            "generation": {
                "max-examples": examples,
                "deterministic": True,
                "no-shrink": True,
                "database": "none",
                "with-security-parameters": False,
            },
            "checks": {"enabled": False} | {name: {"enabled": True} for name in CHECKS},
            "phases": {"stateful": {"enabled": False}},
        }
    )
    return schemathesis.openapi.from_url(f"{address}/api/openapi.json", config=config)


class Silent(WSGIRequestHandler):
    def log_message(self, *args: Any) -> None:
        pass


@contextmanager
def served() -> Iterator[str]:
    """The portal behind a real socket, in a thread of this process; its address."""
    portal = get_wsgi_application()

    def known_host(environ: dict[str, Any], start_response: Any) -> Any:
        return portal(environ | {"HTTP_HOST": "testserver"}, start_response)

    with make_server("127.0.0.1", 0, known_host, handler_class=Silent) as server:
        thread = Thread(target=_serve, args=[server])
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def _serve(server: WSGIServer) -> None:
    try:
        server.serve_forever(poll_interval=0.05)
    finally:
        connections.close_all()


def _authenticate(schema: Any, world: World) -> None:
    @schema.auth(refresh_interval=None)
    class Credential:
        def get(self, case: Any, context: Any) -> dict[str, str]:
            return world.headers

        def set(self, case: Any, data: dict[str, str], context: Any) -> None:
            case.headers.update(data)


@contextmanager
def _inhabited(world: World) -> Iterator[None]:
    """Calls that are good ask mostly for what is there."""

    def before_call(context: Any, case: Any, kwargs: dict[str, Any]) -> None:
        if case.meta is None or case.meta.generation.mode.is_positive:
            known = {name: world.pick(name) for name in case.path_parameters or {}}
            case.path_parameters.update({name: value for name, value in known.items() if value})

    def after_call(context: Any, case: Any, response: Any) -> None:
        if response.status_code == 401 and world.headers and world.headers.items() <= case.headers.items():
            world.renew()  # it ended itself
            connections.close_all()  # of the thread that schemathesis calls from

    for hook in (before_call, after_call):
        schemathesis.hook(hook)
    yield
    for hook in (before_call, after_call):
        schemathesis.hooks.unregister(hook)


def _read(recorder: Any, found: Found) -> None:
    found.cases += len(recorder.interactions)
    for interaction in recorder.interactions.values():
        status = interaction.response.status_code if interaction.response else 0
        found.statuses[status] = found.statuses.get(status, 0) + 1
    for case_id, checks in recorder.checks.items():
        for check in checks:
            if check.failure_info is not None:
                failure = check.failure_info.failure
                asked = recorder.cases[case_id].value
                found.failures.setdefault(
                    f"{check.name}: {recorder.label}", f"{failure.title}: {failure.message}\n{_shown(asked)}"
                )


def _shown(case: Any) -> str:
    return os.linesep.join([f"{case.method} {case.formatted_path} {case.query}", str(case.body)[:500]])


def main() -> None:
    kind, examples = sys.argv[1:]
    print(json.dumps(asdict(fuzz(kind, examples=int(examples)))))


if __name__ == "__main__":
    main()
