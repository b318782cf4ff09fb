"""Keys that do not fit the database stop the start."""

import os
import subprocess
import sys

import pytest
from cryptography.fernet import Fernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connection

from hemi import canary
from integrations.models import KeyCanary

pytestmark = pytest.mark.django_db(transaction=True)


def lose_the_key():
    other = Fernet(Fernet.generate_key()).encrypt(b"text").decode()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE integrations_keycanary SET text = %s", [other])


def test_the_first_start_makes_it_and_the_next_reads_it():
    canary.check()
    canary.check()
    assert "can be read" in KeyCanary.objects.get().text


def test_lost_key_says_what_to_put_back():
    canary.check()
    lose_the_key()
    with pytest.raises(ImproperlyConfigured, match="FIELD_ENCRYPTION_KEY cannot read"):
        canary.check()
    with pytest.raises(SystemExit, match="FIELD_ENCRYPTION_KEY cannot read"):
        canary.check_or_exit()
    assert KeyCanary.objects.count() == 1


def test_database_without_tables_is_not_its_business():
    with connection.schema_editor() as editor:
        editor.delete_model(KeyCanary)
    try:
        canary.check()
    finally:
        with connection.schema_editor() as editor:
            editor.create_model(KeyCanary)


@pytest.mark.parametrize("module", ["hemi.wsgi", "celery"])
def test_processes_do_not_start_with_another_key(module, tmp_path):
    canary.check()
    lose_the_key()
    tried = {
        "hemi.wsgi": ["-c", "import hemi.wsgi"],
        "celery": ["-m", "celery", "-A", "hemi.celery", "worker", "--pool=solo", "-l", "error"],
    }
    code = [sys.executable, *tried[module]]
    database = connection.settings_dict
    url = f"sqlite:///{database['NAME']}"
    if connection.vendor == "postgresql":
        user = f"{database['USER']}:{database['PASSWORD']}@" if database["USER"] else ""
        url = f"postgres://{user}{database['HOST']}:{database['PORT']}/{database['NAME']}"
    environment = {
        **os.environ,
        "HEMI_VAR": str(tmp_path),
        "DATABASE_URL": url,
        "DJANGO_SETTINGS_MODULE": "hemi.settings",
        "C_FORCE_ROOT": "1",
    }
    done = subprocess.run(
        code, cwd=settings.BASE_DIR, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode != 0
    assert "FIELD_ENCRYPTION_KEY cannot read" in done.stderr
