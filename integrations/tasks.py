"""What Celery runs: each finds by itself what is due, and may run twice."""

from celery import shared_task

from integrations import alerts, collection_exports, inbox, install_mails, installs, renewals, subscriptions


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
