"""Rehearse a restore: into a scratch place, all the way, with every table and file compared."""

import os
import tempfile
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
    settings.BACKUP_DIR.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (
        tempfile.TemporaryDirectory(prefix=".rehearsing-", dir=settings.BACKUP_DIR) as name,
        _place(name, database) as to,
    ):
        wish = Wish(source, to, [settings.JOURNAL_DIR], may_replace=database is not None)
        return restoring.restore(wish, tell)


@contextmanager
def _place(folder: str, database: dict[str, Any] | None) -> Iterator[Place]:
    here = place.here()
    if database is not None or here.engine is not postgres:
        yield place.scratch(Path(folder), database)
        return
    with postgres.scratch(here.database, f"hemi_rehearsal_{os.urandom(4).hex()}") as own:
        yield place.scratch(Path(folder), own)
