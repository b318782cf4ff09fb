"""What is tried: each point is one fault at one supplier, whose server and rows are made for it alone."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

FTP_KINDS, ALL_KINDS = ("ftp", "ftps"), ("ftp", "ftps", "sftp")
REAL_KINDS = ("vsftpd", "sshd")
DONE = {"done_suffix": ".done"}


@dataclass(frozen=True)
class Point:
    """A fault and where it strikes. `tale` names how it is played where sending orders is not all."""

    name: str
    kind: str
    faults: tuple[dict[str, Any], ...] = ()
    orders: int = 3
    server: dict[str, Any] = field(default_factory=dict)
    endpoint: dict[str, Any] = field(default_factory=dict)
    tale: str = ""
    may_be_uncertain: bool = False

    @property
    def title(self) -> str:
        """Return what it is called in the matrix and by ONLY."""
        return f"{self.name} ({self.kind})"


# What is recorded when the server holds the command: where, when, and how often it passes first.
FTP_STEPS: Sequence[tuple[str, str, str, dict[str, Any]]] = (
    ("claimed, before the greeting", "CONNECT", "before", {}),
    ("logged in, before OPTS", "OPTS", "before", {}),
    ("uploading, before EPSV", "EPSV", "before", {}),
    ("uploading, before STOR", "STOR", "before", {}),
    ("uploading, half of the data there", "STOR", "during", {}),
    ("uploading, STOR carried out, reply held", "STOR", "after", {}),
    ("uploading, before SIZE", "SIZE", "before", {}),
    ("uploading, after SIZE, reply held", "SIZE", "after", {}),
    ("renaming, before RNFR", "RNFR", "before", {}),
    ("renaming, between RNFR and RNTO", "RNTO", "before", {}),
    ("renaming, RNTO carried out, reply held", "RNTO", "after", {}),
    ("signalling, before the done-file", "STOR", "before", {"argument": ".done"}),
    ("signalling, done-file there, reply held", "STOR", "after", {"argument": ".done"}),
    ("first sent, second before STOR", "STOR", "before", {"skip": 1}),
    ("first sent, second half there", "STOR", "during", {"skip": 1}),
)
SFTP_STEPS: Sequence[tuple[str, str, str, dict[str, Any]]] = (
    ("claimed, before the password is answered", "AUTH", "before", {}),
    ("uploading, before OPEN", "OPEN", "before", {}),
    ("uploading, before WRITE", "WRITE", "before", {}),
    ("uploading, half of the data there", "WRITE", "during", {}),
    ("uploading, written, reply held", "WRITE", "after", {}),
    ("uploading, CLOSE carried out, reply held", "CLOSE", "after", {}),
    ("uploading, before STAT", "STAT", "before", {}),
    ("renaming, before RENAME", "RENAME", "before", {}),
    ("renaming, RENAME carried out, reply held", "RENAME", "after", {}),
    ("signalling, before the done-file", "OPEN", "before", {"argument": ".done"}),
    ("signalling, done-file there, reply held", "CLOSE", "after", {"argument": ".done"}),
    ("first sent, second before OPEN", "OPEN", "before", {"skip": 1}),
)
_FROZEN_FTP = ("EPSV", "STOR", "SIZE", "RNFR", "RNTO")
_FROZEN_SFTP = ("OPEN", "WRITE", "CLOSE", "STAT", "RENAME")
CUTS = {
    "ftp": ("CONNECT", "USER", "PASS", "OPTS", "FEAT", "TYPE", "EPSV", "STOR", "SIZE", "RNFR", "RNTO"),
    "ftps": ("AUTH", "USER", "PASS", "PBSZ", "PROT", "TYPE", "EPSV", "STOR", "SIZE", "RNFR", "RNTO"),
    "sftp": ("CONNECT", "OPEN", "WRITE", "CLOSE", "STAT", "RENAME"),
}
CUTS_INSIDE = (
    ("ftp", "STOR", "before"),
    ("ftp", "STOR", "during"),
    ("ftp", "RNTO", "before"),
    ("ftps", "STOR", "during"),
    ("ftps", "RNTO", "before"),
    ("sftp", "WRITE", "during"),
    ("sftp", "RENAME", "before"),
)


def kills() -> list[Point]:
    """Return the points where a worker is killed: before and after each step that is recorded."""
    return [
        Point(f"kill -9, {name}", kind, (_hold(command, when, more),), endpoint=DONE if ".done" in str(more) else {})
        for kind in ALL_KINDS
        for name, command, when, more in (SFTP_STEPS if kind == "sftp" else FTP_STEPS)
    ]


def freezes() -> list[Point]:
    """Return the points where a worker stands still until another one has taken over, and is woken then."""
    chosen = [
        ("ftp", FTP_STEPS, _FROZEN_FTP),
        ("ftps", FTP_STEPS, ("STOR", "RNTO")),
        ("sftp", SFTP_STEPS, _FROZEN_SFTP),
    ]
    return [
        Point(f"frozen, {name}", kind, (_hold(command, when, more),))
        for kind, steps, commands in chosen
        for name, command, when, more in steps
        if command in commands and not more and when != "during"
    ]


def cuts() -> list[Point]:
    """Return the points where the connection is cut."""
    found = [Point(f"cut after {command}", kind, (_cut(command),)) for kind in CUTS for command in CUTS[kind]]
    found += [Point(f"cut {when} {command}", kind, (_cut(command, when),)) for kind, command, when in CUTS_INSIDE]
    for kind in FTP_KINDS:
        found.append(Point("cut after DELE", kind, (_cut("STOR", "during"), _cut("DELE"))))
    listing = {"replies_folder": "out"}
    return [
        *found,
        Point(
            "cut after LIST", "ftp", (_cut("LIST"),), server={"has_mlsd": False}, endpoint=listing, tale="slow_fault"
        ),
        Point("cut after MLSD", "ftps", (_cut("MLSD"),), endpoint=listing, tale="slow_fault"),
        Point("cut after READDIR", "sftp", (_cut("READDIR"),), endpoint=listing, tale="slow_fault"),
        Point("cut after REMOVE", "sftp", (_cut("WRITE", "during"), _cut("REMOVE"))),
        Point("cut after NOOP", "ftp", (_cut("NOOP"),), tale="later_again"),
        Point("cut after NOOP", "ftps", (_cut("NOOP"),), tale="later_again"),
        Point("cut after REALPATH", "sftp", (_cut("REALPATH"),), tale="later_again"),
        Point("cut after QUIT", "ftp", (_cut("QUIT"),), tale="other_settings"),
        Point("cut after QUIT", "ftps", (_cut("QUIT"),), tale="other_settings"),
    ]


def troubles(*, may_mount: bool, real_kinds: Sequence[str]) -> list[Point]:
    """Return what else a supplier's server does to its clients."""
    hidden = {"can_list": False, "has_sweeper": True}
    swept = {"has_sweeper": True}
    found = [
        *[Point("full disk, 452", kind, (_reply("STOR", 452, 3),)) for kind in FTP_KINDS],
        *[Point("full disk, 552", kind, (_reply("STOR", 552, 3),)) for kind in FTP_KINDS],
        Point("full disk, failure", "sftp", (_reply("WRITE", 4, 3),)),
        *[Point("read-only folder, 550", kind, (_reply("STOR", 550, 3),)) for kind in FTP_KINDS],
        Point("read-only folder, denied", "sftp", (_reply("OPEN", 3, 3),)),
        *[Point("wrong password", kind, tale="wrong_password") for kind in ALL_KINDS],
        *[Point("rename refused, 550", kind, (_reply("RNTO", 550, 2),)) for kind in FTP_KINDS],
        *[Point("upload cut short", kind, ({"command": "STOR", "short": True},)) for kind in FTP_KINDS],
        Point("upload cut short", "sftp", ({"command": "WRITE", "short": True},)),
        *[Point("hangs at PASS", kind, (_hang("PASS"),)) for kind in FTP_KINDS],
        *[Point("hangs at STOR", kind, (_hang("STOR"),)) for kind in FTP_KINDS],
        *[Point("hangs after RNTO", kind, (_hang("RNTO", late=True),)) for kind in FTP_KINDS],
        Point("hangs at AUTH", "sftp", (_hang("AUTH"),)),
        Point("hangs at WRITE", "sftp", (_hang("WRITE"),)),
        Point("hangs after RENAME", "sftp", (_hang("RENAME", late=True),)),
        Point("slow to answer", "ftp", tuple(_hold(c, "after", {}) for c in ("STOR", "RNTO")), tale="slow"),
        Point("slow to answer", "sftp", tuple(_hold(c, "after", {}) for c in ("CLOSE", "RENAME")), tale="slow"),
        *[Point("files are taken", kind, server=swept) for kind in ALL_KINDS],
        *[_taken("files are taken, cut after the rename", k, swept, taken_within_minutes=5) for k in ALL_KINDS],
        *[_taken("hidden listing, cut after the rename", k, hidden, profile={"can_list": False}) for k in ALL_KINDS],
        *[Point("server away", kind, (_hold(c, "before", {}),), tale="away") for kind, c in _UPLOADS.items()],
    ]
    found += [Point("server killed", kind, tale="away", orders=12) for kind in real_kinds]
    found += [Point("read-only folder", kind, tale="read_only") for kind in real_kinds if may_mount]
    full = ("ftp", *real_kinds) if may_mount else ()
    return [*found, *(Point("full disk, tmpfs", kind, server={"mount": 8}, tale="full", orders=6) for kind in full)]


_UPLOADS = {"ftp": "STOR", "ftps": "STOR", "sftp": "WRITE"}


def chaos(*, has_redis: bool, is_sqlite: bool) -> list[Point]:
    """Return what is done to Hemi's own processes and to what they stand on, each at three suppliers at once."""
    tales = {
        "web": "web killed during posting",
        "work": "work worker killed",
        "delivery": "delivery workers killed over and over",
        "beat": "beat killed",
        "broker": "Redis emptied, connections dropped" if has_redis else "broker's folder gone and back",
        "database": "database locked for a while" if is_sqlite else "database's connections ended",
        "everybody": "all processes killed at once",
        "two_workers": "two workers on the same queue",
        "yard": "suppliers' server process killed",
    }
    return [Point(name, kind, tale=tale, orders=12) for tale, name in tales.items() for kind in ALL_KINDS]


def _taken(name: str, kind: str, server: dict[str, Any], **endpoint: Any) -> Point:
    command = "RENAME" if kind == "sftp" else "RNTO"
    is_hidden = "can_list" in server
    tale = "settle" if is_hidden else ""
    return Point(name, kind, (_cut(command),), 3, server, endpoint, tale, may_be_uncertain=is_hidden)


def _hold(command: str, when: str, more: dict[str, Any]) -> dict[str, Any]:
    return {"command": command, "hold": when, **more}


def _cut(command: str, when: str = "after") -> dict[str, Any]:
    return {"command": command, "cut": when}


def _reply(command: str, code: int, times: int) -> dict[str, Any]:
    words = {452: "Insufficient storage space.", 552: "Exceeded storage allocation.", 3: "Permission denied"}
    return {"command": command, "reply": [code, words.get(code, "Permission denied.")], "times": times}


def _hang(command: str, *, late: bool = False) -> dict[str, Any]:
    return {"command": command, "hang": True, "late": late}
