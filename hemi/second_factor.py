"""The second factor: set up with an app, asked for at each login, replaced by a recovery code, reset by colleagues."""

import hashlib
import logging
import secrets
from base64 import b32encode
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode

import qrcode
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.core import signing
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe
from django.utils.timesince import timeuntil
from django_otp import login as mark_verified
from qrcode.image.svg import SvgPathImage

from hemi.lib import changes
from hemi.models import Authenticator, RecoveryCode
from hemi.models.second_factors import STEP_SECONDS

log = logging.getLogger(__name__)

CODES = 10
_SETUP_SECONDS = 3600  # between the QR code and the first code of the app
_SALT = "hemi.second-factor"


class Refused(Exception):
    """What was asked for cannot be done; the text says why and what to do."""


def is_set_up(user: Any) -> bool:
    """Say whether the person has an app that shows codes."""
    return Authenticator.objects.filter(user_id=user.pk, confirmed=True).exists()


def offer(user: Any) -> str:
    """Return a new key for an app, signed for this person: nothing is stored until the app has shown a code of it."""
    return signing.dumps({"user": user.pk, "key": secrets.token_hex(20)}, salt=_SALT)


def key_of(user: Any, offered: str) -> str:
    """Return the key of an offer. Raises Refused."""
    try:
        said = signing.loads(offered, salt=_SALT, max_age=_SETUP_SECONDS)
    except signing.BadSignature:
        said = {}
    if said.get("user") != user.pk:
        raise Refused("This page was open for too long. Scan the new QR code below.")
    return str(said["key"])


def in_words(key: str) -> str:
    """Return the key as an app takes it by hand: in groups of four letters."""
    text = b32encode(bytes.fromhex(key)).decode().rstrip("=")
    return " ".join(text[start : start + 4] for start in range(0, len(text), 4))


def drawing(user: Any, key: str) -> SafeString:
    """Return the QR code as SVG, drawn here: no other site sees the key."""
    label = quote(f"Hemi:{user.get_username()}")
    query = urlencode({"secret": in_words(key).replace(" ", ""), "issuer": "Hemi", "period": STEP_SECONDS})
    image = qrcode.make(f"otpauth://totp/{label}?{query}", image_factory=SvgPathImage, box_size=12, border=4)
    return mark_safe(image.to_string().decode())  # noqa: S308 - drawn from numbers, no text of anybody in it


def set_up(*, request: HttpRequest, offered: str, code: str) -> list[str]:
    """Take the app whose key was offered, if it shows the right code, and return new recovery codes. Raises Refused."""
    user: Any = request.user
    key = key_of(user, offered)
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)
        had_one = is_set_up(user)
        if had_one and not user.is_verified():
            raise Refused("A second factor is set up already. Give its code first.")
        Authenticator.objects.filter(user_id=user.pk).delete()
        device = Authenticator(user_id=user.pk, name="App", key=key)
        if not device.verify_token(code):
            raise Refused("This is not the code that the app shows now. Type the newest one.")
        codes = _new_codes(user)
        _note(user, "set" if had_one else "", "changed" if had_one else "set")
    mark_verified(request, device)
    request.session.cycle_key()
    log.info("second_factor.set_up", extra={"user_id": user.pk})
    return codes


def verify(*, request: HttpRequest, code: str) -> int | None:
    """Let the person in by a code of the app, or by a recovery code: then say how many are left. Raises Refused.

    Wrong codes make the next one of the app wait, but no recovery code: those cannot be guessed, and whoever knows
    the password could keep the person out.
    """
    user, typed = request.user, code.replace(" ", "").replace("-", "")
    with transaction.atomic():
        device = Authenticator.objects.select_for_update().filter(user_id=user.pk, confirmed=True).first()
        if device is None:
            raise Refused("No second factor is set up.")
        is_allowed, wait = device.verify_is_allowed()
        if is_recovery := _use_up(user, typed):
            device.throttle_reset()
        is_right = is_recovery or device.verify_token(typed)
    if not is_right and not is_allowed:
        raise Refused(_wait(wait["locked_until"]))
    if not is_right:
        log.warning("second_factor.refused", extra={"user_id": user.pk})
        raise Refused("This code is not right, or it was used already. Type the newest one.")
    mark_verified(request, device)
    request.session.cycle_key()
    log.info("second_factor.verified", extra={"user_id": user.pk, "by_recovery_code": is_recovery})
    return codes_left(user) if is_recovery else None


def renew_codes(*, user: Any) -> list[str]:
    """Make new recovery codes; the old ones end."""
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)
        codes = _new_codes(user)
        changes.note(user, changes.ConfigurationChange.Kind.CHANGED, [_entry("Recovery codes", "set", "changed")])
    return codes


def codes_left(user: Any) -> int:
    """Return how many recovery codes the person has."""
    return RecoveryCode.objects.filter(user_id=user.pk).count()


def why_no_reset(user: Any) -> str:
    """Say why there is nothing to reset."""
    return "" if is_set_up(user) else "No second factor is set up."


def reset(*, user: Any, by: Any) -> None:
    """Take a person's second factor away: it can be set up anew after the next login. Raises Refused."""
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)
        if reason := why_no_reset(user):
            raise Refused(reason)
        Authenticator.objects.filter(user_id=user.pk).delete()
        RecoveryCode.objects.filter(user_id=user.pk).delete()
        _end_sessions(user)
        _note(user, "set", "")
    log.info("second_factor.reset", extra={"user_id": user.pk, "by": getattr(by, "pk", None)})


def _new_codes(user: Any) -> list[str]:
    RecoveryCode.objects.filter(user_id=user.pk).delete()
    made = [b32encode(secrets.token_bytes(10)).decode().lower() for _ in range(CODES)]  # 80 bits: a plain hash will do
    RecoveryCode.objects.bulk_create(RecoveryCode(user_id=user.pk, digest=_digest(code)) for code in made)
    return ["-".join(code[start : start + 4] for start in range(0, 16, 4)) for code in made]


def _use_up(user: Any, typed: str) -> bool:
    count, _ = RecoveryCode.objects.filter(user_id=user.pk, digest=_digest(typed.lower())).delete()
    return bool(count)


def _end_sessions(user: Any) -> None:
    """End all that are open: who has the lost phone may have one, or may wait before the code with the password."""
    alive = Session.objects.filter(expire_date__gt=timezone.now())
    own = [row.pk for row in alive if row.get_decoded().get(SESSION_KEY) == str(user.pk)]
    Session.objects.filter(pk__in=own).delete()


def _wait(until: datetime) -> str:
    seconds = int((until - timezone.now()).total_seconds()) + 1
    told = "a moment" if seconds < 5 else f"{seconds} seconds" if seconds < 100 else timeuntil(until, depth=1)
    return f"Too many wrong codes. The next one is taken in {told}; a recovery code is taken at once."


def _digest(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()


def _note(user: Any, before: str, after: str) -> None:
    person = User.objects.get(pk=user.pk)
    changes.note(person, changes.ConfigurationChange.Kind.CHANGED, [_entry("Second factor", before, after)])


def _entry(field: str, before: str, after: str) -> dict[str, str]:
    return {"name": field.lower().replace(" ", "_"), "field": field, "before": before, "after": after}
