"""A new key: everything is encrypted anew while the system reads and writes, and the old key may go when it may go."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from cryptography.fernet import Fernet, InvalidToken
from django.apps import apps
from django.conf import settings
from django.core import checks
from django.core.management import call_command
from django.db import connection
from encrypted_model_fields import fields as vendor

from hemi import canary, keys
from hemi.keys import Needs
from hemi.tests import one_of_each
from hemi.tests.databases import address
from integrations.models import AccountShopify

pytestmark = pytest.mark.django_db(transaction=True)
OLD, NEW = settings.FIELD_ENCRYPTION_KEY[0], Fernet.generate_key().decode()
MANY = 400


def environment(*ring):
    return {
        **os.environ,
        "DATABASE_URL": address(),
        "DJANGO_SETTINGS_MODULE": "hemi.settings",
        "FIELD_ENCRYPTION_KEY": ",".join(ring),
        "SECRET_KEY": "only-for-this-process",
    }


def start(*argv, ring=(NEW, OLD), **options):
    command = [sys.executable, *argv]
    return subprocess.Popen(
        command,
        cwd=settings.BASE_DIR,
        env=environment(*ring),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def run(*argv, ring=(NEW, OLD)):
    with start(*argv, ring=ring) as process:
        said, _ = process.communicate(timeout=120)
    return process.returncode, said


def rotate(*options, ring=(NEW, OLD)):
    return run("manage.py", "rotate_encryption_key", *options, ring=ring)


def stored(column="access_token", table="integrations_accountshopify"):
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM {table} WHERE {column} <> '' ORDER BY id")
        return [row[0] for row in cursor.fetchall()]


def is_read_by(key, text):
    try:
        Fernet(key).decrypt(text.encode())
    except InvalidToken:
        return False
    return True


@pytest.fixture
def stores():
    canary.check()
    return AccountShopify.objects.bulk_create(
        AccountShopify(shop_name=f"shop-{number}", access_token=f"shpat_{number}") for number in range(MANY)
    )


@pytest.fixture
def two_keys(monkeypatch, settings):
    """The process has the new key in front of the old one."""
    settings.FIELD_ENCRYPTION_KEY = [NEW, OLD]
    monkeypatch.setattr(vendor, "CRYPTER", vendor.get_crypter())


def test_every_encrypted_column_of_every_model_is_found_and_filled(two_keys):
    one_of_each.make()
    canary.check()
    found = {(column.model._meta.db_table, column.name) for column in keys.columns()}
    wanted = {
        (model._meta.db_table, field.name)
        for model in apps.get_models()
        for field in model._meta.concrete_fields
        if isinstance(field, vendor.EncryptedMixin)
    }
    assert found == wanted
    assert keys.columns()[-1].label == "integrations.KeyCanary.text"


def test_rotation_under_load_fails_no_read_and_loses_no_write(stores):
    hot = [str(store.pk) for store in (*stores[:2], *stores[-2:])]
    users = [start("-m", "hemi.tests.secrets_in_use", *hot[place::2]) for place in (0, 1)]
    try:
        for user in users:
            assert user.stdout.readline() == "begun\n"
        code, said = rotate()
        assert (code, "Nothing stored needs an older key" in said) == (0, True), said
        ends = [user.communicate(timeout=60)[0] for user in users]
    finally:
        for user in users:
            user.kill()
            user.wait()
    totals = [json.loads(end) for end in ends]
    for total in totals:
        assert total["faults"] == []
        assert total["read"] > MANY and total["written"] > 4
    last = {int(pk): token for total in totals for pk, token in total["last"].items()}
    assert len(last) == 4
    assert all(is_read_by(NEW, text) for text in (*stored(), *stored("text", "integrations_keycanary")))
    tokens = [Fernet(NEW).decrypt(text.encode()).decode() for text in stored()]
    assert tokens == [last.get(store.pk, store.access_token) for store in stores]
    assert run("-c", "import hemi.wsgi", ring=(NEW,))[0] == 0


def test_killed_half_way_it_goes_on_and_the_old_key_is_missed_until_the_end(stores):
    with start("manage.py", "rotate_encryption_key") as process:
        deadline = time.monotonic() + 60
        while not is_read_by(NEW, stored()[0]) and time.monotonic() < deadline:
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
    done = sum(is_read_by(NEW, text) for text in stored())
    assert 0 < done < MANY
    code, said = rotate("--check")
    assert code == 1
    assert f"{MANY + 1 - done:>8,} values need an older key" in said
    code, said = run("-c", "import hemi.wsgi", ring=(NEW,))
    assert code != 0
    assert "FIELD_ENCRYPTION_KEY cannot read" in said
    code, said = rotate()
    assert code == 0
    assert f"{MANY - done:>8,} encrypted anew" in said
    assert all(is_read_by(NEW, text) for text in stored())


def test_what_was_written_meanwhile_stays(stores, two_keys):
    column = next(one for one in keys.columns() if one.label == "integrations.AccountShopify.access_token")
    pk, before = next(column.values())
    AccountShopify.objects.filter(pk=pk).update(access_token="newer")
    assert not column.swap(pk, before, keys.Ring().renewed(before))
    assert AccountShopify.objects.get(pk=pk).access_token == "newer"


def test_canary_stays_behind_while_a_value_does(stores, two_keys, monkeypatch):
    monkeypatch.setattr(keys.Column, "swap", lambda *_: False)
    assert keys.rotate().total() == 0
    assert keys.survey().total(Needs.OLDER) == MANY + 1
    monkeypatch.undo()


def test_one_key_says_how_to_begin(stores, capsys):
    before = stored()
    call_command("rotate_encryption_key")
    said = capsys.readouterr().out
    assert "There is one key only" in said
    assert stored() == before


def test_values_that_no_key_reads_are_named_and_left(stores):
    lost = Fernet(Fernet.generate_key()).encrypt(b"text").decode()
    pk = stores[3].pk
    with connection.cursor() as cursor:
        cursor.execute("UPDATE integrations_accountshopify SET access_token = %s WHERE id = %s", [lost, pk])
    code, said = rotate()
    assert code == 1
    assert f"integrations.AccountShopify.access_token of row {pk}" in said
    assert stored()[3] == lost
    found = [one for one in checks.run_checks(databases=["default"]) if one.id == "hemi.W010"]
    assert any(f"of row {pk}." in one.msg for one in found)
    assert not any(one.id == "hemi.W010" for one in checks.run_checks())
