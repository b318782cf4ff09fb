"""From SQLite to PostgreSQL: everything is there, proved; nothing is moved from under a running Hemi."""

import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from uuid import UUID

import psycopg
import pytest
from django.conf import settings

from hemi.tests import installations
from hemi.tests.installations import Installation

pytestmark = pytest.mark.skipif(not installations.HAS_POSTGRES, reason="PostgreSQL is not installed")
ORDERS = 300
LEFT = {"django_session"}
_MADE = f"""
from bench import moving_rows
from hemi import canary
from hemi.tests import one_of_each
from integrations.models import Client
from hemi.models import ConfigurationChange
ConfigurationChange.objects.create(kind="added", label="a", object_id="1", subject="s")
one_of_each.make()
moving_rows.make({ORDERS})
canary.check()
Client.objects.create(pk=500, name="Gone").delete()
"""


@pytest.fixture(scope="module")
def server():
    with installations.postgres() as address:
        yield address


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    made = Installation(tmp_path_factory.mktemp("source"))
    made.manage("migrate", "--verbosity", "0")
    made.python(_MADE)
    return made


@pytest.fixture(scope="module")
def moved(source, server):
    """The source, the target's address, and what the command said."""
    target = installations.new_database(server, "template0", as_name="moved")
    return source, target, source.manage("move_to_postgres", target)


@pytest.fixture
def emptied(moved, server, request):
    """The address of a database that has its tables, as a move that was killed leaves it: they take long to make."""
    target = installations.new_database(server, "moved", as_name=f"emptied_{request.node.name[5:20]}")
    with postgres(target) as connection:
        names = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        connection.execute(f"TRUNCATE {', '.join(name for (name,) in names if name != 'django_migrations')}")
    return target


def sqlite(made):
    return closing(sqlite3.connect(made.var / "hemi.sqlite3", isolation_level=None))


def postgres(target):
    return psycopg.connect(target, autocommit=True)


def count(target, table):
    with postgres(target) as connection:
        return connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]


def test_every_table_has_as_many_rows_and_the_same_checksums(moved):
    source, target, said = moved
    before = {name: len(rows) for name, rows in source.rows().items() if name not in LEFT}
    with postgres(target) as connection:
        names = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        after = {name: connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for (name,) in names}
    assert {name: after[name] for name in before} == before
    assert before["orders_order"] == ORDERS + 1
    assert "the same on both sides" in said
    assert "SECRET_KEY and FIELD_ENCRYPTION_KEY to those of" in said
    checked = source.manage("move_to_postgres", "--check", target)
    table = [line for line in said.splitlines() if line.endswith("same")]
    assert table == [line for line in checked.splitlines() if line.endswith("same")]
    assert any(line.startswith("orders_order ") and f" {ORDERS + 1} " in line for line in table)


def test_values_are_what_they_were(moved):
    source, target, _ = moved
    columns = "access_token, uuid, shop_name"
    with sqlite(source) as here, postgres(target) as there:
        token, uuid, name = here.execute(f"SELECT {columns} FROM integrations_accountshopify WHERE id = 2").fetchone()
        found = there.execute(f"SELECT {columns} FROM integrations_accountshopify WHERE id = 2").fetchone()
        assert (token[:6], found) == ("gAAAAA", (token, UUID(uuid), name))
        order = (
            "SELECT customer_name, total, is_test, placed_at, shipping_address FROM orders_order WHERE number = '#77'"
        )
        mine, its = here.execute(order).fetchone(), there.execute(order).fetchone()
        assert (its[0], float(its[1]), its[2], its[4]["city"]) == (mine[0], mine[1], bool(mine[2]), "Zürich")
        assert its[3].strftime("%Y-%m-%d %H:%M:%S.%f") == mine[3]
    keys = dict(line.split("=", 1) for line in (source.var / "keys.env").read_text().splitlines() if "=" in line[:30])
    there = Installation(source.folder.parent / "there", target)
    script = "from integrations.models import *; print(AccountShopify.objects.get(pk=2).access_token)"
    assert there.python(script, **keys).strip() == "shpat_a-token"


def test_no_id_is_given_twice_and_foreign_keys_are_back(moved):
    _, target, _ = moved
    with postgres(target) as connection:
        sequence = "SELECT nextval(pg_get_serial_sequence('integrations_client', 'id'))"
        assert connection.execute(sequence).fetchone() == (501,)
        with pytest.raises(psycopg.errors.ForeignKeyViolation):
            connection.execute("UPDATE orders_order SET account_id = 999")


def test_a_target_with_rows_is_refused_and_left(moved):
    source, target, _ = moved
    before = count(target, "orders_order")
    said = source.manage("move_to_postgres", target, code=1)
    assert "The target is not empty" in said
    assert count(target, "orders_order") == before


def test_check_names_what_differs(moved):
    source, target, _ = moved
    with postgres(target) as connection:
        connection.execute("UPDATE orders_orderline SET title = title || ' ' WHERE id = 5")
        said = source.manage("move_to_postgres", "--check", target, code=1)
        assert "The two sides differ in orders_orderline." in said
        connection.execute("UPDATE orders_orderline SET title = rtrim(title) WHERE id = 5")
    source.manage("move_to_postgres", "--check", target)


def test_nothing_is_moved_while_somebody_has_the_database_open(source, server):
    target = installations.new_database(server, "template0", as_name="in_use")
    held = (
        "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); print(c.execute('SELECT count(*) FROM orders_order')"
        ".fetchone()); sys.stdout.flush(); sys.stdin.read()"
    )
    argv = [sys.executable, "-c", held, str(source.var / "hemi.sqlite3")]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as idle:
        idle.stdout.readline()  # it has read something, and does nothing now
        said = source.manage("move_to_postgres", target, code=1)
        idle.stdin.close()
    assert "The database is in use" in said
    assert str(idle.pid) in said
    assert "systemctl stop hemi-web.socket" in said
    with postgres(target) as connection:
        assert connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone() == (0,)


def test_killed_in_the_middle_it_begins_anew(source, emptied):
    argv = [sys.executable, "manage.py", "move_to_postgres", emptied]
    with subprocess.Popen(argv, cwd=settings.BASE_DIR, env=source.env, stdout=subprocess.PIPE) as process:
        with postgres(emptied) as connection:
            wait_for_the_copy(connection)
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    assert count(emptied, "orders_order") == 0
    assert "the same on both sides" in source.manage("move_to_postgres", emptied)
    assert count(emptied, "orders_order") == ORDERS + 1


def wait_for_the_copy(connection):
    """Wait until another process copies."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND query LIKE 'COPY %'"
    deadline = time.monotonic() + 120
    while not connection.execute(query).fetchone()[0]:
        assert time.monotonic() < deadline


def test_what_postgresql_cannot_hold_is_named_and_nothing_is_moved(source, emptied, tmp_path):
    made = source.clone(tmp_path / "unfit")
    with sqlite(made) as connection:
        connection.execute("UPDATE orders_order SET note = 'a' || char(0) WHERE id = 3")
        connection.execute("UPDATE orders_order SET currency = 'EUROS' WHERE id = 4")
        connection.execute("UPDATE orders_order SET shipping_address = ? WHERE id = 5", [r'{"name": "a\u0000"}'])
        connection.execute("UPDATE orders_order SET shipping_address = ? WHERE id = 6", [r'{"name": "\ud83d"}'])
        connection.execute("UPDATE orders_order SET shipping_address = ? WHERE id = 7", [r'{"name": "a\\u0000"}'])
    said = made.manage("move_to_postgres", emptied, code=1)
    assert "orders_order 3: note holds a NUL character" in said
    assert "orders_order 4: currency is longer than 3 characters" in said
    assert "orders_order 5: shipping_address holds a NUL character" in said
    assert "orders_order 6 holds half a character" in said
    assert "orders_order 7" not in said
    assert count(emptied, "orders_order") == count(emptied, "integrations_client") == 0


def test_what_is_no_database_of_hemi_is_refused(source, server):
    safely = f"{installations.new_database(server, 'template0', as_name='safely')}?sslmode=require"
    assert "SSL" in source.manage("move_to_postgres", safely, code=1)
    assert "must be a PostgreSQL" in source.manage("move_to_postgres", "sqlite:////tmp/x.sqlite3", code=1)
    target = installations.new_database(server, "template0", as_name="strange")
    assert "nothing was moved there" in source.manage("move_to_postgres", "--check", target, code=1)
    with postgres(target) as connection:
        connection.execute("CREATE TABLE somebody_elses (a int)")
    assert "not Hemi's, such as somebody_elses" in source.manage("move_to_postgres", target, code=1)
