"""What a restored system needs before anybody opens its outboxes: migrations, the journal, the ledger of redactions."""

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import connection, transaction
from django.db.models import Max

from hemi import canary
from hemi.backup.making import Tell
from hemi.backup.manifest import BackupError
from hemi.backup.place import TO_FINISH
from hemi.lib import erasure
from integrations import ledger, privacy, request_journal
from orders.models import Order
from suppliers import recall
from suppliers.models import Endpoint, Restoration

# References are made of an order's number, and suppliers know those of orders that came after the backup.
_APART, _FAR_APART = 1_000, 100_000


def finish(tell: Tell) -> Restoration:
    """Finish a restore; safe to run again. Raises BackupError."""
    path = settings.VAR_DIR / TO_FINISH
    if not path.exists():
        raise BackupError("No restore waits to be finished.")
    left = json.loads(path.read_text())
    try:
        canary.check()
    except ImproperlyConfigured as error:
        raise BackupError(str(error)) from None
    call_command("migrate", interactive=False, verbosity=0)
    restored_at = datetime.fromisoformat(left["restored_at"])
    Endpoint.objects.exclude(closed_at=restored_at).update(closed_at=restored_at)
    journals = [Path(name) for name in left["journals"]]
    restoration = _remember(left, journals, tell)
    _remove_once_more(left, journals, tell)
    restoration.save()  # now outboxes may be opened
    path.unlink()
    return restoration


def _remember(left: dict[str, Any], journals: Sequence[Path], tell: Tell) -> Restoration:
    restoration = Restoration.objects.filter(backup_id=left["backup"]).first() or Restoration(backup_id=left["backup"])
    restoration.made_at, restoration.restored_at = (
        datetime.fromisoformat(left[f"{name}_at"]) for name in ("made", "restored")
    )
    last = recall.remember(restoration, journals)
    _number_on(max(last, Order.objects.aggregate(last=Max("pk"))["last"] or 0), restoration)
    if restoration.is_journal_whole:
        tell(f"The journal of what was sent goes on to the end, {restoration.journal_ends_at:%Y-%m-%d %H:%M:%S} UTC")
    else:
        tell(f"{restoration.why_doubted} Files that it does not name will be uncertain, for a person to settle")
    return restoration


def _number_on(last: int, restoration: Restoration) -> None:
    """Let no new order get a number that a supplier may know from an order of before."""
    number = last + (_APART if restoration.is_journal_whole else _FAR_APART)
    table = Order._meta.db_table
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("DELETE FROM sqlite_sequence WHERE name = %s", [table])
            cursor.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (%s, %s)", [table, number])
        else:
            cursor.execute("SELECT setval(pg_get_serial_sequence(%s, 'id'), %s)", [table, number])


def _remove_once_more(left: dict[str, Any], journals: Sequence[Path], tell: Tell) -> None:
    since = datetime.fromisoformat(left["made_at"]) - recall.EARLIER
    ledger.load([*left["ledger"], *ledger.written(journals, since)])
    if count := request_journal.load(journals, since):
        tell(f"Privacy requests that came after the backup, and are to be answered (once more): {count}")
    removed = privacy.reapply()
    tell(f"The ledger of redactions was applied again: {removed} rows")
    if strangers := ledger.strangers():
        tell(f"No account is of these stores, so nothing was looked for: {', '.join(strangers)}")
    if removed and not erasure.close_traces():
        tell("The database was in use, so its file still holds traces. Run later: manage.py redactions apply")
