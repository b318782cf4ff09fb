"""Say at the start, and not at the first token, that the keys do not fit the database."""

import logging

from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError

log = logging.getLogger(__name__)

_SONG = "This text can be read with the keys that Hemi's secrets were stored with."
_MISFIT = (
    "Hemi does not start: FIELD_ENCRYPTION_KEY cannot read what is stored in this database. Put back the key that was "
    "used before (var/keys.env on the embedded default, else the environment); several keys are separated by commas. "
    "Nothing was changed."
)


def check() -> None:
    """Read the canary row with the keys of now, making it first where there is none; raises ImproperlyConfigured."""
    canaries = apps.get_model("integrations", "KeyCanary")._default_manager
    try:
        row = canaries.order_by("pk").first()
    except ImproperlyConfigured:
        raise ImproperlyConfigured(_MISFIT) from None
    except DatabaseError as error:  # not migrated yet, or away: others say so better
        log.warning("keys.not_checked", extra={"error": type(error).__name__})
        return
    if row is None:
        canaries.create(text=_SONG)


def check_or_exit() -> None:
    """Do the same where an exception would only be logged."""
    try:
        check()
    except ImproperlyConfigured as error:
        raise SystemExit(str(error)) from None
