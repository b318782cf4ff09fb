"""Celery's way to the runners."""

from celery import shared_task

from orders import completeness, fetches, fulfilments, lookups, reconciliation, reread, settlement, untold


@shared_task(name="orders.reread")
def reread_orders() -> None:
    """Ask stores again for orders that two webhooks disagree about."""
    reread.reread()


@shared_task(name="orders.reconcile")
def reconcile() -> None:
    """Compare stores' orders with Hemi's, each store every 15 minutes."""
    reconciliation.reconcile()


@shared_task(name="orders.fetch")
def fetch() -> None:
    """Fetch the orders that people asked for."""
    fetches.fetch()


@shared_task(name="orders.fulfil")
def fulfil() -> None:
    """Tell stores what suppliers have shipped."""
    fulfilments.tell()


@shared_task(name="orders.tell_untold")
def tell_untold() -> None:
    """Tell staff of shipments that stores were not told of."""
    untold.tell()


@shared_task(name="orders.compare_days")
def compare_days() -> None:
    """Count what stores have against what Hemi has, day by day."""
    completeness.compare_days()


@shared_task(name="orders.expire_lookups")
def expire_lookups() -> None:
    """Delete what is left of shoppers' questions."""
    lookups.expire()


@shared_task(name="orders.refresh_account")
def refresh_account(account_id: int) -> None:
    """Look again at the waiting orders of an account whose settings changed; “Route again” does it for one."""
    settlement.refresh_account(account_id)
