"""One run of the whole product on this machine: what it is made of, and in which order it starts and stops."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.utils.text import slugify

from config.local.broker import broker
from config.local.child import Child, ChildFailed, tail
from config.local.guard import Guard
from config.local.keys import keys
from config.local.lock import only_run
from config.local.ports import HOST, port
from config.local.postgres import postgres, remove
from config.local.programs import Programs, fetch
from config.local.stopping import StopSignals
from config.local.supervisor import Supervisor

MOST_DISPATCHERS = 16


@dataclass(frozen=True, kw_only=True)
class Ports:
    portal: int
    sandbox: int


def chosen_ports(*, portal: int, sandbox: int) -> Ports:
    """PORT and SANDBOX_PORT, else the given ones. Raises ChildFailed if one cannot be used."""
    ports = Ports(portal=port("PORT", default=portal), sandbox=port("SANDBOX_PORT", default=sandbox))
    if ports.portal == ports.sandbox:
        raise ChildFailed(f"PORT and SANDBOX_PORT are both {ports.portal}: set SANDBOX_PORT to another one.")
    return ports


def environment(state: Path, *, ports: Ports) -> dict[str, str]:
    """The environment of the programs: the caller's wins, except for what makes it a demo."""
    given = {name: value for name, value in os.environ.items() if value}
    portal = given.get("PUBLIC_URL", f"http://{HOST}:{ports.portal}").rstrip("/")
    env = {
        "ALLOWED_HOSTS": f"{HOST},localhost,{urlsplit(portal).hostname}",
        "EGRESS_ALLOWED_HOSTS": f"{HOST},localhost",
        "EMAIL_URL": f"file://{state}/mail",
        "OTTER_URL": f"http://{HOST}:{ports.sandbox}",
        "OTTER_CLIENT_ID": "crossdock-demo",
        "PIO_URL": f"http://{HOST}:{ports.sandbox}",
        "PIO_CLIENT_ID": "crossdock-demo",
        **keys(state / "secrets.json"),
        **given,
        "PUBLIC_URL": portal,
        "DEMO": "1",
        "DJANGO_SETTINGS_MODULE": "config.settings",
    }
    return env | {
        "SANDBOX_DATABASE": str(state / "sandbox.sqlite3"),
        "SANDBOX_REDIRECT_URIS": f"{portal}/connect/callback/",
        "SANDBOX_CLIENT_ID": env["OTTER_CLIENT_ID"],
        "SANDBOX_CLIENT_SECRET": env["OTTER_CLIENT_SECRET"],
        "SANDBOX_WEBHOOK_URL": f"{portal}/receive/from/otter",
        "SANDBOX_WEBHOOK_SECRET": env["OTTER_WEBHOOK_SECRET"],
        "SANDBOX_PIO_REDIRECT_URIS": f"{portal}/connect/callback/",
        "SANDBOX_PIO_CLIENT_ID": env["PIO_CLIENT_ID"],
        "SANDBOX_PIO_CLIENT_SECRET": env["PIO_CLIENT_SECRET"],
    }


def dispatchers(env: dict[str, str]) -> list[str]:
    """The names of as many as DISPATCHERS says: one. Raises ChildFailed when it is no small number."""
    text = env.get("DISPATCHERS", "1")
    if text not in {str(number) for number in range(1, MOST_DISPATCHERS + 1)}:
        raise ChildFailed(f"DISPATCHERS must be a number from 1 to {MOST_DISPATCHERS}, not {text!r}.")
    return ["dispatcher", *(f"dispatcher-{number}" for number in range(2, int(text) + 1))]


@contextmanager
def running(
    state: Path, *, ports: Callable[[], Ports], stop: StopSignals, say: Callable[[str], None], durable: bool = True
) -> Iterator["Run"]:
    """Everything, up and serving, for the block. Unless it is `durable` it starts from nothing.

    Raises ChildFailed when it cannot start, Stopped when asked to end.
    """
    state.mkdir(parents=True, exist_ok=True)
    with ExitStack() as rooms:
        lock = rooms.enter_context(only_run(state))
        _clear_logs(state)
        if not durable:
            _clear_data(state)
            rooms.callback(_clear_data, state)
        rooms.callback((state / "demo.json").unlink, missing_ok=True)
        guard = rooms.enter_context(Guard(holding=(lock,)))
        supervisor = rooms.enter_context(Supervisor(guard, say=say))
        run = Run(state, ports=ports(), supervisor=supervisor, stop=stop, durable=durable)
        run.start()
        yield run


def _clear_logs(state: Path) -> None:
    shutil.rmtree(state / "log", ignore_errors=True)
    (state / "log").mkdir()


def _clear_data(state: Path) -> None:
    remove(state / "postgres")
    remove(state / "valkey")
    for file in state.glob("sandbox.sqlite3*"):
        file.unlink()


class Run:
    """The children of one run, and `facts`: what demo.json says about it."""

    def __init__(self, state: Path, *, ports: Ports, supervisor: Supervisor, stop: StopSignals, durable: bool) -> None:
        self.state = state
        self.ports = ports
        self.supervisor = supervisor
        self.stop = stop
        self.durable = durable
        self.env = environment(state, ports=ports)
        self.dispatchers = dispatchers(self.env)
        self.programs = Programs(env=self.env, logs=state / "log")
        self.children: dict[str, Child] = {}
        self.facts: dict[str, Any] = {}

    def start(self) -> None:
        """The servers first; the sandbox and the broker come up while PostgreSQL is made ready."""
        if "BROKER_URL" not in self.env:
            server, self.env["BROKER_URL"] = broker(self.state / "valkey", log=self.state / "log" / "broker.log")
            self._start(broker=server)
        self._start(sandbox=self.programs.sandbox(self.ports.sandbox))
        if "DATABASE_URL" not in self.env:
            log = self.state / "log" / "postgres.log"
            server, self.env["DATABASE_URL"] = postgres(self.state / "postgres", log=log, durable=self.durable)
            self._start(postgres=server)
        self._wait_for("postgres", "broker")
        seeded = self._prepare()
        self._start(
            web=self.programs.web(self.ports.portal),
            worker=self.programs.worker(),
            beat=self.programs.beat(self.state / "celerybeat-schedule"),
            **{name: self.programs.dispatcher(name) for name in self.dispatchers},
        )
        self._wait_for("sandbox", "web")
        self.facts = seeded | self._addresses()
        self.write_facts()

    def tend(self) -> None:
        """One look at the children, several times a second. Raises Stopped when the run is to end."""
        self.stop.check()
        self.supervisor.tend()
        if self.facts["pids"] != self._pids():
            self.write_facts()

    def write_facts(self) -> None:
        """demo.json is there as a whole or not at all."""
        self.facts["pids"] = self._pids()
        fresh = self.state / "demo.json.new"
        fresh.touch(mode=0o600)
        fresh.write_text(json.dumps(self.facts, indent=2))
        fresh.rename(self.state / "demo.json")

    def _start(self, **children: Child) -> None:
        self.stop.check()
        self.children |= children
        self.supervisor.start(*children.values())

    def _wait_for(self, *names: str) -> None:
        for name in names:
            if child := self.children.get(name):
                child.wait_until_ready(within=60, meanwhile=self.stop.check)

    def _finish(self, child: Child) -> None:
        """Runs a child that ends by itself. Raises ChildFailed unless with status 0."""
        guard = self.supervisor.guard
        guard.start(child)
        try:
            child.wait_until_ended(meanwhile=self.stop.check)
        finally:
            status = guard.bury(child)
        if status != 0:
            raise ChildFailed(f"{child.name} failed; the end of {child.log}:\n{tail(child.log)}")

    def _prepare(self) -> dict[str, Any]:
        output = self.state / "log" / "prepare.json"
        self._finish(self.programs.prepare(output))
        facts: dict[str, Any] = {}
        for line in output.read_text().splitlines():  # of each command that seeds
            facts |= json.loads(line)
        return facts

    def _addresses(self) -> dict[str, Any]:
        portal = self.env["PUBLIC_URL"]
        return {
            "portal_url": portal,
            "api_url": f"{portal}/api",
            "docs_url": f"{portal}/api/docs",
            "metadata_url": f"{portal}/.well-known/oauth-authorization-server",
            **self._sandbox(),
            "database_url": self.env["DATABASE_URL"],
            "broker_url": self.env["BROKER_URL"],
        }

    def _sandbox(self) -> dict[str, Any]:
        """Where the simulated platforms are, and whom they let in: store owners; at the warehouse, by role."""
        state, address = json.loads(fetch(self.ports.sandbox, "/_control/state")), f"http://{HOST}:{self.ports.sandbox}"
        return {
            "sandbox_url": address,
            "sandbox_users": {slugify(user["organization"]): _login(user) for user in state["users"]},
            "pio_url": address,
            "pio_port_url": f"{address}/port/",
            "pio_users": {user["role"]: _login(user) for user in state["pio"]["users"]},
        }

    def _pids(self) -> dict[str, int | None]:
        names = ("web", "worker", "beat", *self.dispatchers, "sandbox", "postgres", "broker")
        return {name: self.children[name].pid if name in self.children else None for name in names}


def _login(user: dict[str, str]) -> dict[str, str]:
    return {"email": user["email"], "password": user["password"]}
