"""The whole round of the doctor's."""

from collections.abc import Callable, Iterator

from django.db import DatabaseError

from hemi.doctor import endpoints, machine, services, setup, stores
from hemi.doctor.findings import Finding, Level, problem

_LOOKS: tuple[tuple[str, Callable[..., Iterator[Finding]]], ...] = (
    ("settings", setup.look),
    ("services", services.look),
    ("machine", machine.look),
    ("stores", stores.look),
    ("endpoints", endpoints.look),
)


def go(*, connect: bool) -> Iterator[Finding]:
    """Yield what is found, as it is found. `connect` asks stores and suppliers' servers, too."""
    for finding in services.database(connect=connect):
        yield finding
        if finding.level == Level.PROBLEM:
            return  # everything else is read from there
    for name, look in _LOOKS:
        try:
            yield from look(connect=connect)
        except DatabaseError as error:
            yield problem(name, f"it could not be looked at ({type(error).__name__})", "See to the database first.")
