"""Schemas that suppliers gave."""

from django.db import models
from django.utils import timezone

from hemi.lib.recorded import Recorded


class DocumentSchema(Recorded):
    """A zip of XML schemas with the name of its main document. It never changes: a newer one is another row."""

    also_recorded = ("sha256",)

    name = models.CharField("name", max_length=200, unique=True, help_text="Such as UBL 2.1 Order.")
    archive = models.BinaryField(editable=False)
    main_document = models.CharField(
        "main document",
        max_length=300,
        help_text="Its path inside the zip, such as maindoc/UBL-Order-2.1.xsd.",
    )
    sha256 = models.CharField("SHA-256", max_length=64, editable=False)
    created_at = models.DateTimeField("uploaded", default=timezone.now, editable=False)

    class Meta:
        verbose_name = "document schema"
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
