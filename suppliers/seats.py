"""A place at an endpoint: one kept session at a time, which is opened when it is asked for."""

import threading
import time
from dataclasses import dataclass, field

from suppliers import connections
from suppliers.models import Endpoint
from suppliers.transports import opening, pipelining, sessions
from suppliers.transports.session import Server, Session
from suppliers.transports.steps import Line


@dataclass
class Seats:
    """The places of one run at an endpoint, which know of each other."""

    endpoint: Endpoint
    server: Server = field(init=False)
    taken: list["Seat"] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.server = connections.server(self.endpoint)

    def take(self) -> "Seat":
        """Return a place of its own for a thread."""
        seat = Seat(self)
        with self.lock:
            self.taken.append(seat)
        return seat

    def others(self, seat: "Seat") -> int:
        """Return how many sessions are open besides the seat's own."""
        return sum(other is not seat and other.is_open for other in self.taken)


@dataclass(eq=False)
class Seat:
    """One thread's place."""

    seats: Seats
    _session: Session | None = None
    _line: Line | None = None

    @property
    def is_open(self) -> bool:
        """Tell whether there is a session that was not lost."""
        return self._session is not None and not self._session.is_broken

    @property
    def session(self) -> Session:
        """Return a session that was alive a moment ago. Raises TransportError."""
        if self._session and self._session.is_broken:
            self._session.close()
            self._session = self._line = None
        if self._session is None:
            endpoint, server = self.seats.endpoint, self.seats.server
            self._session = sessions.kept.take(endpoint.pk, server)
            if self._session is None:
                self._session = opening.open_session(server, others=self.seats.others(self))
        return self._session

    @property
    def line(self) -> Line:
        """Return the session's way to bring files. Raises TransportError."""
        session = self.session
        if self._line is None:
            self._line = pipelining.line(session)
        return self._line

    def round_trip(self) -> float:
        """Return the seconds until the server replies to a command that does nothing. Raises TransportError."""
        began = time.monotonic()
        self.session.noop()
        return time.monotonic() - began

    def drop(self) -> None:
        """Close the session; the next one is a new one."""
        if self._session:
            self._session.close()
        self._session = self._line = None

    def leave(self) -> None:
        """Keep the session for the next run."""
        if self._session:
            sessions.kept.keep(self.seats.endpoint.pk, self.seats.server, self._session)
        self._session = self._line = None
        with self.seats.lock:
            self.seats.taken.remove(self)
