"""Restore a backup."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from hemi.backup import place, restoring
from hemi.backup.manifest import FAILURES
from hemi.backup.restoring import Wish


class Command(BaseCommand):
    help = "Restore a backup, here or into a folder, with all outboxes closed. Stop Hemi first."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--to", type=Path, metavar="FOLDER", help="into this folder, to look at")
        parser.add_argument("--database", metavar="URL", help="with --to: the database, instead of one in the folder")
        parser.add_argument("--replace", action="store_true", help="replace the database that is there")
        journals = "the journal of what was sent, or a copy of it; of several machines one after the other"
        parser.add_argument("--journal", type=Path, action="append", metavar="FOLDER", help=journals)

    def handle(self, *, file: Path, to: Path | None, database: str | None, **options: Any) -> None:
        if database and not to:
            raise CommandError("--database goes with --to. To restore here, set DATABASE_URL and leave it out.")
        url = settings.env.db_url_config(database) if database else None
        target = place.scratch(to.resolve(), url) if to else place.here()
        journals = [folder.resolve() for folder in options["journal"] or [settings.JOURNAL_DIR]]
        try:
            restoring.restore(Wish(file, target, journals, options["replace"]), self._tell)
        except FAILURES as error:
            raise CommandError(str(error)) from None
        for line in _NEXT_TO if to else _NEXT:
            self.stdout.write(line.format(folder=target.var))

    def _tell(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()


_NEXT = (
    "Next:",
    "1. Start Hemi. Nothing is sent to suppliers yet; orders come in again.",
    "2. Fetch what came after the backup: manage.py reconcile_orders --account SHOP --since DATE (or wait 15 minutes).",
    "3. Look up in the journal what was sent, and let the rest go: manage.py open_outboxes",
    "   or, one by one, in the admin: Endpoints, Open the outbox.",
)
_NEXT_TO = ("It lies in {folder}. To look at it with Hemi: HEMI_VAR={folder}; its outboxes are closed.",)
