"""Install links: make one, mail it, and take what comes back from consent."""

import logging
import secrets
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from hemi.lib import queue
from integrations import account_timeline, alerts, consent, expiry, scopes
from integrations.models import AccountShopify, InstallLink, Integration
from integrations.services.refusals import Refused

log = logging.getLogger(__name__)
_USED = "This link has been used or replaced. Generate a new one."


def why_not(account: AccountShopify) -> str:
    """Return why no install link can be made, in one sentence; blank if one can."""
    integration = account.integration
    if integration is None:
        return "Choose an Integration App for this account first."
    if integration.platform != Integration.Platform.SHOPIFY:
        return f"{integration.name} is not a Shopify integration."
    if integration.uses_client_credentials:
        return "This app needs no install link: Hemi gets its token with the client id and secret by itself."
    if integration.is_internal:
        return "This is an internal app: it has no install link; paste its access token on the account."
    if not integration.is_active:
        return f"The integration {integration.name} is not active."
    credentials = getattr(integration, "credentials", None)
    if credentials is None or not credentials.client_id or not credentials.client_secret:
        return f"Enter the client id and the client secret of the integration {integration.name} first."
    if not settings.HEMI_BASE_URL:
        return "HEMI_BASE_URL is not set, so Shopify would not know where to send the client back to."
    if not account.access_scopes.strip():
        return "Enter the access scopes to ask for first."
    return ""


def why_not_mail(account: AccountShopify) -> str:
    """Return why no install link can be mailed, in one sentence; blank if one can."""
    if reason := why_not(account):
        return reason
    if not account.client_email:
        return "Enter the Client Email of this account first."
    if not settings.IS_MAIL_SET:
        return "No mail server is set: set EMAIL_URL."
    return ""


def get_or_make(*, account: AccountShopify, by: Any, afresh: bool = False) -> InstallLink:
    """Return the account's open link, or make one; a link that asks for something else is replaced, and `afresh` one
    that is not being mailed just now, too. Two at once get the same. Raises Refused."""
    if reason := why_not(account):
        raise Refused(reason)
    with transaction.atomic():
        # SQLite's write lock and this row's lock on PostgreSQL: one maker at a time. Webhooks go on.
        locked = AccountShopify.objects.select_for_update(no_key=True, of=("self",))
        account = locked.select_related("integration__credentials").get(pk=account.pk)
        link = account.install_links.filter(status=InstallLink.Status.OPEN).select_related("integration").first()
        if link and _is_current(link, account) and not (afresh and link.mail != InstallLink.Mail.DUE):
            return link
        if link:
            end(link, by)
        return _make(account, by)


def missing_scopes(account: AccountShopify) -> list[str]:
    """Return what the account asks for and the store has not granted."""
    return scopes.missing(_asked_scopes(account), account.granted_scopes) if account.is_authorised else []


def why_not_ask_for_scopes(account: AccountShopify) -> str:
    """Return why no new scopes can be asked for, in one sentence; blank if they can."""
    if not account.is_authorised:
        return "The store is not connected: send the install email; it asks for all the scopes."
    try:
        if not missing_scopes(account):
            return "All the access scopes that the account asks for are granted." + _needed(account)
    except Refused as refused:
        return str(refused)
    return why_not_mail(account)


def _needed(account: AccountShopify) -> str:
    lacking = ", ".join(scopes.missing(",".join(scopes.NEEDED), account.granted_scopes))
    return f" Hemi needs {lacking}, too: tick that under Access Scopes, save, and ask then." if lacking else ""


def ask_for_scopes(*, account: AccountShopify, by: Any) -> InstallLink:
    """Make a fresh link for what is missing and mail it; the link that was open is replaced. Raises Refused."""
    if reason := why_not_ask_for_scopes(account):
        raise Refused(reason)
    return mail(account=account, by=by, afresh=True)


def authorize_url(link: InstallLink) -> str:
    """Return Shopify's authorize page for the link, with the link's state in it; raises Refused once it is used."""
    if not link.state:
        raise Refused(_USED)
    return consent.url(link)


def url_for_client(link: InstallLink) -> str:
    """Return the address that the store's owner opens first; raises Refused once the link is used."""
    if not link.state:
        raise Refused(_USED)
    return consent.url_for_client(link)


def mail(*, account: AccountShopify, by: Any, afresh: bool = False) -> InstallLink:
    """Ask for the account's open link to be mailed to its Client Email, also once more. Raises Refused."""
    if reason := why_not_mail(account):
        raise Refused(reason)
    with transaction.atomic():
        link = get_or_make(account=account, by=by, afresh=afresh)
        # Two clicks at once make one mail: the second finds it under way.
        InstallLink.objects.filter(~Q(mail=InstallLink.Mail.DUE), pk=link.pk, status=InstallLink.Status.OPEN).update(
            mail=InstallLink.Mail.DUE,
            mailed_to=account.client_email,
            mail_error="",
            attempts=0,
            claim_token="",
            lease_until=None,
            next_attempt_at=timezone.now(),
        )
        queue.kick("integrations.send_install_mails")
    log.info("install.mail_asked", extra={"install_link": link.pk, **account.log_ids, "by": by.pk if by else None})
    return link


def _asked_scopes(account: AccountShopify) -> str:
    try:
        return ",".join(scopes.split(account.access_scopes))
    except ValueError as error:
        raise Refused(str(error)) from None


def _is_current(link: InstallLink, account: AccountShopify) -> bool:
    return (
        not link.is_expired
        and bool(link.state)
        and link.integration_id == account.integration_id
        and link.scopes == _asked_scopes(account)
        and link.redirect_uri == link.integration.callback_url
    )


def end(link: InstallLink, by: Any, why: str = "Replaced by a newer link.") -> None:
    """Make an open link worthless: expired if its time is over, otherwise superseded."""
    if link.is_expired:
        expiry.end(link)
        return
    rows = InstallLink.objects.filter(pk=link.pk, status=InstallLink.Status.OPEN)
    if rows.update(status=InstallLink.Status.SUPERSEDED, reason=why[:500], **consent.CLOSED):
        account_timeline.record(link.account, "link_superseded", f"The install link was ended: {why}", link, by)
        alerts.clear_alert("install_mail", link.pk)


def _make(account: AccountShopify, by: Any) -> InstallLink:
    assert account.integration, "why_not refuses an account without an app"
    state = secrets.token_hex(32)
    link = InstallLink.objects.create(
        account=account,
        integration=account.integration,
        scopes=_asked_scopes(account),
        redirect_uri=account.integration.callback_url,
        state=state,
        state_hash=consent.digest(state),
        made_by=by,
        expires_at=timezone.now() + timedelta(days=settings.INSTALL_LINK_DAYS),
    )
    text = f"An install link was made that works until {link.expires_at:%Y-%m-%d %H:%M} UTC."
    account_timeline.record(account, "link_made", text, link, by)
    log.info("install.link_made", extra={"install_link": link.pk, **account.log_ids, "by": by.pk if by else None})
    return link
