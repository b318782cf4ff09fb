"""A look into a folder of replies: what lay there before, what lies there now, and whether it lies still."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from suppliers import connections
from suppliers.lanes import Lane
from suppliers.transports.session import Entry


@dataclass
class Look:
    """One look into the folder: what lay there before, what lies there now, and what was fetched."""

    lane: Lane
    before: dict[str, dict[str, Any]]
    now: dict[str, dict[str, Any]] = field(default_factory=dict)
    stored: int = 0
    has_new: bool = False

    def path(self, name: str) -> str:
        """Return where the file of that name lies."""
        return connections.path(self.lane.endpoint.replies_folder, name)

    def ids(self, name: str) -> dict[str, Any]:
        """Return what a log line names."""
        return {"endpoint_id": self.lane.endpoint.pk, "file": name}


def note(look: Look, name: str, entry: Entry) -> bool:
    """Note the file; tell whether it is as it was at the last look."""
    facts = {"size": entry.size, "time": entry.modified_at.isoformat() if entry.modified_at else ""}
    former = look.before.get(name, {})
    is_same = facts == {"size": former.get("size"), "time": former.get("time", "")}
    since = former.get("since") if is_same else None
    is_read = is_same and former.get("is_read", False)
    look.now[name] = {**facts, "since": since or timezone.now().isoformat(), "is_read": is_read}
    return is_same


def is_old_enough(look: Look, name: str, entry: Entry) -> bool:
    """Tell whether it has lain still long enough: by the server's clock where that is known, else by Hemi's."""
    endpoint, now = look.lane.endpoint, timezone.now()
    age = timedelta(seconds=endpoint.reply_age)
    if entry.modified_at:
        ahead = timedelta(seconds=endpoint.profile.get("clock_difference") or 0)  # of the server's clock
        if now + ahead - entry.modified_at >= age:
            return True
    return now - datetime.fromisoformat(look.now[name]["since"]) >= age


def is_as_listed(look: Look, name: str, size: int) -> bool:
    """Tell whether what was read is what lay still; a server that lists a wrong size is believed the second time."""
    facts = look.now[name]
    if size == facts["size"]:
        return True
    facts["was_read_as"] = size
    return bool(look.before.get(name, {}).get("was_read_as") == size)
