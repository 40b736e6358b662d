"""Seal every stored secret anew with the newest key, so that older keys can be dropped."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from apps.accounts import second_factor
from apps.encrypted import CannotOpen, Sealed, newest_key


class Command(BaseCommand):
    help = "Re-encrypt all stored secrets with the first key of CREDENTIAL_KEYS. Safe at any time, twice, or cut short."

    def handle(self, *args: Any, **options: Any) -> None:
        done, left = second_factor.reseal()
        self.stdout.write(f"second factors: {done} sealed with {newest_key()}")
        for model in Sealed.__subclasses__():
            name = model._meta.verbose_name
            keys = list(
                model._default_manager.exclude(sealed__startswith=f"{newest_key()}:").values_list("pk", flat=True)
            )
            lost = [pk for pk in keys if not self._reseal(model, pk)]
            self.stdout.write(f"{name}: {len(keys) - len(lost)} sealed with {newest_key()}")
            left += [f"{name} {pk}" for pk in lost]
        if left:
            raise CommandError(f"{len(left)} cannot be opened: {', '.join(left)}")

    @transaction.atomic
    def _reseal(self, model: type[Sealed], pk: Any) -> bool:
        # The row is locked, so a token refreshed at this moment is not written over with an older one.
        row = model._default_manager.select_for_update().filter(pk=pk).first()
        try:
            if row:
                row.secrets = row.secrets
                row.save(update_fields=["sealed"])
        except CannotOpen:
            return False
        return True
