"""`manage.py check_audit`: whether anybody changed the audit trail behind the portal's back."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from apps.audit import sealing


class Command(BaseCommand):
    help = "Compares every entry of the audit trail with its seal. Ends with 1 and the first broken place, else with 0."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--digest", default="", help="one that you noted from the log: it has to be there still")

    def handle(self, *args: Any, **options: Any) -> None:
        found = sealing.check(options["digest"])
        self.stdout.write(f"{found.entries} entries under {found.seals} seals, {found.unsealed} not sealed yet.")
        if found.broken:
            self.stderr.write(found.broken)
            sys.exit(1)
        self.stdout.write(f"Nothing was changed. Newest digest: {found.digest or 'none yet'}")
