from django.apps import AppConfig


class IntegrationsConfig(AppConfig):
    name = "apps.integrations"

    def ready(self) -> None:
        from . import checks  # noqa: F401, PLC0415 - Django's own way to register system checks
