"""What happens to a SHOPLINE account, kept as rows for staff and as lines in the log."""

import logging
from typing import Any

from integrations.models import AccountShopline, AccountShoplineEvent

log = logging.getLogger(__name__)
_MOST = AccountShoplineEvent._meta.get_field("text").max_length


def record(
    account: AccountShopline, kind: str, text: str, *, change: tuple[str, str] = ("", ""), actor: Any = None
) -> None:
    """Put something that happened on the account's timeline; `change` is the value before and after, no secret.

    Without an actor it was Hemi. The log line carries ids only.
    """
    before, after = change
    AccountShoplineEvent.objects.create(
        account_id=account.pk,
        kind=kind,
        text=text[:_MOST],
        before=before,
        after=after,
        actor_id=actor.pk if actor else None,
    )
    log.info("shopline.event", extra={**account.log_ids, "kind": kind, "by": actor.pk if actor else None})
