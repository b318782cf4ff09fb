"""A supplier's own format: what makes it, and what is looked at before it is made."""

from django.conf import settings
from django.db import models
from django.utils import timezone

from hemi.lib.recorded import Recorded
from suppliers.models.suppliers import Supplier


class Mapping(Recorded):
    """One version of a supplier's XSLT 1.0 over Hemi 1.0. A version never changes; at most one is live."""

    also_recorded = ("is_live",)

    supplier = models.ForeignKey(Supplier, models.CASCADE, db_index=False, related_name="mappings")
    version = models.PositiveIntegerField("version")
    xslt = models.TextField("XSLT")
    file_ending = models.CharField("file ending", max_length=10, default="xml")
    note = models.CharField("what is new", max_length=300, blank=True, default="")
    is_live = models.BooleanField("live", default=False, editable=False)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField("made", default=timezone.now)

    class Meta:
        ordering = ["supplier", "-version"]
        constraints = [
            models.UniqueConstraint(fields=["supplier", "version"], name="mapping_once_per_version"),
            models.UniqueConstraint(
                fields=["supplier"], condition=models.Q(is_live=True), name="one_live_mapping_per_supplier"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.supplier}, version {self.version}"


class PreSendRule(Recorded):
    """Something that a supplier asks of a document, looked at before it is made."""

    class Demand(models.TextChoices):
        REQUIRED = "required", "must not be blank"
        LENGTH = "length", "has at most this many characters"
        CHARACTERS = "characters", "has only these characters"
        ONE_OF = "one_of", "is one of these"

    class Remedy(models.TextChoices):
        STOP = "stop", "Stop and show it"
        REPLACE = "replace", "Replace or cut, and note it"
        WARN = "warn", "Send all the same, and note it"

    supplier = models.ForeignKey(Supplier, models.CASCADE, related_name="pre_send_rules")
    field = models.CharField("field", max_length=50)
    demand = models.CharField("rule", max_length=12, choices=Demand)
    value = models.CharField(
        "value",
        max_length=1000,
        blank=True,
        default="",
        help_text="A number; the characters, such as a-z A-Z 0-9 or latin-1; or the words, separated by commas.",
    )
    remedy = models.CharField("if it does not hold", max_length=10, choices=Remedy, default=Remedy.STOP)

    class Meta:
        verbose_name = "pre-send rule"
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.field} {self.get_demand_display()} {self.value}".strip()

    def history_owner(self) -> models.Model:
        return self.supplier
