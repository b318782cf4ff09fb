"""Explain a refused callback."""

import sys
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from integrations.models import AccountShopify
from integrations.services import install_checks
from integrations.shopify import domains


class Command(BaseCommand):
    """verify_install ACCOUNT [--line LINE | --url ADDRESS]; - reads it from the standard input"""

    help = (
        "Explain why the callback of an install was refused: what was signed, which rule failed, and the first "
        "characters of the digests. Never a secret or a code. Without more it tells how the newest link stands."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("account", metavar="ACCOUNT", help="the name of the shop, such as test")
        source = parser.add_mutually_exclusive_group()
        source.add_argument("--line", help="the line callback.refused or arrival.refused of the log; - for stdin")
        source.add_argument("--url", help="the address that the browser came out on; - for stdin")

    def handle(self, *args: Any, **options: Any) -> None:
        account = self._account(options["account"])
        self.stdout.write(f"{account.domain}, {account.integration or 'without an Integration App'}")
        for text in self._explain(account, options["line"], options["url"]):
            self.stdout.write(text)

    def _explain(self, account: AccountShopify, line: str | None, url: str | None) -> Iterator[str]:
        if line is not None:
            return install_checks.explain_line(account, self._read(line))
        if url is not None:
            return install_checks.explain_address(account, self._read(url))
        return install_checks.explain_account(account)

    def _account(self, text: str) -> AccountShopify:
        try:
            name = domains.normalise(text)
        except ValueError as error:
            raise CommandError(str(error)) from None
        account = AccountShopify.objects.select_related("integration__credentials").filter(shop_name=name).first()
        if account is None:
            raise CommandError(f"There is no account {name}.")
        return account

    def _read(self, text: str) -> str:
        return sys.stdin.readline() if text == "-" else text
