"""What every test has: no way out but loopback, and a connected store where one is needed."""

import ipaddress
import socket

import pytest

from integrations.models import AccountShopify, Client, Integration, IntegrationCredentials

_connect = socket.socket.connect


def _is_near(address: object) -> bool:
    if not isinstance(address, tuple):  # a socket file
        return True
    try:
        return ipaddress.ip_address(address[0]).is_loopback
    except ValueError:
        return address[0] == "localhost"


def _guarded(self: socket.socket, address: object) -> None:
    if not _is_near(address):
        raise RuntimeError(f"A test tried to connect to {address!r}: only loopback is allowed.")
    _connect(self, address)


@pytest.fixture(autouse=True, scope="session")
def only_loopback():
    """Refuse every connection that leaves the machine."""
    socket.socket.connect = _guarded
    yield
    socket.socket.connect = _connect


@pytest.fixture
def integration():
    """A custom app with credentials."""
    integration = Integration.objects.create(name="Hemi Orders")
    IntegrationCredentials.objects.create(integration=integration, client_id="client-1", client_secret="hush")  # noqa: S106
    return integration


@pytest.fixture
def account(integration):
    """A store that was not authorised yet."""
    client = Client.objects.create(name="Test Ltd")
    return AccountShopify.objects.create(
        shop_name="test", integration=integration, client=client, client_email="owner@test.example"
    )
