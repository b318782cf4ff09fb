"""A released Hemi in a scratch place, and nginx before it."""

import shutil
from collections.abc import Iterator

import pytest

from deploy.tests import wire
from deploy.tests.places import DEPLOY, NAME, Place

_STORE = """
from integrations.models import AccountShopify, Client, Integration, IntegrationCredentials
app = Integration.objects.create(name="Hemi Orders")
IntegrationCredentials.objects.create(integration=app, client_id="client-1", client_secret="hush")
store = AccountShopify.objects.create(
    shop_name="test", integration=app, client=Client.objects.create(name="Test"), client_email="owner@test.example"
)
print(store.uuid)
"""


def _need(*tools: str) -> None:
    for tool in tools:
        if not shutil.which(tool):
            pytest.skip(f"{tool} is missing; the package of that name brings it")


@pytest.fixture(scope="session")
def need():
    """Skip by name where a program is missing."""
    return _need


@pytest.fixture(scope="session")
def place() -> Iterator[Place]:
    """Folders with settings and a first release, made by release.sh."""
    place = Place()
    place.settings(WEB_CONCURRENCY="2")
    place.offer_packages(DEPLOY.parent)
    said = place.script("release.sh").stdout
    assert "In service" in said
    assert "systemd is not running" in said
    yield place
    place.clear()


@pytest.fixture(scope="session")
def store(place: Place) -> str:
    """A store in the place's database: its uuid."""
    return place.manage("shell", "-c", _STORE).split()[-1]


@pytest.fixture(scope="session")
def nginx(place: Place) -> Iterator[wire.Nginx]:
    """A running nginx with a certificate of the test's own authority."""
    _need("nginx", "openssl")
    authority = wire.make_authority(place.root / "authority")
    for name in ("fullchain.pem", "privkey.pem"):
        (place.tls / name).write_bytes((authority.parent / name).read_bytes())
    (place.tls / "name").write_text(f"{NAME}\n")
    with wire.Nginx(place) as nginx:
        yield nginx


@pytest.fixture
def caller(place: Place, nginx: wire.Nginx, store: str) -> wire.Caller:
    """A client of that nginx."""
    return wire.Caller(place, place.root / "authority" / "ca.pem", store=store)
