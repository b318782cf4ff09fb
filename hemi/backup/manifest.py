"""What a backup says of itself: when it was made, of what, and what each part must come to when it is restored."""

import hashlib
import json
import sqlite3
from dataclasses import asdict, dataclass, field
from pathlib import Path

import psycopg

FORMAT = 1
READ_BYTES = 1 << 20
# Set by a restore itself, so that it is left out when what was restored is compared.
LEFT_OUT = {"suppliers_endpoint": {"closed_at"}}

Tables = dict[str, tuple[int, str]]  # name -> rows, checksum of all that they hold


class BackupError(Exception):
    """Something that a person must see to; the text says what."""


FAILURES = (BackupError, OSError, sqlite3.Error, psycopg.Error)  # of which a command says the text


@dataclass
class Manifest:
    """Written last into the archive, and compared with what comes out of it."""

    backup_id: str
    made_at: str
    database: str  # sqlite or postgresql
    tables: Tables
    migrations: list[str]
    files: dict[str, str] = field(default_factory=dict)  # name in the archive -> SHA-256
    format: int = FORMAT

    def as_json(self) -> bytes:
        return json.dumps(asdict(self), indent=1, sort_keys=True).encode()

    @classmethod
    def parse(cls, text: bytes) -> "Manifest":
        values = json.loads(text)
        if values["format"] != FORMAT:
            raise BackupError("This backup was made by a newer Hemi. Install that version, then restore.")
        values["tables"] = {name: (count, digest) for name, (count, digest) in values["tables"].items()}
        return cls(**values)

    def differences(self, tables: Tables) -> list[str]:
        """Name the tables that are not as they were when the backup was made."""
        found = []
        for name in sorted({*self.tables, *tables}):
            was, now = self.tables.get(name), tables.get(name)
            if was != now:
                rows = " and ".join(f"{each[0]} rows" if each else "no table" for each in (was, now))
                found.append(f"{name}: {rows}")
        return found


def digest(path: Path) -> str:
    """Return a file's SHA-256."""
    found = hashlib.sha256()
    with path.open("rb") as file:
        while data := file.read(READ_BYTES):
            found.update(data)
    return found.hexdigest()
