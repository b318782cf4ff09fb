"""What staff may do with a privacy request."""

import logging
from typing import Any

from django.db import transaction
from django.utils import timezone

from integrations import alerts
from integrations.models import PrivacyRequest
from integrations.services.refusals import Refused

log = logging.getLogger(__name__)
_Status = PrivacyRequest.Status


def why_no_download(request: PrivacyRequest) -> str:
    """Return why there is no file, in one sentence; blank if there is one."""
    if request.answer is not None:
        return ""
    if request.kind != PrivacyRequest.Kind.DATA_REQUEST:
        return "Nothing is gathered for this kind of request: it removes."
    is_done = request.status == _Status.DONE
    return "The file was deleted when the request was done." if is_done else "The file is gathered within a minute."


def why_not_done(request: PrivacyRequest) -> str:
    """Return why a person cannot mark it as done, in one sentence; blank if they can."""
    if request.status == _Status.DONE:
        return "The request is done already."
    if request.kind != PrivacyRequest.Kind.DATA_REQUEST:
        return "Hemi marks it as done by itself, once everything is removed."
    return why_no_download(request)


def mark_done(*, request: PrivacyRequest, by: Any) -> None:
    """Note that the store got the file, and delete it here: it is a copy of a person's data. Raises Refused."""
    if reason := why_not_done(request):
        raise Refused(reason)
    with transaction.atomic():
        rows = PrivacyRequest.objects.filter(pk=request.pk, status=_Status.WAITING, answer__isnull=False)
        said = f"Gathered and handed over; marked as done by {by.get_username() if by else 'Hemi'}."
        if not rows.update(status=_Status.DONE, done_at=timezone.now(), answer=None, report=said):
            raise Refused("The request is done already.")
        for kind in ("privacy", "privacy_due"):
            alerts.clear_alert(kind, request.pk)
    log.info("privacy.handed_over", extra={"privacy_request": request.pk, "by": getattr(by, "pk", None)})
