"""The timeline of an order."""

from django.conf import settings
from django.db import models
from django.utils import timezone

from orders.models.orders import Order


class OrderEvent(models.Model):
    """Something that happened to an order, in words for staff; `actor` is blank where Hemi did it by itself."""

    order = models.ForeignKey(Order, models.CASCADE, related_name="events")
    at = models.DateTimeField("when", default=timezone.now)
    kind = models.CharField("kind", max_length=50)
    text = models.CharField("what", max_length=1000)
    reference = models.CharField("supplier order", max_length=60, blank=True, default="")
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        verbose_name = "order event"
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.text}"
