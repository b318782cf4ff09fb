"""What the clients of an FTP server did."""

import threading
import time
from typing import NamedTuple


class Command(NamedTuple):
    """Record one command of a client; a code of None means that no reply was sent."""

    at: float
    session: int
    command: str
    argument: str
    code: int | None


class Ledger:
    """Count sessions and logins and log every command; safe to read from any thread."""

    def __init__(self) -> None:
        self.sessions = self.logins = self.failed_logins = 0
        self._lock = threading.Lock()
        self._entries: list[list] = []

    @property
    def commands(self) -> list[Command]:
        """Return all commands so far, oldest first."""
        with self._lock:
            return [Command(*entry) for entry in self._entries]

    def record(self, session: int, command: str, argument: str) -> list:
        """Log a command and return its entry, whose last place awaits the reply code."""
        entry = [time.time(), session, command, argument, None]
        with self._lock:
            self._entries.append(entry)
        return entry

    def count_session(self) -> int:
        """Count a connection and return its number."""
        self.sessions += 1
        return self.sessions

    def count_login(self, accepted: bool) -> None:
        """Count a login, or one that was refused."""
        if accepted:
            self.logins += 1
        else:
            self.failed_logins += 1
