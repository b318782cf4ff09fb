"""Open the outboxes that a restore has closed."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from orders.services import Refused
from suppliers.services import outboxes


class Command(BaseCommand):
    help = "After a restore: look up in the journal what was sent, then let the outboxes send the rest."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--endpoint", metavar="NAME", help="only this one")

    def handle(self, *, endpoint: str | None, **options: Any) -> None:
        rows = outboxes.closed().filter(name=endpoint) if endpoint else outboxes.closed()
        if not rows:
            raise CommandError(f"No outbox of {endpoint} is closed." if endpoint else "No outbox is closed.")
        try:
            for row in rows:
                self.stdout.write(f"{row}: {outboxes.told(outboxes.open_outbox(endpoint=row, by=None))}")
        except Refused as reason:
            raise CommandError(str(reason)) from None
        self.stdout.write("What is uncertain is in the admin under Deliveries: ask the supplier, then settle it.")
