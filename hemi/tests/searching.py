"""Search everything that Hemi keeps for a person's words: each table, the raw file, whatever lies in `var/`."""

import json
import subprocess
from collections.abc import Iterable
from pathlib import Path

from django.conf import settings
from django.db import connection


def spellings(word: str) -> set[bytes]:
    """Return how a word may lie in bytes: as UTF-8, as the suppliers' encodings, as JSON escapes it."""
    found = {word.encode(), json.dumps(word)[1:-1].encode()}
    for encoding in ("iso-8859-1", "windows-1252", "utf-16-le"):
        found.add(word.encode(encoding, "xmlcharrefreplace"))
    return found


def in_rows(words: Iterable[str]) -> list[str]:
    """Return table.column of every value that holds one of the words, whatever its type."""
    wanted = {spelling.lower() for word in words for spelling in spellings(word)}
    with connection.cursor() as cursor:
        return [
            f"{table}.{name}"
            for table in connection.introspection.table_names(cursor)
            for name, value in _values(cursor, table)
            if any(spelling in value.lower() for spelling in wanted)
        ]


def in_files(words: Iterable[str]) -> list[str]:
    """Return the files of `var/`, database and journal included, that hold one of the words."""
    wanted = {spelling for word in words for spelling in spellings(word)}
    while True:
        paths = [path for path in Path(settings.VAR_DIR).rglob("*") if path.is_file()]
        try:
            return [path.name for path in paths if (raw := _raw(path)) and any(spelling in raw for spelling in wanted)]
        except FileNotFoundError:  # the broker renamed it meanwhile: look at all of them again
            continue


def _raw(path: Path) -> bytes:
    # By another process: a file of SQLite's that is closed here takes this process's own locks on it away
    # (sqlite.org/howtocorrupt.html, 2.2).
    found = subprocess.run(["cat", path], capture_output=True)
    if found.returncode and not path.exists():
        raise FileNotFoundError(path)
    found.check_returncode()
    return found.stdout


def _values(cursor, table):
    cursor.execute(f'SELECT * FROM "{table}"')  # noqa: S608 - the database's own names
    names = [column[0] for column in cursor.description]
    for row in cursor.fetchall():
        for name, value in zip(names, row, strict=True):
            is_bytes = isinstance(value, bytes | memoryview)
            yield name, bytes(value) if is_bytes else str(value).encode()
