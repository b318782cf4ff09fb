"""Tests of an endpoint, asked for by a person or by the clock."""

from django.conf import settings
from django.db import models
from django.utils import timezone

from hemi.lib.claims import Claimable
from suppliers.models.endpoints import Endpoint


class EndpointCheck(Claimable):
    """One test: log in, write, size, rename, list, delete and what else tells how the server behaves.

    `steps` grow while it runs: {"name", "outcome" (passed, failed, skipped or noted), "text", "seconds"}.
    """

    class Status(models.TextChoices):
        WAITING = "waiting", "Running"
        PASSED = "passed", "Passed"
        FAILED = "failed", "Failed"

    DUE = (Status.WAITING,)

    endpoint = models.ForeignKey(Endpoint, models.CASCADE, related_name="checks")
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    status = models.CharField("state", max_length=10, choices=Status, default=Status.WAITING)
    steps = models.JSONField("steps", default=list, editable=False)
    created_at = models.DateTimeField("asked for", default=timezone.now)
    ended_at = models.DateTimeField("ended", null=True, blank=True)

    class Meta:
        verbose_name = "endpoint check"
        ordering = ["-pk"]
        indexes = [
            models.Index(fields=["next_attempt_at"], condition=models.Q(status="waiting"), name="endpoint_check_due")
        ]

    def __str__(self) -> str:
        return f"Check of {self.endpoint}"
