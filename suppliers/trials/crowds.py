"""Several commands at once, and several sessions at once."""

import contextlib

from suppliers.transports import opening
from suppliers.transports.errors import TransportError
from suppliers.transports.ftp import FtpSession
from suppliers.transports.pipelining import FtpLine
from suppliers.transports.session import Session
from suppliers.transports.steps import Done, Rename, Upload
from suppliers.trials.trial import CONTENT, Told, Trial, noted, passed, skipped

_ONE_BY_ONE = "Hemi sends one command after the other."


def pipeline(trial: Trial) -> Told:
    """Bring files as the outbox does where the server allows it; also where the connection is lost it is noted."""
    if not trial.is_ftp:
        return skipped("SFTP is made for it.")
    if not trial.has_file:
        return skipped("There is no file to try it with.")
    session = trial.session
    if not isinstance(session, FtpSession) or "SIZE" in session.missing:
        return skipped(f"It needs SIZE. {_ONE_BY_ONE}")
    trial.learned["can_pipeline"] = False
    if fault := _fault(trial, session):
        return noted(f"The server does not take several commands at once. {_ONE_BY_ONE} {fault}")
    trial.learned["can_pipeline"] = True
    return passed("Commands that leave together are answered rightly and in turn.")


def sessions(trial: Trial) -> Told:
    """Log in as often at once as the endpoint says. Raises nothing: fewer sessions are fine."""
    wanted = trial.endpoint.max_sessions
    if wanted == 1:
        return skipped("One session is set.")
    _ = trial.session
    others: list[Session] = []
    words = ""
    try:
        while len(others) + 1 < wanted:
            others.append(opening.open_session(trial.server, others=1 + len(others)))
    except TransportError as error:
        words = error.message
    finally:
        for session in others:
            with contextlib.suppress(TransportError):
                session.close()
    count = 1 + len(others)
    # Only a limit is kept, so that staff may ask for more where all were let in.
    trial.learned["max_sessions"] = count if count < wanted else None
    if count < wanted:
        return noted(f"It lets in {count} of {wanted}; Hemi uses no more. {words}")
    return passed(f"It lets in all {wanted}.")


def _fault(trial: Trial, session: FtpSession) -> str:
    """Bring two files, the first being renamed while the second is on its way; return what went wrong."""
    old, new, other = trial.name("f"), trial.name("g"), trial.name("h")
    trial.expect(old, new, other)
    trial.vacate(new)
    line = FtpLine(session)
    first = line.step(None, Upload(old, new, CONTENT))
    if fault := _of(first):
        return fault
    second = line.step(Rename(old, new), Upload(other, old, CONTENT))
    if fault := _of(second):
        return fault
    try:
        is_right = session.size(new) == len(CONTENT) and session.size(old) is None
    except TransportError as error:
        return error.message
    if not is_right:
        return "The rename was not carried out."
    trial.forget(old)
    return ""


def _of(done: Done) -> str:
    if error := done.upload_error or done.rename_error:
        return error.message
    if done.is_taken or done.size != len(CONTENT):
        return f"Of {len(CONTENT)} bytes it told {done.size or 0}."
    return ""
