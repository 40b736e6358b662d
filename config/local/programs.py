"""The programs of a demo, as children: what each is called with, and when it serves."""

import http.client
import sys
from pathlib import Path

from config.local.child import Child
from config.local.ports import HOST

CHECKOUT = Path(__file__).parents[2]


class Programs:
    """Makes children that run in this checkout with `env`, each writing `<name>.log` in the folder `logs`."""

    def __init__(self, *, env: dict[str, str], logs: Path) -> None:
        self.env = env
        self.logs = logs

    def web(self, port: int) -> Child:
        options = ["--worker-class=gthread", "--threads=8", "--keep-alive=75", "--graceful-timeout=5"]
        options += ["--no-control-socket", f"--bind={HOST}:{port}"]
        child = self._python("web", "gunicorn", *options, "config.wsgi")
        child.ready = lambda: answers(port, "/healthz")
        return child

    def worker(self) -> Child:
        quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
        return self._python("worker", "celery", "-A", "config", "worker", "-c", "2", "-l", "INFO", *quiet)

    def beat(self, schedule: Path) -> Child:
        return self._python("beat", "celery", "-A", "config", "beat", "-l", "INFO", "-s", str(schedule))

    def dispatcher(self, name: str) -> Child:
        return self._python(name, "django", "deliver")

    def sandbox(self, port: int) -> Child:
        child = self._python("sandbox", "apps.sandbox", "--port", str(port))
        child.ready = lambda: answers(port, "/")
        return child

    def prepare(self, output: Path) -> Child:
        child = self._python("prepare", "config.local.prepare")
        child.output = output
        return child

    def _python(self, name: str, module: str, *arguments: str) -> Child:
        command = [sys.executable, "-m", module, *arguments]
        return Child(name=name, command=command, log=self.logs / f"{name}.log", env=self.env, cwd=CHECKOUT)


def answers(port: int, path: str) -> bool:
    """Whether GET `path` on this machine's `port` is a success."""
    try:
        fetch(port, path)
    except (OSError, http.client.HTTPException):
        return False
    return True


def fetch(port: int, path: str) -> bytes:
    """The body of GET `path` on this machine's `port`. Raises OSError or HTTPException, also for an error status."""
    connection = http.client.HTTPConnection(HOST, port, timeout=5)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        if answer.status != 200:
            raise http.client.HTTPException(f"{path} answered {answer.status}")
        return answer.read()
    finally:
        connection.close()
