from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate


class AccountsConfig(AppConfig):
    name = "apps.accounts"
    verbose_name = "Accounts"

    def ready(self) -> None:
        from . import sessions  # noqa: F401, PLC0415 - begins each with its sign-in; the models have to be there first
        from .powers import keep_groups  # noqa: PLC0415 - likewise

        # With the last app, when the permissions of all of them are made.
        last = [config for config in apps.get_app_configs() if config.models_module][-1]
        post_migrate.connect(keep_groups, sender=last)
