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
_PREVIEW = re.compile(r"(/storefront/+[^/~\s]*~)[^/?\s]+")


class HidesTokens(logging.Filter):
    """Take the tokens of preview links out of the paths that Django logs."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(_PREVIEW.sub(r"\1***", arg) if isinstance(arg, str) else arg for arg in record.args)
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


class JsonFormatter(logging.Formatter):
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
            line["traceback"] = "".join(traceback.format_exception(*record.exc_info))
        return json.dumps(line, default=str, ensure_ascii=False)


class ConsoleFormatter(logging.Formatter):
    """The same for eyes: time, level, event, name=value."""

    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record)
        fields = " ".join(f"{name}={value}" for name, value in _fields(record).items() if name.isidentifier())
        return f"{text} {fields}".rstrip() if not record.exc_info else text
