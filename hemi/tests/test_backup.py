"""Backup, destroy, restore, compare; and what a restored system may send. Commands in processes of their own."""

import json
import os
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from hemi.tests import installations
from hemi.tests.installations import Installation
from sandbox.ftp import FtpSandbox

# Written by a restore itself, and what the numbers of new orders go on from.
BY_RESTORE = {"suppliers_restoration", "suppliers_sentbefore"}

SEED = """
from datetime import timedelta
from django.utils import timezone
from hemi import canary
from integrations.models import AccountShopify
from suppliers.models import Delivery
from suppliers.tests import factories
canary.check()
server = type("Server", (), {"host": "127.0.0.1", "port": 2121, "user": "hemi", "password": "right-password",
                             "protocol": "ftp", "identity": ""})
supplier = factories.supplier(endpoint=factories.endpoint(server))
AccountShopify.objects.create(shop_name="kept", access_token="shpat_secret-token")
rows = [factories.delivery(supplier, content=bytes([number]) * 5000 + b"\\x00\\xff") for number in range(6)]
Delivery.objects.update(next_attempt_at=timezone.now() + timedelta(days=1))
"""
SEND = """
from django.utils import timezone
from orders.models import Order
from suppliers import outbox
from suppliers.models import Delivery, Endpoint
Delivery.objects.filter(pk__in=PKS).update(next_attempt_at=timezone.now())
Order.objects.update(needs_routing=False)  # they were looked at again, and have not changed
Endpoint.objects.update(next_attempt_at=timezone.now(), attempts=0)
outbox.deliver(Endpoint.objects.get().pk)
"""
STATES = """
import json
import os
from suppliers.models import Delivery, Endpoint
rows = [[row.status, row.attempt_rows.count(), row.last_error, getattr(row.attempt_rows.last(), "message", "")]
        for row in Delivery.objects.order_by("pk")]
print(json.dumps({"deliveries": rows, "closed": Endpoint.objects.exclude(closed_at=None).count()}))
"""


@pytest.fixture(scope="module")
def server():
    """A PostgreSQL of this module's own."""
    if not installations.HAS_POSTGRES:
        pytest.skip("PostgreSQL is not installed")
    with installations.postgres() as address:
        yield address


@pytest.fixture
def supplier(tmp_path):
    """A supplier's server."""
    with FtpSandbox(tmp_path / "ftp", "hemi", "right-password") as server:
        yield server


@pytest.fixture(scope="module")
def prepared(request, tmp_path_factory):
    """An installation with six files that wait."""
    address = request.getfixturevalue("server") if getattr(request, "param", "") == "postgresql" else ""
    folder = tmp_path_factory.mktemp("prepared")
    hemi = Installation(folder, installations.new_database(address, "template0", folder.name) if address else "")
    hemi.manage("migrate", "-v0")
    hemi.python(SEED)
    (hemi.var / "kept").mkdir()
    (hemi.var / "kept" / "by hand.txt").write_text("of a person")
    hemi.close()
    return hemi


@pytest.fixture
def hemi(prepared, tmp_path, supplier):
    """An installation with three files sent and three that wait until tomorrow."""
    hemi = prepared.clone(tmp_path)
    hemi.python(f"from suppliers.models import Endpoint; Endpoint.objects.update(port={supplier.port})")
    hemi.python(SEND.replace("PKS", "[1, 2, 3]"))
    yield hemi
    hemi.close()


def states(hemi):
    return json.loads(hemi.python(STATES))


def renamed(supplier):
    return sorted(path.name for path in supplier.orders_folder.iterdir() if not path.name.endswith(".part"))


def without(rows):
    return {name: value for name, value in rows.items() if name not in BY_RESTORE}


@pytest.mark.parametrize("prepared", ["sqlite", "postgresql"], indirect=True)
def test_backup_destroy_restore_compare_and_send_what_was_not_sent(hemi, supplier):
    before = hemi.rows()
    hemi.manage("backup")
    (backup,) = hemi.backups.glob("*.backup")
    assert backup.stat().st_mode & 0o777 == 0o600
    assert b"right-password" not in backup.read_bytes() and b"FIELD_ENCRYPTION_KEY" not in backup.read_bytes()
    keys = (hemi.var / "keys.env").read_text() if not hemi.database else ""
    assert "Nothing differs" in hemi.manage("rehearse_restore")
    assert sorted(path.name for path in hemi.backups.iterdir()) == [".lock-making", ".lock-rehearsing", backup.name]

    # After the backup one file goes, and of another nobody knows whether it went.
    hemi.python(SEND.replace("PKS", "[4]"))
    supplier.faults.add("RNTO", cut="before")
    hemi.python(SEND.replace("PKS", "[5]"))
    there = renamed(supplier)
    assert len(there) == 4

    hemi.destroy()
    said = hemi.manage("restore", str(backup))
    assert "nothing differs" in said and "open_outboxes" in said
    assert "goes on to the end" in said
    assert without(hemi.rows()) == without(before)
    assert (hemi.var / "kept" / "by hand.txt").read_text() == "of a person"
    if keys:
        assert keys.splitlines()[-2:] == (hemi.var / "keys.env").read_text().splitlines()[-2:]
    token = "from integrations.models import AccountShopify as A; print(A.objects.get(shop_name='kept').access_token)"
    assert "shpat_secret-token" in hemi.python(token)

    # Nothing goes before somebody opens; then what was sent is known, and the rest goes once.
    hemi.python(SEND.replace("PKS", "[4, 5, 6]"))
    assert (renamed(supplier), states(hemi)["closed"]) == (there, 1)
    assert "1 found as sent, 1 uncertain, 1 go out now" in hemi.manage("open_outboxes")
    hemi.python(SEND.replace("PKS", "[4, 5, 6]"))
    found = states(hemi)
    assert [row[0] for row in found["deliveries"]] == ["sent", "sent", "sent", "sent", "uncertain", "sent"]
    assert "The journal says that it was sent" in found["deliveries"][3][3]
    assert "about to be sent" in found["deliveries"][4][2]
    assert len(renamed(supplier)) == 5
    stored = [entry.argument for entry in supplier.log if entry.command == "RNTO"]
    assert len(stored) == len(set(stored)) == 6
    assert "No outbox is closed" in hemi.manage("open_outboxes", code=1)

    # Once more, over what is there now.
    assert "nothing differs" in hemi.manage("restore", str(backup), "--replace")
    assert without(hemi.rows()) == without(before)


def test_the_rehearsal_fails_where_a_backup_cannot_be_restored(hemi):
    assert "There is no backup" in hemi.manage("rehearse_restore", code=1)
    hemi.manage("backup")
    (backup,) = hemi.backups.glob("*.backup")
    before, content = hemi.rows(), bytearray(backup.read_bytes())
    backup.write_bytes(content[: len(content) // 2])
    assert "The rehearsal failed" in hemi.manage("rehearse_restore", str(backup), code=1)
    content[len(content) // 2] ^= 1
    backup.write_bytes(content)
    assert "changed or cut" in hemi.manage("rehearse_restore", code=1)
    assert hemi.rows() == before


@pytest.mark.parametrize("prepared", ["postgresql"], indirect=True)
def test_postgresql_is_spoken_to_as_its_address_demands_and_a_restore_that_fails_leaves_no_trace(hemi):
    hemi.manage("backup")
    (backup,) = hemi.backups.glob("*.backup")
    before = hemi.rows()
    assert "SSL" in hemi.manage("backup", code=1, DATABASE_URL=f"{hemi.database}?sslmode=require")
    programs = hemi.folder / "programs"  # without pg_restore
    programs.mkdir()
    assert "pg_restore is not installed" in hemi.manage("restore", str(backup), "--replace", code=1, PATH=str(programs))
    assert not (hemi.var / "restored.json").exists()
    assert (hemi.rows(), states(hemi)["closed"]) == (before, 0)


def test_what_a_killed_one_left_goes_with_the_next(hemi):
    for what in ("making", "rehearsing"):
        (hemi.backups / f".{what}-killed" / "read").mkdir(parents=True)
        (hemi.backups / f".{what}-killed" / "keys.env").write_text("secret")
    (hemi.var / ".restoring-killed").mkdir()
    (hemi.var / ".restoring-killed" / "database").write_text("of a person")
    hemi.manage("backup")
    assert not (hemi.backups / ".making-killed").exists()
    hemi.manage("rehearse_restore")
    assert not (hemi.backups / ".rehearsing-killed").exists()
    (backup,) = hemi.backups.glob("*.backup")
    hemi.manage("restore", str(backup), "--to", str(hemi.folder / "elsewhere"))
    assert not list((hemi.folder / "elsewhere").glob(".restoring-*"))


def test_files_that_are_written_to_meanwhile_are_no_reason_to_fail(hemi):
    path = hemi.var / "kept" / "busy.log"
    stop = threading.Event()

    def write():
        with path.open("w") as file:
            while not stop.wait(0.001):
                file.write("a line\n" * 100)
                file.flush()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        hemi.manage("backup")
    finally:
        stop.set()
        writer.join()
    assert "Nothing differs" in hemi.manage("rehearse_restore")


def test_a_restore_replaces_nothing_that_nobody_gave_up(hemi):
    hemi.manage("backup")
    (backup,) = hemi.backups.glob("*.backup")
    before = hemi.rows()
    assert "--replace" in hemi.manage("restore", str(backup), code=1)
    other = {"BACKUP_KEY": Fernet.generate_key().decode()}
    assert "None of the keys" in hemi.manage("restore", str(backup), "--replace", code=1, **other)
    assert "BACKUP_KEY is not set" in hemi.manage("restore", str(backup), "--replace", code=1, BACKUP_KEY="")
    kind = {
        "DATABASE_URL": "postgres://hemi@127.0.0.1:1/hemi",
        "SECRET_KEY": "s" * 50,
        "FIELD_ENCRYPTION_KEY": hemi.key,
    }
    assert "of sqlite, and the database here is postgresql" in hemi.manage("restore", str(backup), code=1, **kind)
    (hemi.folder / "wrong.backup").write_bytes(b"something else" * 100)
    assert "no backup that Hemi made" in hemi.manage("restore", str(hemi.folder / "wrong.backup"), code=1)
    assert hemi.rows() == before
    assert not (hemi.var / "restored.json").exists() and states(hemi)["closed"] == 0
    both = {"BACKUP_KEY": f"{other['BACKUP_KEY']},{hemi.key}"}
    said = hemi.manage("restore", str(backup), "--replace", **both)
    assert "nothing differs" in said
    assert without(hemi.rows()) == without(before)
    assert states(hemi)["closed"] == 1


def test_into_a_folder_nothing_here_changes(hemi):
    hemi.manage("backup")
    (backup,) = hemi.backups.glob("*.backup")
    before, there = hemi.rows(), hemi.folder / "elsewhere"
    hemi.manage("restore", str(backup), "--to", str(there))
    assert hemi.rows() == before
    assert states(hemi)["closed"] == 0
    copy = Installation(hemi.folder)
    copy.var = there
    assert without(copy.rows()) == without(before)
    assert (there / "kept" / "by hand.txt").exists()


def test_without_the_journal_whatever_waits_is_uncertain(hemi, supplier):
    hemi.manage("backup")
    (backup,) = hemi.backups.glob("*.backup")
    hemi.destroy()
    for path in hemi.sent.iterdir():
        path.unlink()
    assert "There is no journal" in hemi.manage("restore", str(backup))
    assert "0 found as sent, 3 uncertain, 0 go out" in hemi.manage("open_outboxes")
    there = renamed(supplier)
    hemi.python(SEND.replace("PKS", "[4, 5, 6]"))
    assert renamed(supplier) == there
    settle = """
from suppliers.models import Delivery
from suppliers.services import deliveries
for row in Delivery.objects.filter(pk__in=[4, 5]):
    deliveries.settle_uncertain(delivery=row, was_sent=row.pk == 4, reason="They say so", by=None)
"""
    hemi.python(settle)
    hemi.python(SEND.replace("PKS", "[4, 5, 6]"))
    assert [row[0] for row in states(hemi)["deliveries"]][3:] == ["sent", "sent", "uncertain"]
    assert len(renamed(supplier)) == len(there) + 1


def test_a_copy_of_the_journal_knows_what_was_sent_and_doubts_the_rest(hemi, supplier):
    hemi.manage("backup")
    (backup,) = hemi.backups.glob("*.backup")
    hemi.python(SEND.replace("PKS", "[4]"))
    copy = hemi.folder / "copy"
    assert "bytes were new" in hemi.manage("backup_journal", str(copy))
    hemi.destroy()
    assert "is a copy" in hemi.manage("restore", str(backup), "--journal", str(copy))
    assert "1 found as sent, 2 uncertain, 0 go out" in hemi.manage("open_outboxes")


def test_what_was_redacted_since_the_backup_is_removed_again(hemi):
    hemi.python(
        "from orders.models import Order; Order.objects.filter(pk=1).update(customer_id=77, email='a@b.example')"
    )
    hemi.manage("backup")
    (backup,) = hemi.backups.glob("*.backup")
    redact = """
from django.utils import timezone
from integrations import ledger, request_journal
from integrations.models import PrivacyRequest
from integrations.subjects import Subject
from orders.models import Order
order = Order.objects.get(pk=1)
ledger.write(Subject(order.account, timezone.now(), 77, ()), frozenset([order.shopify_id]))
wish = PrivacyRequest(kind="shop/redact", shop_name=order.account.shop_name, due_at=timezone.now())
request_journal.write(wish, order.account.shopify_shop_id)
"""
    hemi.python(redact)
    hemi.destroy()
    assert "The ledger of redactions was applied again" in hemi.manage("restore", str(backup))
    with closing(sqlite3.connect(hemi.var / "hemi.sqlite3")) as connection:
        assert connection.execute("SELECT count(*) FROM integrations_redaction").fetchone() == (2,)
        row = connection.execute("SELECT email, redacted_at IS NULL FROM orders_order WHERE id = 1").fetchone()
        asked = connection.execute("SELECT kind, status FROM integrations_privacyrequest").fetchall()
    assert row == ("", 0)
    assert asked == [("shop/redact", "waiting")]
    assert b"a@b.example" not in (hemi.var / "hemi.sqlite3").read_bytes()


def test_a_restore_that_was_broken_off_keeps_its_outboxes_closed(hemi, supplier):
    hemi.manage("backup")
    (backup,) = hemi.backups.glob("*.backup")
    hemi.destroy()
    # A journal that cannot be read breaks it off after the database is in its place.
    wrong = hemi.folder / "wrong"
    wrong.mkdir()
    name = next(hemi.sent.glob("sent-*.log")).name
    (wrong / name).mkdir()
    assert "not finished" in hemi.manage("restore", str(backup), "--journal", str(wrong), code=1)
    there = renamed(supplier)
    hemi.python(SEND.replace("PKS", "[4, 5, 6]"))
    assert renamed(supplier) == there
    assert "finish_restore" in hemi.manage("open_outboxes", code=1)
    (wrong / name).rmdir()
    hemi.manage("finish_restore")
    assert "0 found as sent, 3 uncertain" in hemi.manage("open_outboxes")
    assert "No restore waits" in hemi.manage("finish_restore", code=1)


def test_a_database_in_use_is_left_alone(hemi):
    hemi.manage("backup")
    (backup,) = hemi.backups.glob("*.backup")
    before = hemi.rows()
    with closing(sqlite3.connect(hemi.var / "hemi.sqlite3")) as connection:
        connection.execute("SELECT 1 FROM django_migrations").fetchone()
        assert "Stop Hemi first" in hemi.manage("restore", str(backup), "--replace", code=1)
    assert hemi.rows() == before and states(hemi)["closed"] == 0


def test_old_backups_go_and_the_newest_stays(hemi):
    hemi.manage("backup")
    (first,) = hemi.backups.glob("*.backup")
    age(first, days=31)
    hemi.manage("backup")
    (second,) = hemi.backups.glob("*.backup")
    assert second != first


def age(path: Path, days: int) -> None:
    then = path.stat().st_mtime - days * 86400
    os.utime(path, (then, then))
