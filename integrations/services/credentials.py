"""What staff may do with an app's secrets: rotate them without a gap, and end the overlap."""

import logging
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from hemi.lib import queue
from integrations.models import AccountShopify, Integration, IntegrationCredentials
from integrations.services.refusals import Refused

log = logging.getLogger(__name__)

OVERLAP = timedelta(days=7)  # Shopify may sign with the old secret for an hour; people take longer to look


def overlap_ends(until: datetime | None) -> datetime:
    """Return until when a previous secret is accepted: as staff say, or for a week."""
    return until or timezone.now() + OVERLAP


def why_not_end(integration: Integration) -> str:
    """Return why there is no overlap to end, in one sentence; blank if there is one."""
    credentials = getattr(integration, "credentials", None)
    return "" if credentials and credentials.previous_client_secret else "No previous client secret is stored."


def end_overlap(*, integration: Integration, by: Any) -> None:
    """Forget the previous client secret: from now on only the current one is accepted. Raises Refused."""
    if reason := why_not_end(integration):
        raise Refused(reason)
    rows = IntegrationCredentials.objects.filter(integration=integration)
    rows.update(previous_client_secret="", previous_secret_until=None, updated_at=timezone.now())
    log.info("secret.overlap_ended", extra={"integration": integration.pk, "by": by.pk if by else None})


def try_again(*, integration: Integration) -> None:
    """Have tokens asked for again at once where the credentials were to blame."""
    rows = AccountShopify.objects.filter(integration=integration).exclude(token_attempts=0)
    rows.update(token_next_attempt_at=timezone.now())
    queue.kick("integrations.renew_tokens")
