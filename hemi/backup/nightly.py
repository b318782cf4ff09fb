"""Tell staff of what failed by the clock: nobody reads the journal of a timer."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from django.db import DatabaseError

from hemi.backup.manifest import FAILURES
from integrations import alerts

log = logging.getLogger(__name__)

BACKUP, REHEARSAL, JOURNAL = "backup", "rehearsal", "journal_copy"
_ABOUT = "this server"
_TOLD = {
    BACKUP: ("No backup could be made", "Mend what it says, then make one by hand: hemi backup"),
    REHEARSAL: (
        "The newest backup could not be restored for a trial",
        "Until this is mended do not count on the backups. Mend what it says, then: hemi rehearse_restore",
    ),
    JOURNAL: (
        "The journal of what was sent is not copied",
        "If this server is lost now, a restore cannot tell what was sent. Mend what it says; it is tried each minute.",
    ),
}


def silence(text: str) -> None:
    """Take what a command would say to a person: by the clock the log says it."""


@contextmanager
def told(kind: str) -> Iterator[None]:
    """Raise a staff alert where it fails, which the next time that goes well clears. The failure is raised on."""
    subject, mend = _TOLD[kind]
    try:
        yield
    except FAILURES as error:
        log.error("nightly.failed", extra={"kind": kind, "error": str(error)})
        with suppress(DatabaseError):  # away: others say so
            alerts.raise_alert(kind, _ABOUT, subject, f"{error}\n\n{mend}")
        raise
    log.info("nightly.done", extra={"kind": kind})
    with suppress(DatabaseError):
        alerts.clear_alert(kind, _ABOUT)
