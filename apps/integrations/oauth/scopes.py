"""Which scopes the toolkit may give out, by the flow they are asked for in."""

from typing import Any

from oauth2_provider.scopes import BaseScopes

from apps.api.grants import CONSENTED, ITSELF, SCOPES


class Scopes(BaseScopes):
    """An organization consents to what concerns it; about itself an application asks with its own credentials."""

    def get_all_scopes(self) -> dict[str, Any]:
        return SCOPES

    def get_available_scopes(self, application: Any = None, request: Any = None) -> list[str]:
        return list(ITSELF if _is_about_itself(request) else CONSENTED)

    def get_default_scopes(self, application: Any = None, request: Any = None) -> list[str]:
        """All an application may do about itself. What an organization is asked for: see `check_request`."""
        return list(ITSELF) if _is_about_itself(request) else []


def _is_about_itself(request: Any) -> bool:
    return getattr(request, "grant_type", None) == "client_credentials"
