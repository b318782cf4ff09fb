"""The folders beside that of the orders: looked into, and moved into as replies are."""

from suppliers import connections
from suppliers.models import Endpoint
from suppliers.transports.errors import TransportError
from suppliers.trials.trial import Told, Trial, counted, failed, passed, skipped


def orders(trial: Trial) -> Told:
    """Look into the folder for orders; a server that lists nothing may still take files."""
    folder = trial.endpoint.orders_folder
    try:
        count = len(trial.session.listing(folder))
    except TransportError as error:
        if trial.is_lost:
            raise
        return skipped(f"“{folder}” cannot be looked into; the file below shows whether it is there. {error.message}")
    return passed(f"“{folder}” has {counted(count)}.")


def replies(trial: Trial) -> Told:
    """Look into the folders in which the supplier says something. Raises TransportError."""
    endpoint = trial.endpoint
    wanted = [endpoint.replies_folder, endpoint.done_folder, endpoint.failed_folder]
    told, faults = [], []
    for folder in filter(None, wanted):
        try:
            told.append(f"“{folder}” has {counted(len(trial.session.listing(folder)))}.")
        except TransportError as error:
            if trial.is_lost:
                raise
            faults.append(f"“{folder}” cannot be looked into. {error.message}")
    if faults:
        return failed(" ".join(faults))
    return passed(" ".join(told)) if told else skipped("No folder is named here in which the supplier replies.")


def archives(trial: Trial) -> Told:
    """Move a file to where replies go once they are read. Raises TransportError."""
    endpoint = trial.endpoint
    archive = endpoint.archive_folder if endpoint.after_reading == Endpoint.AfterReading.ARCHIVE else ""
    folders = [folder for folder in (archive, endpoint.unreadable_folder) if folder]
    if not folders:
        return skipped("Replies are deleted once they are read.")
    if not trial.has_file:
        return skipped("There is no file to try it with.")
    faults = []
    for folder in folders:
        try:
            _move(trial, folder)
        except TransportError as error:
            if trial.is_lost:
                raise
            faults.append(f"Nothing can be moved to “{folder}”. {error.message}")
    if faults:
        return failed(" ".join(faults))
    return passed(f"A file can be moved to {', '.join(f'“{folder}”' for folder in folders)}.")


def _move(trial: Trial, folder: str) -> None:
    old = trial.name("e")
    new = connections.path(folder, old.rpartition("/")[2])
    trial.vacate(new)
    trial.upload(old)
    trial.rename(old, new)
