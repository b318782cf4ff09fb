"""What staff are told by mail."""

from django.db import models
from django.utils import timezone

from hemi.lib.claims import Claimable


class StaffAlert(Claimable):
    """One thing that staff must know, mailed once. `kind` and `key` name it; it is open while `cleared_at` is null.

    `over` is what is mailed once it is over, if it was mailed at all; blank means nothing.
    """

    kind = models.CharField("kind", max_length=50)
    key = models.CharField("about", max_length=100)
    subject = models.CharField("subject", max_length=200)
    text = models.TextField("text")
    raised_at = models.DateTimeField("raised", default=timezone.now)
    mailed_at = models.DateTimeField("mailed", null=True, blank=True)
    cleared_at = models.DateTimeField("cleared", null=True, blank=True)
    over = models.TextField("all-clear", blank=True, default="")
    over_mailed_at = models.DateTimeField("all-clear mailed", null=True, blank=True)

    class Meta:
        verbose_name = "staff alert"
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "key"], condition=models.Q(cleared_at=None), name="one_open_alert_of_a_kind"
            )
        ]
        indexes = [models.Index(fields=["kind", "key", "mailed_at"], name="alert_mailed")]

    def __str__(self) -> str:
        return self.subject
