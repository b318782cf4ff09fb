"""Read what FTP servers list: MLSD facts (RFC 3659), and the two common shapes of LIST."""

import re
from datetime import UTC, datetime

from suppliers.transports.session import Entry

_UNIX = re.compile(r"-\S+\s+\d+\s+\S+\s+\S+\s+(?P<size>\d{1,18})\s+\w+\s+\d+\s+[\d:]+ (?P<name>.+)")
_DOS = re.compile(r"\d\d-\d\d-\d{2,4}\s+\d\d:\d\d(?:[AP]M)?\s+(?P<size>\d{1,18}) (?P<name>.+)")
_SIZE = re.compile(r"[0-9]{1,18}")
_TIME = re.compile(r"(\d{14})(?:\.\d+)?")


def lines(text: str) -> list[str]:
    """Part a listing at its ends of lines only: a name may hold what Python takes for one, too."""
    return re.split(r"\r?\n", text)


def from_mlsd(listed: list[str]) -> dict[str, Entry]:
    """Return the files of an MLSD listing."""
    files = {}
    for line in listed:
        facts, _, name = line.partition(" ")
        values = dict(fact.lower().split("=", 1) for fact in facts.split(";") if "=" in fact)
        if name and values.get("type") == "file" and _SIZE.fullmatch(values.get("size", "")):
            files[name] = Entry(int(values["size"]), moment(values.get("modify", "")))
    return files


def from_list(listed: list[str]) -> dict[str, Entry]:
    """Return the files of a LIST listing; lines of another shape are folders or talk.

    Its times are in a zone that the server does not name, so they are left out.
    """
    matches = (_UNIX.fullmatch(line) or _DOS.fullmatch(line) for line in listed)
    return {match["name"]: Entry(int(match["size"])) for match in matches if match}


def moment(text: str) -> datetime | None:
    """Return the time of an RFC 3659 time value, which is in UTC; None where it is none, or of no file."""
    if not (match := _TIME.fullmatch(text.strip())):
        return None
    try:
        found = datetime.strptime(match[1], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None
    return found if 1970 <= found.year < 2200 else None
