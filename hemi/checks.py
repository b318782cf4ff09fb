"""What is missing or wrong in the settings, and how to set it."""

import re
from email.utils import parseaddr
from typing import Any
from urllib.parse import urlsplit

from cryptography.fernet import Fernet
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import DatabaseError
from django.http.request import validate_host

from hemi import keys
from hemi.lib import sealed


def check_keys(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """E001: every FIELD_ENCRYPTION_KEY is a Fernet key."""
    for number, key in enumerate(settings.FIELD_ENCRYPTION_KEY, start=1):
        try:
            Fernet(key)
        except ValueError:
            return [Error(f"Key {number} of FIELD_ENCRYPTION_KEY is not a Fernet key.", hint=_KEY_HINT, id="hemi.E001")]
    return []


def check_shop_url(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """E002: tokens and codes go to Shopify and to nobody else."""
    url, is_try_out = settings.SHOPIFY_SHOP_URL, settings.DEBUG or settings.SANDBOX
    if "{shop}" in url and (url == SHOPIFY or is_try_out):
        return []
    return [
        Error(
            "SHOPIFY_SHOP_URL is not Shopify's address.",
            hint=f"Remove SHOPIFY_SHOP_URL from the environment (it is then {SHOPIFY}). Another one, with {{shop}} in "
            "it, is for the sandbox and for DEBUG only: whoever answers there is given the apps' secrets.",
            id="hemi.E002",
        )
    ]


def check_base_url(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """W001, W002: Shopify finds Hemi at a public https address."""
    url = settings.HEMI_BASE_URL
    if not url:
        said = "HEMI_BASE_URL is not set: no store can be connected and no webhook subscribed."
        return [
            Warning(said, hint="Set it to Hemi's public address, such as https://hemi.example.com.", id="hemi.W001")
        ]
    if not url.startswith("https://") and not (settings.DEBUG or settings.SANDBOX):
        said = f"HEMI_BASE_URL ({url}) does not begin with https://: Shopify posts webhooks to nothing else."
        hint = "Put a proxy with a certificate in front of Hemi and set HEMI_BASE_URL to its https address."
        return [Warning(said, hint=hint, id="hemi.W002")]
    return []


def check_mail(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """W003 to W005: install links and alerts can be mailed."""
    found: list[CheckMessage] = []
    if not settings.IS_MAIL_SET:
        said = "No mail server is set: install links and staff alerts are not mailed."
        hint = "Set EMAIL_URL, such as smtp+tls://user:password@mail.example.com:587, and DEFAULT_FROM_EMAIL."
        found.append(Warning(said, hint=hint, id="hemi.W003"))
    if not settings.STAFF_ALERT_EMAILS:
        said = "STAFF_ALERT_EMAILS is empty: nobody is told when something needs a person."
        hint = "Set it to the addresses of staff, separated by commas. Until then look at Staff alerts in the admin."
        found.append(Warning(said, hint=hint, id="hemi.W004"))
    if settings.IS_MAIL_SET and not _is_sender(settings.DEFAULT_FROM_EMAIL):
        said = "DEFAULT_FROM_EMAIL is no address that other mail servers take mail from."
        hint = "Set it to an address of your own domain, such as Hemi <hemi@example.com>."
        found.append(Warning(said, hint=hint, id="hemi.W005"))
    return found


def check_secrets(app_configs: Any, databases: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """W010: every stored secret can be read; asked by `check --database default`, and by `migrate`."""
    try:
        lost = keys.survey().lost if databases else []
    except DatabaseError:  # not migrated yet
        return []
    hint = "Put the key that they were saved with at the end of FIELD_ENCRYPTION_KEY, or enter them anew."
    return [Warning(f"No key of FIELD_ENCRYPTION_KEY reads {place}.", hint=hint, id="hemi.W010") for place in lost]


def check_values(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """E003 to E008: values that can be read, but that nothing would work with."""
    return [
        Error(f"{name} {said}", hint=hint, id=check_id)
        for check_id, name, is_right, said, hint in _VALUES
        if not is_right(getattr(settings, name))
    ]


def _is_version(text: str) -> bool:
    return bool(re.fullmatch(r"20\d\d-(01|04|07|10)|unstable", text))


def _is_web_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return False


def _are_addresses(texts: list[str]) -> bool:
    try:
        for text in texts:
            validate_email(text)
    except ValidationError:
        return False
    return True


def _is_sender(text: str) -> bool:
    address = parseaddr(text)[1]
    return _are_addresses([address]) and not address.endswith("@localhost")


def _answers_for_base_url(hosts: list[str]) -> bool:
    host = urlsplit(settings.HEMI_BASE_URL).hostname
    return not host or validate_host(host, hosts)


def _holds_webhooks(size: int | None) -> bool:
    return size is None or size >= settings.WEBHOOK_MAX_BYTES


def _are_backup_keys(texts: list[str]) -> bool:
    try:
        return all(sealed.key(text) for text in texts)
    except ValueError:
        return False


_VALUES = (
    (
        "hemi.E003",
        "SHOPIFY_API_VERSION",
        _is_version,
        "is no version of Shopify's API.",
        "Set it to a quarter's version, such as 2026-10, or remove it from the environment.",
    ),
    (
        "hemi.E004",
        "HEMI_LANDING_URL",
        _is_web_address,
        "is no web address.",
        "Set it to an address that begins with https://, such as https://hemi.ai.",
    ),
    (
        "hemi.E005",
        "STAFF_ALERT_EMAILS",
        _are_addresses,
        "has an entry that is no mail address.",
        "Set it to addresses separated by commas, such as ann@example.com,ben@example.com.",
    ),
    (
        "hemi.E006",
        "DATA_UPLOAD_MAX_MEMORY_SIZE",
        _holds_webhooks,
        "is less than WEBHOOK_MAX_BYTES: larger webhooks would be refused.",
        "Leave it as Hemi sets it, or lower WEBHOOK_MAX_BYTES.",
    ),
    (
        "hemi.E007",
        "BACKUP_KEY",
        _are_backup_keys,
        "has a key that cannot be used.",
        "Make one as .env.example says: 32 bytes in base64. Keep those that backups were made with, after a comma.",
    ),
    (
        "hemi.E008",
        "ALLOWED_HOSTS",
        _answers_for_base_url,
        "lacks the host of HEMI_BASE_URL: every page would be answered with 400.",
        "Add that host, or remove ALLOWED_HOSTS from the environment (Hemi then answers for it).",
    ),
)
SHOPIFY = "https://{shop}.myshopify.com"
_KEY_HINT = (
    "Make one with: python -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())'. "
    "Keep the keys that stored values were saved with, separated by commas."
)
