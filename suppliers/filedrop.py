"""Bring one document to its place so that it is neither lost, doubled nor half-written.

Upload under a name of this claim's own, compare the size, rename. What is recorded before each step, and what is done
where a run died in between, is the table in docs/decisions/file-drop.md.
"""

from enum import Enum, auto

from suppliers import connections
from suppliers.attempts import Attempt
from suppliers.lanes import Lane
from suppliers.models import Delivery
from suppliers.transports.errors import Kind, TransportError
from suppliers.transports.session import Session

_TOKEN_LETTERS = 12


class Found(Enum):
    """What a look at the server says about a rename."""

    DONE = auto()
    NOT_DONE = auto()
    SPOILT = auto()  # not done, and the temporary file is not whole
    UNCERTAIN = auto()


def bring(lane: Lane, attempt: Attempt) -> None:
    """Take a claimed delivery through the steps that are left. Raises TransportError."""
    if attempt.delivery.step == Delivery.Step.RENAMING:
        found = _look(lane.session, attempt.delivery)
        if found in (Found.DONE, Found.UNCERTAIN):
            _conclude(attempt, found)
            return
        is_uploaded = found == Found.NOT_DONE
    else:
        is_uploaded = False
    if is_uploaded or _upload(lane, attempt):
        _rename(lane, attempt)


def tidy(lane: Lane, attempt: Attempt) -> None:
    """Remove the temporary file of a failed attempt, if nobody else can be at work on it. Raises TransportError."""
    delivery = attempt.delivery
    if delivery.temporary_name and delivery.step != Delivery.Step.RENAMING:
        _remove_mine(lane, attempt)


def _upload(lane: Lane, attempt: Attempt) -> bool:
    delivery, session = attempt.delivery, lane.session
    if delivery.temporary_name:  # left by a former claim
        session.delete(_temporary(delivery))
    document = attempt.begin_upload(f"{delivery.final_name}.{delivery.claim_token[:_TOKEN_LETTERS]}.part")
    if document is None:
        attempt.stopped()
        return False
    session.upload(_temporary(delivery), document)
    size = session.expected_size(_temporary(delivery))
    if size != len(document):
        raise TransportError(
            Kind.TEMPORARY, f"The server has {size or 0} of {len(document)} bytes after the upload.", "size"
        )
    if session.size(_final(delivery)) is not None:
        raise TransportError(
            Kind.FILE,
            f"A file {delivery.final_name} that Hemi did not put there lies in “{delivery.folder}” already. "
            "Ask the supplier what it is and have it removed, then retry.",
            "rename",
        )
    return True


def _rename(lane: Lane, attempt: Attempt) -> None:
    delivery = attempt.delivery
    if not attempt.begin_rename():
        _remove_mine(lane, attempt)
        attempt.stopped()
        return
    try:
        lane.session.rename(_temporary(delivery), _final(delivery))
    except TransportError as error:
        _after_refusal(lane, attempt, error)
    else:
        attempt.sent()


def _after_refusal(lane: Lane, attempt: Attempt, error: TransportError) -> None:
    found = _look(lane.session, attempt.delivery)
    if found in (Found.DONE, Found.UNCERTAIN):
        _conclude(attempt, found, error.message)
        return
    # Where the connection was lost the server may still be about to rename: the next attempt looks again.
    if error.kind != Kind.UNCERTAIN:
        attempt.step_back()
    raise error


def _remove_mine(lane: Lane, attempt: Attempt) -> None:
    if attempt.owns_file or attempt.is_mine():
        lane.session.delete(_temporary(attempt.delivery))


def _conclude(attempt: Attempt, found: Found, message: str = "") -> None:
    if found == Found.DONE:
        attempt.sent("A look at the server found it in its place.")
    else:
        attempt.uncertain(
            f"Neither the temporary file nor this document is in “{attempt.delivery.folder}”. {message}".strip()
        )


def _look(session: Session, delivery: Delivery) -> Found:
    temporary, final = session.size(_temporary(delivery)), session.size(_final(delivery))
    if final is None and temporary is None:  # one of them should be there
        final = session.expected_size(_final(delivery))
        temporary = session.expected_size(_temporary(delivery)) if final is None else session.size(_temporary(delivery))
    if final is None:
        if temporary is None:
            return Found.UNCERTAIN
        return Found.NOT_DONE if temporary == delivery.size else Found.SPOILT
    if final != delivery.size:
        return Found.UNCERTAIN
    if temporary is not None:
        session.delete(_temporary(delivery))
    return Found.DONE


def _temporary(delivery: Delivery) -> str:
    return connections.path(delivery.folder, delivery.temporary_name)


def _final(delivery: Delivery) -> str:
    return connections.path(delivery.folder, delivery.final_name)
