"""The clients of the company."""

from django.db import models

from hemi.lib.recorded import Recorded


class Client(Recorded):
    """A client; it groups the accounts that belong to it."""

    name = models.CharField("name", max_length=200, unique=True)
    notes = models.TextField("notes", blank=True, default="")
    created_at = models.DateTimeField("created", auto_now_add=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
