"""The one table."""

from django.db import models


class Event(models.Model):
    """A body as it came."""

    webhook_id = models.CharField(max_length=100)
    topic = models.CharField(max_length=100)
    received_at = models.DateTimeField(auto_now_add=True)
    body = models.BinaryField()
