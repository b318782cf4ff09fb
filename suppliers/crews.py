"""One run's sessions at an endpoint: one login alone, and more threads once it was accepted."""

import logging
import threading

from django.db import connection

from suppliers.lanes import Lane
from suppliers.rounds import Claim, Rounds

log = logging.getLogger(__name__)


class Crew:
    """The threads of one run. The first is the caller's own."""

    def __init__(self, lane: Lane, claim: Claim) -> None:
        self._lane = lane
        self._claim = claim
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._rounds = [Rounds(lane, lane.seat, claim, on_more=self._grow)]

    def run(self) -> int:
        """Bring what is due; return how many deliveries were worked on."""
        try:
            self._rounds[0].run()
        finally:
            for thread in self._threads:
                thread.join()
        return sum(rounds.worked for rounds in self._rounds)

    def _grow(self) -> None:
        """Take one more session, if the server allows it: the first has logged in by now."""
        with self._lock:
            most = self._lane.seats.server.profile.max_sessions
            is_crowded = any(rounds.is_retired for rounds in self._rounds)
            if is_crowded or self._lane.is_half_open or len(self._rounds) >= most:
                return
            rounds = Rounds(self._lane, self._lane.seats.take(), self._claim, on_more=self._grow)
            self._rounds.append(rounds)
            thread = threading.Thread(target=self._work, args=(rounds,), name=f"endpoint-{self._lane.endpoint.pk}")
            self._threads.append(thread)
        thread.start()

    def _work(self, rounds: Rounds) -> None:
        try:
            rounds.run()
        except Exception:  # a thread has nobody to raise to; its claims end with their lease
            log.exception("endpoint.session_failed", extra={"endpoint_id": self._lane.endpoint.pk})
        finally:
            rounds.seat.leave()
            connection.close()
