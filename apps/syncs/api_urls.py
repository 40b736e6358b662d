"""Addresses of an organization's integrations in the API."""

from django.urls import path

from apps.api.routes import operations
from apps.integrations import org_api

from . import api, drift_api

INTEGRATIONS = "v1/organizations/<uuid:organization_id>/integrations"
INTEGRATION = f"{INTEGRATIONS}/<uuid:integration_id>"

urlpatterns = [
    path(
        INTEGRATIONS,
        operations(get=org_api.list_integrations, post=org_api.create_integration),
        name="integrations",
    ),
    path(
        INTEGRATION,
        operations(get=org_api.read_integration, put=org_api.update_integration, delete=api.delete_integration),
        name="integration",
    ),
    path(
        f"{INTEGRATION}/settings",
        operations(get=org_api.read_settings, put=org_api.write_settings),
        name="integration-settings",
    ),
    path(f"{INTEGRATION}/revisions", operations(get=org_api.list_revisions), name="integration-revisions"),
    path(f"{INTEGRATION}/actions", operations(get=api.list_actions), name="integration-actions"),
    path(f"{INTEGRATION}/actions/<str:code>", operations(post=api.perform_action), name="integration-action"),
    path(f"{INTEGRATION}/sync/<str:what>", operations(post=api.sync_integration), name="integration-sync"),
    path(f"{INTEGRATION}/stock-differences", operations(get=drift_api.list_drifts), name="stock-differences"),
    path(
        f"{INTEGRATION}/stock-differences/put-right",
        operations(post=drift_api.put_right),
        name="stock-differences-put-right",
    ),
    path(f"{INTEGRATION}/runs", operations(get=api.list_runs), name="integration-runs"),
    path(f"{INTEGRATION}/runs/<uuid:run_id>", operations(get=api.read_run), name="integration-run"),
]
