"""The inbound runner: fetch the suppliers' reply files, in the endpoint's lane and over its kept session.

A file is renamed to a claimed name before it is read, stored and committed before it is deleted. A run that died in
between leaves the claimed name, which the next look finishes. Where the server does not let Hemi rename, a file is read
but never deleted.
"""

import hashlib
import logging
import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.utils import timezone

from hemi.lib import queue
from suppliers import connections, due, lanes
from suppliers.lanes import Lane
from suppliers.models import Endpoint, SupplierReply
from suppliers.transports.errors import TransportError

log = logging.getLogger(__name__)

POLL_SECONDS = 10
AFTER_FAILURE_SECONDS = 60
LOOK_AGAIN_SECONDS = 2  # after a new file was seen: it is taken once it has kept its size
LIMIT_BYTES = 1_000_000
LONGEST_NAME = 255  # what the database holds
_CLAIMED = re.compile(r"(?P<name>.+)\.hemi-[0-9a-f]{12}")
_TEMPORARY = re.compile(r"\..*|.*~|.*\.(part|partial|filepart|tmp|temp|uploading|writing|lock|crdownload)", re.I)
_TRICK = re.compile(r"[/\\\x00-\x1f\x7f\ud800-\udfff]|\A\.\.?\Z")


def collect(endpoint_id: int) -> int:
    """Look for replies at the endpoint if it is time to; return how many were stored."""
    stored = 0
    with lanes.enter(endpoint_id) as lane:
        if lane is None:
            return 0
        if _is_time(lane.endpoint):
            stored = _collect(lane)
    if stored:
        queue.kick("suppliers.apply_replies")
    if due.has_deliveries(endpoint_id):
        queue.kick("suppliers.deliver", endpoint_id)
    return stored


def sweep() -> int:
    """Kick every endpoint where it is time to look for replies; return how many."""
    endpoints = list(due.endpoints_to_poll().values_list("pk", flat=True))
    for endpoint_id in endpoints:
        queue.kick("suppliers.collect_replies", endpoint_id)
    return len(endpoints)


def _is_time(endpoint: Endpoint) -> bool:
    return bool(endpoint.replies_folder) and endpoint.next_poll_at <= timezone.now()


@dataclass
class _Look:
    """One look into the folder: what lay there before, what lies there now, and what was fetched."""

    lane: Lane
    before: dict[str, dict[str, Any]]
    now: dict[str, dict[str, Any]] = field(default_factory=dict)
    stored: int = 0
    has_new: bool = False

    @property
    def folder(self) -> str:
        return self.lane.endpoint.replies_folder

    def path(self, name: str) -> str:
        return connections.path(self.folder, name)


def _collect(lane: Lane) -> int:
    look = _Look(lane, lane.endpoint.replies_seen)
    try:
        files = lane.session.listing(look.folder)
        lane.worked()
        for name, size in sorted(files.items()):
            _consider(look, name, size)
    except TransportError as error:
        lane.failed(error)
        log.warning("replies.failed", extra={"endpoint_id": lane.endpoint.pk, "error": error.message})
        next_at = timezone.now() + timedelta(seconds=AFTER_FAILURE_SECONDS)
        lane.record(next_poll_at=next_at, last_error=error.message, replies_seen=look.before | look.now)
    else:
        wait = timedelta(seconds=LOOK_AGAIN_SECONDS if look.has_new else POLL_SECONDS)
        lane.record(next_poll_at=timezone.now() + wait, polled_at=timezone.now(), replies_seen=look.now)
    return look.stored


def _consider(look: _Look, name: str, size: int) -> None:
    if _TRICK.search(name) or len(name) > LONGEST_NAME:
        _refuse(look, ascii(name)[:300])
        return
    if _TEMPORARY.fullmatch(name):
        return
    former = look.before.get(name, {})
    look.now[name] = {"size": size, "is_read": former.get("size") == size and former.get("is_read", False)}
    if look.now[name]["is_read"] or not size:
        return
    if former.get("size") != size and not _CLAIMED.fullmatch(name):
        look.has_new = True
        return
    if not look.lane.is_open or not look.lane.holds():
        look.has_new = True
        return
    _fetch(look, name, size)


def _refuse(look: _Look, name: str) -> None:
    if name not in look.before:  # told once, not at every look
        log.warning("reply.name_refused", extra=_ids(look, name))
    look.now[name] = {"size": 0, "is_read": True}


def _fetch(look: _Look, name: str, size: int) -> None:
    session = look.lane.session
    try:
        if size > LIMIT_BYTES:
            _store_unread(look, name, size)
        else:
            _read(look, name)
    except TransportError as error:
        if session.is_broken:
            raise
        log.warning("reply.not_read", extra={**_ids(look, name), "error": error.message})


def _read(look: _Look, name: str) -> None:
    session = look.lane.session
    claimed = _claim(look, name)
    content = session.read(look.path(claimed or name), LIMIT_BYTES)
    if session.size(look.path(claimed or name)) not in (len(content), None):
        look.has_new = True  # the supplier is still writing: the next look finishes it
        return
    original = _CLAIMED.fullmatch(name)
    _store(look, original["name"] if original else name, content)
    facts = look.now.pop(name)
    if claimed is None or not _delete(look, claimed):
        look.now[claimed or name] = facts | {"is_read": True}


def _delete(look: _Look, claimed: str) -> bool:
    """Delete a claimed file that is stored; False where the server does not allow it."""
    session = look.lane.session
    try:
        session.delete(look.path(claimed))
    except TransportError as error:
        if session.is_broken:  # the next look finds the claimed name and finishes it
            raise
        log.warning("reply.not_deleted", extra={**_ids(look, claimed), "error": error.message})
        return False
    return True


def _claim(look: _Look, name: str) -> str | None:
    """Rename the file to a claimed name and return that; None where the server does not allow it."""
    if _CLAIMED.fullmatch(name):
        return name
    claimed = f"{name}.hemi-{look.lane.endpoint.claim_token[:12]}"
    session = look.lane.session
    try:
        session.rename(look.path(name), look.path(claimed))
    except TransportError as error:
        if session.is_broken:
            raise
        log.info("reply.not_claimed", extra={**_ids(look, name), "error": error.message})
        return None
    return claimed


def _store(look: _Look, name: str, content: bytes) -> None:
    values = {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content), "content": content}
    _insert(look, SupplierReply(endpoint=look.lane.endpoint, file_name=name, **values))


def _store_unread(look: _Look, name: str, size: int) -> None:
    note = f"Larger than {LIMIT_BYTES:,} bytes: it was left on the server, unread. Ask the supplier what it is."
    values = {"sha256": f"size-{size}", "size": size, "content": b"", "note": note}
    _insert(
        look,
        SupplierReply(endpoint=look.lane.endpoint, file_name=name, status=SupplierReply.Status.UNREADABLE, **values),
    )
    look.now[name]["is_read"] = True


def _insert(look: _Look, reply: SupplierReply) -> None:
    SupplierReply.objects.bulk_create([reply], ignore_conflicts=True)  # a repeat is no second
    look.stored += 1
    log.info("reply.stored", extra={**_ids(look, reply.file_name), "sha256": reply.sha256})


def _ids(look: _Look, name: str) -> dict[str, Any]:
    return {"endpoint_id": look.lane.endpoint.pk, "file": name}
