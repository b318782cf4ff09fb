"""The settings, the keys and the files that hold them."""

import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core import checks
from django.core.exceptions import ImproperlyConfigured

from hemi import canary
from hemi.doctor.findings import Finding, problem, warning, well

_OF_HTTPS = ("security.W004", "security.W008", "security.W012", "security.W016")


def look(*, connect: bool) -> Iterator[Finding]:
    """Look at every setting and the files that hold them; the database is not asked."""
    found = list(_checks())
    yield from found or [well("settings", "every system check passes")]
    yield from _wishes()
    yield from _files()


def look_at_stored(*, connect: bool) -> Iterator[Finding]:
    """Look at the keys by what they are to read, and whether somebody can administer Hemi."""
    yield _keys()
    yield from _told(checks.run_checks(tags=[checks.Tags.database], databases=["default"]))
    if not get_user_model().objects.filter(is_active=True, is_superuser=True).exists():
        yield problem("people", "nobody can administer Hemi", "Make a user: python manage.py createsuperuser")


def _checks() -> Iterator[Finding]:
    is_try_out = settings.DEBUG or settings.SANDBOX
    yield from _told(checks.run_checks(include_deployment_checks=not is_try_out))


def _told(messages: Iterable[checks.CheckMessage]) -> Iterator[Finding]:
    for message in messages:
        if not message.is_silenced():
            make = problem if message.level >= checks.ERROR else warning
            yield make(f"setting {message.id}", str(message.msg), str(message.hint or _mend(str(message.id))))


def _mend(check_id: str) -> str:
    if check_id in _OF_HTTPS:
        return "Set HEMI_BASE_URL to Hemi's public https address: then Hemi sets it by itself."
    if check_id == "security.W009":
        return "Make another SECRET_KEY as .env.example says. Everybody logs in again."
    return f"See {check_id} at https://docs.djangoproject.com/en/5.2/ref/checks/."


def _wishes() -> Iterator[Finding]:
    if settings.DEBUG:
        yield warning("setting DEBUG", "errors are shown to whoever causes them", "Remove DEBUG from the environment.")
    if settings.METRICS_TOKEN and len(settings.METRICS_TOKEN) < 16:
        yield warning(
            "setting METRICS_TOKEN",
            "it is short enough to be guessed",
            "Make one: python -c 'import secrets; print(secrets.token_urlsafe(32))'",
        )
    if not settings.REQUIRE_SECOND_FACTOR:
        yield warning(
            "setting REQUIRE_SECOND_FACTOR",
            "a password alone lets staff in",
            "Set REQUIRE_SECOND_FACTOR=true; each is led through the set-up at the next login.",
        )
    if not settings.BACKUP_KEY:
        yield warning(
            "setting BACKUP_KEY", "no backup can be made", "Set it as .env.example says, and keep a copy elsewhere."
        )


def _files() -> Iterator[Finding]:
    for path in (settings.ENV_FILE, settings.VAR_DIR / "keys.env"):
        if path.is_file() and _is_open(path):
            yield problem(
                f"file {path}", "others on this machine can read the secrets in it", f"Close it: chmod o-rwx,g-w {path}"
            )


def _is_open(path: Path) -> bool:
    """A group of its own may read it, as install.sh sets it up; others may not."""
    return bool(path.stat().st_mode & (stat.S_IWGRP | stat.S_IROTH | stat.S_IWOTH))


def _keys() -> Finding:
    try:
        canary.check()
    except ImproperlyConfigured as error:
        return problem("keys", str(error), "Put the key back that was used before, beside the others.")
    count = len(settings.FIELD_ENCRYPTION_KEY)
    if count > 1:
        return warning(
            "keys",
            f"they fit; {count} are in use",
            "Have everything encrypted with the first: python manage.py rotate_encryption_key. Then remove the others.",
        )
    return well("keys", "they fit what is stored")
