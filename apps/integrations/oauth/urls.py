"""The authorization server's addresses, and those the seeds' documents have for the same."""

from django.urls import path

from .views.authorize import authorize
from .views.metadata import metadata
from .views.tokens import introspect, revoke, token

urlpatterns = [
    path("oauth/authorize", authorize, name="oauth-authorize"),
    path("oauth/token", token, name="oauth-token"),
    path("oauth/revoke", revoke, name="oauth-revoke"),
    path("oauth/introspect", introspect, name="oauth-introspect"),
    path(".well-known/oauth-authorization-server", metadata, name="oauth-metadata"),
    path("api/v1/auth/oauth2/authorize", authorize),
    path("api/v1/auth/token", token),
    path("api/v1/oauth/access_token", token),
    path("raw/openapi_auth/authorize_form", authorize, {"response_type": "code"}),
]
