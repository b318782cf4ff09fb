"""Bring one document to its place so that it is neither lost, doubled nor half-written.

Upload under a name of this claim's own, compare the size, rename, write the done-file. What is recorded before each
step, and what is done where a run died in between, is the table in docs/decisions/file-drop.md. Many documents at once
go through suppliers/rounds.py, which comes here whenever something is in doubt.
"""

from datetime import timedelta
from enum import Enum, auto
from typing import Protocol

from django.utils import timezone

from suppliers import journal, loading, naming, records, turns
from suppliers.attempts import Attempt
from suppliers.models import Delivery, Endpoint
from suppliers.transports.errors import Kind, TransportError
from suppliers.transports.session import Session

Step = Delivery.Step


class Place(Protocol):
    """Where a run has its session."""

    @property
    def session(self) -> Session:
        """Return a session that was alive a moment ago. Raises TransportError."""


class Found(Enum):
    """What a look at the server says about a rename."""

    DONE = auto()
    NOT_DONE = auto()
    SPOILT = auto()  # not done, and the temporary file is not whole
    TAKEN = auto()  # both are gone, and this supplier takes its files soon
    UNCERTAIN = auto()


def bring(place: Place, attempt: Attempt) -> None:
    """Take a claimed delivery through the steps that are left. Raises TransportError."""
    if attempt.delivery.step == Step.SIGNALLING:
        finish(place, attempt)
        return
    is_uploaded = False
    if attempt.delivery.step == Step.RENAMING:
        found = _look(place, attempt.delivery)
        if found not in (Found.NOT_DONE, Found.SPOILT):
            _conclude(place, attempt, found)
            return
        is_uploaded = found == Found.NOT_DONE
        if not is_uploaded and not attempt.step_back():
            attempt.lost()
            return
    if is_uploaded or _upload(place, attempt):
        _rename(place, attempt)


def finish(place: Place, attempt: Attempt, remark: str = "") -> None:
    """Write the done-file of a file that is in its place, where one is wanted, and record it as sent."""
    delivery = attempt.delivery
    if delivery.done_name:
        with turns.alone(attempt.order_id):
            is_mine = records.begin_signals([attempt])
        if not is_mine:
            attempt.lost()
            return
        signal(place, attempt)
    with turns.alone(attempt.order_id):
        records.sent([attempt], remark)
    journal.sent([delivery])


def signal(place: Place, attempt: Attempt) -> None:
    """Write the done-file; once more does no harm. Raises TransportError."""
    try:
        place.session.upload(naming.done_path(attempt.delivery), b"")
    except TransportError as error:
        error.message = f"The file is in its place, but its done-file could not be written. {error.message}"
        raise


def verify(attempt: Attempt, size: int | None, *, is_taken: bool) -> None:
    """Raise TransportError unless the temporary file is whole and the final name free."""
    delivery, wanted = attempt.delivery, len(attempt.document)
    if size != wanted:
        raise TransportError(Kind.TEMPORARY, f"The server has {size or 0} of {wanted} bytes after the upload.", "size")
    if is_taken:
        raise TransportError(
            Kind.FILE,
            f"A file {delivery.final_name} that Hemi did not put there lies in “{delivery.folder}” already. "
            "Ask the supplier what it is and have it removed, then retry.",
            "rename",
        )


def after_refusal(place: Place, attempt: Attempt, error: TransportError) -> None:
    """Look what became of a rename that was refused or lost. Raises the error where it did not happen."""
    found = _look(place, attempt.delivery)
    if found not in (Found.NOT_DONE, Found.SPOILT):
        _conclude(place, attempt, found, error.message)
        return
    # Where the connection was lost the server may still be about to rename: the next attempt looks again.
    if error.kind != Kind.UNCERTAIN:
        attempt.step_back()
    raise error


def tidy(place: Place, attempt: Attempt) -> None:
    """Remove the temporary file of an attempt, if nobody else can be at work on it. Raises TransportError."""
    delivery = attempt.delivery
    is_over = delivery.step in (Step.RENAMING, Step.SIGNALLING)
    if delivery.temporary_name and not is_over and (attempt.owns_file or attempt.is_mine()):
        place.session.delete(naming.temporary_path(delivery))
        delivery.temporary_name = ""


def make_folder(place: Place, endpoint: Endpoint) -> None:
    """Make the folder of temporary files, where the endpoint has one. Raises TransportError."""
    if endpoint.temporary_style == Endpoint.TemporaryStyle.FOLDER:
        place.session.make_folder(endpoint.temporary_mark.rstrip("/"))


def _upload(place: Place, attempt: Attempt) -> bool:
    delivery, session = attempt.delivery, place.session
    if delivery.temporary_name:  # left by a former claim
        session.delete(naming.temporary_path(delivery))
    if delivery.resends and _still_lies_there(session, attempt):
        return False
    with turns.alone(attempt.order_id):
        may_go = records.begin_uploads([attempt], delivery.endpoint)
    if may_go:
        loading.load([attempt])
    if not attempt.has_document:
        attempt.stopped()
        return False
    session.upload(naming.temporary_path(delivery), attempt.document)
    size = session.expected_size(naming.temporary_path(delivery))
    verify(attempt, size, is_taken=session.size(naming.final_path(delivery)) is not None)
    return True


def _still_lies_there(session: Session, attempt: Attempt) -> bool:
    """Conclude a file that is to be sent again where the supplier has not taken the first one yet."""
    if session.size(naming.final_path(attempt.delivery)) != attempt.delivery.size:
        return False
    with turns.alone(attempt.order_id):
        records.sent([attempt], "It still lay in the folder as it was sent before, so nothing was sent again.")
    journal.sent([attempt.delivery])
    return True


def _rename(place: Place, attempt: Attempt) -> None:
    delivery = attempt.delivery
    with turns.alone(attempt.order_id):
        may_go = records.begin_renames([attempt])
    if not may_go:
        stop(place, attempt)
        return
    journal.before_renames([delivery])
    try:
        place.session.rename(naming.temporary_path(delivery), naming.final_path(delivery))
    except TransportError as error:
        after_refusal(place, attempt, error)
    else:
        finish(place, attempt)


def stop(place: Place, attempt: Attempt) -> None:
    """Take back a file that may not go any more. Raises TransportError."""
    # A look has found that it was not renamed; a worker that was thought dead may have done so since, and now cannot.
    is_doubtful = attempt.delivery.step == Step.RENAMING and attempt.step_back()
    tidy(place, attempt)
    if is_doubtful and place.session.size(naming.final_path(attempt.delivery)) == attempt.delivery.size:
        finish(place, attempt, "It got its name just before it could be stopped.")
        return
    attempt.stopped()


def _conclude(place: Place, attempt: Attempt, found: Found, message: str = "") -> None:
    if found == Found.DONE:
        finish(place, attempt, "A look at the server found it in its place.")
    elif found == Found.TAKEN:
        finish(place, attempt, "It is gone already: this supplier takes its files within minutes.")
    else:
        attempt.uncertain(
            f"Neither the temporary file nor this document is in “{attempt.delivery.folder}”. {message}".strip()
        )


def _look(place: Place, delivery: Delivery) -> Found:
    session = place.session
    temporary_path, final_path = naming.temporary_path(delivery), naming.final_path(delivery)
    temporary, final = session.size(temporary_path), session.size(final_path)
    if final is None and temporary is None:  # one of them should be there
        final = session.expected_size(final_path)
        temporary = session.expected_size(temporary_path) if final is None else session.size(temporary_path)
    if final is None:
        if temporary is None:
            return Found.TAKEN if _was_soon_taken(delivery) else Found.UNCERTAIN
        return Found.NOT_DONE if temporary == delivery.size else Found.SPOILT
    if final != delivery.size:
        return Found.UNCERTAIN
    if temporary is not None:
        session.delete(temporary_path)
    return Found.DONE


def _was_soon_taken(delivery: Delivery) -> bool:
    minutes = delivery.endpoint.taken_within_minutes
    if not minutes or delivery.renaming_at is None:
        return False
    return abs(timezone.now() - delivery.renaming_at) <= timedelta(minutes=minutes)  # clocks are set back, too
