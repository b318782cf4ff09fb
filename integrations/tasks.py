"""What Celery runs: each finds by itself what is due, and may run twice."""

from celery import shared_task

from integrations import (
    alerts,
    collection_exports,
    daily,
    disconnections,
    expiry,
    inbox,
    install_mails,
    installs,
    old_secrets,
    privacy,
    refused_requests,
    reminders,
    renames,
    renewals,
    retention,
    subscriptions,
    used_signatures,
)


@shared_task(name="integrations.process_events")
def process_events() -> None:
    """Process the webhooks that are due."""
    inbox.process_events()


@shared_task(name="integrations.exchange_codes")
def exchange_codes() -> None:
    """Exchange the codes of install links for tokens."""
    installs.exchange_codes()


@shared_task(name="integrations.send_install_mails")
def send_install_mails() -> None:
    """Mail install links."""
    install_mails.send()


@shared_task(name="integrations.forget_old_secrets")
def forget_old_secrets() -> None:
    """Forget App Proxy Secrets whose grace is over."""
    old_secrets.forget()


@shared_task(name="integrations.expire_links")
def expire_links() -> None:
    """End install links whose time is over."""
    expiry.expire_links()


@shared_task(name="integrations.remind_clients")
def remind_clients() -> None:
    """Remind clients of install links that they did not follow."""
    reminders.remind_clients()


@shared_task(name="integrations.finish_disconnections")
def finish_disconnections() -> None:
    """Delete the subscriptions of stores that were disconnected."""
    disconnections.finish()


@shared_task(name="integrations.follow_renames")
def follow_renames() -> None:
    """Follow stores that were renamed."""
    renames.follow_renames()


@shared_task(name="integrations.subscribe_webhooks")
def subscribe_webhooks() -> None:
    """Subscribe the webhooks of freshly authorised accounts."""
    subscriptions.subscribe_webhooks()


@shared_task(name="integrations.renew_tokens")
def renew_tokens() -> None:
    """Renew the access tokens that end soon."""
    renewals.renew_tokens()


@shared_task(name="integrations.export_collections")
def export_collections() -> None:
    """Make the collection files that people asked for."""
    collection_exports.export_collections()


@shared_task(name="integrations.expire_exports")
def expire_exports() -> None:
    """Delete collection files whose day is over."""
    collection_exports.expire()


@shared_task(name="integrations.send_alerts")
def send_alerts() -> None:
    """Mail staff alerts."""
    alerts.send()


@shared_task(name="integrations.answer_privacy_requests")
def answer_privacy_requests() -> None:
    """Gather or remove what customers and stores asked for."""
    privacy.work()


@shared_task(name="integrations.check_accounts")
def check_accounts() -> None:
    """Look once a day whether each account is still as it should be."""
    daily.check_accounts()


@shared_task(name="integrations.forget_signatures")
def forget_signatures() -> None:
    """Forget the used signatures of storefront requests that are too old to come again."""
    used_signatures.forget()


@shared_task(name="integrations.forget_refused_requests")
def forget_refused_requests() -> None:
    """Delete the refused requests that were kept for long enough."""
    refused_requests.forget()


@shared_task(name="integrations.thin")
def thin() -> None:
    """Take out the webhooks and the rest that are too old."""
    retention.by_night()
