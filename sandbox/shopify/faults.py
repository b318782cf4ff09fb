"""Faults on demand: the next calls fail in a named way."""

import threading
from dataclasses import dataclass

# `timeout` hangs and then drops the connection; `lost` does the work and drops it before the answer; `held` does the
# work and answers once the gate is opened; `late` does it, hangs and drops; `late_502` does it and answers 502;
# `late_errors` and `late_user_errors` do it and answer with an error all the same.
_HTTP_KINDS = ("429", "500", "502", "401", "timeout", "lost", "held")
_LATE_KINDS = ("late", "late_502", "late_errors", "late_user_errors")
_GRAPHQL_KINDS = (*_HTTP_KINDS, "throttled", "access_denied", "user_errors", *_LATE_KINDS)
KINDS = {"graphql": _GRAPHQL_KINDS, "mutation": _GRAPHQL_KINDS, "token": _HTTP_KINDS}


@dataclass
class Fault:
    """One order to fail: `kind` at `place` for the next `count` calls, of one shop and one operation or of any."""

    kind: str
    count: int = 1
    place: str = "graphql"
    shop: str | None = None
    operation: str = ""  # such as fulfillmentCreate, as it stands in the document


class Gate:
    """Where the answer of a held call waits, while the caller's world is changed."""

    def __init__(self) -> None:
        self.reached, self.opened = threading.Event(), threading.Event()

    def wait(self, seconds: float) -> None:
        """Say that the call has come, and keep its answer until the gate is opened."""
        self.reached.set()
        self.opened.wait(seconds)


class Faults:
    """The faults still to come, taken in the order in which they were asked for."""

    def __init__(self) -> None:
        self.gate = Gate()
        self._lock = threading.Lock()
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Queue a fault; an unknown kind or place is refused."""
        if fault.kind not in KINDS.get(fault.place, ()):
            raise ValueError(f"Unknown fault {fault.kind!r} at {fault.place!r}: use one of {KINDS}.")
        with self._lock:
            self._faults.append(fault)

    def take(self, place: str, shop: str, body: bytes = b"") -> str:
        """Return the kind of fault that this call meets, or an empty string."""
        with self._lock:
            for fault in self._faults:
                is_meant = fault.shop in (None, shop) and fault.operation.encode() in body
                if fault.place == place and is_meant:
                    fault.count -= 1
                    self._faults = [left for left in self._faults if left.count > 0]
                    return fault.kind
        return ""

    def clear(self) -> None:
        """Forget all faults that have not happened yet."""
        with self._lock:
            self._faults = []
