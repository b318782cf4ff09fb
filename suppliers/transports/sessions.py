"""The kept sessions of this process: at most one idle session for each endpoint.

A session is taken out while it is used, so no two threads ever share one.
"""

import threading
import time
from dataclasses import dataclass, field

from suppliers.transports.errors import TransportError
from suppliers.transports.session import Server, Session

FRESH_SECONDS = 3  # idle for longer: asked by NOOP whether it still lives
IDLE_SECONDS = 60
REAP_SECONDS = 5


@dataclass
class _Idle:
    server: Server
    session: Session
    since: float = field(default_factory=time.monotonic)

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.since


class Sessions:
    """Keep sessions between runs, and close those that nobody asks for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: dict[int, _Idle] = {}
        self._reaper: threading.Thread | None = None

    def take(self, endpoint_id: int, server: Server) -> Session | None:
        """Return the kept session if it lives and its settings are still those of `server`."""
        with self._lock:
            idle = self._idle.pop(endpoint_id, None)
        if idle is None:
            return None
        if idle.server == server and _lives(idle):
            return idle.session
        idle.session.close()
        return None

    def keep(self, endpoint_id: int, server: Server, session: Session) -> None:
        """Keep a session for the next run; a broken one is closed."""
        if session.is_broken:
            session.close()
            return
        with self._lock:
            former = self._idle.pop(endpoint_id, None)
            self._idle[endpoint_id] = _Idle(server, session)
            if self._reaper is None or not self._reaper.is_alive():
                self._reaper = threading.Thread(target=self._reap, name="ftp-sessions", daemon=True)
                self._reaper.start()
        if former:
            former.session.close()

    def close_idle(self, seconds: float = 0) -> int:
        """Close the sessions that were idle for `seconds`; return how many are left."""
        with self._lock:
            old = [key for key, idle in self._idle.items() if idle.seconds >= seconds]
            closing = [self._idle.pop(key) for key in old]
            left = len(self._idle)
        for idle in closing:
            idle.session.close()
        return left

    def _reap(self) -> None:
        while True:
            time.sleep(REAP_SECONDS)
            self.close_idle(IDLE_SECONDS)


def _lives(idle: _Idle) -> bool:
    if idle.session.is_broken:
        return False
    if idle.seconds <= FRESH_SECONDS:
        return True
    try:
        idle.session.noop()
    except TransportError:
        return False
    return True


kept = Sessions()
