"""What a restore left to settle: when it was, and what had been sent before it that the backup did not know."""

from django.db import models


class Restoration(models.Model):
    """A restore from a backup. Where its journal was not whole, what that does not name is doubted."""

    backup_id = models.CharField("backup", max_length=40, unique=True)
    made_at = models.DateTimeField("backup made")
    restored_at = models.DateTimeField("restored")
    journal_ends_at = models.DateTimeField("last line of the journal", null=True, blank=True)
    is_journal_whole = models.BooleanField("journal goes on to the end", default=False)
    why_doubted = models.CharField("why it is doubted", max_length=500, blank=True, default="")

    class Meta:
        ordering = ["-restored_at"]

    def __str__(self) -> str:
        return f"Restored {self.restored_at:%Y-%m-%d %H:%M} from {self.made_at:%Y-%m-%d %H:%M}"


class SentBefore(models.Model):
    """A file of the journal from after the backup: what is known of it where the database of the backup knows less."""

    class State(models.TextChoices):
        BEGUN = "begun", "May have been sent"
        BACK = "back", "Was not sent"
        SENT = "sent", "Was sent"

    reference = models.CharField(max_length=60, db_index=True)
    shopify_id = models.BigIntegerField(db_index=True)
    resends = models.PositiveIntegerField(default=0)
    state = models.CharField(max_length=10, choices=State)
    endpoint_name = models.CharField(max_length=200, blank=True, default="")
    name = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64)
    at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "sent before a restore"
        constraints = [
            models.UniqueConstraint(fields=["reference", "shopify_id", "resends"], name="sent_before_once_per_sending")
        ]

    def __str__(self) -> str:
        return f"{self.name}: {self.get_state_display()}"
