"""What a backup is of: a database, keys and a folder; the installation itself, or a scratch place."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import quote, urlencode

from django.conf import settings

from hemi.backup import postgres, sqlite
from hemi.backup.manifest import BackupError

DATABASE, KEYS, ENVIRONMENT, VAR = "database", "keys.env", "environment", "var"
TO_FINISH = "restored.json"
# What makes itself anew, is backed up apart, or is somebody else's: rows are the queue, so that hints may be lost.
_LEFT_OUT = {
    *("broker", "static", "test", "lint", "demo", "drill", "bench", "keys.env", TO_FINISH),
    *("beat-schedule", "beat-schedule.db", "beat-schedule.dat", "beat-schedule.dir", "beat-schedule.bak"),
}


@dataclass(frozen=True)
class Place:
    """Where the parts are."""

    var: Path
    database: dict[str, Any]
    is_scratch: bool = False

    @property
    def engine(self) -> ModuleType:
        """Return what handles its kind of database."""
        return sqlite if self.database["ENGINE"].endswith("sqlite3") else postgres

    def environment(self, keys: dict[str, str]) -> dict[str, str]:
        """Return the environment in which Hemi's commands work on this place."""
        if not self.is_scratch:
            return dict(os.environ)
        own = {"HEMI_VAR": str(self.var), "DATABASE_URL": _url(self.database), "JOURNAL_DIR": str(self.var / "sent")}
        return {**os.environ, **keys, **own}


def here() -> Place:
    """Return this installation."""
    return Place(settings.VAR_DIR, settings.DATABASES["default"])


def scratch(folder: Path, database: dict[str, Any] | None = None) -> Place:
    """Return a place of its own: a folder, with a database in it unless another one is named."""
    inside = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(folder / "hemi.sqlite3")}
    return Place(folder, database or inside, is_scratch=True)


def files(var: Path, database: dict[str, Any]) -> Iterator[Path]:
    """Return the files of the folder that are neither the database, nor the journal, nor backups, nor made anew."""
    apart = {settings.JOURNAL_DIR, settings.BACKUP_DIR}
    for root, folders, names in os.walk(var):
        here = Path(root)
        folders[:] = sorted(name for name in folders if here / name not in apart and not _is_left_out(here, var, name))
        for name in sorted(names):
            path = here / name
            is_database = str(path).startswith(str(database["NAME"]))
            if not (is_database or _is_left_out(here, var, name)) and path.is_file() and not path.is_symlink():
                yield path


@contextmanager
def working_folder(inside: Path, what: str) -> Iterator[Path]:
    """Make a private folder for one work of its kind at a time; what a killed one left, keys and people, goes first."""
    inside.mkdir(parents=True, exist_ok=True, mode=0o700)
    prefix = f".{what}-"
    with (inside / f".lock-{what}").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BackupError(f"Another one is {what} in {inside} just now. Wait for it.") from None
        for left in inside.glob(f"{prefix}*"):
            shutil.rmtree(left)
        with tempfile.TemporaryDirectory(prefix=prefix, dir=inside) as name:  # mode 0700
            yield Path(name)


def make_room(folder: Path, needed: int) -> None:
    """Raise BackupError unless so many bytes are free there."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise BackupError(f"{folder} has {free // 1_000_000:,} MB free, and {needed // 1_000_000:,} MB are needed.")


def _is_left_out(folder: Path, var: Path, name: str) -> bool:
    return folder == var and (name in _LEFT_OUT or name.startswith((".restoring-", ".lock-")))


def _url(database: dict[str, Any]) -> str:
    if database["ENGINE"].endswith("sqlite3"):
        return f"sqlite:///{database['NAME']}"
    user, password, host, name = (quote(str(database[key]), safe="") for key in ("USER", "PASSWORD", "HOST", "NAME"))
    who = f"{user}:{password}@" if user else ""
    port = f":{database['PORT']}" if database["PORT"] else ""
    demands = urlencode(postgres.tls(database))
    return f"postgres://{who}{host}{port}/{name}{'?' if demands else ''}{demands}"
