"""Take one reply file from a supplier's folder: only when it lies still, claimed by rename, stored before it goes."""

import hashlib
import logging
import re

from django.utils import timezone

from suppliers import clearing, looks, redaction, replies, traces
from suppliers.looks import Look
from suppliers.models import SupplierReply
from suppliers.reply_formats.reading import LIMIT_BYTES
from suppliers.reply_formats.statements import Unreadable
from suppliers.transports.errors import TooLarge, TransportError
from suppliers.transports.session import Entry

log = logging.getLogger(__name__)

REFUSALS = 3  # in a row, before a file is shown as unreadable
LONGEST_NAME = 255  # what the database holds
CLAIMED = re.compile(r"(?P<name>.+)\.hemi-[0-9a-f]{12}")
_TEMPORARY = re.compile(r"\..*|.*~|.*\.(part|partial|filepart|tmp|temp|uploading|writing|lock|crdownload)", re.I)
_TRICK = re.compile(r"[/\\\x00-\x1f\x7f\ud800-\udfff]|\A\.\.?\Z")
_TOO_LARGE = f"Larger than {LIMIT_BYTES:,} bytes: it was not read. Ask the supplier what it is."
_BAD_NAME = "Its name has characters that lead elsewhere or cannot be written. It was left where it is, unread."


def consider(look: Look, name: str, entry: Entry) -> None:
    """Fetch a file that was listed, if it is whole and new. Raises TransportError where the session is lost."""
    if _TRICK.search(name) or len(name) > LONGEST_NAME:
        _refuse(look, ascii(name)[:LONGEST_NAME])
        return
    if _TEMPORARY.fullmatch(name):
        return
    is_same = looks.note(look, name, entry)
    if look.now[name]["is_read"] or not entry.size:
        return
    if not (is_same and looks.is_old_enough(look, name, entry)):
        look.has_new = look.has_new or not is_same
        return
    if not look.lane.is_open or not look.lane.holds():
        look.has_new = True
        return
    if traces.is_sent_file(_original(name), entry.size):
        look.now[name]["is_read"] = True
        log.warning("reply.is_an_order", extra=look.ids(name))
        return
    _fetch(look, name, entry.size)


def _refuse(look: Look, name: str) -> None:
    if name not in look.before:  # told once, not at every look
        _insert(look, _unread(look, name, 0, _BAD_NAME))
    look.now[name] = {"size": 0, "is_read": True}


def _fetch(look: Look, name: str, size: int) -> None:
    session = look.lane.session
    try:
        if size > LIMIT_BYTES:
            _set_aside(look, name, size)
        else:
            _read(look, name)
    except TransportError as error:
        if session.is_broken:
            raise
        log.warning("reply.not_read", extra={**look.ids(name), "error": error.message})
        _tell_refused(look, name, size, error)


def _tell_refused(look: Look, name: str, size: int, error: TransportError) -> None:
    """Show a file that the server keeps refusing to hand out; a single refusal may be of one that was taken away."""
    refusals = look.before.get(name, {}).get("refusals", 0) + 1
    if refusals == REFUSALS:
        _insert(look, _unread(look, _original(name), size, error.message[:500]))
    look.now[name]["refusals"] = refusals


def _read(look: Look, name: str) -> None:
    session = look.lane.session
    claimed = _claim(look, name)
    try:
        content = session.read(look.path(claimed or name), LIMIT_BYTES)
    except TooLarge:  # whatever the listing said; the session may be lost, and the next one goes on
        _set_aside(look, name, LIMIT_BYTES + 1, claimed)
        return
    is_whole = session.size(look.path(claimed or name)) in (len(content), None)
    if not (is_whole and looks.is_as_listed(look, name, len(content))):
        look.has_new = True  # the supplier is writing, maybe another file under this name: it has to lie still again
        return
    reply = _store(look, name, content)
    facts = look.now.pop(name)
    is_unreadable = reply.status == SupplierReply.Status.UNREADABLE
    if claimed is None or not clearing.clear(look.lane, claimed, reply, is_unreadable=is_unreadable):
        look.now[claimed or name] = facts | {"is_read": True}


def _set_aside(look: Look, name: str, size: int, claimed: str | None = None) -> None:
    """Note a file that is too large, and move it away where there is a folder for that."""
    reply = _unread(look, _original(name), size, _TOO_LARGE)
    _insert(look, reply)
    facts = look.now.pop(name)
    if not clearing.set_aside(look.lane, claimed or name, reply):
        look.now[claimed or name] = facts | {"is_read": True}


def _claim(look: Look, name: str) -> str | None:
    """Rename the file to a claimed name and return that; None where the server does not allow it."""
    if CLAIMED.fullmatch(name):
        return name
    claimed = f"{name}.hemi-{look.lane.endpoint.claim_token[:12]}"
    session = look.lane.session
    try:
        session.rename(look.path(name), look.path(claimed))
    except TransportError as error:
        if session.is_broken:
            raise
        log.info("reply.not_claimed", extra={**look.ids(name), "error": error.message})
        return None
    return claimed


def _original(name: str) -> str:
    claimed = CLAIMED.fullmatch(name)
    return claimed["name"] if claimed else name


def _store(look: Look, name: str, content: bytes) -> SupplierReply:
    reply = SupplierReply(
        endpoint=look.lane.endpoint,
        file_name=_original(name),
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
        content=content,
    )
    try:
        reply.format, _ = replies.read(content, look.lane.endpoint)
    except Unreadable as error:
        reply.status, reply.note = SupplierReply.Status.UNREADABLE, str(error)[:500]
        if redaction.is_about_a_removed_customer(reply):
            reply.content, reply.redacted_at, reply.note = b"", timezone.now(), redaction.NOTE
    _insert(look, reply)
    former = {"endpoint": reply.endpoint, "file_name": reply.file_name, "status": SupplierReply.Status.UNREADABLE}
    SupplierReply.objects.filter(**former, sha256__startswith="size-").update(
        status=SupplierReply.Status.SETTLED, note="It could be read later."
    )
    return reply


def _unread(look: Look, name: str, size: int, note: str) -> SupplierReply:
    values = {"file_name": name, "sha256": f"size-{size}", "size": min(size, 2**31 - 1), "content": b"", "note": note}
    return SupplierReply(endpoint=look.lane.endpoint, status=SupplierReply.Status.UNREADABLE, **values)


def _insert(look: Look, reply: SupplierReply) -> None:
    SupplierReply.objects.bulk_create([reply], ignore_conflicts=True)  # a repeat is no second
    look.stored += 1
    log.info("reply.stored", extra={**look.ids(reply.file_name), "sha256": reply.sha256, "status": reply.status})
