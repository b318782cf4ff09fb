"""The second factor: an app that shows codes (TOTP, RFC 6238), and codes on paper for when it is lost."""

import re
import time
from binascii import unhexlify

from django.conf import settings
from django.db import models
from django_otp.models import Device, ThrottlingMixin
from django_otp.oath import TOTP

from hemi.lib.fields import EncryptedTextField

STEP_SECONDS = 30
CODE = re.compile(r"[0-9]{6}")
TOLERANCE = 1  # steps; clocks of phones differ


class Authenticator(ThrottlingMixin, Device):
    """A person's app. Its key is encrypted, which django-otp's own model does not do; after each wrong code the next
    one must wait twice as long."""

    key = EncryptedTextField()
    last_step = models.BigIntegerField(default=-1)  # a code works once
    created_at = models.DateTimeField("set up", auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user"], name="one_authenticator_a_person")]

    def get_throttle_factor(self) -> float:
        return 1.0

    def verify_token(self, token: str) -> bool:
        """Take a code, once. The caller holds the row's lock."""
        if not self.verify_is_allowed()[0]:
            return False
        totp = TOTP(unhexlify(self.key), STEP_SECONDS)
        totp.time = time.time()  # one moment for the check and for what is stored
        is_right = bool(CODE.fullmatch(token)) and totp.verify(int(token), TOLERANCE, self.last_step + 1)
        if is_right:
            self.last_step = totp.t()
            self.throttle_reset()
        else:
            self.throttle_increment()
        return is_right


class RecoveryCode(models.Model):
    """A code that stands in for the app, once. Only its hash is kept."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="recovery_codes")
    digest = models.CharField(max_length=64, unique=True)

    def __str__(self) -> str:
        return f"A recovery code of {self.user}"
