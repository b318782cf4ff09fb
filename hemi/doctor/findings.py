"""What the doctor found: how grave it is, about what, and what mends it."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import unquote, urlsplit

from django.conf import settings


class Level(StrEnum):
    """A problem keeps something from working; a warning is worth to be mended."""

    WELL = "ok"
    WARNING = "warning"
    PROBLEM = "PROBLEM"


@dataclass(frozen=True)
class Finding:
    """One line of the doctor's."""

    level: Level
    about: str
    text: str
    mend: str = ""


def well(about: str, text: str) -> Finding:
    """It is as it should be."""
    return Finding(Level.WELL, about, text)


def warning(about: str, text: str, mend: str) -> Finding:
    """It works, and would better be otherwise."""
    return Finding(Level.WARNING, about, text, mend)


def problem(about: str, text: str, mend: str) -> Finding:
    """It does not work."""
    return Finding(Level.PROBLEM, about, text, mend)


def without_secrets(text: str) -> str:
    """Return the text with every secret of the settings taken out: other programs' errors may quote them."""
    for secret in sorted(filter(lambda known: len(known) > 3, _secrets()), key=len, reverse=True):
        text = text.replace(secret, "***")
    return text


def _secrets() -> Iterable[str]:
    yield from (settings.SECRET_KEY, settings.METRICS_TOKEN, settings.SENTRY_DSN)
    yield from (*settings.FIELD_ENCRYPTION_KEY, *settings.BACKUP_KEY)
    yield settings.EMAIL_CONFIG.get("EMAIL_HOST_PASSWORD") or ""
    yield settings.DATABASES["default"].get("PASSWORD") or ""
    for address in (settings.CELERY_BROKER_URL, str(settings.CACHES["default"].get("LOCATION", ""))):
        password = urlsplit(address).password or ""
        yield from (password, unquote(password))
