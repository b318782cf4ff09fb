"""A known text under the key that stored secrets were encrypted with."""

from django.db import models

from hemi.lib.fields import EncryptedTextField


class KeyCanary(models.Model):
    """One row, made at the first start; a start with other keys cannot read it and says so."""

    text = EncryptedTextField()
    made_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return "Key canary"
