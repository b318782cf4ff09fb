"""The outbox against a real FTP server."""

import pytest

from sandbox.ftp import FtpSandbox
from suppliers import outbox
from suppliers.models import Delivery
from suppliers.tests import factories
from suppliers.transports import sessions

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def server(tmp_path):
    with FtpSandbox(tmp_path / "ftp", "hemi", "right-password") as server:
        yield server
        sessions.kept.close_idle()


@pytest.fixture
def supplier(server):
    return factories.supplier(endpoint=factories.endpoint(server))


def test_due_files_go_over_one_session(server, supplier):
    rows = [factories.delivery(supplier) for _ in range(45)]
    assert outbox.deliver(supplier.endpoint_id) == 45
    assert {p.name: p.read_bytes() for p in server.orders_folder.iterdir()} == {
        row.final_name: bytes(row.document) for row in rows
    }
    assert server.logins == 1
    assert set(Delivery.objects.values_list("status", "step", "attempts")) == {("sent", "sent", 1)}
