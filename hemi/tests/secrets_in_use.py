"""Runs beside a rotation of keys: threads that read every secret, and threads that write their own and read it back.

`python -m hemi.tests.secrets_in_use PK...` writes to these accounts until its standard input ends, and then prints what
it did and what went wrong.
"""

import json
import os
import sys
import threading

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hemi.settings")
django.setup()

from django.apps import apps  # noqa: E402
from django.db import connection  # noqa: E402

from hemi import keys  # noqa: E402

ended = threading.Event()
faults: list[str] = []
last: dict[int, str] = {}
counts = {"read": 0, "written": 0}


def read() -> None:
    """Read every secret, as all of Hemi does: a key that is missing raises."""
    while not ended.is_set():
        for column in keys.columns():
            counts["read"] += len(list(column.model._base_manager.values_list(column.name)))


def write(pk: int) -> None:
    """Write a token, and read back what was written, again and again: nobody else writes this row."""
    rows, number = apps.get_model("integrations", "AccountShopify")._base_manager.filter(pk=pk), 0
    while not ended.is_set():
        number += 1
        rows.update(access_token=f"token {number}")
        for _ in range(3):
            found = rows.get().access_token
            if found != f"token {number}":
                faults.append(f"account {pk}: wrote token {number}, found {found}")
        counts["written"] += 1
    last[pk] = f"token {number}"


def safely(work, *values) -> None:
    """Note what goes wrong in a thread."""
    try:
        work(*values)
    except Exception as error:  # noqa: BLE001 - whatever it is, the test shows it
        faults.append(f"{type(error).__name__}: {error}")
    finally:
        connection.close()


def main() -> None:
    """Work until standard input ends."""
    threads = [threading.Thread(target=safely, args=(write, int(pk))) for pk in sys.argv[1:]]
    threads += [threading.Thread(target=safely, args=(read,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    print("begun", flush=True)
    sys.stdin.read()
    ended.set()
    for thread in threads:
        thread.join()
    print(json.dumps({**counts, "last": last, "faults": faults}))


main()
