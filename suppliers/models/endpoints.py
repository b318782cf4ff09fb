"""A server that takes a supplier's files."""

import ipaddress

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone

from hemi.lib.claims import Claimable
from hemi.lib.fields import EncryptedTextField
from hemi.lib.recorded import Recorded


class Endpoint(Recorded, Claimable):
    """One account on one server. The claim columns are its lane: one run at a time works through its files.

    The lane's `attempts` count failed contacts in a row; with `opened_at` set the circuit breaker is open until
    `next_attempt_at`, and half open from then on: one file goes first.
    """

    also_recorded = ("host_identity",)

    class Protocol(models.TextChoices):
        SFTP = "sftp", "SFTP (over SSH)"
        FTPS = "ftps", "FTPS (FTP that turns to TLS)"
        FTPS_IMPLICIT = "ftps_implicit", "FTPS, implicit (TLS from the start)"
        FTP = "ftp", "FTP (not encrypted)"

    class TemporaryStyle(models.TextChoices):
        SUFFIX = "suffix", "Put at the end of the name"
        PREFIX = "prefix", "Put before the name"
        FOLDER = "folder", "A folder of its own"

    class NameEncoding(models.TextChoices):
        UTF_8 = "utf-8", "UTF-8"
        LATIN_1 = "iso-8859-1", "ISO-8859-1"

    class AfterReading(models.TextChoices):
        DELETE = "delete", "Delete it"
        ARCHIVE = "archive", "Move it to the archive folder"

    DEFAULT_PORTS = {Protocol.SFTP: 22, Protocol.FTPS: 21, Protocol.FTPS_IMPLICIT: 990, Protocol.FTP: 21}

    name = models.CharField("name", max_length=200, unique=True)
    protocol = models.CharField("protocol", max_length=15, choices=Protocol, default=Protocol.SFTP)
    host = models.CharField("host", max_length=255)
    port = models.PositiveIntegerField("port", default=22, validators=[MinValueValidator(1), MaxValueValidator(65535)])
    username = models.CharField("user", max_length=200)
    password = EncryptedTextField("password", blank=True, default="")
    private_key = EncryptedTextField(
        "private key",
        blank=True,
        default="",
        help_text="For SFTP without a password: the whole key file, in OpenSSH or PEM form.",
    )
    key_passphrase = EncryptedTextField("passphrase of the private key", blank=True, default="")
    host_identity = models.CharField(
        "pinned identity",
        max_length=200,
        blank=True,
        default="",
        editable=False,
        help_text="SFTP: the SHA-256 fingerprint of the server's key. FTPS: that of its certificate; blank means that "
        "the certificate is checked with the usual authorities.",
    )
    offered_identity = models.CharField(
        "identity that it showed", max_length=200, blank=True, default="", editable=False
    )
    identity_confirmed_at = models.DateTimeField("identity confirmed", null=True, blank=True, editable=False)
    identity_confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, editable=False, related_name="+"
    )
    orders_folder = models.CharField(
        "folder for orders", max_length=500, default="in", help_text="Where the supplier wants the order files."
    )
    name_template = models.CharField(
        "file name",
        max_length=120,
        default="ORDER_{reference}",
        help_text="Without its ending. It may contain {reference} (which it must), {order}, {supplier} and {date}.",
    )
    name_encoding = models.CharField(
        "encoding of file names", max_length=20, choices=NameEncoding, default=NameEncoding.UTF_8
    )
    temporary_style = models.CharField(
        "temporary name", max_length=10, choices=TemporaryStyle, default=TemporaryStyle.SUFFIX
    )
    temporary_mark = models.CharField(
        "mark of a temporary name",
        max_length=100,
        default=".part",
        help_text="Put at the end (.part) or before the name (.hemi-), or the folder. A file bears it until it is "
        "whole; the supplier must not read such files.",
    )
    done_suffix = models.CharField(
        "done-file",
        max_length=20,
        blank=True,
        default="",
        help_text="Such as .done: after each file an empty one of the same name with this ending is written. "
        "Blank: none.",
    )
    taken_within_minutes = models.PositiveSmallIntegerField(
        "minutes within which files are taken",
        null=True,
        blank=True,
        help_text="Give it only where the supplier itself takes each file away and nothing else clears the folder. "
        "Then a file that is gone shortly after it got its name counts as sent. Blank: not known.",
    )
    replies_folder = models.CharField(
        "folder of replies",
        max_length=500,
        blank=True,
        default="out",
        help_text="Where the supplier puts its replies. Blank: it sends none.",
    )
    reply_age = models.PositiveIntegerField(
        "seconds that a reply must lie still",
        default=0,
        help_text="A reply is read once its size has stayed the same for two looks and it is at least this old.",
    )
    after_reading = models.CharField(
        "after a reply is read", max_length=10, choices=AfterReading, default=AfterReading.DELETE
    )
    archive_folder = models.CharField("archive of replies", max_length=500, blank=True, default="")
    unreadable_folder = models.CharField(
        "folder of unreadable replies",
        max_length=500,
        blank=True,
        default="",
        help_text="A reply that Hemi cannot read is moved there. Blank: it is treated like the others.",
    )
    done_folder = models.CharField(
        "supplier's folder of taken files",
        max_length=500,
        blank=True,
        default="",
        help_text="If the supplier moves order files there once it has taken them.",
    )
    failed_folder = models.CharField(
        "supplier's folder of refused files",
        max_length=500,
        blank=True,
        default="",
        help_text="If the supplier moves order files there that it cannot take. A text beside it whose name ends in "
        ".error is shown as the reason.",
    )
    is_gone_taken = models.BooleanField(
        "a file that is gone was taken",
        default=False,
        help_text="Tick where the supplier answers in no other way than by taking the file away.",
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
    max_sessions = models.PositiveSmallIntegerField(
        "sessions at once", default=1, validators=[MinValueValidator(1), MaxValueValidator(5)]
    )
    profile = models.JSONField(default=dict, editable=False)  # what the last check found; see suppliers/profiles.py
    profiled_at = models.DateTimeField("last checked", null=True, blank=True, editable=False)
    next_check_at = models.DateTimeField(default=timezone.now, editable=False)
    is_active = models.BooleanField("active", default=True)
    opened_at = models.DateTimeField("left alone since", null=True, blank=True, editable=False)
    stopped_at = models.DateTimeField("stopped", null=True, blank=True, editable=False)
    closed_at = models.DateTimeField("closed by a restore", null=True, blank=True, editable=False)
    stop_reason = models.TextField("why it stopped", blank=True, default="", editable=False)
    replies_seen = models.JSONField(default=dict, editable=False)  # name -> size at the last look
    next_poll_at = models.DateTimeField(default=timezone.now, editable=False)
    polled_at = models.DateTimeField("replies last looked for", null=True, blank=True, editable=False)
    traced_at = models.DateTimeField("sent files last looked for", null=True, blank=True, editable=False)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["host", "port", "username", "orders_folder"], name="endpoint_once")
        ]
        permissions = [("test_endpoint", "Can test and restart endpoints")]

    def __str__(self) -> str:
        return self.name

    def account(self) -> set[int]:
        """Return the keys of the endpoints that are folders of the same account, this one among them."""
        same = Endpoint.objects.filter(host__iexact=self.host, port=self.port, username=self.username)
        return set(same.values_list("pk", flat=True))

    @property
    def needs_identity(self) -> bool:
        """Whether a person must first confirm who the server is."""
        if self.offered_identity:
            return self.offered_identity != self.host_identity
        return self.protocol == self.Protocol.SFTP and not self.host_identity

    @property
    def is_exposed(self) -> bool:
        """Whether password and orders leave this machine in plain text; no name is resolved for the answer."""
        if self.protocol != self.Protocol.FTP or self.host.casefold() == "localhost":
            return False
        try:
            return not ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return True
