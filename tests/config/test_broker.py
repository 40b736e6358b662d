import os
import signal
import time
from pathlib import Path

import redis

from config.local.broker import broker
from config.local.child import Child, wait_until
from config.local.guard import Guard
from config.local.postgres import remove


def server(place: Path) -> tuple[Child, redis.Redis]:
    child, url = broker(place, log=place.with_name("log"))
    return child, redis.Redis(unix_socket_path=url.removeprefix("redis+socket://"), decode_responses=True)


def test_what_is_a_second_old_is_there_after_a_kill(tmp_path: Path, guard: Guard):
    child, client = server(tmp_path / "valkey")
    with guard.running(child):
        client.set("ring", "twice")
        time.sleep(1.5)  # appendfsync everysec
        os.kill(child.pid, signal.SIGKILL)
        assert wait_until(lambda: not child.running(), within=5)

    child, client = server(tmp_path / "valkey")
    with guard.running(child):
        assert client.get("ring") == "twice"


def test_a_path_that_is_too_long_for_a_socket_still_works(tmp_path: Path, guard: Guard):
    place = tmp_path / ("a long name with blanks " * 6)
    child, client = server(place)
    with guard.running(child):
        assert client.ping() is True

    remove(place)


def test_the_broker_listens_to_no_network(tmp_path: Path, guard: Guard):
    child, client = server(tmp_path / "valkey")
    with guard.running(child):
        assert client.config_get("port") == {"port": "0"}
