import os
from pathlib import Path

import pytest

from config.local.child import ChildFailed
from config.local.run import Ports, dispatchers, environment

PORTS = Ports(portal=8001, sandbox=8101)


@pytest.fixture(autouse=True)
def _only(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        monkeypatch.delenv(name)


def test_the_portal_and_the_sandbox_know_each_other(tmp_path: Path):
    env = environment(tmp_path, ports=PORTS)

    assert env["PUBLIC_URL"] == "http://127.0.0.1:8001"
    assert env["OTTER_URL"] == "http://127.0.0.1:8101"
    assert env["SANDBOX_REDIRECT_URIS"] == "http://127.0.0.1:8001/connect/callback/"
    assert (env["SANDBOX_CLIENT_ID"], env["SANDBOX_CLIENT_SECRET"]) == (
        env["OTTER_CLIENT_ID"],
        env["OTTER_CLIENT_SECRET"],
    )
    assert env["SANDBOX_WEBHOOK_URL"] == "http://127.0.0.1:8001/receive/from/otter"
    assert env["SANDBOX_WEBHOOK_SECRET"] == env["OTTER_WEBHOOK_SECRET"]
    assert env["PIO_URL"] == "http://127.0.0.1:8101"
    assert env["SANDBOX_PIO_REDIRECT_URIS"] == "http://127.0.0.1:8001/connect/callback/"
    assert (env["SANDBOX_PIO_CLIENT_ID"], env["SANDBOX_PIO_CLIENT_SECRET"]) == (
        env["PIO_CLIENT_ID"],
        env["PIO_CLIENT_SECRET"],
    )


def test_what_the_caller_sets_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OTTER_URL", "https://otter.test")
    monkeypatch.setenv("VENDURE_URL", "https://vendure.test")
    monkeypatch.setenv("PUBLIC_URL", "https://portal.test/")

    env = environment(tmp_path, ports=PORTS)

    assert (env["OTTER_URL"], env["VENDURE_URL"]) == ("https://otter.test", "https://vendure.test")
    assert env["PUBLIC_URL"] == "https://portal.test"
    assert env["SANDBOX_REDIRECT_URIS"] == "https://portal.test/connect/callback/"
    assert env["ALLOWED_HOSTS"] == "127.0.0.1,localhost,portal.test"


def test_what_the_caller_sets_to_nothing_does_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DATABASE_URL", "")
    monkeypatch.setenv("OTTER_URL", "")

    env = environment(tmp_path, ports=PORTS)

    assert "DATABASE_URL" not in env
    assert env["OTTER_URL"] == "http://127.0.0.1:8101"


def test_it_is_a_demo_whatever_the_caller_sets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DEMO", "0")
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "shop.settings")

    env = environment(tmp_path, ports=PORTS)

    assert (env["DEMO"], env["DJANGO_SETTINGS_MODULE"]) == ("1", "config.settings")


def test_there_is_one_dispatcher_unless_more_are_asked_for():
    assert dispatchers({}) == ["dispatcher"]
    assert dispatchers({"DISPATCHERS": "3"}) == ["dispatcher", "dispatcher-2", "dispatcher-3"]


@pytest.mark.parametrize("text", ["0", "-1", "17", "two", "1.5", "01"])
def test_a_number_of_dispatchers_that_is_none_is_one_clear_sentence(text):
    with pytest.raises(ChildFailed) as failure:
        dispatchers({"DISPATCHERS": text})
    assert str(failure.value) == f"DISPATCHERS must be a number from 1 to 16, not '{text}'."
