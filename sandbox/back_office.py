"""A supplier's back office: it reads the orders that lie in a folder and writes replies into another."""

import heapq
import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sandbox.supplier_documents import Despatch, NotAnOrder, ReceivedOrder, Verdict, read_order, reply_document

IDLE_SECONDS = 0.2


def accept(order: ReceivedOrder) -> Verdict:
    """Accept every order."""
    return Verdict("accepted")


@dataclass(frozen=True)
class Folders:
    """Name the folder that is watched and the one that gets the replies."""

    orders: Path
    replies: Path


class BackOffice:
    """Watch a folder for order files and reply to them, in a thread of its own."""

    def __init__(self, folders: Folders, prefix: str, policy: Callable[[ReceivedOrder], Verdict] = accept) -> None:
        self.folders, self.prefix, self.policy = folders, prefix, policy
        self.is_replying = True
        self.delay_seconds = 0.0
        self._orders: list[ReceivedOrder] = []
        self._broken: list[str] = []
        self._seen: set[tuple] = set()
        self._due: list[tuple[float, int, ReceivedOrder]] = []
        self._rejections: deque[str] = deque()
        self._changed = threading.Condition()
        self._wake = threading.Event()
        self._is_wanted = False
        self._thread: threading.Thread | None = None

    @property
    def orders(self) -> list[ReceivedOrder]:
        """Return every order file that arrived, repeats included, oldest first."""
        with self._changed:
            return list(self._orders)

    @property
    def broken(self) -> list[str]:
        """Return a sentence for each file under a final name that was no whole order when it was read."""
        with self._changed:
            return list(self._broken)

    @property
    def duplicates(self) -> dict[str, int]:
        """Return how often each reference arrived, of those that arrived more than once."""
        counts = Counter(order.reference for order in self.orders)
        return {reference: count for reference, count in counts.items() if count > 1}

    def start(self) -> None:
        """Begin to watch."""
        if not self._thread:
            self._is_wanted = True
            self._thread = threading.Thread(target=self._work, name=f"back-office-{self.prefix}", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Stop to watch; what was read stays known."""
        if self._thread:
            self._is_wanted = False
            self._wake.set()
            self._thread.join()
            self._thread = None

    def look(self, *_path: Path) -> None:
        """Look into the folder now instead of a little later."""
        self._wake.set()

    def reject_next(self, reason: str) -> None:
        """Reject the next order, whatever the policy says."""
        with self._changed:
            self._rejections.append(reason)

    def ship(self, reference: str, despatch: Despatch) -> None:
        """Write a reply that says that an order, or a part of it, is on its way."""
        self._write(f"SHIPPED_{reference}_{despatch.number}", reference, "", Verdict("shipped", despatch=despatch))

    def wait_for(self, count: int, timeout: float = 10.0) -> list[ReceivedOrder]:
        """Return the orders once there are so many, or raise TimeoutError."""
        with self._changed:
            if self._changed.wait_for(lambda: len(self._orders) >= count, timeout):
                return list(self._orders)
            raise TimeoutError(f"{len(self._orders)} of {count} orders arrived at {self.prefix} in {timeout} s")

    def _work(self) -> None:
        while self._is_wanted:
            self._wake.clear()
            started_at = time.monotonic()
            paths = self._new_files()
            listing_seconds = time.monotonic() - started_at
            for path in paths:
                self._take(path)
            self._reply_due()
            # A folder of many thousand files takes a while to list: at most a tenth of the time goes into it.
            time.sleep(min(0.5, 10 * listing_seconds))
            self._wake.wait(self._idle_seconds())

    def _idle_seconds(self) -> float:
        if not self._due:
            return IDLE_SECONDS
        return min(IDLE_SECONDS, max(0.0, self._due[0][0] - time.monotonic()))

    def _new_files(self) -> list[Path]:
        return [path for path in sorted(self.folders.orders.glob("*.xml")) if self._is_new(path)]

    def _is_new(self, path: Path) -> bool:
        try:
            status = path.stat()
        except FileNotFoundError:
            return False
        # A file that was overwritten is a new arrival, even under its old name.
        seen = (path.name, status.st_ino, status.st_mtime_ns, status.st_size)
        is_new = seen not in self._seen
        self._seen.add(seen)
        return is_new

    def _take(self, path: Path) -> None:
        try:
            order = read_order(path.name, path.read_bytes())
        except FileNotFoundError:
            return
        except NotAnOrder as error:
            with self._changed:
                self._broken.append(str(error))
            return
        with self._changed:
            self._orders.append(order)
            heapq.heappush(self._due, (time.monotonic() + self.delay_seconds, len(self._orders), order))
            self._changed.notify_all()

    def _reply_due(self) -> None:
        while self._due and self._due[0][0] <= time.monotonic():
            _due_at, number, order = heapq.heappop(self._due)
            if self.is_replying:
                self._reply(order, f"{self.prefix}-{number:06d}")

    def _reply(self, order: ReceivedOrder, supplier_reference: str) -> None:
        with self._changed:
            reason = self._rejections.popleft() if self._rejections else None
        verdict = self.policy(order) if reason is None else Verdict("rejected", reason)
        self._write(f"REPLY_{order.reference}", order.reference, supplier_reference, verdict)

    def _write(self, name: str, reference: str, supplier_reference: str, verdict: Verdict) -> None:
        path = self.folders.replies / f"{name}.xml"
        temporary = path.with_suffix(".tmp")
        temporary.write_bytes(reply_document(reference, supplier_reference, verdict))
        temporary.rename(path)
