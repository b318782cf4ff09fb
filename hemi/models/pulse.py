"""What the processes say of themselves, in one place for all of them: that they are alive, and how much they did."""

from django.db import models
from django.utils import timezone


class Heartbeat(models.Model):
    """When a part of Hemi last did its work: beat, and a worker of each queue."""

    name = models.CharField(max_length=50, unique=True)
    at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"{self.name}: {self.at:%Y-%m-%d %H:%M:%S}"


class Tally(models.Model):
    """A count that only grows, of all processes together; `label` tells apart what is counted, or is blank.

    What is counted from rows has `counted_pk`, up to which rows are in the value, and `next_pk`, up to which they are
    once those that were being written at the time have been.
    """

    name = models.CharField(max_length=100)
    label = models.CharField(max_length=200, blank=True, default="")
    value = models.FloatField(default=0)
    counted_pk = models.BigIntegerField(null=True)
    next_pk = models.BigIntegerField(default=0)

    class Meta:
        verbose_name_plural = "tallies"
        constraints = [models.UniqueConstraint(fields=["name", "label"], name="tally_once_per_label")]

    def __str__(self) -> str:
        return f"{self.name} {self.label}: {self.value:g}"
