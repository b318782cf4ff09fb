"""Run the world outside: a Shopify, two suppliers and a mailbox, all on loopback."""

import sys
from argparse import ArgumentParser
from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand

from sandbox import __main__ as world


class Command(BaseCommand):
    help = "Run the sandbox's servers until told to end. Start Hemi with HEMI_SANDBOX=1 and the addresses it prints."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--data", type=Path, default=settings.VAR_DIR / "sandbox", help="folder for what arrives")
        parser.add_argument("--port", action="append", default=[], metavar="NAME=NUMBER", help="such as shopify=9101")
        parser.add_argument("--protocol", action="append", default=[], metavar="NAME=PROTOCOL", help="suedhaus=sftp")
        parser.add_argument("--free-ports", action="store_true", help="take any free ports")

    def handle(self, *, data: Path, port: list[str], protocol: list[str], free_ports: bool, **options: object) -> None:
        arguments = ["--data", str(data), *(f"--port={choice}" for choice in port)]
        arguments += [f"--protocol={choice}" for choice in protocol]
        sys.exit(world.main([*arguments, "--free-ports"] if free_ports else arguments))
