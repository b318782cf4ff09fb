"""Browsers that an account was logged in from: strangers' guesses at the account do not keep them out."""

import hmac
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.crypto import salted_hmac

_NAME = "known-browser"
_SALT = "hemi.known-browser"
_SECONDS = 90 * 24 * 3600


def remember(response: HttpResponse, user: Any) -> None:
    """Leave a mark in the browser, for the login page only."""
    response.set_signed_cookie(
        _NAME,
        _mark(user.get_username()),
        salt=_SALT,
        max_age=_SECONDS,
        path=reverse("admin:login"),
        secure=bool(settings.SESSION_COOKIE_SECURE),
        httponly=True,
        samesite="Lax",
    )


def is_known(request: HttpRequest, username: str | None) -> bool:
    """Say whether the browser has the mark of this account."""
    found = request.get_signed_cookie(_NAME, default="", salt=_SALT, max_age=_SECONDS) or ""
    return hmac.compare_digest(found, _mark(username or ""))


def _mark(username: str) -> str:
    return salted_hmac(_SALT, username, algorithm="sha256").hexdigest()
