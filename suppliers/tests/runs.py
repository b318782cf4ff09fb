"""Deliver, and look at what a server of the sandbox saw of it."""

from suppliers import outbox
from suppliers.tests import factories


def files(server):
    return {path.name: path.read_bytes() for path in server.orders_folder.iterdir()}


def commands(server, name):
    return [entry.argument for entry in server.log if entry.command == name]


def run(supplier, rounds=1):
    """Deliver, and again after each time that retries wait."""
    for _ in range(rounds):
        outbox.deliver(supplier.endpoint_id)
        factories.let_time_pass()
