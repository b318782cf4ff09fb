"""Copy the journal of what was sent to another place."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from hemi.backup import nightly
from hemi.lib import journal_files


class Command(BaseCommand):
    help = "Append what is new in the journal of what was sent to a copy, on another disk or a mounted folder."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path)

    def handle(self, *, folder: Path, verbosity: int, **options: Any) -> None:
        try:
            with nightly.told(nightly.JOURNAL):
                copied = journal_files.copy(settings.JOURNAL_DIR, folder)
                journal_files.thin(folder, settings.JOURNAL_DAYS)
        except OSError as error:
            raise CommandError(f"The journal cannot be copied to {folder}: {error.strerror or error}") from None
        (self.stdout.write if verbosity else nightly.silence)(f"{copied:,} bytes were new; {folder} is up to date.")
