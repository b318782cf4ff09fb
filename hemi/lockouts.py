"""Tries at the login: counted by account and address together, by address alone, and by account alone.

docs/decisions/who-gets-in.md
"""

import logging
from typing import Any

from axes.handlers.database import AxesDatabaseHandler
from axes.helpers import get_client_username
from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.auth import authenticate
from django.db.models import Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import add_never_cache_headers

from hemi import known_browsers

log = logging.getLogger(__name__)

# Beside AXES_LOCKOUT_PARAMETERS: how many times the limit each of them bears. An office shares an address, and a
# colleague must not be kept out for long by whoever guesses at the name from many addresses.
FACTORS = (1, 4, 10)


class Tries(AxesDatabaseHandler):
    """The handler of django-axes has one limit; this one has a limit for each way of counting."""

    def get_failures(self, request: Any, credentials: dict | None = None) -> int:
        """Return the worst of the counts, each measured by its own limit."""
        found = list(zip(self.get_user_attempts(request, credentials), FACTORS, strict=True))
        if known_browsers.is_known(request, get_client_username(request, credentials)):
            found = found[:1]  # or whoever has addresses enough could keep everybody out
        counts = [(rows.aggregate(sum=Sum("failures_since_start"))["sum"] or 0, factor) for rows, factor in found]
        return max(count // factor for count, factor in counts)

    def reset_user_attempts(self, request: Any, credentials: dict | None = None) -> int:
        """Forget those of the account from this address.

        Those of other accounts stay, or a guesser would begin anew by logging in as himself.
        """
        mine = self.filter_user_attempts(request, credentials)[0]
        return int(mine.delete()[0])


def page(request: HttpRequest, response: HttpResponse | None = None, credentials: Any = None) -> HttpResponse:
    """Answer whoever tried too often. It is the same page whether there is such an account or not."""
    log.warning("login.locked_out", extra={"tries": getattr(request, "axes_failures_since_start", None)})
    minutes = int(settings.AXES_COOLOFF_TIME.total_seconds() // 60)
    answer = render(request, "admin/locked_out.html", {"minutes": minutes}, status=429)
    answer["Retry-After"] = str(minutes * 60)
    add_never_cache_headers(answer)
    return answer


def is_own_password(request: Any, typed: str) -> bool:
    """Say whether this is the password of whoever asks; a wrong one is counted as at the login."""
    person = authenticate(request, username=request.user.get_username(), password=typed) if typed else None
    return person is not None and person.pk == request.user.pk


def is_locked_out(request: HttpRequest) -> bool:
    """Say whether this very request was one try too many."""
    return bool(getattr(request, "axes_locked_out", False))


def unlock(*, attempt: AccessAttempt, by: Any) -> None:
    """Forget the failed tries of an account and those of its address."""
    count = Tries().reset_attempts(ip_address=attempt.ip_address, username=attempt.username, ip_or_username=True)
    log.info("login.unlocked", extra={"by": getattr(by, "pk", None), "rows": count})
