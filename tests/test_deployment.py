"""With the settings of a real deployment Django has nothing to say about its safety (AD-08)."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
HTTPS = {"PUBLIC_URL": "https://portal.example", "SECRET_KEY": "x1Y2-z3" * 9, "DEMO": "", "DEBUG": ""}
ASKED = (
    "import json; from django.conf import settings; print(json.dumps({name: getattr(settings, name) for name in %r}))"
)
PROMISED = {
    "SESSION_COOKIE_SECURE": True,
    "SESSION_COOKIE_HTTPONLY": True,
    "SESSION_COOKIE_SAMESITE": "Lax",
    "CSRF_COOKIE_SECURE": True,
    "CSRF_COOKIE_HTTPONLY": True,
    "CSRF_COOKIE_SAMESITE": "Lax",
    "SECURE_HSTS_SECONDS": 31_536_000,
    "SESSION_IDLE_SECONDS": 1800,
    "SESSION_LONGEST_SECONDS": 43_200,
}


@pytest.fixture
def deployed(settings) -> dict[str, str]:
    """The environment of a deployment that offers every platform there is."""
    platforms = {
        f"{slug}_{key}".upper(): "https://platform.example" if key == "URL" else "x" * 20
        for slug, keys in settings.CONNECTOR_ENVIRONMENT.items()
        for key in keys
    }
    ours = {name: value for name, value in os.environ.items() if name != "DJANGO_ALLOW_ASYNC_UNSAFE"}
    return ours | platforms | HTTPS | {"EMAIL_URL": "smtp://mail.example"}


def manage(*arguments: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_the_checks_of_a_deployment_have_nothing_to_say(deployed):
    done = manage("check", "--deploy", "--fail-level", "WARNING", environment=deployed)
    assert (done.returncode, done.stderr.strip()) == (0, "")
    assert done.stdout.strip() == "System check identified no issues (1 silenced)."  # the proxy's redirect to https


def test_a_deployment_without_https_is_warned(deployed):
    done = manage("check", "--deploy", "--fail-level", "WARNING", environment=deployed | {"PUBLIC_URL": "http://x"})
    assert (done.returncode, "security.W012" in done.stderr) == (1, True)


def test_cookies_and_sessions_are_as_promised(deployed):
    done = manage("shell", "-v", "0", "-c", ASKED % [*PROMISED], environment=deployed)
    assert json.loads(done.stdout) == PROMISED
