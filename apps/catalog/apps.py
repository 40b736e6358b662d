from django.apps import AppConfig


class CatalogConfig(AppConfig):
    name = "apps.catalog"

    def ready(self) -> None:
        from . import telling  # noqa: PLC0415 - Django calls it before the models can be imported

        telling.name_audiences()
