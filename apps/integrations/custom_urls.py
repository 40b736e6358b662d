"""Addresses of custom connectors, their integrations and keys."""

from django.urls import path

from apps.api.routes import operations

from . import custom_api, keys_api

urlpatterns = [
    path(
        "v1/connectors",
        operations(get=custom_api.list_connectors, post=custom_api.create_connector),
        name="connectors",
    ),
    path(
        "v1/connectors/<uuid:pk>",
        operations(get=custom_api.read_connector, put=custom_api.change_connector, delete=custom_api.delete_connector),
        name="connector",
    ),
    path("v1/integrations/<uuid:pk>", operations(get=custom_api.read_integration), name="custom-integration"),
    path(
        "v1/integrations/<uuid:pk>/enable",
        operations(post=custom_api.enable_integration),
        name="custom-integration-enable",
    ),
    path(
        "v1/integrations/<uuid:pk>/disable",
        operations(post=custom_api.disable_integration),
        name="custom-integration-disable",
    ),
    path(
        "v1/integrations/<uuid:pk>/configuration",
        operations(get=custom_api.export_configuration, put=custom_api.import_configuration),
        name="configuration",
    ),
    path("v1/integrations/<uuid:pk>/keys", operations(get=keys_api.list_keys, post=keys_api.create_key), name="keys"),
    path(
        "v1/integrations/<uuid:pk>/keys/<uuid:key>",
        operations(get=keys_api.read_key, delete=keys_api.terminate_key),
        name="key",
    ),
    path("v1/integrations/<uuid:pk>/keys/<uuid:key>/rotate", operations(post=keys_api.rotate_key), name="key-rotate"),
    path("v1/keys/self", operations(get=keys_api.read_own_key), name="key-self"),
    path("v1/keys/self/rotate", operations(post=keys_api.rotate_own_key), name="key-self-rotate"),
]
