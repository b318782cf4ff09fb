"""One run's sessions at an endpoint: one login alone, and more threads once it was accepted."""

import logging
import threading

from django.db import connection

from suppliers.hands import Deck
from suppliers.lanes import Lane
from suppliers.rounds import Rounds

log = logging.getLogger(__name__)


class Crew:
    """The threads of one run. The first is the caller's own."""

    def __init__(self, lane: Lane) -> None:
        self._lane = lane
        self._deck = Deck(lane)
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._rounds = [Rounds(lane, lane.seat, self._deck, on_more=self._grow)]

    def run(self) -> int:
        """Bring what is due; return how many deliveries were worked on."""
        try:
            self._rounds[0].run()
        finally:
            for thread in self._threads:
                thread.join()
        return sum(rounds.worked for rounds in self._rounds)

    def _grow(self, is_server_slow: bool) -> None:
        """Take all sessions that the server allows, or a second one; the first has logged in by now."""
        with self._lock:
            allowed = self._lane.seats.server.profile.max_sessions
            most = allowed if is_server_slow else min(allowed, 2)
            is_crowded = any(rounds.is_retired for rounds in self._rounds)
            if is_crowded or self._lane.is_half_open:
                return
            while len(self._rounds) < most:
                rounds = Rounds(self._lane, self._lane.seats.take(), self._deck)
                self._rounds.append(rounds)
                self._deck.sessions = len(self._rounds)
                name = f"endpoint-{self._lane.endpoint.pk}"
                self._threads.append(threading.Thread(target=self._work, args=(rounds,), name=name))
                self._threads[-1].start()

    def _work(self, rounds: Rounds) -> None:
        try:
            rounds.run()
        except Exception:  # a thread has nobody to raise to; its claims end with their lease
            log.exception("endpoint.session_failed", extra={"endpoint_id": self._lane.endpoint.pk})
        finally:
            rounds.seat.leave()
            connection.close()
