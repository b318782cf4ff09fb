"""Encrypt everything with the first key of FIELD_ENCRYPTION_KEY."""

from argparse import ArgumentParser

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from hemi import keys
from hemi.keys import Needs, Survey
from hemi.lib import erasure

_BEGIN = (
    "There is one key only, and everything is encrypted with it. For a new one, make it with\n"
    "  python -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())'\n"
    "add it to FIELD_ENCRYPTION_KEY behind the old one (old,new) and restart web, workers and beat; then put it first\n"
    "(new,old), restart them again, and run this command."
)
_MAY_GO = (
    "Nothing stored needs an older key. Take it out of FIELD_ENCRYPTION_KEY and restart web, workers and beat.\n"
    "Backups that were made before now still need it: keep it in a safe place for {days} days, until the last is gone."
)


class Command(BaseCommand):
    help = (
        "Encrypt every stored secret with the first key of FIELD_ENCRYPTION_KEY, while Hemi runs. It can be stopped "
        "and started again. Ends with 1 while an older key is needed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="only say which keys are needed")

    def handle(self, *, check: bool, **options: object) -> None:
        if not check:
            self._rotate()
        found = keys.survey()
        self._show(found)
        if found.lost:
            raise CommandError(_lost(found))
        if count := found.total(Needs.OLDER):
            raise CommandError(
                f"{count:,} values still need an older key: keep it, and run this command"
                f"{'' if check else ' again; was every process restarted with the new key first?'}"
            )
        has_older = len(settings.FIELD_ENCRYPTION_KEY) > 1
        said = _MAY_GO.format(days=settings.BACKUP_DAYS) if has_older else _BEGIN
        self.stdout.write(self.style.SUCCESS(said))

    def _rotate(self) -> None:
        with erasure.thorough():  # what the old key reads is not to lie in the file any more
            done = keys.rotate()
        for label, count in done.items():
            self.stdout.write(f"{label:50} {count:>8,} encrypted anew")

    def _show(self, found: Survey) -> None:
        for needs in Needs:
            self.stdout.write(f"{found.total(needs):>8,} values need {needs.value}")


def _lost(found: Survey) -> str:
    named = "\n  ".join(found.lost)
    return (
        f"{found.total(Needs.LOST):,} values are read by no key of FIELD_ENCRYPTION_KEY. Put the key back that they "
        f"were saved with (at the end, after a comma), or enter them anew:\n  {named}"
    )
