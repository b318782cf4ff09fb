"""Bring many files over one session: while one group is renamed the next is uploaded, and each record is of a group.

The promise is that of the single file, docs/decisions/file-drop.md: `renaming` is recorded for a whole group before the
first of its renames is sent, and a run that dies leaves rows that a look decides.
"""

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import zip_longest

from django.db import DatabaseError

from suppliers import filedrop, hands, journal, loading, records, turns
from suppliers.attempts import Attempt
from suppliers.hands import Deck, Waiting
from suppliers.lanes import RENEW_SECONDS, Lane
from suppliers.models import Delivery
from suppliers.seats import Seat
from suppliers.transports.errors import Crowded, Kind, TransportError
from suppliers.transports.steps import Done

log = logging.getLogger(__name__)

Step = Delivery.Step
FIRST, LEAST, MOST = 10, 2, 300  # files in a group
GROUP_SECONDS = 0.5  # what a group should take: a hold that comes after its record is too late
SLOW_SECONDS = 0.004  # a file, or a round trip; of a faster server Hemi's own work is most, and that is done in turn


@dataclass
class Rounds:
    """One thread's work at an endpoint."""

    lane: Lane
    seat: Seat
    deck: Deck
    on_more: Callable[[bool], None] = lambda is_server_slow: None  # there is more to do than one session has in hand
    worked: int = 0
    is_retired: bool = False  # the server wants fewer sessions
    _size: int = FIRST
    _seconds: float = 0  # that a file takes
    _whole: list[Attempt] = field(default_factory=list)  # uploaded and verified
    _placed: list[Attempt] = field(default_factory=list)  # renamed
    _signalled: list[Attempt] = field(default_factory=list)  # the done-file is written
    _in_hand: dict[int, Attempt] = field(default_factory=dict)  # by delivery
    _renewed_at: float = field(default_factory=time.monotonic)

    def run(self) -> int:
        """Go round until nothing is left or the lane closes; return how many deliveries were worked on."""
        try:
            while self._round():
                pass
        finally:
            self._give_back()
        return self.worked

    def _give_back(self) -> None:
        if self.lane.is_lost:  # whoever has the endpoint now knows nothing of what was uploaded since
            for attempt in self._whole:
                self._tidy(attempt)
            self._hold(self._whole)
        attempts, self._in_hand = list(self._in_hand.values()), {}
        turns.each(_orders(attempts), lambda orders: records.give_back(_of(attempts, orders)))

    def _round(self) -> bool:
        renaming, signalling = self._record()
        self._hold([*renaming, *signalling])
        before = self.worked
        uploads = [] if self.lane.is_half_open and (renaming or signalling) else self._take()
        if not (renaming or signalling or uploads):
            return self.worked > before
        began = time.monotonic()
        for attempt in signalling:
            self._signal(attempt)
        for rename, upload in zip_longest(renaming, loading.in_turn(uploads, lambda: self.lane.is_open)):
            self._step(rename, upload)
        self._adapt(uploads, time.monotonic() - began)
        return not self.lane.is_lost

    def _record(self) -> tuple[list[Attempt], list[Attempt]]:
        """Record what was done and what comes next; return what is to be renamed, and what wants a done-file."""
        whole, placed, signalled = self._whole, self._placed, self._signalled
        if self.lane.is_lost or not (whole or placed or signalled):
            return [], []
        self._whole, self._placed, self._signalled = [], [], []
        signalling: list[Attempt] = []
        renaming: list[Attempt] = []
        done = [attempt for attempt in placed if not attempt.delivery.done_name]

        def write(orders: set[int]) -> None:
            records.sent(_of(signalled + done, orders))
            signalling.extend(records.begin_signals(_of([a for a in placed if a.delivery.done_name], orders)))
            renaming.extend(records.begin_renames([] if self._is_over else _of(whole, orders)))

        turns.each(_orders([*whole, *placed, *signalled]), write)
        for attempt in whole:
            if attempt not in renaming:
                self._stop(attempt)
        try:
            journal.before_renames([a.delivery for a in renaming], [a.delivery for a in signalled + done])
        except TransportError as error:
            self.lane.failed(error)
            self._hold([*renaming, *signalling])
            return [], []
        return renaming, signalling

    def _take(self) -> list[Attempt]:
        """Claim what comes next, finish what a former run left in doubt, and return what is to be uploaded."""
        if self.is_retired or not self.lane.is_open or not self._holds():
            return []
        attempts: list[Attempt] = []
        while not attempts:
            hand = self.deck.deal(1 if self.lane.is_half_open else self._size)
            if not hand or not self._opens(hand):
                return []
            attempts = hands.claim(self.lane, hand, begins=True)
            if not (attempts or self.deck.has_more):  # somebody is at all that is left
                return []
        self._hold(attempts)
        if self.deck.has_more:
            self.on_more(self._is_server_slow())
        begun = [attempt for attempt in attempts if attempt.owns_file]
        for attempt in attempts:
            if attempt not in begun:
                self._bring(attempt)
        return begun

    def _is_server_slow(self) -> bool:
        """Tell whether most of the time goes by in waiting for the server: then more sessions bring more."""
        try:
            self._seconds = self._seconds or self.seat.round_trip()
        except TransportError:  # the session is opened again, or fails, with the next file
            return False
        return self._seconds >= SLOW_SECONDS

    def _opens(self, hand: list[Waiting]) -> bool:
        """Open the session before anything is recorded of the files, which wait where there is none."""
        try:
            if not self.seat.is_open:
                filedrop.make_folder(self.seat, self.lane.endpoint)
            return bool(self.seat.line)
        except TransportError as error:
            self._note(error)
            for attempt in [] if self.is_retired else hands.claim(self.lane, hand[:1]):
                attempt.failed(error)
            return False

    def _step(self, rename: Attempt | None, upload: Attempt | None) -> None:
        """Rename one file and upload another; what is not begun is given back at the end."""
        if not self._holds() or self._is_over:
            return
        upload = upload if self.lane.is_open else None
        try:
            line = self.seat.line
        except TransportError as error:
            self._note(error)
            return
        if upload:
            upload.is_there = True
        with self._surviving(rename, upload):
            done = line.step(rename.as_rename() if rename else None, upload.as_upload() if upload else None)
            if rename:
                self._renamed(rename, done)
            if upload:
                self._uploaded(upload, done)

    @property
    def _is_over(self) -> bool:
        return self.lane.is_over or self.is_retired

    def _renamed(self, attempt: Attempt, done: Done) -> None:
        self._finished(attempt)
        if done.rename_error is None:
            self._placed.append(attempt)
            self.lane.worked()
            return
        try:
            if isinstance(done.rename_error, Crowded):
                self._note(done.rename_error)
            filedrop.after_refusal(self.seat, attempt, done.rename_error)
        except TransportError as error:
            self._failed(attempt, error)

    def _uploaded(self, attempt: Attempt, done: Done) -> None:
        self._finished(attempt)
        try:
            if done.upload_error:
                raise done.upload_error
            filedrop.verify(attempt, done.size, is_taken=done.is_taken)
        except TransportError as error:
            self._failed(attempt, error)
        else:
            self._whole.append(attempt)

    def _signal(self, attempt: Attempt) -> None:
        if self.lane.is_over or not self._holds():
            return
        self._finished(attempt)
        try:
            filedrop.signal(self.seat, attempt)
        except TransportError as error:
            self._failed(attempt, error)
        else:
            self._signalled.append(attempt)

    def _bring(self, attempt: Attempt) -> None:
        """Take one that a former run left through its steps by itself."""
        if not self.lane.is_open or not self._holds():
            return
        self._finished(attempt)
        self.worked += 1
        with self._surviving(attempt):
            try:
                filedrop.bring(self.seat, attempt)
                self.lane.worked()
            except TransportError as error:
                self._failed(attempt, error)

    @contextmanager
    def _surviving(self, *attempts: Attempt | None) -> Iterator[None]:
        """Go on where Hemi itself cannot handle a delivery: it must not hold up the others."""
        try:
            yield
        except DatabaseError:
            raise
        except Exception as error:
            self.seat.drop()  # replies of the step may still be on their way
            for attempt in filter(None, attempts):
                log.exception("delivery.broken", extra=attempt.ids)
                self._finished(attempt)
                step = attempt.delivery.step
                attempt.failed(TransportError(Kind.TEMPORARY, f"Hemi failed: {type(error).__name__}.", step))

    def _stop(self, attempt: Attempt) -> None:
        """Take back a whole file that is not to be renamed, or not now."""
        if self._is_over:
            self._tidy(attempt)
            self._hold([attempt])
            return
        try:
            filedrop.stop(self.seat, attempt)
        except TransportError as error:
            self._failed(attempt, error)

    def _failed(self, attempt: Attempt, error: TransportError) -> None:
        if isinstance(error, Crowded) and self.is_retired:
            self._hold([attempt])
            return
        if error.kind != Kind.FILE:
            self._note(error)
        self._tidy(attempt)
        attempt.failed(error)

    def _note(self, error: TransportError) -> None:
        if isinstance(error, Crowded) and self.seat.seats.others(self.seat):
            self.is_retired = True
            log.info("endpoint.fewer_sessions", extra={"endpoint_id": self.lane.endpoint.pk, "error": error.message})
        else:
            self.lane.failed(error)

    def _tidy(self, attempt: Attempt) -> None:
        if self.lane.failure or self.is_retired:  # no second login to a server that refuses or cannot be reached
            return
        try:
            filedrop.tidy(self.seat, attempt)
        except TransportError as error:
            if error.is_about_endpoint:
                self.lane.failed(error)
            log.info("delivery.not_tidied", extra={**attempt.ids, "error": error.message})

    def _hold(self, attempts: Iterable[Attempt]) -> None:
        self._in_hand.update((attempt.delivery.pk, attempt) for attempt in attempts)

    def _finished(self, attempt: Attempt) -> None:
        self._in_hand.pop(attempt.delivery.pk, None)

    def _holds(self) -> bool:
        """Keep the lane and the claims of what is in hand."""
        if not self.lane.holds():
            return False
        if time.monotonic() - self._renewed_at >= RENEW_SECONDS:
            self._renewed_at = time.monotonic()
            records.renew([*self._in_hand.values(), *self._whole, *self._placed, *self._signalled])
        return True

    def _adapt(self, uploads: list[Attempt], seconds: float) -> None:
        if not uploads:
            return
        self.worked += len(uploads)
        self._seconds = seconds / len(uploads)
        self._size = max(LEAST, min(MOST, round(GROUP_SECONDS / max(self._seconds, 0.001))))


def _orders(attempts: list[Attempt]) -> set[int]:
    return {attempt.order_id for attempt in attempts}


def _of(attempts: list[Attempt], orders: set[int]) -> list[Attempt]:
    return [attempt for attempt in attempts if attempt.order_id in orders]
