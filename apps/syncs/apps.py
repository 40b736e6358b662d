from django.apps import AppConfig


class SyncsConfig(AppConfig):
    name = "apps.syncs"

    def ready(self) -> None:
        from .telling import name_audiences  # noqa: PLC0415 - the models have to be there first

        name_audiences()
