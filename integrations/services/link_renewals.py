"""A client who comes back with an old link may ask for a new one: mailed to the address on file and to no other."""

import logging
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from integrations import account_timeline
from integrations.models import AccountShopify, InstallLink
from integrations.services import install_links
from integrations.services.refusals import Refused

log = logging.getLogger(__name__)

EVERY = timedelta(hours=1)  # at most, for one account
_Status = InstallLink.Status


def may_ask(link: InstallLink) -> bool:
    """Say whether a new link is still this one's to ask for: it is over, was the account's last one, brought no
    connection that lasts, and staff have not disconnected the store since."""
    account = link.account
    is_connected = account.is_authorised and account.problem != AccountShopify.Problem.REAUTHORISE
    if is_connected or not _is_over(link) or install_links.why_not_mail(account):
        return False
    was_ended = account.disconnections.filter(created_at__gte=link.created_at).exists()
    return not was_ended and not account.install_links.filter(pk__gt=link.pk).exists()


def shown_address(account: AccountShopify) -> str:
    """Return the address on file, as much of it as its owner needs to know it again."""
    name, _, host = account.client_email.rpartition("@")
    return f"{name[0] if len(name) > 2 else ''}***@{host}"


def ask(link: InstallLink) -> None:
    """Make and mail a new link if this one may ask for it and none was asked for within the hour; otherwise nothing.

    Whoever asks is not told which.
    """
    with transaction.atomic():
        rows = AccountShopify.objects.select_for_update(no_key=True, of=("self",))
        account = rows.select_related("integration__credentials").get(pk=link.account_id)
        link = account.install_links.select_related("integration").get(pk=link.pk)
        link.account = account
        now = timezone.now()
        if not may_ask(link) or account.install_links.filter(renewal_asked_at__gt=now - EVERY).exists():
            log.info("renewal.refused", extra={"install_link": link.pk, **account.log_ids})
            return
        InstallLink.objects.filter(pk=link.pk).update(renewal_asked_at=now)
        account_timeline.record(account, "renewal_asked", "The client asked for a new install link.", link)
        try:
            install_links.mail(account=account, by=None)
        except Refused as refused:
            account_timeline.record(account, "renewal_refused", f"No new install link was made: {refused}", link)


def _is_over(link: InstallLink) -> bool:
    if link.status == _Status.OPEN:  # an app that was exchanged makes it worthless, too
        return link.is_expired or link.integration_id != link.account.integration_id
    return link.status in (_Status.EXPIRED, _Status.SUPERSEDED, _Status.CONNECTED, _Status.FAILED)
