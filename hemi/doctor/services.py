"""What Hemi stands on: database, broker, cache, its own workers and beat, the mail server, its public address."""

import socket
import ssl
from collections.abc import Iterator
from datetime import datetime
from smtplib import SMTPAuthenticationError
from time import time
from urllib.parse import urlsplit

import requests
from django.conf import settings
from django.core.cache import cache
from django.core.mail import get_connection
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone
from redis.exceptions import RedisError

from hemi import health, pulse
from hemi.doctor.findings import Finding, problem, warning, well
from hemi.lib import mailing

_SMTP = "django.core.mail.backends.smtp.EmailBackend"
LAST_DAYS = 10  # certbot renews when a third of the time is left, of 45 days say
_PROBE = "hemi.doctor"
_SERVICES = {pulse.BEAT: "hemi-beat", pulse.WORK: "hemi-worker", pulse.DELIVERY: "hemi-delivery"}


def database(*, connect: bool) -> Iterator[Finding]:
    """Look at the database; what else is looked at needs it."""
    if (said := health.database()) != "ok":
        yield problem("database", f"it does not answer ({said})", "Start it, or mend DATABASE_URL.")
        return
    executor = MigrationExecutor(connection)
    waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if waiting:
        yield problem("database", f"{len(waiting)} migrations wait", "Run: python manage.py migrate")
        return
    yield well("database", f"{connection.vendor} answers, and every migration is applied")


def look(*, connect: bool) -> Iterator[Finding]:
    """Look at the other services."""
    said = health.broker()
    mend = "Start Redis or mend CELERY_BROKER_URL; without it set, see that HEMI_VAR can be written."
    yield well("broker", "it answers") if said == "ok" else problem("broker", f"it does not answer ({said})", mend)
    yield _cache()
    yield from (_part(name, at) for name, at in pulse.last().items())
    yield from _mail()
    if connect and settings.HEMI_BASE_URL:
        yield _public()
        yield from _certificate()


def _cache() -> Finding:
    try:
        cache.set(_PROBE, "ok", 10)
        is_kept = cache.get(_PROBE) == "ok"
    except (OSError, RedisError) as error:
        return problem("cache", f"it does not answer ({type(error).__name__})", "Start Redis, or mend CACHE_URL.")
    return well("cache", "it keeps what it is given") if is_kept else problem("cache", "it forgets", "Mend CACHE_URL.")


def _part(name: str, at: datetime | None) -> Finding:
    what, service = pulse.PARTS[name], _SERVICES[name]
    mend = f"Start it (systemctl restart {service}; `make run` starts all) and read: journalctl -u {service} -o cat"
    if at is None:
        return problem(name, f"{what}: never heard of", mend)
    seconds = int((timezone.now() - at).total_seconds())
    if seconds > pulse.LATE_SECONDS:
        return problem(name, f"{what}: last heard of {seconds} seconds ago", mend)
    return well(name, f"{what}: at work {max(0, seconds)} seconds ago")


def _mail() -> Iterator[Finding]:
    if settings.EMAIL_BACKEND != _SMTP or not settings.IS_MAIL_SET:
        return  # the system checks say so
    link = get_connection()
    where = f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT}"
    try:
        link.open()
        link.close()
    except SMTPAuthenticationError:
        yield problem("mail", f"{where} refuses user or password", "Mend them in EMAIL_URL.")
    except mailing.ERRORS as error:
        mend = "Mend EMAIL_URL (scheme, host and port), or let this machine reach the mail server."
        yield problem("mail", f"{where} does not take mail ({type(error).__name__})", mend)
    else:
        yield well("mail", f"{where} lets Hemi in")


def _public() -> Finding:
    address = f"{settings.HEMI_BASE_URL}/healthz"
    try:
        answer = requests.get(address, timeout=10, allow_redirects=False)
    except requests.exceptions.SSLError:
        return problem("address", f"{address}: its certificate is not good", "Renew it: certbot renew")
    except requests.RequestException as error:
        mend = "See to DNS, firewall and nginx; Shopify must reach it, too."
        return problem("address", f"{address} does not answer ({type(error).__name__})", mend)
    if answer.status_code != 200:
        return problem("address", f"{address} answers {answer.status_code}", "Let nginx pass it on to Hemi.")
    return well("address", f"{address} answers")


def _certificate() -> Iterator[Finding]:
    """Warn where the certificate was not renewed in time; that it is bad already is said of the address."""
    place = urlsplit(settings.HEMI_BASE_URL)
    if place.scheme != "https" or not place.hostname:
        return
    try:
        with (
            socket.create_connection((place.hostname, place.port or 443), timeout=10) as link,
            ssl.create_default_context().wrap_socket(link, server_hostname=place.hostname) as tls,
        ):
            ends_at = ssl.cert_time_to_seconds(str((tls.getpeercert() or {})["notAfter"]))
    except OSError:
        return
    days = int((ends_at - time()) / 86400)
    if days < LAST_DAYS:
        mend = "See why it was not renewed: certbot renew --dry-run; systemctl status certbot.timer"
        yield warning("certificate", f"it ends in {days} days", mend)
    else:
        yield well("certificate", f"good for {days} more days")
