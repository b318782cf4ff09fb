"""What arrived at a file server, written down at once: it outlives whoever wrote it."""

import hashlib
import json
import os
import threading
from pathlib import Path


class Arrivals:
    """A list of files, in a file: each upload that ended and each rename, with size and SHA-256."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()

    def note(self, server: str, file: Path) -> None:
        """Write one arrival down, before the client hears of it."""
        try:
            content = file.read_bytes()
        except FileNotFoundError:
            return
        line = {"server": server, "name": file.name, "size": len(content), "sha256": _digest(content)}
        with self._lock, self.path.open("a") as ledger:
            ledger.write(json.dumps(line) + "\n")
            ledger.flush()
            os.fsync(ledger.fileno())


def folder(path: Path) -> list[dict]:
    """Return what lies in a folder now."""
    found = []
    for file in sorted(path.iterdir()) if path.is_dir() else []:
        try:
            content = file.read_bytes()
        except FileNotFoundError:  # gone since the folder was listed
            continue
        found.append({"name": file.name, "size": len(content), "sha256": _digest(content)})
    return found


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
