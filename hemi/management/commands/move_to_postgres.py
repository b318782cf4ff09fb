"""Move from the embedded SQLite to a PostgreSQL."""

import os
import sys
import time
from argparse import ArgumentParser
from getpass import getpass

from django.conf import settings
from django.core.management.base import BaseCommand

from hemi.move import moving, source, tables, target
from hemi.move.moving import Compared

_NEXT = """
Everything is there. Now
  1. set DATABASE_URL to the target{keys}, and
  2. start Hemi: `make run`, or on an installed server
     systemctl start hemi-web.socket hemi-worker hemi-delivery hemi-beat.
What is done on the old database from now on does not follow. Delete {file} once you are
content: it holds people's data."""
_KEYS = ",\n     and SECRET_KEY and FIELD_ENCRYPTION_KEY to those of {file}: the secrets are encrypted with them"


class Command(BaseCommand):
    help = (
        "Copy everything from SQLite to an empty PostgreSQL, and prove it by counts and checksums. Stop Hemi first. "
        "Killed, it leaves the target as it was, and can be started again."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        where = "postgres://user:secret@host/name; asked for where it is missing, so that no list of processes shows it"
        parser.add_argument("url", metavar="TARGET_URL", nargs="?", help=where)
        parser.add_argument("--check", action="store_true", help="compare only, and change nothing")

    def handle(self, *, url: str | None, check: bool, **options: object) -> None:
        url = url or (getpass("Target: ") if sys.stdin.isatty() else sys.stdin.readline().strip())
        started = time.monotonic()
        with source.held(), target.connected(url):
            source.check_migrated()
            self._name_what_stays()
            found = self._compare() if check else self._move(url)
        rows = sum(one.before.count for one in found)
        said = f"{len(found)} tables, {rows:,} rows, {time.monotonic() - started:.0f} seconds: the same on both sides."
        self.stdout.write(self.style.SUCCESS(said))
        if not check:
            self._say_what_is_next()

    def _compare(self) -> list[Compared]:
        target.check_complete()
        return moving.compare(self._tell)

    def _move(self, url: str) -> list[Compared]:
        target.check_empty()
        target.migrate(url)
        return moving.move(self._tell)

    def _tell(self, one: Compared) -> None:
        if one.before.count or one.after.count:
            word = "same" if one.is_same else f"DIFFERENT: {one.after.count:,} {one.after.checksum[:16]}"
            self.stdout.write(f"{one.name:45} {one.before.count:>10,} {one.before.checksum[:16]} {word}")

    def _name_what_stays(self) -> None:
        for label, why in tables.LEFT_OUT.items():
            self.stdout.write(f"Not moved: {label} ({why}).")
        for name in sorted(source.names() - tables.known()):
            self.stdout.write(self.style.WARNING(f"Not moved: {name}, which is no table of this Hemi."))

    def _say_what_is_next(self) -> None:
        is_in_a_file = "FIELD_ENCRYPTION_KEY" not in os.environ  # the embedded default, which DATABASE_URL ends
        said = _KEYS.format(file=settings.VAR_DIR / "keys.env") if is_in_a_file else ""
        self.stdout.write(_NEXT.format(keys=said, file=settings.DATABASES["default"]["NAME"]))
