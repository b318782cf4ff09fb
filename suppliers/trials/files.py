"""A file of the trial: written, measured, renamed, listed, deleted. It never bears a name without the mark."""

from django.utils import timezone

from suppliers import naming, profiles
from suppliers.models import Endpoint
from suppliers.transports.errors import TransportError
from suppliers.trials.trial import CONTENT, Told, Trial, counted, failed, noted, passed, skipped

CLOCK_SECONDS = 120  # a difference that is worth to be told
_NO_FILE = "There is no file to try it with."


def write(trial: Trial) -> Told:
    """Write a file under a temporary name of full length, or else under a short one. Raises TransportError."""
    if not trial.may_write:
        return skipped("The server does not let Hemi delete, so the daily test writes nothing.")
    endpoint = trial.endpoint
    if endpoint.temporary_style == Endpoint.TemporaryStyle.FOLDER:
        trial.session.make_folder(endpoint.temporary_mark.rstrip("/"))
    try:
        trial.upload(trial.name("a"))
    except TransportError as error:
        if trial.is_lost:
            raise
        _write_short(trial, error)
    trial.has_file, trial.written_at = True, timezone.now()
    return passed(f"{len(CONTENT)} bytes in “{endpoint.orders_folder}”, as {trial.name('a').rpartition('/')[2]}.")


def name(trial: Trial) -> Told:
    """Say whether the longest name of the endpoint's template is taken."""
    if not trial.has_file:
        return skipped(_NO_FILE)
    longest = naming.longest_name(trial.endpoint)
    if trial.is_short:
        return failed(
            f"A short name is taken, one such as {longest} is not. Shorten the file name or its mark. {trial.fault}"
        )
    length = len(trial.name("a").rpartition("/")[2])
    return passed(f"Names such as {longest} are taken, with their mark up to {length} characters.")


def size(trial: Trial) -> Told:
    """Find out how the server tells sizes. Raises TransportError."""
    if not trial.has_file:
        return skipped(_NO_FILE)
    session, path = trial.session, trial.name("a")
    found = session.size(path)
    is_told = found is not None and not {"SIZE", "MLST"} <= getattr(session, "missing", set())
    found = session.expected_size(path) if found is None else found
    trial.learned["has_size"] = is_told
    if found != len(CONTENT):
        seen = "does not show the file that it has just taken" if found is None else f"has {found:,} bytes of it"
        return failed(f"{len(CONTENT)} bytes were written, the server {seen}.")
    if is_told:
        return passed(f"It tells the size: {found} bytes.")
    return noted(f"It does not tell the size of a file that is named; the listing does: {found} bytes. Hemi uses that.")


def rename(trial: Trial) -> Told:
    """Give the file another name. Raises TransportError."""
    if not trial.has_file:
        return skipped(_NO_FILE)
    old, new = trial.name("a"), trial.name("b")
    trial.has_file = False
    trial.vacate(new)
    trial.rename(old, new)
    if _is_there(trial, new) is False:
        return failed("The server said that it renamed, but the file is not there under its new name.")
    trial.has_file = True
    within = trial.endpoint.temporary_style == Endpoint.TemporaryStyle.FOLDER
    return passed("The file has its new name." + (" Tried inside the temporary folder only." if within else ""))


def overwrite(trial: Trial) -> Told:
    """Rename onto a file that is there. Raises TransportError."""
    if not trial.has_file:
        return skipped(_NO_FILE)
    trial.upload(trial.name("a"))
    trial.written_at = timezone.now()
    try:
        trial.rename(trial.name("a"), trial.name("b"))
    except TransportError as error:
        if trial.is_lost:
            raise
        trial.learned["overwrites"] = False
        return passed(f"It refuses to replace a file. {error.message}")
    trial.learned["overwrites"] = True
    return noted("It replaces a file that has the name already. Hemi looks before each rename.")


def listing(trial: Trial) -> Told:
    """Look whether the listing shows the file. Raises TransportError where the connection is lost."""
    if not trial.has_file:
        return skipped(_NO_FILE)
    folder, _, shown = trial.name("b").rpartition("/")
    try:
        files = trial.session.listing(folder)
    except TransportError as error:
        if trial.is_lost:  # which says nothing of the listing
            raise
        trial.learned["can_list"] = False
        return noted(f"It lists nothing. {error.message}")
    trial.entry = files.get(shown)
    trial.learned["can_list"] = trial.entry is not None or shown.startswith(".")
    if trial.entry is None:
        return noted("The listing does not show the file, though it is there. Hemi does not rely on the listing.")
    return passed(f"It shows the file, of {counted(len(files))}.")


def clock(trial: Trial) -> Told:
    """Compare the server's clock with ours."""
    if not trial.has_file:
        return skipped(_NO_FILE)
    if trial.entry is None or trial.entry.modified_at is None:
        return skipped("The server does not tell when a file was written.")
    difference = round((trial.entry.modified_at - trial.written_at).total_seconds())
    trial.learned["clock_difference"] = difference
    told = profiles.clock(difference)
    return noted(f"{told} Hemi allows for it.") if abs(difference) >= CLOCK_SECONDS else passed(told)


def done_file(trial: Trial) -> Told:
    """Write an empty file such as the done-file. Raises TransportError."""
    suffix = trial.endpoint.done_suffix
    if not suffix:
        return skipped("The supplier wants none.")
    if not trial.has_file:
        return skipped(_NO_FILE)
    trial.upload(trial.name("d", suffix), b"")
    return passed(f"An empty file with {suffix} in its name is taken.")


def delete(trial: Trial) -> Told:
    """Delete whatever the trial wrote. Raises TransportError where the connection is lost."""
    if not trial.has_file:
        return skipped(_NO_FILE)
    try:
        trial.delete()
    except TransportError as error:
        if trial.is_lost:
            raise
        trial.learned["can_delete"] = False
        return noted(f"It does not let Hemi delete, so files of tests and of failed tries stay. {error.message}")
    trial.learned["can_delete"] = True
    if _is_there(trial, trial.name("b")):
        return failed("The server said that it deleted, but the file is still there.")
    return passed("The files of this test are gone again.")


def _is_there(trial: Trial, path: str) -> bool | None:
    """Tell whether there is such a file; None where the server shows nothing."""
    try:
        return trial.session.expected_size(path) is not None
    except TransportError:
        if trial.is_lost:
            raise
        return None


def _write_short(trial: Trial, error: TransportError) -> None:
    trial.is_short, trial.fault = True, error.message
    try:
        trial.upload(trial.name("a"))
    except TransportError:
        raise error from None
