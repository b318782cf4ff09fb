"""Faults that a file server of the sandbox plays on demand.

The commands are those of FTP; an SFTP server's are OPEN, WRITE, CLOSE, STAT, RENAME, REMOVE, MKDIR, READDIR, READ,
REALPATH and, before them, CONNECT and AUTH, and its codes are SFTP's statuses.
"""

import threading
from dataclasses import dataclass, field
from typing import Any

UPLOADS = {"STOR", "APPE", "WRITE"}


@dataclass
class Fault:
    """Describe one fault: on which command, what happens, and how often.

    Exactly one of `reply`, `cut`, `hang`, `short` and `hold` is given. `late` plays a reply or a hang only after
    the command was carried out. A hold keeps the session waiting until `release` is called; `hold="during"` an
    upload leaves half of the file and waits for ever. `argument` is a part of the command's argument. `times=None` is
    for ever.
    """

    command: str
    reply: tuple[int, str] | None = None
    cut: str | None = None
    hang: bool = False
    short: bool = False
    hold: str | None = None
    late: bool = False
    argument: str = ""
    times: int | None = 1
    skip: int = 0
    is_met: bool = field(default=False, init=False)  # whether a client came to it
    _released: threading.Event = field(default_factory=threading.Event, init=False, repr=False)

    def __post_init__(self) -> None:
        self.command = self.command.upper()
        chosen = [self.reply is not None, self.cut is not None, self.hang, self.short, self.hold is not None]
        if sum(chosen) != 1:
            raise ValueError("A fault needs exactly one of reply, cut, hang, short and hold.")
        if not {self.cut, self.hold} <= {None, "before", "during", "after"}:
            raise ValueError("cut and hold are before, during or after.")
        if (self.short or "during" in (self.cut, self.hold)) and self.command not in UPLOADS:
            raise ValueError("short, and cut or hold during, are for uploads: STOR, APPE or WRITE.")
        if self.reply is not None:
            code, text = self.reply
            self.reply = (int(code), str(text))
        self.skip = int(self.skip)
        self.times = None if self.times is None else int(self.times)

    @property
    def moment(self) -> str:
        """Return when it is played: before, during or after the command's work."""
        if self.cut or self.hold:
            return self.cut or self.hold or ""
        return "after" if self.late or self.short else "before"

    @property
    def is_released(self) -> bool:
        """Tell whether a hold is over."""
        return self._released.is_set()

    def release(self) -> None:
        """End a hold: the session goes on."""
        self._released.set()

    def matches(self, command: str, argument: str) -> bool:
        """Tell whether it is meant for this command."""
        return self.command == command and self.argument in argument


class Faults:
    """Hold the faults that wait to be played; safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[Fault] = []

    def add(self, command: str, **details: Any) -> Fault:
        """Add a fault; the details are the fields of `Fault`."""
        fault = Fault(command, **details)
        with self._lock:
            self._waiting.append(fault)
        return fault

    def take(self, command: str, argument: str = "") -> Fault | None:
        """Return the fault to play on this command, if any, and count it as played."""
        with self._lock:
            for fault in self._waiting:
                if fault.matches(command, argument):
                    if fault.skip:
                        fault.skip -= 1
                        continue
                    self._count(fault)
                    fault.is_met = True
                    return fault
        return None

    def clear(self) -> None:
        """Forget all faults that wait."""
        with self._lock:
            self._waiting.clear()

    @property
    def waiting(self) -> list[Fault]:
        """Return the faults that were not used up."""
        with self._lock:
            return list(self._waiting)

    def _count(self, fault: Fault) -> None:
        if fault.times is None:
            return
        fault.times -= 1
        if fault.times <= 0:
            self._waiting.remove(fault)
