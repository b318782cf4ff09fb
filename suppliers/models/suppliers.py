"""The suppliers."""

from django.core.validators import RegexValidator
from django.db import models

from suppliers.models.endpoints import Endpoint


class Supplier(models.Model):
    """A supplier gets its part of each order as one file on its endpoint."""

    class Mode(models.TextChoices):
        TEST = "test", "Test: gets test orders only"
        LIVE = "live", "Live: gets real orders only"

    class Encoding(models.TextChoices):
        UTF_8 = "utf-8", "UTF-8"
        LATIN_1 = "iso-8859-1", "ISO-8859-1"
        LATIN_9 = "iso-8859-15", "ISO-8859-15"
        WINDOWS = "windows-1252", "Windows-1252"

    name = models.CharField("name", max_length=200, unique=True)
    code = models.CharField(
        "code",
        max_length=12,
        unique=True,
        validators=[RegexValidator(r"\A[A-Z0-9]{2,12}\Z", "Two to twelve capital letters and digits, such as NORTH.")],
        help_text="Part of every reference and file name, such as NORTH. It does not change later.",
    )
    endpoint = models.ForeignKey(Endpoint, models.PROTECT, related_name="suppliers", verbose_name="endpoint")
    mode = models.CharField("mode", max_length=10, choices=Mode, default=Mode.TEST, editable=False)
    encoding = models.CharField("encoding of the files", max_length=20, choices=Encoding, default=Encoding.UTF_8)
    contact_email = models.EmailField("contact email", blank=True, default="")
    paused_at = models.DateTimeField("paused", null=True, blank=True, editable=False)
    pause_reason = models.CharField("reason of the pause", max_length=300, blank=True, default="", editable=False)
    created_at = models.DateTimeField("created", auto_now_add=True)

    class Meta:
        ordering = ["name"]
        permissions = [
            ("golive_supplier", "Can take a supplier live and back to test"),
            ("pause_supplier", "Can pause and resume a supplier"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_live(self) -> bool:
        return self.mode == self.Mode.LIVE
