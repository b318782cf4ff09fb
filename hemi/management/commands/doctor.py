"""Say what is wrong with this installation, and what mends it."""

from argparse import ArgumentParser

from django.core.management.base import BaseCommand

from hemi.doctor import rounds
from hemi.doctor.findings import Finding, Level, without_secrets


class Command(BaseCommand):
    help = (
        "Check every setting, key, service, store and supplier's server, and say what mends what is wrong. Ends with 1 "
        "where there is a problem; warnings alone end with 0."
    )
    requires_system_checks = []  # they are among what is reported

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--connect",
            action="store_true",
            help="Ask each store, and test each supplier's server as the button does, with a test file.",
        )

    def handle(self, *, connect: bool, **options: object) -> None:
        counts = dict.fromkeys(Level, 0)
        for finding in rounds.go(connect=connect):
            counts[finding.level] += 1
            self._say(finding)
        problems, warnings = counts[Level.PROBLEM], counts[Level.WARNING]
        self.stdout.write(f"\n{_count(problems, 'problem')}, {_count(warnings, 'warning')}.")
        if problems:
            raise SystemExit(1)

    def _say(self, finding: Finding) -> None:
        styles = {Level.WELL: self.style.SUCCESS, Level.WARNING: self.style.WARNING, Level.PROBLEM: self.style.ERROR}
        text = without_secrets(f"{finding.about}: {' '.join(finding.text.split())}")
        self.stdout.write(f"{styles[finding.level](f'{finding.level:8}')} {text}")
        if finding.mend:
            self.stdout.write(f"{'':8}   -> {without_secrets(' '.join(finding.mend.split()))}")


def _count(number: int, what: str) -> str:
    return f"{number or 'no'} {what}{'' if number == 1 else 's'}"
