"""Restore a backup: unpack, compare, put into place with closed outboxes, and hand over to `finish_restore`."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.loader import MigrationLoader

from hemi.backup import archive
from hemi.backup.making import Tell
from hemi.backup.manifest import BackupError, Manifest, digest
from hemi.backup.place import DATABASE, ENVIRONMENT, KEYS, TO_FINISH, VAR, Place, make_room, working_folder
from hemi.lib import keyfile
from integrations import ledger


@dataclass(frozen=True)
class Wish:
    """What to restore, and how."""

    source: Path
    target: Place
    journals: Sequence[Path]
    may_replace: bool = False


@contextmanager
def unpacked(source: Path, near: Path) -> Iterator[tuple[Manifest, Path]]:
    """Unpack a backup into a folder of its own inside `near` and remove it at the end. Raises BackupError."""
    if not source.is_file():
        raise BackupError(f"There is no backup {source}.")
    with working_folder(near, "restoring") as folder:
        make_room(near, 3 * source.stat().st_size)
        yield archive.unpack(source, folder, archive.secrets(settings.BACKUP_KEY)), folder


def restore(wish: Wish, tell: Tell) -> Manifest:
    """Restore into the target, compare, and finish there. What was there is kept. Raises BackupError."""
    tell(f"Reading {wish.source}")
    with unpacked(wish.source, wish.target.var) as (manifest, folder):
        _refuse(wish, manifest)
        tell(f"The backup is whole: made {manifest.made_at}, {len(manifest.tables)} tables")
        restored_at = datetime.now(UTC)
        with _noted(wish, manifest, restored_at):
            wish.target.engine.load(folder / DATABASE, wish.target.database, restored_at)
        compare(wish.target, manifest)
        tell("The database is in its place; nothing differs. All outboxes are closed: nothing is sent")
        keys = _place_keys(wish.target, folder / KEYS, tell)
        _place_files(wish.target, manifest, folder, tell)
    _finish(wish.target, keys)
    return manifest


def compare(target: Place, manifest: Manifest) -> None:
    """Raise BackupError where a table is not as it was when the backup was made."""
    if differences := manifest.differences(target.engine.tables(target.database)):
        raise BackupError("What was restored is not what was backed up. " + "; ".join(differences))


def _refuse(wish: Wish, manifest: Manifest) -> None:
    """Raise BackupError where the backup does not fit, or something is there that nobody gave up."""
    target = wish.target
    if manifest.database != target.engine.NAME:
        raise BackupError(
            f"This backup is of {manifest.database}, and the database here is {target.engine.NAME}. Set DATABASE_URL "
            "to an empty one of the same kind and restore there; move_to_postgres then takes it further."
        )
    unknown = {*manifest.migrations} - {".".join(key) for key in MigrationLoader(None).disk_migrations or ()}
    if unknown:
        raise BackupError(f"The backup was made by a newer Hemi ({sorted(unknown)[0]}). Install that, then restore.")
    if not target.engine.is_empty(target.database) and not wish.may_replace:
        raise BackupError(
            "There is a database here already, and it would be replaced. If that is meant, say so with --replace; "
            "to look at a backup, restore it into a folder: --to FOLDER. Nothing was changed."
        )
    if count := target.engine.users(target.database):
        raise BackupError(
            f"The database is in use by {count} others. Stop Hemi first, then restore. Nothing was changed."
        )


@contextmanager
def _noted(wish: Wish, manifest: Manifest, restored_at: datetime) -> Iterator[None]:
    """Leave what finish_restore needs, and take it back where nothing was changed."""
    path = wish.target.var / TO_FINISH
    former = path.read_text() if path.exists() else ""  # of a restore that was not finished
    left = {
        "backup": manifest.backup_id,
        "made_at": manifest.made_at,
        "restored_at": restored_at.isoformat(),
        "journals": [str(folder) for folder in wish.journals],
        "ledger": [*(json.loads(former)["ledger"] if former else []), *_ledger(wish)],
    }
    _write(path, json.dumps(left))
    try:
        yield
    except BackupError:
        _write(path, former)
        raise


def _write(path: Path, text: str) -> None:
    if not text:
        path.unlink(missing_ok=True)
        return
    draft = path.with_name(f".{path.name}")
    draft.write_text(text)
    draft.chmod(0o600)
    draft.rename(path)


def _ledger(wish: Wish) -> list[dict[str, Any]]:
    """Return what the database that is replaced knows of redactions, as far as it can be read."""
    if wish.target.is_scratch or wish.target.engine.is_empty(wish.target.database):
        return []
    try:
        return ledger.dump()
    except DatabaseError:
        return []
    finally:
        connection.close()


def _place_keys(target: Place, source: Path, tell: Tell) -> dict[str, str]:
    """Put the keys where an embedded installation has them; elsewhere say that the environment's do not fit."""
    keys = keyfile.load(source)
    path = target.var / KEYS
    if target.is_scratch or settings.HAS_KEY_FILE:
        _put(source, path, tell)
    elif set(keys["FIELD_ENCRYPTION_KEY"].split(",")) - set(settings.FIELD_ENCRYPTION_KEY):
        path = target.var / "restored-keys.env"
        _put(source, path, tell)
        tell(f"The environment has other keys than the backup: take FIELD_ENCRYPTION_KEY from {path}")
    return keys


def _place_files(target: Place, manifest: Manifest, folder: Path, tell: Tell) -> None:
    for name, wanted in manifest.files.items():
        path = target.var / Path(name).relative_to(VAR) if name.startswith(f"{VAR}/") else None
        if name == ENVIRONMENT:
            path = target.var / "restored-settings.env"
        if path is None or (path.exists() and digest(path) == wanted):
            continue
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _put(folder / name, path, tell)
    if ENVIRONMENT in manifest.files:
        tell(f"The settings of then are in {target.var / 'restored-settings.env'}: compare, then remove the file")


def _put(source: Path, path: Path, tell: Tell) -> None:
    """Put a file into its place; another one that lies there is kept under a name that says so."""
    if path.exists() and digest(path) != digest(source):
        former = path.with_name(f"{path.name}.replaced-{datetime.now(UTC):%Y%m%dT%H%M%SZ}")
        path.rename(former)
        tell(f"What was {path.name} is kept as {former.name}")
    shutil.copy2(source, path)


def _finish(target: Place, keys: dict[str, str]) -> None:
    """Run the rest in a process that starts with the restored keys and database."""
    argv = [sys.executable, os.fspath(settings.BASE_DIR / "manage.py"), "finish_restore"]
    sys.stdout.flush()
    done = subprocess.run(argv, cwd=settings.BASE_DIR, env=target.environment(keys), check=False)  # noqa: S603
    if done.returncode:
        raise BackupError(
            "The database is restored, but not finished. Mend what it says, then: manage.py finish_restore"
        )
