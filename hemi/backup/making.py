"""Make a backup while the system runs: database, keys, environment and var/ in one sealed file."""

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.conf import settings

from hemi.backup import archive, place
from hemi.backup.manifest import BackupError, Manifest
from hemi.backup.place import DATABASE, ENVIRONMENT, KEYS, VAR, Place
from suppliers import journal

ENDING = ".backup"
_KEYS_HEADER = "# The keys of this backup. Without FIELD_ENCRYPTION_KEY no stored token or password can be read.\n"

Tell = Callable[[str], object]


def make(tell: Tell) -> Path:
    """Make a backup in BACKUP_DIR, read it back, and remove those that are too old. Raises BackupError."""
    secret = archive.secrets(settings.BACKUP_KEY)
    source = place.here()
    with place.working_folder(settings.BACKUP_DIR, "making") as folder:
        size = source.engine.size(source.database)
        place.make_room(settings.BACKUP_DIR, 2 * size)
        now = datetime.now(UTC)
        backup_id = f"{now:%Y%m%dT%H%M%SZ}-{os.urandom(4).hex()}"
        _mark(backup_id)
        tell(f"Copying the database ({size // 1_000_000:,} MB) while Hemi runs")
        tables, migrations = source.engine.snapshot(source.database, folder / DATABASE)
        manifest = Manifest(backup_id, now.isoformat(), source.engine.NAME, tables, migrations)
        members = [(DATABASE, folder / DATABASE), *_keys(folder), *_var(source)]
        tell(f"Packing and encrypting {len(members)} files")
        draft, done = folder / "sealed", settings.BACKUP_DIR / f"hemi-{backup_id}{ENDING}"
        archive.write(draft, members, manifest, secret[0])
        tell("Reading it back")
        (folder / "read").mkdir(mode=0o700)
        archive.unpack(draft, folder / "read", secret)
        draft.rename(done)
        tell(f"{done}: {done.stat().st_size / 1_000_000:,.1f} MB, {sum(count for count, _ in tables.values()):,} rows")
    for old in _too_old(done):
        old.unlink()
        tell(f"Removed {old.name}: older than {settings.BACKUP_DAYS} days")
    return done


def newest() -> Path:
    """Return the newest backup. Raises BackupError where there is none."""
    found = sorted(settings.BACKUP_DIR.glob(f"hemi-*{ENDING}"))
    if not found:
        raise BackupError(f"There is no backup in {settings.BACKUP_DIR}. Make one: python manage.py backup")
    return found[-1]


def _mark(backup_id: str) -> None:
    try:
        journal.mark_backup(backup_id)
    except OSError as error:
        raise BackupError(f"The journal in {settings.JOURNAL_DIR} cannot be written: {error}") from None


def _keys(folder: Path) -> Iterator[tuple[str, Path]]:
    keys = folder / KEYS
    field_keys = ",".join(settings.FIELD_ENCRYPTION_KEY)
    keys.write_text(f"{_KEYS_HEADER}SECRET_KEY={settings.SECRET_KEY}\nFIELD_ENCRYPTION_KEY={field_keys}\n")
    yield KEYS, keys
    if settings.ENV_FILE.is_file() and os.access(settings.ENV_FILE, os.R_OK):
        yield ENVIRONMENT, settings.ENV_FILE


def _var(source: Place) -> Iterator[tuple[str, Path]]:
    for path in place.files(source.var, source.database):
        yield f"{VAR}/{path.relative_to(source.var).as_posix()}", path


def _too_old(newest_one: Path) -> list[Path]:
    limit = (datetime.now(UTC) - timedelta(days=settings.BACKUP_DAYS)).timestamp()
    found = settings.BACKUP_DIR.glob(f"hemi-*{ENDING}")
    return sorted(path for path in found if path != newest_one and path.stat().st_mtime < limit)
