"""A store with two live suppliers on one server each, and the rules that part its orders."""

from datetime import UTC, datetime

import pytest

from integrations.models import AccountShopify
from integrations.shopify import payloads
from orders import intake
from orders.tests import bodies
from sandbox.ftp import FtpSandbox
from suppliers import outbox, rendering, routing
from suppliers.models import Endpoint, RoutingRule, Supplier
from suppliers.tests import factories
from suppliers.transports import sessions


@pytest.fixture
def account(db):
    """An account whose orders go out once they are paid."""
    return AccountShopify.objects.create(shop_name="test", orders_from=datetime(2020, 1, 1, tzinfo=UTC))


def _supplier(name, code, vendor):
    endpoint = Endpoint.objects.create(
        name=name, protocol="ftp", host="127.0.0.1", port=2121, username=code, orders_folder="in"
    )
    supplier = Supplier.objects.create(name=name, code=code, endpoint=endpoint, mode=Supplier.Mode.LIVE)
    RoutingRule.objects.create(priority=50, vendor=vendor, supplier=supplier)
    return supplier


@pytest.fixture
def north(db):
    """A live supplier that makes what vendor Northwind sells."""
    return _supplier("Northwind", "NORTH", "northwind")


@pytest.fixture
def sued(db):
    """A live supplier that makes what vendor Südhaus sells."""
    return _supplier("Südhaus", "SUED", "SÜDHAUS")


@pytest.fixture
def take(account):
    """Take an order as from a webhook, then route and render it; returns it fresh."""

    def run(body=None, **changes):
        order = intake.store(account, payloads.parse_order(bodies.encode(body or bodies.order(**changes))))
        routing.route()
        rendering.render()
        order.refresh_from_db()
        return order

    return run


@pytest.fixture
def server(tmp_path):
    """A supplier's FTP server."""
    with FtpSandbox(tmp_path / "ftp", "hemi", "right-password") as server:
        yield server
        sessions.kept.close_idle()


@pytest.fixture
def supplier(db, server):
    """A supplier whose endpoint is that server."""
    return factories.supplier(endpoint=factories.endpoint(server))


@pytest.fixture
def sends(north, server):
    """Northwind's server, with its files brought by hand of the test; returns what brings them."""
    north.endpoint.host, north.endpoint.port = server.host, server.port
    north.endpoint.username, north.endpoint.password = server.user, server.password
    north.endpoint.save()

    def run():
        routing.route()
        rendering.render()
        outbox.deliver(north.endpoint_id)
        routing.route()
        rendering.render()
        outbox.deliver(north.endpoint_id)
        return sorted(path.name for path in server.orders_folder.iterdir())

    yield run
    sessions.kept.close_idle()


@pytest.fixture
def body():
    """An order of two lines that Northwind makes."""
    number = 450_000_000
    lines = [bodies.line(number, 1, "Northwind", "NW-1", 2), bodies.line(number, 2, "Northwind", "NW-2", 1)]
    return bodies.order(id=number, line_items=lines)
