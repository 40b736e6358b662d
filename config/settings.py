"""Every setting of Crossdock. One configuration; what differs between machines comes from the environment."""

from pathlib import Path

from celery.schedules import crontab
from django.conf import global_settings
from django.utils.csp import CSP
from django.utils.translation import gettext_lazy as _

from config.environment import database, env, env_flag, env_list, mailer

BASE_DIR = Path(__file__).resolve().parent.parent

# ---- Where and how this deployment runs

DEMO = env_flag("DEMO")  # `make demo`: plain http on loopback, no second factor for staff
DEBUG = env_flag("DEBUG")
SECRET_KEY = env("SECRET_KEY")
SECRET_KEY_FALLBACKS = env_list("SECRET_KEY_FALLBACKS")
PUBLIC_URL = env("PUBLIC_URL").rstrip("/")
SECURE = PUBLIC_URL.startswith("https://")
ALLOWED_HOSTS = env_list("ALLOWED_HOSTS", PUBLIC_URL.split("//")[-1].split("/")[0].rsplit(":", 1)[0])
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"

# ---- The 3PL's own face

PORTAL_NAME = env("PORTAL_NAME", "Crossdock")
PORTAL_LOGO = env("PORTAL_LOGO", "")  # address of a picture, or empty for a wordmark
PORTAL_COLOR = env("PORTAL_COLOR", "#1f5eff")
SUPPORT_EMAIL = env("SUPPORT_EMAIL", "")

# ---- Apps

INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "config.admin.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.staticfiles",
    "django_htmx",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "oauth2_provider",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "apps.audit",
    "apps.api",
    "apps.accounts",
    "apps.integrations",
    "apps.shops",
    "apps.webhooks",
    "apps.catalog",
    "apps.orders",
    "apps.syncs",
    "apps.onboarding",
    "apps.desk",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "apps.logs.request_id",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "apps.input.refuse_unstorable_text",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "apps.htmx.move_on_as_a_whole",
    "apps.accounts.sessions.end_in_time",
    "apps.accounts.looking.only_look",  # the last: it calls the page itself
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.csp",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "apps.branding.portal",
            ],
        },
    },
]

# ---- Database: PostgreSQL is the queue of record

# Without `jit`: the statement of the first page has a hundred parts, and compiling them takes longer than doing them.
# Kept for long: each new connection has to plan anew what is prepared. Whether it still works is asked each time.
DATABASES = {"default": database(env("DATABASE_URL")) | {"CONN_MAX_AGE": 600, "CONN_HEALTH_CHECKS": True}}
DATABASES["default"]["OPTIONS"].setdefault(  # type: ignore[attr-defined]
    "options", "-c lock_timeout=5s -c idle_in_transaction_session_timeout=60s -c statement_timeout=60s -c jit=off"
)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# ---- Celery: the broker is only a doorbell

CELERY_BROKER_URL = env("BROKER_URL")
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = (
    {"visibility_timeout": 120, "unacked_restore_throttle": 1, "global_keyprefix": env("BROKER_PREFIX", "")}
    if CELERY_BROKER_URL.startswith("redis")
    else {}
)
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0.2}
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_MAX_TASKS_PER_CHILD = 500
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BEAT_SCHEDULE = {
    "ring for due sync runs": {"task": "apps.syncs.schedule.ring_for_due_runs", "schedule": 5.0},
    "sort orders": {"task": "apps.orders.tasks.sort_orders", "schedule": 2.0},
    "look again at waiting orders": {"task": "apps.orders.tasks.sweep_orders", "schedule": 600.0},
    "tell warehouses of products": {"task": "apps.syncs.schedule.queue_pushes", "schedule": 10.0},
    "open receipts": {"task": "apps.syncs.tasks.open_receipts", "schedule": 5.0},
    "mail notices": {"task": "apps.webhooks.tasks.mail_notices", "schedule": 30.0},
    "forget old messages": {"task": "apps.webhooks.tasks.forget_old", "schedule": crontab(minute=13)},
    "forget old receipts": {"task": "apps.syncs.schedule.forget_old_receipts", "schedule": crontab(minute=57)},
    "tell platforms their stock": {"task": "apps.syncs.schedule.tell_due_stock", "schedule": 2.0},
    "hand orders over": {"task": "apps.syncs.tasks.hand_orders_over", "schedule": 3.0},
    "read orders": {"task": "apps.syncs.schedule.queue_regular_orders", "schedule": 10.0},
    "tell platforms of parcels": {"task": "apps.syncs.tasks.tell_parcels", "schedule": 5.0},
    "queue the regular syncs": {"task": "apps.syncs.schedule.queue_regular_runs", "schedule": 60.0},
    "queue the regular comparisons of stock": {
        "task": "apps.syncs.schedule.queue_regular_comparisons",
        "schedule": 60.0,
    },
    "queue the regular readings of shipments": {
        "task": "apps.syncs.schedule.queue_regular_reconciliations",
        "schedule": 60.0,
    },
    "finish hanging connections": {
        "task": "apps.onboarding.schedule.finish_hanging_connections",
        "schedule": 15.0,
    },
    "finish disconnecting": {"task": "apps.onboarding.schedule.finish_disconnecting", "schedule": 30.0},
    "forget old sync runs": {
        "task": "apps.syncs.schedule.forget_old_runs",
        "schedule": crontab(minute=47, hour=3),
    },
    "forget old authorization attempts": {
        "task": "apps.integrations.tasks.forget_old_attempts",
        "schedule": crontab(minute=17, hour=3),
    },
    "seal the audit trail": {"task": "apps.audit.tasks.seal_trail", "schedule": 60.0},
    "check the audit trail": {"task": "apps.audit.tasks.check_trail", "schedule": crontab(minute=23, hour=4)},
    "ring for due jobs": {"task": "apps.desk.tasks.ring_for_due_jobs", "schedule": 5.0},
    "forget old jobs": {"task": "apps.desk.tasks.forget_old_jobs", "schedule": crontab(minute=41)},
    "let go of dismissals": {"task": "apps.desk.tasks.let_go_of_dismissals", "schedule": crontab(minute="*/5")},
    "forget old usage": {"task": "apps.api.tasks.forget_old_usage", "schedule": crontab(minute=37)},
    "forget old answers": {"task": "apps.api.tasks.forget_old_answers", "schedule": crontab(minute=7)},
    "forget old tokens": {"task": "apps.integrations.tasks.forget_old_tokens", "schedule": crontab(minute=27)},
}

# ---- Connectors: one line each; addresses and client credentials come from the environment

INTEGRATION_CONNECTORS = [
    "apps.integrations.connectors.otter.connector.CONNECTOR",
    "apps.integrations.connectors.vendure.connector.CONNECTOR",
    "apps.integrations.connectors.pio.connector.CONNECTOR",
]
CONNECTOR_ENVIRONMENT = {
    slug: {
        key: env(f"{slug.upper()}_{key}", "").rstrip("/")
        for key in ("URL", "CLIENT_ID", "CLIENT_SECRET", "FORMER_SECRET", "WEBHOOK_SECRET", "FORMER_WEBHOOK_SECRET")
    }
    for slug in (path.split(".")[-3] for path in INTEGRATION_CONNECTORS)
}
EGRESS_ALLOWED_HOSTS = env_list("EGRESS_ALLOWED_HOSTS")  # private hosts an owner may still name
CREDENTIAL_KEYS = env_list("CREDENTIAL_KEYS")  # "name:base64 of 32 bytes", newest first

SYNC_EVERY_SECONDS = int(env("SYNC_EVERY_SECONDS", "900"))
ORDERS_EVERY_SECONDS = int(env("ORDERS_EVERY_SECONDS", "60"))
COMPARE_EVERY_SECONDS = int(env("COMPARE_EVERY_SECONDS", "900"))
# For rehearsals alone: seconds before each try of a webhook, in place of the hours of a real one.
WEBHOOK_RETRY_SECONDS = [float(seconds) for seconds in env_list("WEBHOOK_RETRY_SECONDS")]
UNDO_DISCONNECT_SECONDS = int(env("UNDO_DISCONNECT_SECONDS", "900"))

# ---- The authorization server: django-oauth-toolkit with every gate of RFC 9700 closed, and our validator for the rest

OAUTH2_PROVIDER_APPLICATION_MODEL = "integrations.Application"
OAUTH2_PROVIDER_GRANT_MODEL = "integrations.Grant"
OAUTH2_PROVIDER_ACCESS_TOKEN_MODEL = "integrations.AccessToken"  # noqa: S105 - a name
OAUTH2_PROVIDER_REFRESH_TOKEN_MODEL = "integrations.RefreshToken"  # noqa: S105 - a name
OAUTH2_PROVIDER_ID_TOKEN_MODEL = "integrations.IDToken"  # noqa: S105 - a name
OAUTH2_PROVIDER: dict[str, object] = {
    "OAUTH2_VALIDATOR_CLASS": "apps.integrations.oauth.validator.Validator",
    "OAUTH2_SERVER_CLASS": "apps.integrations.oauth.server.Server",
    "SCOPES_BACKEND_CLASS": "apps.integrations.oauth.scopes.Scopes",
    "CLIENT_SECRET_GENERATOR_CLASS": "apps.integrations.oauth.clients.ClientSecrets",
    "CLIENT_SECRET_HASHER": "sha256_of_random",
    "ACCESS_TOKEN_GENERATOR": "apps.integrations.oauth.issuing.access_token",
    "REFRESH_TOKEN_GENERATOR": "apps.integrations.oauth.issuing.refresh_token",
    "ACCESS_TOKEN_EXPIRE_SECONDS": 60 * 60,
    "AUTHORIZATION_CODE_EXPIRE_SECONDS": 60,
    "REFRESH_TOKEN_EXPIRE_SECONDS": 30 * 24 * 60 * 60,
    "REFRESH_TOKEN_GRACE_PERIOD_SECONDS": 0,
    "REFRESH_TOKEN_REUSE_PROTECTION": True,
    "ROTATE_REFRESH_TOKEN": True,
    "PKCE_REQUIRED": True,
    "ALLOWED_REDIRECT_URI_SCHEMES": ["https", "http"] if DEMO else ["https"],
    "ALLOW_URI_WILDCARDS": False,
    "OIDC_ENABLED": False,
    "OIDC_ISS_ENDPOINT": PUBLIC_URL,
    "DCR_ENABLED": False,
    "CIMD_ENABLED": False,
    "COMPLIANT_BCP_RFC9700_IMPLICIT_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PASSWORD_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PKCE_METHOD": True,
    "COMPLIANT_BCP_RFC9700_PKCE_REQUIRED": True,
    "COMPLIANT_BCP_RFC9700_ACCESS_TOKEN_TRANSPORT": True,
    "COMPLIANT_BCP_RFC9700_AUTHZ_RESPONSE_ISS": True,
    "COMPLIANT_BCP_RFC9700_TOKEN_STORAGE": True,
    "COMPLIANT_BCP_RFC9700_REFRESH_TOKEN": True,
    "COMPLIANT_BCP_RFC9700_REDIRECT_URI_SCHEME": True,
    "COMPLIANT_BCP_RFC9700_REDIRECT_URI_MATCHING": True,
}

# ---- The API

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["apps.shops.principals.MachineAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["apps.api.policy.AsThePolicySays"],
    "DEFAULT_PARSER_CLASSES": ["apps.api.bodies.StrictJSON"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "apps.api.description.Description",
    "EXCEPTION_HANDLER": "apps.api.errors.answer",
    "UNAUTHENTICATED_USER": None,
}
API_INTRODUCTION = """
Send one credential with each call: `Authorization: Bearer …` with an access token or a key, `X-Api-Key` with a key, or
an application's client id and secret with HTTP Basic. Who may call what stands with each operation.

Whatever goes wrong is `application/problem+json` with a stable `code`. What belongs to somebody else is not found.

A write may carry an `Idempotency-Key`: sent again within 7 days it has no second effect, and gets the first answer.

An application may call 100 times a second, each of its shops 20 times, and twice as often for a moment; `RateLimit-…`
headers say what is left, and 429 comes with `Retry-After`.
"""
OPEN_REGISTRATION = env_flag("OPEN_REGISTRATION") or DEMO  # whether anybody may register an application
API_VERSION = "1"
SPECTACULAR_SETTINGS = {
    "OAS_VERSION": "3.1.1",
    "TITLE": f"{PORTAL_NAME} API",
    "VERSION": API_VERSION,
    "DESCRIPTION": API_INTRODUCTION,
    "SERVERS": [{"url": PUBLIC_URL}],
    "EXTERNAL_DOCS": {"description": "Every error code", "url": f"{PUBLIC_URL}/api/errors"},
    "POSTPROCESSING_HOOKS": [],  # choices stand where they are used: a name of their own would tell less
    "SCHEMA_PATH_PREFIX": "/api",
}

# ---- Sign-in

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = [  # the last one keeps the client secrets we make, which need no slowness
    *global_settings.PASSWORD_HASHERS,
    "apps.integrations.oauth.hashing.RandomSecretHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ALLAUTH_TRUSTED_PROXY_COUNT = int(env("TRUSTED_PROXIES", "0"))  # whose X-Forwarded-For the rate limits believe
ACCOUNT_ADAPTER = "apps.accounts.signing_in.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "mandatory"  # else signing up would tell which addresses have an account
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_ADAPTER = "apps.accounts.second_factor.SecondFactorAdapter"
MFA_TOTP_ISSUER = PORTAL_NAME
SESSION_COOKIE_NAME = "crossdock_session"
# A session ends when nobody has used it for so long, and at the latest so long after its sign-in.
SESSION_IDLE_SECONDS = int(env("SESSION_IDLE_SECONDS", "1800"))  # of the 3PL's own people
SESSION_LONGEST_SECONDS = int(env("SESSION_LONGEST_SECONDS", "43200"))
OWNER_SESSION_IDLE_SECONDS = int(env("OWNER_SESSION_IDLE_SECONDS", "43200"))  # of everybody else
OWNER_SESSION_LONGEST_SECONDS = int(env("OWNER_SESSION_LONGEST_SECONDS", "604800"))
SESSION_COOKIE_AGE = max(SESSION_LONGEST_SECONDS, OWNER_SESSION_IDLE_SECONDS)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = SECURE
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = LANGUAGE_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = LANGUAGE_COOKIE_HTTPONLY = True  # pages carry what their scripts need
CSRF_COOKIE_NAME = "crossdock_csrf"
LANGUAGE_COOKIE_NAME = "crossdock_language"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
CACHES = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "cache"}}

# ---- What a browser may do with our pages

SECURE_HSTS_SECONDS = 31_536_000 if SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = SECURE
SECURE_SSL_REDIRECT = False  # the reverse proxy does that
SILENCED_SYSTEM_CHECKS = ["security.W008"]  # which asks for it here
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if SECURE else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
PLATFORM_ORIGINS = ["/".join(known["URL"].split("/")[:3]) for known in CONNECTOR_ENVIRONMENT.values() if known["URL"]]
SECURE_CSP: dict[str, list[str]] = {
    "default-src": [CSP.SELF],
    "img-src": [CSP.SELF, "https:", "data:", *PLATFORM_ORIGINS],  # product pictures live at the platforms
    "style-src": [CSP.SELF],
    "script-src": [CSP.SELF],
    "form-action": [CSP.SELF, *PLATFORM_ORIGINS],  # Chromium checks the redirect after a form too
    "frame-ancestors": [CSP.NONE],
    "base-uri": [CSP.NONE],
    "object-src": [CSP.NONE],
}
ADMIN_CSP = SECURE_CSP | {"frame-ancestors": [CSP.SELF]}  # pop-ups are frames of our own

# ---- Texts, times, files

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("nl", "Nederlands")]
LOCALE_PATHS = [BASE_DIR / "config" / "locale"]
TIME_ZONE = env("TIME_ZONE", "UTC")
USE_TZ = True
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = True  # no collectstatic step between a checkout and a page that looks right
WHITENOISE_AUTOREFRESH = DEMO or DEBUG  # a stylesheet edited beside a running demo is served whole
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 500

# ---- Mail

MAILERS = {"default": mailer(env("EMAIL_URL", f"file://{BASE_DIR}/.dev/mail"))}
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env("FROM_EMAIL", "portal@localhost")
OPERATORS_EMAIL = env_list("OPERATORS_EMAIL", SUPPORT_EMAIL)  # the 3PL's own people, told of what stops delivering

# ---- Logs

LOGGING_CONFIG = "apps.logs.configure"
LOGGING = {"level": env("LOG_LEVEL", "INFO")}

UNFOLD = {
    "SITE_TITLE": PORTAL_NAME,
    "SITE_HEADER": PORTAL_NAME,
    "SITE_SUBHEADER": _("Operations"),
    "SITE_SYMBOL": "conveyor_belt",
    "SITE_FAVICONS": [{"rel": "icon", "href": f"{STATIC_URL}favicon.svg", "type": "image/svg+xml"}],
    "COLORS": lambda request: {},  # no <style> in the page: operations.css has them
    "STYLES": ["/brand.css", f"{STATIC_URL}operations.css"],
    "SCRIPTS": [f"{STATIC_URL}operations.js"],
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_BACK_BUTTON": True,
    "DASHBOARD_CALLBACK": "apps.desk.home.page",
    "COMMAND": {"search_callback": "apps.desk.searching.search"},
    "SIDEBAR": {"show_search": True, "navigation": "apps.operations.navigation"},
}
