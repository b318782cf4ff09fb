"""Rehearse a restore."""

from argparse import ArgumentParser
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from hemi.backup import making, nightly, rehearsal
from hemi.backup.manifest import FAILURES


class Command(BaseCommand):
    help = "Restore a backup (the newest) into a scratch place, compare every table and file, and remove it again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, nargs="?")
        parser.add_argument("--database", metavar="URL", help="an empty scratch database, where Hemi may not make one")

    def handle(self, *, file: Path | None, database: str | None, verbosity: int, **options: Any) -> None:
        tell = self._tell if verbosity else nightly.silence
        url = settings.env.db_url_config(database) if database else None
        try:
            with nightly.told(nightly.REHEARSAL) if file is None else nullcontext():
                manifest = rehearsal.rehearse(file or making.newest(), tell, url)
        except FAILURES as error:
            raise CommandError(f"The rehearsal failed. {error}") from None
        rows = sum(count for count, _ in manifest.tables.values())
        tell(f"Nothing differs: {len(manifest.tables)} tables, {rows:,} rows, {len(manifest.files)} files.")

    def _tell(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()
