"""What is missing or wrong in the settings, and how to set it."""

from typing import Any

from cryptography.fernet import Fernet
from django.conf import settings
from django.core.checks import CheckMessage, Error


def check_keys(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """E001: every FIELD_ENCRYPTION_KEY is a Fernet key."""
    for number, key in enumerate(settings.FIELD_ENCRYPTION_KEY, start=1):
        try:
            Fernet(key)
        except ValueError:
            return [Error(f"Key {number} of FIELD_ENCRYPTION_KEY is not a Fernet key.", hint=_KEY_HINT, id="hemi.E001")]
    return []


_KEY_HINT = (
    "Make one with: python -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())'. "
    "Keep the keys that stored values were saved with, separated by commas."
)
