"""Addresses of hooks, endpoints, and of what went out and came in, in the API."""

from django.urls import path

from apps.api.routes import operations

from . import hooks_api, log_api

urlpatterns = [
    path("v1/hooks", operations(get=hooks_api.list_hooks, post=hooks_api.create_hook), name="hooks"),
    path("v1/hooks/events", operations(get=hooks_api.list_events), name="hook-events"),
    path("v1/hooks/preview", operations(post=hooks_api.preview_filter), name="hook-preview"),
    path(
        "v1/hooks/<uuid:hook_id>",
        operations(get=hooks_api.read_hook, put=hooks_api.update_hook, delete=hooks_api.delete_hook),
        name="hook",
    ),
    path("v1/hooks/<uuid:hook_id>/test", operations(post=hooks_api.test_hook), name="hook-test"),
    path("v1/endpoints", operations(get=hooks_api.list_endpoints), name="endpoints"),
    path(
        "v1/endpoints/<uuid:endpoint_id>",
        operations(get=hooks_api.read_endpoint, put=hooks_api.update_endpoint, delete=hooks_api.remove_endpoint),
        name="endpoint",
    ),
    path(
        "v1/endpoints/<uuid:endpoint_id>/rotate-secret",
        operations(post=hooks_api.rotate_secret),
        name="endpoint-rotate-secret",
    ),
    path("v1/endpoints/<uuid:endpoint_id>/pause", operations(post=hooks_api.pause_endpoint), name="endpoint-pause"),
    path("v1/endpoints/<uuid:endpoint_id>/resume", operations(post=hooks_api.resume_endpoint), name="endpoint-resume"),
    path("v1/deliveries", operations(get=log_api.list_deliveries), name="deliveries"),
    path("v1/deliveries/replay", operations(post=log_api.replay_deliveries), name="deliveries-replay"),
    path("v1/deliveries/<int:delivery_id>", operations(get=log_api.read_delivery), name="delivery"),
    path("v1/deliveries/<int:delivery_id>/replay", operations(post=log_api.replay_delivery), name="delivery-replay"),
    path("v1/events", operations(get=log_api.list_events), name="events"),
    path("v1/events/<str:event_id>", operations(get=log_api.read_event), name="event"),
    path("v1/events/<str:event_id>/rerun", operations(post=log_api.rerun_event), name="event-rerun"),
]
