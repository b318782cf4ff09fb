"""Celery's way to the runners."""

from celery import shared_task

from orders import reread, services


@shared_task(name="orders.reread")
def reread_orders() -> None:
    """Ask stores again for orders that two webhooks disagree about."""
    reread.reread()


@shared_task(name="orders.refresh_account")
def refresh_account(account_id: int) -> None:
    """Look again at the waiting orders of an account whose settings changed; “Route again” does it for one."""
    services.refresh_account(account_id)
