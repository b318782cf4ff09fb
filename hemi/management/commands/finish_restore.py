"""Finish a restore; `restore` runs this by itself."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from hemi.backup import finishing
from hemi.backup.manifest import FAILURES


class Command(BaseCommand):
    help = "Finish a restore that was broken off: migrations, the journal of what was sent, the ledger of redactions."
    requires_system_checks: list[str] = []

    def handle(self, **options: Any) -> None:
        try:
            finishing.finish(self._tell)
        except FAILURES as error:
            raise CommandError(str(error)) from None

    def _tell(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()
