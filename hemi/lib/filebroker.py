"""A Celery broker without a server: kombu's file system transport with atomic writes.

kombu's own makes a message visible before it is written, and a worker that reads half of one dies; see
docs/decisions/embedded-by-default.md.
"""

import fcntl
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty
from time import time

from kombu.transport import TRANSPORT_ALIASES, filesystem
from kombu.utils.json import dumps, loads


def _replace(path: Path, text: str) -> None:
    draft = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    draft.write_text(text)
    draft.rename(path)


class Channel(filesystem.Channel):
    """Write messages and bindings to a name that nobody reads, then rename."""

    def _put(self, queue: str, payload: dict, **kwargs: object) -> None:  # type: ignore[override]
        # Sorted by name is sorted by age, across processes: the wall clock, not each machine's monotonic one.
        name = f"{time() * 1000:015.0f}_{uuid.uuid4().hex}.{queue}.msg"
        _replace(Path(self.data_folder_out) / name, dumps(payload))

    def _get(self, queue: str, timeout: float | None = None) -> dict:
        folder = Path(self.data_folder_in)
        for name in sorted(os.listdir(folder)):
            if name.partition(".")[2] != f"{queue}.msg":
                continue
            taken = folder / f".{name}"
            try:
                (folder / name).rename(taken)
            except FileNotFoundError:  # another worker was first
                continue
            text = taken.read_text()
            taken.unlink()
            return loads(text)
        raise Empty

    def _queue_bind(self, exchange: str, routing_key: str, pattern: str, queue: str) -> None:
        with self._locked():
            row = filesystem.exchange_queue_t(routing_key or "", pattern or "", queue or "")
            table = self.get_table(exchange)
            if row not in table:
                _replace(self._exchange_file(exchange), dumps([row, *table]))

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self.control_folder.mkdir(parents=True, exist_ok=True)
        with open(self.control_folder / ".lock", "w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


class Transport(filesystem.Transport):
    """Named by the scheme of URL below."""

    Channel = Channel


URL = "embedded://localhost"  # kombu warns of a URL without a host
TRANSPORT_ALIASES["embedded"] = "hemi.lib.filebroker:Transport"  # kombu takes no import path from a URL


def options(folder: Path) -> dict[str, object]:
    """Make the folders of a broker below `folder` and return its transport options."""
    for name in ("messages", "control"):
        os.makedirs(folder / name, exist_ok=True)
    return {
        "data_folder_in": str(folder / "messages"),
        "data_folder_out": str(folder / "messages"),
        "control_folder": str(folder / "control"),
        "polling_interval": 0.1,
    }
