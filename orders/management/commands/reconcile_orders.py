"""Fetch a store's orders of a range of time, and say what was news."""

import time
from argparse import ArgumentTypeError
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from integrations.models import AccountShopify
from integrations.shopify import domains
from orders import fetch_requests, fetches
from orders.models import OrderFetch
from orders.services import Refused


def moment(text: str) -> datetime:
    """Read a day or a time in ISO 8601; without an offset it is in UTC."""
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"“{text}” is no day or time; write 2026-11-20 or 2026-11-20T08:00Z.") from None
    return read if read.tzinfo else read.replace(tzinfo=UTC)


class Command(BaseCommand):
    """reconcile_orders --account SHOP --since DAY [--until DAY]"""

    help = (
        "Fetch the orders of a store that were placed or changed since a day or time (UTC), through the same path as "
        "webhooks: nothing is doubled. With --until only those placed before it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--account", required=True, help="the name of the shop, or its myshopify.com address")
        parser.add_argument("--since", required=True, type=moment)
        parser.add_argument("--until", type=moment)

    def handle(self, *args: Any, **options: Any) -> None:
        wanted = fetch_requests.Range(options["since"], options["until"])
        try:
            account = AccountShopify.objects.get(shop_name=domains.normalise(options["account"]))
            wish = fetch_requests.fetch_range(account=account, wanted=wanted, by=None)
        except (AccountShopify.DoesNotExist, ValueError):
            raise CommandError(f"There is no account of the name {options['account']}.") from None
        except Refused as refused:
            raise CommandError(str(refused)) from None
        self._wait(wish)

    def _wait(self, wish: OrderFetch) -> None:
        """Fetch here; a worker that was quicker is waited for."""
        fetches.fetch()
        wish.refresh_from_db()
        while wish.status == OrderFetch.Status.WAITING:
            self.stdout.write(f"{wish.seen} orders read so far. {wish.last_error}")
            time.sleep(1)
            fetches.fetch()
            wish.refresh_from_db()
        if wish.note:
            self.stdout.write(wish.note)
        if wish.status == OrderFetch.Status.FAILED:
            raise CommandError(f"Broken off after {wish.seen} orders: {wish.last_error}")
        self.stdout.write(f"{wish.seen} orders read: {wish.new} were new, {wish.changed} newer than here.")
