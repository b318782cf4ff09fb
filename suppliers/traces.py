"""What became of the files that were sent: moved to the supplier's done or failed folder, or taken away."""

import logging
import re
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256

from django.db.models import QuerySet
from django.utils import timezone

from suppliers import connections
from suppliers.models import Delivery, Endpoint, SupplierOrder, SupplierReply
from suppliers.reply_formats.statements import REJECTED, TAKEN, Statement, Unreadable
from suppliers.transports.errors import TransportError
from suppliers.transports.session import Session

log = logging.getLogger(__name__)

EVERY = timedelta(seconds=60)  # done folders are seldom cleared, and listing thousands of names takes its time
MOST = 2_000
LONGEST_REASON = 10_000  # of which the beginning is shown
LARGEST_REASON = 1_000_000
Source = SupplierReply.Source
Found = dict[str, list[str]]  # names of files by the reference that each holds
_REFERENCE = re.compile(r"HM\d+-[A-Z0-9]{2,12}-\d+")


@dataclass(frozen=True)
class Trace:
    """A sign of what became of a sent file; `reason` is what the supplier wrote beside it."""

    file_name: str
    source: str
    reason: bytes = b""

    def reply(self, endpoint: Endpoint) -> SupplierReply:
        """Return the row for it, not yet stored."""
        return SupplierReply(
            endpoint=endpoint,
            file_name=self.file_name,
            source=self.source,
            sha256=sha256(self.reason).hexdigest(),
            size=len(self.reason),
            content=self.reason,
        )


def is_time(endpoint: Endpoint) -> bool:
    """Tell whether the endpoint's folders say what became of files, and are to be looked at now."""
    is_telling = endpoint.done_folder or endpoint.failed_folder or endpoint.is_gone_taken
    return bool(is_telling) and (endpoint.traced_at is None or endpoint.traced_at <= timezone.now() - EVERY)


def look(endpoint: Endpoint, session: Session) -> list[Trace]:
    """Look for the files that the supplier has not answered. Raises TransportError."""
    # Asked for first: what is sent while the folders are listed must not look as if it were gone.
    waiting = list(_unanswered(endpoint))
    if not waiting:
        return []
    failed = _names(session, endpoint.failed_folder)
    done = _names(session, endpoint.done_folder)
    there = {folder: _names(session, folder) for folder in {delivery.folder for delivery in waiting}}
    seen, traces = [], []
    for delivery in waiting:
        if trace := _trace(endpoint, delivery, failed, done):
            traces.append(trace)
        elif delivery.final_name in there[delivery.folder].get(_reference(delivery), ()):
            seen.append(delivery.pk)
        elif endpoint.is_gone_taken and _is_unread(delivery) and _is_gone(session, delivery, there):
            traces.append(Trace(delivery.final_name, Source.GONE))
    Delivery.objects.filter(pk__in=seen).update(seen_at=timezone.now())
    return [_with_reason(session, endpoint, trace, failed) for trace in traces]


def statement(reply: SupplierReply) -> Statement:
    """Say what a trace means for its order. Raises Unreadable."""
    delivery = Delivery.objects.filter(endpoint=reply.endpoint_id, final_name=reply.file_name).order_by("-pk")
    reference = delivery.values_list("supplier_order__reference", flat=True).first()
    if reference is None:
        raise Unreadable("No order file of this name was sent.")
    if reply.source != Source.FAILED_FOLDER:
        return Statement(reference, TAKEN)
    reason = " ".join(_text(bytes(reply.content)).split())
    return Statement(reference, REJECTED, reason=(reason or "The supplier moved the file to its failed folder.")[:500])


def is_sent_file(name: str, size: int) -> bool:
    """Tell whether a file among the replies is an order file of Hemi's: some servers have one folder for both."""
    if not (reference := _REFERENCE.search(name.upper())):
        return False
    sent = Delivery.objects.filter(supplier_order__reference=reference[0], size=size)
    return sent.filter(final_name__iexact=name).exists()


def _unanswered(endpoint: Endpoint) -> QuerySet[Delivery]:
    states = [SupplierOrder.Status.SENT]
    if endpoint.failed_folder:  # what was taken may be refused later
        states.append(SupplierOrder.Status.TAKEN)
    rows = endpoint.deliveries.filter(status=Delivery.Status.SENT, supplier_order__status__in=states)
    wanted = ("final_name", "folder", "supplier_order__status", "supplier_order__reference")
    # Those that nobody has taken first: thousands of taken ones must not keep them from being looked at.
    return rows.select_related("supplier_order").only(*wanted).order_by("supplier_order__status", "-pk")[:MOST]


def _trace(endpoint: Endpoint, delivery: Delivery, failed: Found, done: Found) -> Trace | None:
    if _reference(delivery) in failed:
        return Trace(delivery.final_name, Source.FAILED_FOLDER)
    if _is_unread(delivery) and _reference(delivery) in done:
        return Trace(delivery.final_name, Source.DONE_FOLDER)
    return None


def _is_gone(session: Session, delivery: Delivery, there: dict[str, Found]) -> bool:
    """Tell whether a file that is not listed is gone; a listing may be hidden, or of a folder that is not there."""
    if session.size(connections.path(delivery.folder, delivery.final_name)) is not None:
        return False
    return bool(there[delivery.folder]) or session.has_folder(delivery.folder)


def _reference(delivery: Delivery) -> str:
    return delivery.supplier_order.reference


def _is_unread(delivery: Delivery) -> bool:
    return delivery.supplier_order.status == SupplierOrder.Status.SENT


def _with_reason(session: Session, endpoint: Endpoint, trace: Trace, failed: Found) -> Trace:
    name = _REFERENCE.search(trace.file_name.upper())
    beside = next((found for found in failed.get(name[0] if name else "", ()) if found.endswith(".error")), "")
    if trace.source != Source.FAILED_FOLDER or not beside:
        return trace
    return Trace(trace.file_name, trace.source, _reason(session, connections.path(endpoint.failed_folder, beside)))


def _reason(session: Session, path: str) -> bytes:
    """Read what the supplier wrote; a rejection without its reason is better than none. Raises TransportError."""
    try:
        if (session.size(path) or 0) > LARGEST_REASON:
            return b""
        return session.read(path, LARGEST_REASON)[:LONGEST_REASON]
    except TransportError as error:
        if session.is_broken:
            raise
        log.warning("reply.reason_not_read", extra={"error": error.message})
        return b""


def _names(session: Session, folder: str) -> Found:
    """Return a folder's names by the reference that each holds; a supplier may put a time before or after it."""
    found: Found = {}
    for name in session.listing(folder) if folder else ():
        if reference := _REFERENCE.search(name.upper()):
            found.setdefault(reference[0], []).append(name)
    return found


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")
