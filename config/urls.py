"""Every prefix on one screen."""

from typing import Any

from django.contrib import admin
from django.urls import include, path

from apps.accounts.admin import own_password
from apps.api.errors import no_such_address
from apps.branding import brand_css, favicon
from apps.desk.home import fresh
from apps.desk.problems_admin import problem_page, problems_page
from apps.health import healthz, readyz

# One app's `api_urls` a line. An address belongs to the family of the vendor whose contract it is.
api: list[Any] = [
    path("", include("apps.orders.api_urls")),  # called most, found first
    path("", include("apps.api.urls")),
    path("", include("apps.accounts.api_urls")),
    path("", include("apps.integrations.api_urls")),
    path("", include("apps.integrations.custom_urls")),
    path("", include("apps.shops.api_urls")),
    path("", include("apps.webhooks.inbox_urls")),
    path("", include("apps.webhooks.api_urls")),
    path("", include("apps.catalog.api_urls")),
    path("", include("apps.syncs.api_urls")),
    path("<path:rest>", no_such_address),
    path("", no_such_address),
]

handler400 = "apps.api.errors.bad_request"
handler404 = "apps.api.errors.not_found"
handler500 = "apps.api.errors.server_error"
urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("brand.css", brand_css, name="brand-css"),
    path("favicon.ico", favicon, name="favicon"),
    path("language/", include("django.conf.urls.i18n")),
    path("accounts/", include("allauth.urls")),
    path("admin/problems/", problems_page, name="problems"),
    path("admin/problems/<str:address>/", problem_page, name="problem"),
    path("admin/password_change/", own_password),
    path("admin/now/", admin.site.admin_view(fresh), name="admin-home"),
    path("admin/", admin.site.urls),
    path("", include("apps.integrations.oauth.urls")),
    path("api/", include((api, "api"))),
    path("", include("apps.webhooks.urls")),
    path("", include("apps.webhooks.hook_urls")),
    path("", include("apps.accounts.urls")),
    path("", include("apps.integrations.urls")),
    path("", include("apps.catalog.urls")),
    path("", include("apps.orders.urls")),
    path("", include("apps.onboarding.urls")),
]
