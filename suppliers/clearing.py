"""Clear a reply away once it is stored: delete it, archive it, or move it to the folder of unreadable ones."""

import logging
from pathlib import PurePosixPath

from suppliers import connections
from suppliers.lanes import Lane
from suppliers.models import Endpoint, SupplierReply
from suppliers.transports.errors import TransportError
from suppliers.transports.session import Session

log = logging.getLogger(__name__)


def clear(lane: Lane, claimed: str, reply: SupplierReply, *, is_unreadable: bool) -> bool:
    """Take a claimed file that is stored out of the folder; False where the server does not allow it."""
    endpoint = lane.endpoint
    if is_unreadable and endpoint.unreadable_folder:
        return _move(lane, claimed, endpoint.unreadable_folder, reply)
    if endpoint.after_reading == Endpoint.AfterReading.ARCHIVE and endpoint.archive_folder:
        return _move(lane, claimed, endpoint.archive_folder, reply)
    return _delete(lane, claimed)


def set_aside(lane: Lane, name: str, reply: SupplierReply) -> bool:
    """Move a file that was not read to the folder of unreadable ones; False where it stays."""
    folder = lane.endpoint.unreadable_folder
    return bool(folder) and _move(lane, name, folder, reply)


def _move(lane: Lane, name: str, folder: str, reply: SupplierReply) -> bool:
    """Move a file under a name that tells its content, so that a repeat of it finds itself there."""
    session = lane.session
    original = PurePosixPath(reply.file_name)
    target = f"{original.stem[:150]}.{reply.sha256[:12]}{original.suffix[:20]}"
    try:
        if session.size(connections.path(folder, target)) is not None:
            target = f"{original.stem[:150]}.{reply.sha256[:12]}.{lane.endpoint.claim_token[:12]}{original.suffix[:20]}"
        session.rename(connections.path(lane.endpoint.replies_folder, name), connections.path(folder, target))
    except TransportError as error:
        return _stays(lane, session, name, error)
    return True


def _delete(lane: Lane, name: str) -> bool:
    session = lane.session
    try:
        session.delete(connections.path(lane.endpoint.replies_folder, name))
    except TransportError as error:
        return _stays(lane, session, name, error)
    return True


def _stays(lane: Lane, session: Session, name: str, error: TransportError) -> bool:
    if session.is_broken:  # the next look finds the claimed name and finishes it
        raise error
    log.warning("reply.not_cleared", extra={"endpoint_id": lane.endpoint.pk, "file": name, "error": error.message})
    return False
