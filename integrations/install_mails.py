"""The runner that mails install links."""

import logging
import smtplib
from datetime import timedelta

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.db.models import Q, QuerySet
from django.template.loader import render_to_string
from django.utils import timezone

from hemi.lib import claims, mailing
from integrations import account_timeline, alerts, consent, reminders, scopes
from integrations.models import InstallLink

log = logging.getLogger(__name__)

MAX_ATTEMPTS = 10
_STILL = Q(status=InstallLink.Status.OPEN, mail=InstallLink.Mail.DUE)


def send() -> None:
    """Mail the install links that are due. Without a mail server they wait."""
    if not settings.IS_MAIL_SET:
        return
    due = InstallLink.objects.filter(_STILL).select_related("account__client", "integration__credentials")
    while links := claims.claim(due.order_by("pk"), still=_STILL, limit=1, lease=timedelta(minutes=2)):
        _send(links[0])


def _send(link: InstallLink) -> None:
    if link.is_expired:
        _fail(link, "The link expired before it could be mailed. Send the mail again to make a new one.")
        return
    try:
        _message(link).send()
    except mailing.ERRORS as error:
        said = _said(error)
        if _is_permanent(error) or link.attempts >= MAX_ATTEMPTS:
            _fail(link, said)
        else:
            _wait(link, said)
        return
    _sent(link)


def _sent(link: InstallLink) -> None:
    now = timezone.now()
    with transaction.atomic():
        if _mine(link).update(
            mail=InstallLink.Mail.SENT,
            mailed_at=now,
            next_reminder_at=reminders.next_at(link, now),
            mail_error="",
            last_error="",
            lease_until=None,
        ):
            text = f"{'A reminder' if link.reminders else 'The install link'} was mailed to {link.mailed_to}."
            account_timeline.record(link.account, "mailed", text, link)
            alerts.clear_alert("install_mail", link.pk)
    log.info("install.mailed", extra=_ids(link))


def _message(link: InstallLink) -> EmailMultiAlternatives:
    account = link.account
    missing = scopes.missing(link.scopes, account.granted_scopes) if account.is_authorised else []
    words = {
        "link": link,
        "account": account,
        "url": consent.url_for_client(link),
        "scopes": link.scopes.split(","),
        "missing": missing,
    }
    message = EmailMultiAlternatives(
        _subject(link, bool(missing)), render_to_string("mail/install.txt", words), to=[link.mailed_to]
    )
    message.attach_alternative(render_to_string("mail/install.html", words), "text/html")
    return message


def _subject(link: InstallLink, is_for_more: bool) -> str:
    store, app = link.account.domain, link.integration.name
    text = f"More access to {store} for {app}" if is_for_more else f"Connect {store} to {app}"
    return " ".join(f"Reminder: {text}".split() if link.reminders else text.split())


def _is_permanent(error: Exception) -> bool:
    """Say whether the server will never take this mail. A refused login is not the mail's fault."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return all(code >= 500 for code, _ in error.recipients.values())
    return isinstance(error, smtplib.SMTPSenderRefused | smtplib.SMTPDataError) and error.smtp_code >= 500


def _said(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        answers = [f"{code} {_text(said)}" for code, said in error.recipients.values()]
        return "; ".join(answers)[:500]
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{error.smtp_code} {_text(error.smtp_error)}"[:500]
    if isinstance(error, OSError):
        return f"The mail server could not be reached: {error}"[:500]
    return f"The mail could not be written; see EMAIL_URL, DEFAULT_FROM_EMAIL and the address. {error}"[:500]


def _text(said: bytes | str) -> str:
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else said


def _wait(link: InstallLink, said: str) -> None:
    next_at = timezone.now() + claims.backoff(link.attempts)
    _mine(link).update(lease_until=None, next_attempt_at=next_at, mail_error=said)
    log.warning("install.mail_waits", extra=_ids(link))


def _fail(link: InstallLink, said: str) -> None:
    with transaction.atomic():
        if _mine(link).update(mail=InstallLink.Mail.FAILED, lease_until=None, mail_error=said):
            account_timeline.record(link.account, "mail_failed", f"The install mail could not be sent: {said}", link)
            alerts.raise_alert(
                "install_mail",
                link.pk,
                f"The install link of {link.account.shop_name} could not be mailed",
                f"{said}\n\nCheck the Client Email of the account {link.account.shop_name}, then send the mail again.",
            )
    log.warning("install.mail_failed", extra=_ids(link))


def _mine(link: InstallLink) -> QuerySet:
    return InstallLink.objects.filter(_STILL, pk=link.pk, claim_token=link.claim_token)


def _ids(link: InstallLink) -> dict[str, object]:
    return {"install_link": link.pk, **link.account.log_ids, "attempt": link.attempts}
