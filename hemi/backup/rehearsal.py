"""Rehearse a restore: into a scratch place, all the way, with every table and file compared."""

import hashlib
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings

from hemi.backup import place, postgres, restoring
from hemi.backup.making import Tell
from hemi.backup.manifest import Manifest
from hemi.backup.place import Place
from hemi.backup.restoring import Wish


def rehearse(source: Path, tell: Tell, database: dict[str, Any] | None = None) -> Manifest:
    """Restore `source` into a scratch place, which is gone afterwards. Raises BackupError where anything differs."""
    with place.working_folder(settings.BACKUP_DIR, "rehearsing") as folder, _place(folder, database) as to:
        wish = Wish(source, to, [settings.JOURNAL_DIR], may_replace=database is not None)
        return restoring.restore(wish, tell)


@contextmanager
def _place(folder: Path, database: dict[str, Any] | None) -> Iterator[Place]:
    here = place.here()
    if database is not None or here.engine is not postgres:
        yield place.scratch(folder, database)
        return
    # The same name each time, so that what a killed rehearsal left is found; another machine has another one.
    whose = hashlib.sha256(f"{socket.gethostname()} {folder.parent}".encode()).hexdigest()[:8]
    with postgres.scratch(here.database, f"hemi_rehearsal_{whose}") as own:
        yield place.scratch(folder, own)
