"""One structured log line per step: an event name and its ids, never a secret or a person's data."""

import json
import logging
import re
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

_STANDARD = set(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
# Django's own: a request's repr holds its query, and with it codes, states and what people searched for.
_STANDARD |= {"request", "server_time"}
_followed: ContextVar[dict[str, Any]] = ContextVar("followed", default={})  # noqa: B039 - never changed, only replaced
LONGEST_ERROR = 300
_PREVIEW = re.compile(r"(/storefront/+[^/~\s]*~)[^/?\s]+")


class HidesTokens(logging.Filter):
    """Take the tokens of preview links out of the paths that Django logs."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(_PREVIEW.sub(r"\1***", arg) if isinstance(arg, str) else arg for arg in record.args)
        return True


class HidesWords(logging.Filter):
    """Take what an error says out of Celery's line about it: its kind is enough, the rest stands below."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, dict) and "exc" in record.args and record.exc_info and record.exc_info[0]:
            record.args = {**record.args, "exc": record.exc_info[0].__name__}
        return True


@contextmanager
def following(**ids: Any) -> Iterator[None]:
    """Name these ids in every line of this thread until the end of the block; a line's own go first."""
    token = _followed.set({**_followed.get(), **{name: value for name, value in ids.items() if value}})
    try:
        yield
    finally:
        _followed.reset(token)


def followed(name: str) -> Any:
    """Return an id that is followed, or None."""
    return _followed.get().get(name)


def _fields(record: logging.LogRecord) -> dict[str, object]:
    own = {name: value for name, value in vars(record).items() if name not in _STANDARD and name != "data"}
    return {**_followed.get(), **own}


class _Formatter(logging.Formatter):
    """Tells of an error where it came from and the first line of what it says.

    PostgreSQL's further lines quote whole rows, and with them people's data.
    """

    def formatException(self, ei: Any) -> str:
        return "\n".join(_errors(ei[1])) if ei[1] else ""


def _errors(error: BaseException) -> Iterator[str]:
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if before:
        yield from _errors(before)
    yield "".join(traceback.format_tb(error.__traceback__)).rstrip()
    kind, (first, *_) = type(error), str(error).splitlines() or [""]
    place = "" if kind.__module__ == "builtins" else f"{kind.__module__}."
    yield f"{place}{kind.__qualname__}: {first[:LONGEST_ERROR]}"


class JsonFormatter(_Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
            **_fields(record),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str, ensure_ascii=False)


class ConsoleFormatter(_Formatter):
    """The same for eyes: time, level, event, name=value."""

    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record)
        fields = " ".join(f"{name}={value}" for name, value in _fields(record).items() if name.isidentifier())
        return f"{text} {fields}".rstrip() if not record.exc_info else text
