"""Read what FTP servers list: MLSD facts (RFC 3659), and the two common shapes of LIST."""

import re

_UNIX = re.compile(r"-\S+\s+\d+\s+\S+\s+\S+\s+(?P<size>\d+)\s+\w+\s+\d+\s+[\d:]+ (?P<name>.+)")
_DOS = re.compile(r"\d\d-\d\d-\d{2,4}\s+\d\d:\d\d(?:[AP]M)?\s+(?P<size>\d+) (?P<name>.+)")


def from_mlsd(lines: list[str]) -> dict[str, int]:
    """Return the files of an MLSD listing with their sizes."""
    files = {}
    for line in lines:
        facts, _, name = line.partition(" ")
        values = dict(fact.lower().split("=", 1) for fact in facts.split(";") if "=" in fact)
        if values.get("type") == "file" and values.get("size", "").isdigit():
            files[name] = int(values["size"])
    return files


def from_list(lines: list[str]) -> dict[str, int]:
    """Return the files of a LIST listing with their sizes; lines of another shape are folders or talk."""
    matches = (_UNIX.fullmatch(line) or _DOS.fullmatch(line) for line in lines)
    return {match["name"]: int(match["size"]) for match in matches if match}
