"""Run suppliers' stylesheets and schemas in a child process, kept while it behaves and ended when it does not."""

import atexit
import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any, BinaryIO, TypeVar, cast

from suppliers.documents import faults, framing
from suppliers.documents.rendered import InvalidDocument

T = TypeVar("T")

_ROOT = Path(__file__).resolve().parents[2]
_WALL_SECONDS = 10.0
_MAX_ANSWER = 11_000_000
_MAX_KEPT = 50  # compiled stylesheets and schemas in one child
_MAX_KILLS = 3  # of one stylesheet or schema in a row, after which it is left alone for a while
_REST_SECONDS = 300.0


@dataclass(frozen=True)
class Source:
    """What is compiled in the child, under a key that changes with its content; loaded only when it is needed."""

    key: str
    load: Callable[[], bytes] = field(compare=False)
    options: dict[str, str] = field(default_factory=dict)


class _Ended(InvalidDocument):
    """The child had to be ended."""

    def __init__(self, message: str, *, is_slow: bool) -> None:
        super().__init__(message)
        self.is_slow = is_slow


def make(document: bytes, stylesheet: Source | None, schema: Source | None) -> tuple[bytes, str]:
    """Run the stylesheet over the document and check the result; return it with its method. Raises InvalidDocument.

    For the method `text` the bytes are UTF-8, otherwise as the stylesheet's compilation was told.
    """
    names = {"stylesheet": stylesheet.key if stylesheet else "", "schema": schema.key if schema else ""}
    what = "The XSLT cannot be used" if stylesheet else "The document cannot be checked"

    def work(child: _Child) -> tuple[bytes, str]:
        if stylesheet:
            child.load("load_stylesheet", stylesheet, what)
        if schema:
            child.load("load_schema", schema, "The schema cannot be used")
        answer, content = child.ask({"op": "make", **names}, document, what)
        return content, answer["method"]

    return _do(work, names["stylesheet"] or names["schema"], what)


def check_stylesheet(stylesheet: Source) -> None:
    """Compile a stylesheet. Raises InvalidDocument."""
    what = "The XSLT cannot be used"
    _do(lambda child: child.load("load_stylesheet", stylesheet, what), stylesheet.key, what)


def check_schema(schema: Source) -> None:
    """Compile a schema. Raises InvalidDocument."""
    what = "The schema cannot be used"
    _do(lambda child: child.load("load_schema", schema, what), schema.key, what)


def _do(work: "Callable[[_Child], T]", key: str, what: str) -> T:
    """Have the child work; where a used one has no memory left, that may be for others' things, so a new one tries."""
    with _lock, _counted(key, what):
        child = _current()
        is_used = bool(child.known)
        try:
            return work(child)
        except _Ended as end:
            if end.is_slow or not is_used:
                raise
            return work(_current())


@contextmanager
def _counted(key: str, what: str) -> Iterator[None]:
    """Refuse what ended the child too often in a row, so that nobody else waits for it."""
    count, last = _kills.get(key, (0, 0.0))
    if count >= _MAX_KILLS and monotonic() - last < _REST_SECONDS:
        raise InvalidDocument(f"{what}: {faults.TOO_MUCH}")
    try:
        yield
    except _Ended:
        _kills[key] = (count + 1, monotonic())
        raise
    _kills.pop(key, None)


class _Child:
    """One child process and what it has compiled."""

    def __init__(self) -> None:
        self.owner = os.getpid()
        self.known: set[str] = set()
        self.process = subprocess.Popen(  # noqa: S603 (our own module)
            [sys.executable, "-E", "-s", "-m", "suppliers.documents.xslt_child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=_ROOT,
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
        )
        self.answers = select.poll()
        self.answers.register(cast(BinaryIO, self.process.stdout), select.POLLIN)

    @property
    def is_fit(self) -> bool:
        """Whether it is ours (not inherited by a fork), alive, and not full."""
        return self.owner == os.getpid() and self.process.poll() is None and len(self.known) < _MAX_KEPT

    def load(self, op: str, source: Source, what: str) -> None:
        """Have a source compiled, unless it is."""
        if source.key not in self.known:
            self.ask({"op": op, "key": source.key, **source.options}, source.load(), what)
            self.known.add(source.key)

    def ask(self, header: dict[str, Any], blob: bytes, what: str) -> tuple[dict[str, Any], bytes]:
        """Ask one question and wait, not for ever. Raises InvalidDocument; a child that failed is not kept."""
        questions, answers = cast(BinaryIO, self.process.stdin), cast(BinaryIO, self.process.stdout)
        try:
            framing.send(questions, header, blob)
            if not self.answers.poll(_WALL_SECONDS * 1000):
                raise EOFError("no answer in time")
            answer, (content,) = framing.receive(answers, _MAX_ANSWER)
        except (EOFError, OSError):
            self.end()
            is_slow = self.process.returncode in (-signal.SIGXCPU, -signal.SIGKILL)
            raise _Ended(f"{what}: {faults.TOO_MUCH}", is_slow=is_slow) from None
        if faults.TOO_MUCH in answer.get("fault", ""):
            self.end()  # what is left of its memory would do for nobody else
            raise _Ended(answer["fault"], is_slow=False)
        if "fault" in answer:
            raise InvalidDocument(answer["fault"])
        return answer, content

    def end(self) -> None:
        """End the process and close its pipes."""
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe:
                with suppress(OSError):  # what was not written any more
                    pipe.close()


_lock = threading.Lock()
_kills: dict[str, tuple[int, float]] = {}
_kept: list[_Child] = []


def _current() -> _Child:
    if _kept and not _kept[0].is_fit:
        _end_kept()
    if not _kept:
        _kept.append(_Child())
    return _kept[0]


def _end_kept() -> None:
    for child in _kept:
        if child.owner == os.getpid():
            child.end()
    _kept.clear()


def _after_fork() -> None:
    global _lock
    _lock = threading.Lock()  # whoever held it is not in this process


os.register_at_fork(after_in_child=_after_fork)
atexit.register(_end_kept)
