"""The steps of a trial in their order."""

import time
from collections.abc import Callable
from typing import Any

from suppliers.transports.errors import Crowded, TransportError
from suppliers.trials import arrival, crowds, files, folders
from suppliers.trials.trial import Outcome, Told, Trial, failed, skipped

Step = Callable[[Trial], Told]
Tell = Callable[[dict[str, Any]], None]

_STEPS: list[tuple[str, Step]] = [
    ("Find the server", arrival.resolve),
    ("Connect", arrival.connect),
    ("Identity", arrival.identity),
    ("Log in", arrival.log_in),
    ("Folder for orders", folders.orders),
    ("Write a file", files.write),
    ("File name", files.name),
    ("Size", files.size),
    ("Rename", files.rename),
    ("Rename onto a file", files.overwrite),
    ("List", files.listing),
    ("Clock", files.clock),
    ("TLS session", arrival.tls),
    ("Done-file", files.done_file),
    ("Folders for read replies", folders.archives),
    ("Several commands at once", crowds.pipeline),
    ("Delete", files.delete),
    ("Folder of replies", folders.replies),
    ("Sessions at once", crowds.sessions),
]
COUNT = len(_STEPS)
_UNREACHED = "{} more were not tried, as the session could not be opened."


def run(trial: Trial, tell: Tell) -> bool:
    """Take all steps and tell each as soon as it is done; return whether none failed. Raises Crowded."""
    outcomes = set()
    try:
        for done, (name, step) in enumerate(_STEPS, start=1):
            started = time.monotonic()
            told = _take(trial, step)
            outcomes.add(told.outcome)
            tell(_row(name, told, time.monotonic() - started))
            if trial.refusal and told.outcome == Outcome.FAILED:
                tell(_row("All further steps", skipped(_UNREACHED.format(COUNT - done)), 0))
                break
    finally:
        left = trial.end()
    if left:
        tell(_row("Clear away", failed(left), 0))
    return Outcome.FAILED not in outcomes and not left


def _take(trial: Trial, step: Step) -> Told:
    try:
        return step(trial)
    except Crowded:
        raise
    except TransportError as error:
        return failed(error.message)


def _row(name: str, told: Told, seconds: float) -> dict[str, Any]:
    return {"name": name, "outcome": str(told.outcome), "text": told.text, "seconds": round(seconds, 2)}
