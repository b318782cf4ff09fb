"""The whole round of the doctor's."""

from collections.abc import Callable, Iterator

from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError

from hemi.doctor import endpoints, machine, services, setup, stores
from hemi.doctor.findings import Finding, Level, problem

_Look = Callable[..., Iterator[Finding]]
_WITHOUT_DATABASE: tuple[tuple[str, _Look], ...] = (("settings", setup.look), ("machine", machine.look))
_LOOKS: tuple[tuple[str, _Look], ...] = (
    ("keys", setup.look_at_stored),
    ("services", services.look),
    ("stores", stores.look),
    ("endpoints", endpoints.look),
)


def go(*, connect: bool) -> Iterator[Finding]:
    """Yield what is found, as it is found. `connect` asks stores and suppliers' servers, too."""
    yield from _each(_WITHOUT_DATABASE, connect=connect)
    for finding in services.database(connect=connect):
        yield finding
        if finding.level == Level.PROBLEM:
            return  # everything else is read from there
    yield from _each(_LOOKS, connect=connect)


def _each(looks: tuple[tuple[str, _Look], ...], *, connect: bool) -> Iterator[Finding]:
    for name, look in looks:
        try:
            yield from look(connect=connect)
        except DatabaseError as error:
            yield problem(name, f"it could not be looked at ({type(error).__name__})", "See to the database first.")
        except ImproperlyConfigured as error:  # a stored secret that no key reads
            yield problem(name, f"it could not be looked at: {error}", "See to the keys first.")
