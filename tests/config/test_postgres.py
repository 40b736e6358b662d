import os
import subprocess
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import psutil
import psycopg
import pytest

from config.local.child import Child, wait_until
from config.local.guard import Guard
from config.local.postgres import postgres, remove
from config.local.unprivileged import identity


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    """A folder below one that only we may enter, as a checkout in a home folder is."""
    (tmp_path / "home").mkdir(mode=0o700)
    yield tmp_path / "home" / "postgres"
    remove(tmp_path / "home" / "postgres")


def server(place: Path) -> tuple[Child, str]:
    return postgres(place, log=place.parent / "log")


def ask(url: str, query: str) -> list[tuple]:
    with closing(psycopg.connect(url, autocommit=True)) as connection:
        cursor = connection.execute(query)
        return cursor.fetchall() if cursor.description else []


def test_the_database_speaks_utf8_to_nobody_on_the_network_and_not_as_root(place: Path, guard: Guard):
    child, url = server(place)
    with guard.running(child):
        assert ask(url, "SELECT current_database(), lower('ÀÉ'), current_setting('listen_addresses')") == [
            ("crossdock", "àé", "")
        ]
        assert ask(url, "SELECT pg_encoding_to_char(encoding) FROM pg_database WHERE datname = 'crossdock'") == [
            ("UTF8",)
        ]
        assert psutil.Process(child.pid).uids().real == (os.geteuid() or place.stat().st_uid) != 0


def test_what_was_committed_is_there_after_everything_was_killed(place: Path, guard: Guard):
    child, url = server(place)
    with guard.running(child):
        ask(url, "CREATE TABLE kept AS SELECT 42 AS answer")
        leader = psutil.Process(child.pid)
        for process in [leader, *leader.children()]:
            with suppress(psutil.NoSuchProcess):  # they end by themselves when the leader does
                process.kill()
        assert wait_until(lambda: not child.running(), within=5)

    child, url = server(place)
    with guard.running(child):
        assert ask(url, "SELECT answer FROM kept") == [(42,)]


def test_a_server_that_an_earlier_run_left_is_stopped(place: Path, guard: Guard):
    left, url = server(place)
    process = subprocess.Popen(left.command, cwd=left.cwd, stderr=subprocess.DEVNULL, **identity(left.user))
    assert wait_until(left.ready, within=10)

    child, url = server(place)

    process.wait(timeout=1)
    with guard.running(child):
        assert ask(url, "SELECT 1") == [(1,)]


def test_a_lock_file_with_the_number_of_another_program_is_no_obstacle(place: Path, guard: Guard):
    child, _url = server(place)
    with guard.running(child):
        lock = (place / "data" / "postmaster.pid").read_text()
    # PostgreSQL itself would take this test run for the server.
    (place / "data" / "postmaster.pid").write_text(lock.replace(str(child.pid), str(os.getpid()), 1))

    child, url = server(place)
    with guard.running(child):
        assert ask(url, "SELECT 1") == [(1,)]


def test_an_interrupted_initialisation_is_begun_again(place: Path, guard: Guard):
    server(place)
    (place / "data").rename(place / "data.new")
    (place / "data.new" / "global" / "pg_control").unlink()

    child, url = server(place)
    with guard.running(child):
        assert ask(url, "SELECT 1") == [(1,)]


def test_a_path_that_is_too_long_for_a_socket_still_works(place: Path, guard: Guard):
    deep = place.with_name("a folder with a long name and blanks " * 4)
    child, url = server(deep)
    with guard.running(child):
        assert ask(url, "SELECT 1") == [(1,)]
    socket = Path(url.partition("host=")[2])

    remove(deep)

    assert not deep.exists()
    assert not socket.exists()


def test_the_server_stops_cleanly_with_a_client_connected(place: Path, guard: Guard):
    child, url = server(place)
    with guard.running(child), psycopg.connect(url):
        guard.stop(child, within=5)

    assert child.process.returncode == 0
