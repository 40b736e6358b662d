"""What an operator has forgotten to set, said at start instead of at first use."""

from typing import Any

from django.conf import settings
from django.core.checks import Error, Info, register
from django.core.exceptions import ImproperlyConfigured

from apps.encrypted import newest_key

from .connectors import all_connectors, missing


@register()
def check_connectors(app_configs: Any, **kwargs: Any) -> list[Info]:
    return [
        Info(
            f"{connector.name} is not offered to store owners: {', '.join(missing(connector))} not set.",
            hint="Set the variables, or ignore this when you do not use the platform.",
            id="crossdock.I001",
        )
        for connector in all_connectors().values()
        if missing(connector)
    ]


@register()
def check_credential_keys(app_configs: Any, **kwargs: Any) -> list[Error]:
    try:
        newest_key()
    except (ImproperlyConfigured, ValueError) as error:
        return [Error(f"CREDENTIAL_KEYS cannot be used: {error}", id="crossdock.E002")]
    if settings.DEMO or len(settings.SECRET_KEY) >= 32:
        return []
    return [Error("SECRET_KEY is shorter than 32 characters.", id="crossdock.E003")]
