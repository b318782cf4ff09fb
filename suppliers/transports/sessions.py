"""The kept sessions of this process: for each endpoint as many idle ones as its server allows at once.

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


@dataclass(eq=False)
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
        self._idle: dict[int, list[_Idle]] = {}
        self._reaper: threading.Thread | None = None

    def take(self, endpoint_id: int, server: Server) -> Session | None:
        """Return a kept session that lives and whose settings are still those of `server`."""
        while idle := self._newest(endpoint_id):
            if idle.server == server and _lives(idle):
                return idle.session
            idle.session.close()
        return None

    def keep(self, endpoint_id: int, server: Server, session: Session) -> None:
        """Keep a session for the next run; a broken one, and one too many, is closed."""
        if session.is_broken:
            session.close()
            return
        with self._lock:
            kept = self._idle.setdefault(endpoint_id, [])
            kept.append(_Idle(server, session))
            former = [kept.pop(0) for _ in range(len(kept) - server.profile.max_sessions)]
            if self._reaper is None or not self._reaper.is_alive():
                self._reaper = threading.Thread(target=self._reap, name="file-sessions", daemon=True)
                self._reaper.start()
        for idle in former:
            idle.session.close()

    def close_idle(self, seconds: float = 0) -> int:
        """Close the sessions that were idle for `seconds`; return how many are left."""
        closing: list[_Idle] = []
        with self._lock:
            for endpoint_id, kept in list(self._idle.items()):
                closing += [idle for idle in kept if idle.seconds >= seconds]
                self._idle[endpoint_id] = [idle for idle in kept if idle not in closing]
                if not self._idle[endpoint_id]:
                    del self._idle[endpoint_id]
            left = sum(map(len, self._idle.values()))
        for idle in closing:
            idle.session.close()
        return left

    def _newest(self, endpoint_id: int) -> _Idle | None:
        with self._lock:
            kept = self._idle.get(endpoint_id)
            return kept.pop() if kept else None

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
