"""Seal every stored secret anew with the newest key, so that older keys can be dropped."""

from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction

from apps.encrypted import Sealed, newest_key


class Command(BaseCommand):
    help = "Re-encrypt all stored secrets with the first key of CREDENTIAL_KEYS. Safe at any time, twice, or cut short."

    def handle(self, *args: Any, **options: Any) -> None:
        models: list[Any] = Sealed.__subclasses__()
        for model in models:
            keys = list(model.objects.exclude(sealed__startswith=f"{newest_key()}:").values_list("pk", flat=True))
            for pk in keys:
                self._reseal(model, pk)
            self.stdout.write(f"{model._meta.verbose_name}: {len(keys)} sealed with {newest_key()}")

    @transaction.atomic
    def _reseal(self, model: Any, pk: Any) -> None:
        # The row is locked, so a token refreshed at this moment is not written over with an older one.
        row = model.objects.select_for_update().filter(pk=pk).first()
        if row:
            row.secrets = row.secrets
            row.save(update_fields=["sealed"])
