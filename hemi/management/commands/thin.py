"""Take out at once what the nights would."""

import math

from django.core.management.base import BaseCommand

from hemi.lib.thinning import Slice
from integrations import retention as of_webhooks
from suppliers import retention as of_orders


class Command(BaseCommand):
    help = (
        "Delete what is older than PAYLOAD_RETENTION_DAYS and ORDER_RETENTION_DAYS now, instead of in the next nights. "
        "It does so a few rows at a time, while Hemi runs."
    )

    def handle(self, **options: object) -> None:
        total = 0
        for thin in (of_webhooks.thin, of_orders.thin):
            while count := thin(mine := Slice(until=math.inf)):
                total += count
                for name, number in sorted(mine.counts.items()):
                    if number:
                        self.stdout.write(f"{name.replace('_', ' '):25} {number:>10,}")
        self.stdout.write(f"{total:,} rows were too old.")
