import signal
import subprocess
import sys
from urllib.parse import urlsplit

import pytest

from tests.sandbox.driver import REDIRECT, ROOT, Application, Sandbox, start, stop

OWN = {"SANDBOX_CLIENT_ID": "own", "SANDBOX_CLIENT_SECRET": "s3cret", "SANDBOX_REDIRECT_URIS": f"{REDIRECT}, http://b/"}


@pytest.fixture
def visit(tmp_path):
    """Run a sandbox on this test's own database, do something with it, stop it, and return what came out."""

    def run(work, *, by=signal.SIGTERM, **environment):
        process, url = start(tmp_path / "own" / "sandbox.sqlite3", **(OWN | environment))
        sandbox = Sandbox(url)
        try:
            return work(sandbox)
        finally:
            sandbox.close()
            assert stop(process, by=by) == 0

    return run


def test_its_state_outlives_a_restart_and_its_key_is_for_the_owner_only(visit, tmp_path):
    def connect(sandbox):
        application = Application(sandbox, client_id="own", secret="s3cret")
        store = sandbox.brand("Little Brims")["stores"][0]["id"]
        application.connect(store, brand="Little Brims")
        sandbox.fault("slow", path="/v1/ping")
        token = application.own_token()
        return token, application.summaries(token, limit=5).json(), sandbox.control("GET", "state").json()

    token, page, state = visit(connect, by=signal.SIGINT)

    def look_again(sandbox):
        application = Application(sandbox, client_id="own", secret="s3cret")
        following = application.summaries(token, limit=5, token=page["offsetToken"])
        return following.json()["items"], sandbox.control("GET", "state").json()

    following, state_after = visit(look_again)
    assert len(following) == 5
    assert state_after == state
    assert (tmp_path / "own" / "sandbox.sqlite3.key").stat().st_mode & 0o777 == 0o600


def test_the_application_of_the_environment_is_updated_at_every_start(visit):
    def registered(sandbox):
        return sandbox.control("GET", "state").json()["applications"]

    assert visit(registered) == [
        {"client_id": "own", "name": "Crossdock", "redirect_uris": [REDIRECT, "http://b/"], "webhook_url": ""},
    ]
    moved = visit(registered, SANDBOX_REDIRECT_URIS="https://c/")
    assert moved == [{"client_id": "own", "name": "Crossdock", "redirect_uris": ["https://c/"], "webhook_url": ""}]


def run_on(port):
    return subprocess.run(
        [sys.executable, "-m", "apps.sandbox", "--port", port], cwd=ROOT, capture_output=True, text=True, timeout=10
    )


def test_a_taken_port_is_one_sentence_and_exit_code_1(running):
    port = str(urlsplit(running.url).port)
    ended = run_on(port)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert (
        ended.stderr == f"The sandbox cannot use port {port}: it is taken or not allowed. Set another SANDBOX_PORT.\n"
    )


@pytest.mark.parametrize(("port", "code"), [("99999", 1), ("eighty", 2)])
def test_a_port_that_is_none_is_explained(port, code):
    ended = run_on(port)
    assert (ended.returncode, "Traceback" in ended.stderr) == (code, False)
