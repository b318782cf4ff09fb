"""Make a backup."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from hemi.backup import making, nightly
from hemi.backup.manifest import FAILURES


class Command(BaseCommand):
    help = "Make an encrypted backup of database, keys and var/ in BACKUP_DIR while Hemi runs, and remove old ones."

    def handle(self, *, verbosity: int, **options: Any) -> None:
        tell = self.stdout.write if verbosity else nightly.silence
        try:
            with nightly.told(nightly.BACKUP):
                done = making.make(tell)
        except FAILURES as error:
            raise CommandError(str(error)) from None
        tell(f"Copy it to another machine. To try it out: python manage.py rehearse_restore {done}")
