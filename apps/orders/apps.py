from django.apps import AppConfig


class OrdersConfig(AppConfig):
    name = "apps.orders"

    def ready(self) -> None:
        from . import telling, waking  # noqa: PLC0415 - Django calls it before the models can be imported

        waking.listen()
        telling.name_audiences()
