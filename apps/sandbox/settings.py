"""Settings of the sandbox process. All of it comes from the environment:

SANDBOX_PORT            the port it serves on (8100)
SANDBOX_DATABASE        its SQLite file (.dev/sandbox.sqlite3 in the checkout)
SANDBOX_CLIENT_ID, SANDBOX_CLIENT_SECRET, SANDBOX_REDIRECT_URIS (comma separated)
                        the application that is registered with Otter at every start
SANDBOX_WEBHOOK_URL, SANDBOX_WEBHOOK_SECRET
                        where that application hears of orders, and what these webhooks are signed with
SANDBOX_PIO_CLIENT_ID, SANDBOX_PIO_CLIENT_SECRET, SANDBOX_PIO_REDIRECT_URIS (comma separated)
                        the integration that is registered with Pio at every start
"""

import os
import secrets
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parents[2]
PORT = int(os.environ.get("SANDBOX_PORT", "8100"))
BASE_URL = f"http://127.0.0.1:{PORT}"
DATABASE = Path(os.environ.get("SANDBOX_DATABASE") or BASE_DIR / ".dev" / "sandbox.sqlite3").absolute()


def own_client(prefix: str) -> dict:
    """What the environment says of a client that is registered at every start; without an id there is none."""
    uris = os.environ.get(f"{prefix}_REDIRECT_URIS", "").split(",")
    return {
        "client_id": os.environ.get(f"{prefix}_CLIENT_ID", ""),
        "client_secret": os.environ.get(f"{prefix}_CLIENT_SECRET", ""),
        "redirect_uris": [uri.strip() for uri in uris if uri.strip()],
    }


def kept_secret(path: Path) -> str:
    """The key in the file at `path`, made once, so that logins and paging tokens outlive a restart."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(48))
    return path.read_text()


OWN_APPLICATION = own_client("SANDBOX") | {
    "webhook_url": os.environ.get("SANDBOX_WEBHOOK_URL", ""),
    "webhook_secret": os.environ.get("SANDBOX_WEBHOOK_SECRET", ""),
}
OWN_PIO_INTEGRATION = own_client("SANDBOX_PIO")
SECRET_KEY = kept_secret(DATABASE.with_name(DATABASE.name + ".key"))
ALLOWED_HOSTS = ["127.0.0.1", "localhost", "[::1]"]
INSTALLED_APPS = ["apps.sandbox", "apps.sandbox.otter", "apps.sandbox.pio"]
ROOT_URLCONF = "apps.sandbox.urls"
APPEND_SLASH = False
USE_TZ = True
TIME_ZONE = "UTC"

MIDDLEWARE = [
    "apps.sandbox.ledger.recording",
    # Checks the Host header, without which a web page could reach the control endpoint by DNS rebinding.
    "django.middleware.common.CommonMiddleware",
    "apps.sandbox.faults.failing",
    "apps.sandbox.errors.Refusing",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        # Not all of templates/: error pages with well-known names there are the portal's.
        "DIRS": [BASE_DIR / "templates" / "sandbox"],
        "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
    }
]

# Cookies ignore ports: other names keep the portal and the sandbox from signing each other out.
SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
SESSION_COOKIE_NAME = "sandbox_session"
CSRF_COOKIE_NAME = "sandbox_csrf"

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": DATABASE,
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
            "transaction_mode": "IMMEDIATE",
            "timeout": 30,
        },
    }
}
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"stderr": {"class": "logging.StreamHandler"}},
    "loggers": {"django": {"handlers": ["stderr"], "level": "ERROR"}},
}
