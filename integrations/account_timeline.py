"""What happens to an account's connection, kept as rows for staff and as lines in the log."""

import logging
from typing import Any

from integrations.models import AccountEvent, AccountShopify, InstallLink

log = logging.getLogger(__name__)
_MOST = AccountEvent._meta.get_field("text").max_length


def record(
    account: AccountShopify, kind: str, text: str, link: InstallLink | None = None, actor: Any = None
) -> AccountEvent:
    """Put something that happened on the account's timeline; `text` is for staff and holds no secret.

    Without an actor it was Hemi or the client. The log line carries ids only.
    """
    event = AccountEvent.objects.create(
        account_id=account.pk,
        link_id=link.pk if link else None,
        kind=kind,
        text=text[:_MOST],
        actor_id=actor.pk if actor else None,
    )
    log.info(
        "account.event",
        extra={"account": account.pk, "kind": kind, "install_link": event.link_id, "by": event.actor_id},
    )
    return event


def record_once(account: AccountShopify, kind: str, text: str, link: InstallLink | None = None) -> None:
    """Put something on the timeline that an outsider could repeat: once for a link, or once for the account."""
    about = f"link:{link.pk}" if link else f"account:{account.pk}"
    event = AccountEvent(account_id=account.pk, link=link, kind=kind, text=text[:_MOST], once_key=f"{about}:{kind}")
    # Whoever told it first: the constraint decides, and theirs stays.
    AccountEvent.objects.bulk_create([event], ignore_conflicts=True)
