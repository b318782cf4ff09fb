"""Run the sandbox world until it is told to stop: `python -m sandbox --data DIR`."""

import argparse
import signal
import sys
import threading
from pathlib import Path

from sandbox.file_servers import KINDS
from sandbox.world import SERVERS, SUPPLIER_PREFIXES, Ports, World, WorldNotStarted


def main(arguments: list[str] | None = None) -> int:
    """Run the world until SIGTERM or SIGINT; return the exit code."""
    try:
        options = _parser().parse_args(arguments)
        world = World(options.data, _ports(options), _protocols(options))
        stopped = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopped.set())
        with world:
            print(_summary(world), flush=True)
            stopped.wait()
    except WorldNotStarted as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("sandbox", description="Run a make-believe world around Hemi, on loopback only.")
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder for the files that arrive")
    names = ", ".join(SERVERS)
    parser.add_argument("--port", action="append", default=[], metavar="NAME=NUMBER", help=f"NAME is one of {names}")
    parser.add_argument(
        "--protocol",
        action="append",
        default=[],
        metavar="NAME=PROTOCOL",
        help=f"what a supplier's server speaks: {', '.join(KINDS)}",
    )
    parser.add_argument("--free-ports", action="store_true", help="take any free ports; DIR/world.json tells which")
    return parser


def _ports(options: argparse.Namespace) -> Ports:
    chosen = dict.fromkeys(SERVERS, 0) if options.free_ports else {}
    for choice in options.port:
        name, _, number = choice.partition("=")
        if name not in SERVERS or not number.isdigit():
            raise WorldNotStarted(f"--port {choice} is not NAME=NUMBER with one of these names: {', '.join(SERVERS)}")
        chosen[name] = int(number)
    return Ports(**chosen)


def _protocols(options: argparse.Namespace) -> dict[str, str]:
    chosen = {}
    for choice in options.protocol:
        name, _, protocol = choice.partition("=")
        if name not in SUPPLIER_PREFIXES or protocol not in KINDS:
            raise WorldNotStarted(
                f"--protocol {choice} is not NAME=PROTOCOL with one of these names: {', '.join(SUPPLIER_PREFIXES)}; "
                f"and one of these protocols: {', '.join(KINDS)}"
            )
        chosen[name] = protocol
    return chosen


def _summary(world: World) -> str:
    told = world.describe()
    lines = [
        f"The sandbox runs; see {world.url}",
        f"  Shopify    {told['shopify']['url']}",
        f"  SHOPLINE   {told['shopline']['url']}",
        f"  Mailbox    {told['mailbox']['url']} (mails to {told['mailbox']['smtp_url']})",
    ]
    for name, supplier in told["suppliers"].items():
        lines.append(f"  {name:<10} {supplier['protocol']}://{supplier['user']}@{supplier['host']}:{supplier['port']}")
    return "\n".join([*lines, "Press Ctrl-C to stop."])


if __name__ == "__main__":
    sys.exit(main())
