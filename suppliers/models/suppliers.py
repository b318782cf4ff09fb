"""The suppliers."""

from django.core.validators import RegexValidator
from django.db import models

from hemi.lib.recorded import Recorded
from suppliers.models.document_schemas import DocumentSchema
from suppliers.models.endpoints import Endpoint


class Supplier(Recorded):
    """A supplier gets its part of each order as one file on its endpoint."""

    also_recorded = ("mode", "paused_at", "pause_reason")

    class Mode(models.TextChoices):
        TEST = "test", "Test: gets test orders only"
        LIVE = "live", "Live: gets real orders only"

    class Encoding(models.TextChoices):
        UTF_8 = "utf-8", "UTF-8"
        LATIN_1 = "iso-8859-1", "ISO-8859-1"
        LATIN_9 = "iso-8859-15", "ISO-8859-15"
        WINDOWS = "windows-1252", "Windows-1252"

    class Format(models.TextChoices):
        HEMI = "hemi-1.0", "Hemi 1.0 (XML)"
        UBL = "ubl-2.1", "UBL 2.1 Order (XML)"
        CSV = "csv", "CSV, one row a line"
        OWN = "own", "The supplier's own, by XSLT"

    class Amendments(models.TextChoices):
        PERSON = "person", "A person decides"
        REVISION = "revision", "Send the whole order again as a new revision"
        CHANGE = "change", "Send a change or a cancellation"

    class Delimiter(models.TextChoices):
        SEMICOLON = ";", "Semicolon"
        COMMA = ",", "Comma"
        TAB = "\t", "Tab"

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
    format = models.CharField("format of the files", max_length=10, choices=Format, default=Format.HEMI)
    csv_delimiter = models.CharField("between CSV fields", max_length=1, choices=Delimiter, default=Delimiter.SEMICOLON)
    schema = models.ForeignKey(
        DocumentSchema,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="suppliers",
        verbose_name="schema",
        help_text="Every file is checked with it before it is stored. Blank: only what Hemi itself checks.",
    )
    unit_code = models.CharField(
        "unit", max_length=3, default="C62", help_text="UN/ECE Recommendation 20: C62 is one piece, EA is each."
    )
    replacements = models.TextField(
        "characters to replace",
        blank=True,
        default="",
        help_text="One pair a line, such as: ł l. Used where a rule replaces characters.",
    )
    amendments = models.CharField(
        "when an order changes after its file was sent", max_length=10, choices=Amendments, default=Amendments.PERSON
    )
    reply_hours = models.PositiveIntegerField(
        "hours until a reply is expected",
        null=True,
        blank=True,
        help_text="Staff are told once of what is overdue. Blank: no reply is expected.",
    )
    contact_email = models.EmailField("contact email", blank=True, default="")
    paused_at = models.DateTimeField("paused", null=True, blank=True, editable=False)
    pause_reason = models.CharField("reason of the pause", max_length=300, blank=True, default="", editable=False)
    created_at = models.DateTimeField("created", auto_now_add=True)

    class Meta:
        ordering = ["name"]
        permissions = [
            ("golive_supplier", "Can take a supplier live and back to test"),
            ("pause_supplier", "Can pause and resume a supplier"),
            ("map_supplier", "Can change a supplier's mappings, rules and schemas"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_live(self) -> bool:
        return self.mode == self.Mode.LIVE
