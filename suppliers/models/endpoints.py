"""A server that takes a supplier's files."""

import ipaddress

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone

from hemi.lib.claims import Claimable
from hemi.lib.fields import EncryptedTextField


class Endpoint(Claimable):
    """One account on one server. The claim columns are its lane: one run at a time works through its files."""

    class Protocol(models.TextChoices):
        FTP = "ftp", "FTP (not encrypted)"

    name = models.CharField("name", max_length=200, unique=True)
    protocol = models.CharField("protocol", max_length=10, choices=Protocol, default=Protocol.FTP)
    host = models.CharField("host", max_length=255)
    port = models.PositiveIntegerField("port", default=21, validators=[MinValueValidator(1), MaxValueValidator(65535)])
    username = models.CharField("user", max_length=200)
    password = EncryptedTextField("password", blank=True, default="")
    orders_folder = models.CharField(
        "folder for orders", max_length=500, default="in", help_text="Where the supplier wants the order files."
    )
    replies_folder = models.CharField(
        "folder of replies",
        max_length=500,
        blank=True,
        default="out",
        help_text="Where the supplier puts its replies. Blank: it sends none.",
    )
    is_plain_accepted = models.BooleanField(
        "send in plain text over the network",
        default=False,
        help_text="Plain FTP shows the password and every order to whoever listens on the way. "
        "Tick only when the supplier offers nothing else.",
    )
    connect_timeout = models.PositiveIntegerField(
        "seconds to wait for a connection", default=10, validators=[MinValueValidator(1), MaxValueValidator(60)]
    )
    data_timeout = models.PositiveIntegerField(
        "seconds to wait for data", default=30, validators=[MinValueValidator(1), MaxValueValidator(300)]
    )
    is_active = models.BooleanField("active", default=True)
    stopped_at = models.DateTimeField("stopped", null=True, blank=True, editable=False)
    stop_reason = models.TextField("why it stopped", blank=True, default="", editable=False)
    replies_seen = models.JSONField(default=dict, editable=False)  # name -> size at the last look
    next_poll_at = models.DateTimeField(default=timezone.now, editable=False)
    polled_at = models.DateTimeField("replies last looked for", null=True, blank=True, editable=False)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["host", "port", "username", "orders_folder"], name="endpoint_once")
        ]
        permissions = [("test_endpoint", "Can test and restart endpoints")]

    def __str__(self) -> str:
        return self.name

    @property
    def is_exposed(self) -> bool:
        """Whether password and orders leave this machine in plain text; no name is resolved for the answer."""
        if self.protocol != self.Protocol.FTP or self.host.casefold() == "localhost":
            return False
        try:
            return not ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return True
