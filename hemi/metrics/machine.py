"""What only the machine knows: the room on its disks, and how old the newest backup is."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from time import time

from django.conf import settings


def disks() -> Iterator[tuple[str, int, float]]:
    """Yield what each folder is for, the bytes free on its disk, and their share of the whole."""
    for name, folder in {
        "data": settings.VAR_DIR,
        "journal": settings.JOURNAL_DIR,
        "backups": settings.BACKUP_DIR,
    }.items():
        try:
            usage = shutil.disk_usage(_existing(folder))
        except OSError:  # not ours to see
            continue
        yield name, usage.free, usage.free / usage.total if usage.total else 1.0


def backup_age() -> float | None:
    """Return the seconds since the newest backup was made; infinity without any, None where none are to be made."""
    if not settings.BACKUP_KEY:
        return None
    try:
        times = [path.stat().st_mtime for path in settings.BACKUP_DIR.glob("hemi-*.backup")]
    except OSError:  # removed meanwhile, or not ours to see
        return float("inf")
    return max(0.0, time() - max(times)) if times else float("inf")


def _existing(folder: Path) -> Path:
    return folder if folder.exists() else _existing(folder.parent)
