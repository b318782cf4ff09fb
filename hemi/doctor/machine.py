"""The machine: room on its disks, its clock, backups, the journal of what was sent."""

import ctypes
import os
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import requests
from django.conf import settings
from django.db import DatabaseError, connection
from django.utils import timezone

from hemi.doctor.findings import Finding, problem, warning, well
from hemi.metrics import machine
from integrations.models import AccountShopify

LITTLE, TOO_LITTLE = 0.1, 0.02
OLD_BACKUP_HOURS = 36
MOST_SECONDS_OFF = 30  # signatures of proxies and tokens are good for minutes
_FAILED_UNITS = ["systemctl", "list-units", "--state=failed", "--plain", "--no-legend", "hemi-*", "nginx*", "certbot*"]
_UNSYNCHRONISED = 5  # what adjtimex(2) returns where nothing keeps the clock right
_KEEP_TIME = "Have the clock kept right: apt install systemd-timesyncd; timedatectl set-ntp true"


def look(*, connect: bool) -> Iterator[Finding]:
    """Look at disks, clock and backups."""
    for folder, free, ratio in machine.disks():
        yield _disk(folder, free, ratio)
    yield from _folders()
    yield from _units()
    yield from _clock(connect=connect)
    yield from _backup()


def _disk(folder: str, free: int, ratio: float) -> Finding:
    text = f"{free / 1e9:,.1f} GB ({ratio:.0%}) are free"
    if ratio >= LITTLE:
        return well(f"disk of {folder}", text)
    make = problem if ratio < TOO_LITTLE else warning
    return make(f"disk of {folder}", text, "Make room; docs/runbook.md (HemiDiskFull) says where.")


def _folders() -> Iterator[Finding]:
    for name in ("VAR_DIR", "JOURNAL_DIR", "BACKUP_DIR"):
        folder = getattr(settings, name)
        if folder.exists() and not os.access(folder, os.W_OK):
            yield problem(f"folder {folder}", "Hemi may not write there", f"chown it to Hemi's user: {folder}")


def _units() -> Iterator[Finding]:
    """Name what systemd gave up, where it runs: a timer's work that failed is seen nowhere else."""
    try:
        said = subprocess.run(_FAILED_UNITS, capture_output=True, text=True, timeout=10, check=True).stdout  # noqa: S603
    except (OSError, subprocess.SubprocessError):  # not here
        return
    for unit in (line.split()[0] for line in said.splitlines() if line.strip()):
        mend = f"Read why: journalctl -u {unit} -o cat -n 50. Mend it, then: systemctl restart {unit}"
        yield problem(f"unit {unit}", "systemd says that it failed", mend)


def _clock(*, connect: bool) -> Iterator[Finding]:
    off = _seconds_off(connect=connect)
    if off is not None and abs(off) > MOST_SECONDS_OFF:
        yield problem("time", f"this machine's clock is {off:+.0f} seconds off", _KEEP_TIME)
    elif not _is_kept():
        yield warning("time", "nothing keeps this machine's clock right", _KEEP_TIME)
    else:
        yield well("time", f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC, and kept right")


def _seconds_off(*, connect: bool) -> float | None:
    """Compare with a clock that is not ours: Shopify's, or that of the database's server."""
    try:
        if connect and (account := AccountShopify.objects.exclude(access_token="").defer("access_token").first()):  # noqa: S106
            said = requests.head(account.store_url, timeout=10, allow_redirects=False).headers.get("Date", "")
            return (timezone.now() - parsedate_to_datetime(said)).total_seconds()
        if connection.vendor != "postgresql":
            return None
        with connection.cursor() as cursor:
            cursor.execute("SELECT clock_timestamp()")
            return (timezone.now() - cursor.fetchone()[0]).total_seconds()
    except (requests.RequestException, ValueError, TypeError, DatabaseError):
        return None


def _is_kept() -> bool:
    """Ask the kernel; where it cannot be asked nothing is said against the clock."""
    buffer = ctypes.create_string_buffer(512)  # struct timex, with modes 0: read only
    try:
        return ctypes.CDLL(None).adjtimex(buffer) != _UNSYNCHRONISED
    except (AttributeError, OSError):
        return True


def _backup() -> Iterator[Finding]:
    age = machine.backup_age()
    if age is None:
        return  # without a key none is made, which is said of the setting
    if connection.vendor == "postgresql" and not shutil.which("pg_dump"):
        yield problem("backup", "pg_dump is not here, so none can be made", "apt install postgresql-client")
    mend = "Make one: python manage.py backup; then see to its timer."
    if age == float("inf"):
        yield problem("backup", f"there is none in {settings.BACKUP_DIR}", mend)
    elif age > OLD_BACKUP_HOURS * 3600:
        yield problem("backup", f"the newest is {age / 3600:.0f} hours old", mend)
    else:
        yield well("backup", f"the newest is {age / 3600:.0f} hours old")
