"""The journal of what was sent: a line before a file gets its final name and one after it, outside the database.

A restored database knows nothing of what was sent after its backup; the journal does (suppliers/recall.py). It names
orders by their ids and never a person.
"""

import logging
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db import transaction

from hemi.lib import journal, journal_files
from hemi.lib.journal import Reading
from hemi.lib.journal_files import Line
from suppliers.models import Delivery
from suppliers.transports.errors import Kind, TransportError

log = logging.getLogger(__name__)

KIND = "sent"
BEGUN, BACK, SENT, BACKUP = "begun", "back", "sent", "backup"
_files = journal.Journal(settings.JOURNAL_DIR, KIND, settings.JOURNAL_DAYS)


def before_renames(begun: Sequence[Delivery], sent: Sequence[Delivery] = ()) -> None:
    """Note what is to be renamed, and what was, and wait for the disk. Raises TransportError: then rename nothing."""
    try:
        _append([*_lines(sent, SENT), *_lines(begun, BEGUN)])
    except OSError as error:
        if not begun:
            log.error("journal.not_written", extra={"files": len(sent), "error": error.strerror or str(error)})
            return
        said = f"The journal in {settings.JOURNAL_DIR} cannot be written ({error.strerror or error}). Nothing is sent "
        raise TransportError(Kind.TEMPORARY, f"{said}until it can: make room, or mend its disk.", "connect") from None


def sent(deliveries: Sequence[Delivery]) -> None:
    """Note that the suppliers have the files; where that fails, a restore asks a person."""
    before_renames((), deliveries)


def not_sent(delivery: Delivery) -> None:
    """Note that a look, or a person, found a file not sent after all."""
    try:
        _append(_lines([delivery], BACK), is_urgent=False)
    except OSError as error:
        log.error("journal.not_written", extra={"delivery_id": delivery.pk, "error": error.strerror or str(error)})


def settled(delivery: Delivery, *, was_sent: bool) -> None:
    """Note a person's word, once it is stored."""
    transaction.on_commit(lambda: sent([delivery]) if was_sent else not_sent(delivery))


def mark_backup(backup_id: str) -> None:
    """Note that a backup begins: a journal with this line goes on where the backup ends. Raises OSError."""
    _append([{"what": BACKUP, "backup": backup_id}])


def read(folders: Iterable[Path], since: datetime, reading: Reading) -> Iterator[Line]:
    """Return the lines since then."""
    return journal.read(folders, KIND, since, reading)


def is_in_place(folder: Path, since: datetime) -> bool:
    """Tell whether what is there from that day on was written there, and is no copy."""
    return journal_files.is_in_place(folder, KIND, since)


def missing(folder: Path, since: datetime) -> list[str]:
    """Return the days since then of which a file is gone."""
    return journal_files.missing(folder, KIND, since)


def _append(lines: Iterable[Line], *, is_urgent: bool = True) -> None:
    if found := list(lines):
        _files.append(found, is_urgent=is_urgent)


def _lines(deliveries: Iterable[Delivery], what: str) -> Iterator[Line]:
    for delivery in deliveries:
        part = delivery.supplier_order
        yield {
            "what": what,
            "name": delivery.final_name,
            "folder": delivery.folder,
            "sha256": delivery.sha256,
            "endpoint": delivery.endpoint.name,
            "reference": part.reference,
            "resends": delivery.resends,
            "order": part.order_id,
            "shopify_id": part.order.shopify_id,
        }
