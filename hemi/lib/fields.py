"""Encrypted text for tokens and secrets: django-encrypted-model-fields with its dangerous edges closed. And addresses.

The edges are listed in docs/decisions/encrypted-fields.md; each has a test in hemi/tests/test_fields.py.
"""

from typing import Any

from cryptography.fernet import InvalidToken
from django.core.exceptions import FieldError, ImproperlyConfigured
from django.db import models
from encrypted_model_fields import fields as vendor

MASK = "••••••••"


class Secret(str):
    """A decrypted value whose repr never shows it."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<Secret {MASK}>" if self else "<Secret empty>"


class EncryptedTextField(vendor.EncryptedTextField):
    """Text stored as a Fernet token; an empty string is stored as it is, so that "is set" can be asked in SQL.

    Raises ImproperlyConfigured on reading a value that none of the keys in FIELD_ENCRYPTION_KEY decrypts.
    """

    def to_python(self, value: Any) -> Any:
        return value if value is None else Secret(value)

    def from_db_value(self, value: str | None, *args: Any) -> Secret | None:
        if not value:
            return None if value is None else Secret()
        try:
            return Secret(vendor.decrypt_str(value))
        except InvalidToken:
            raise ImproperlyConfigured(
                f"{self.model._meta.label}.{self.name} was encrypted with a key that is not in FIELD_ENCRYPTION_KEY. "
                "Put the key it was saved with back (several keys are separated by commas)."
            ) from None

    def get_db_prep_save(self, value: Any, connection: Any) -> str | None:
        if value is not None and not isinstance(value, str):
            raise FieldError(f"{self.name} is encrypted and takes text only, not an expression.")
        return vendor.encrypt_str(value).decode() if value else value

    def get_lookup(self, lookup_name: str) -> Any:
        # Equal texts encrypt to different values: only "is it set" has an answer.
        if lookup_name == "isnull" or lookup_name == "exact":
            return _BlankOnly if lookup_name == "exact" else super().get_lookup(lookup_name)
        raise FieldError(f"{self.name} is encrypted: it cannot be searched or compared.")

    def value_to_string(self, obj: models.Model) -> str:
        return ""  # secrets leave Hemi in an encrypted backup only, never in a fixture


class _BlankOnly(models.lookups.Exact):
    """Allow comparing an encrypted column with the empty string, and with nothing else."""

    def get_prep_lookup(self) -> str:
        if self.rhs != "":
            raise FieldError(f"{self.lhs.target.name} is encrypted: it can only be compared with an empty text.")
        return ""

    def get_db_prep_lookup(self, value: Any, connection: Any) -> tuple[str, Any]:
        return "%s", [""]


class AddressField(models.URLField):
    """An address of the web; https:// is meant where a person types no scheme."""

    def formfield(self, **kwargs: Any) -> Any:
        return super().formfield(**{"assume_scheme": "https", **kwargs})

    def deconstruct(self) -> tuple[str, str, Any, Any]:
        name, _, args, kwargs = super().deconstruct()
        return str(name), "django.db.models.URLField", args, kwargs
