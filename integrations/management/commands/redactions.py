"""Save the ledger of redactions before a restore, and apply it after."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from hemi.lib import erasure
from integrations import ledger, privacy


class Command(BaseCommand):
    """`redactions save FILE` and `redactions apply [FILE]`."""

    help = "Save the ledger of redactions to a file, or remove once more what it (and a file) names."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("what", choices=["save", "apply"])
        parser.add_argument("file", nargs="?", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        file = options["file"]
        if options["what"] == "save":
            if file is None:
                raise CommandError("Name the file to save to.")
            file.write_text(json.dumps(ledger.dump(), indent=1))
            self.stdout.write(f"Saved to {file}. It holds ids only.")
            return
        if file is not None:
            try:
                ledger.load(json.loads(file.read_text()))
            except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
                raise CommandError(f"{file} cannot be read as a saved ledger: {error}") from None
        self.stdout.write(f"Removed once more: {privacy.reapply()} rows.")
        if strangers := ledger.strangers():
            self.stderr.write(f"No account is of these stores, so nothing was looked for: {', '.join(strangers)}.")
        if not erasure.close_traces():
            raise CommandError("The database was in use, so its file still holds traces. Stop Hemi and run it again.")
