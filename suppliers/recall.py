"""After a restore: look up in the journal what the backup did not know to be sent, before anything goes.

A file that the journal says was sent, under the same name with the same bytes, is recorded as sent. One that was only
begun, or sent with other bytes, is uncertain: a person asks the supplier. One that the journal does not name goes out,
if the journal goes on to the end; else it is uncertain as well.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.formats import date_format

from hemi.lib import claims
from hemi.lib.journal import Reading
from hemi.lib.journal_files import Line
from suppliers import due, journal, lanes, records, turns
from suppliers.attempts import Attempt
from suppliers.models import Delivery, Endpoint, Restoration, SentBefore

log = logging.getLogger(__name__)

BATCH = 200
EARLIER = timedelta(days=1)  # lines from before the backup that are read: an upload may have begun then
State = SentBefore.State


@dataclass
class Found:
    """What a look into the journal came to, in deliveries."""

    sent: int = 0
    uncertain: int = 0
    due: int = 0
    orders: set[int] = field(default_factory=set)


@dataclass
class _Copied:
    """The lines of a journal, by file and sending, and what they say of their backup."""

    rows: dict[tuple[str, int, int], SentBefore] = field(default_factory=dict)
    has_mark: bool = False
    last_order: int = 0

    def take(self, line: Line, backup_id: str) -> None:
        if line["what"] == journal.BACKUP:
            self.has_mark |= line["backup"] == backup_id
            return
        self.last_order = max(self.last_order, line["order"])
        key = (line["reference"], line["shopify_id"], line["resends"])
        at, state = datetime.fromisoformat(line["at"]), State(line["what"])
        known = self.rows.get(key)
        if known and (known.state == State.SENT, known.at) > (state == State.SENT, at):
            return
        self.rows[key] = SentBefore(
            reference=line["reference"],
            shopify_id=line["shopify_id"],
            resends=line["resends"],
            state=state,
            endpoint_name=line["endpoint"][:200],
            name=line["name"],
            sha256=line["sha256"],
            at=at,
        )


def remember(restoration: Restoration, folders: Sequence[Path]) -> int:
    """Copy what the journal in `folders` says of the time since the backup; return the number of its last order.

    Whether the journal is whole is set in `restoration`, which is not saved.
    """
    reading, copied = Reading(), _Copied()
    for line in journal.read(folders, restoration.made_at - EARLIER, reading):
        copied.take(line, restoration.backup_id)
    SentBefore.objects.bulk_create(
        copied.rows.values(),
        batch_size=500,
        update_conflicts=True,
        unique_fields=["reference", "shopify_id", "resends"],
        update_fields=["state", "endpoint_name", "name", "sha256", "at"],
    )
    restoration.journal_ends_at = reading.ends_at
    restoration.why_doubted = _why_doubted(copied, reading, folders, restoration.made_at)
    restoration.is_journal_whole = not restoration.why_doubted
    return copied.last_order


def settle(endpoint: Endpoint) -> Found:
    """Look up every waiting delivery of a closed endpoint; what was sent or is uncertain is recorded."""
    found, length = Found(), lanes.lease(endpoint)
    pks = list(_waiting(endpoint).values_list("pk", flat=True))
    for start in range(0, len(pks), BATCH):
        rows = _waiting(endpoint).filter(pk__in=pks[start : start + BATCH])
        rows.update(next_attempt_at=timezone.now())  # what is to be tried again later is looked up now as well
        batch = claims.claim(rows, still=due.STILL, limit=BATCH, lease=length)
        attempts = [Attempt(delivery, length) for delivery in batch]
        found.orders |= {attempt.order_id for attempt in attempts}
        free = clear(attempts, found)
        found.due += len(free)
        turns.each({attempt.order_id for attempt in free}, _gives_back(free))
    return found


def clear(attempts: Sequence[Attempt], found: Found | None = None) -> list[Attempt]:
    """Return those of claimed deliveries that may go; of the others record what the journal says of them."""
    restorations = list(Restoration.objects.all()) if attempts else []
    if not restorations:
        return list(attempts)
    found, free, lines = found or Found(), [], _lines(attempts)
    doubts = next((each for each in restorations if not each.is_journal_whole), None)
    for attempt in attempts:
        line = _line(lines, attempt.delivery)
        if line and _is_same(line, attempt.delivery):
            found.sent += 1
            with turns.alone(attempt.order_id):
                records.sent([attempt], f"The journal says that it was sent {_time(line.at)}, before the restore.")
        elif doubt := _doubt(line, attempt.delivery, doubts):
            found.uncertain += 1
            attempt.uncertain(doubt)
        else:
            free.append(attempt)
    return free


def note_settled(delivery: Delivery, *, was_sent: bool) -> None:
    """Take a person's word for what the journal says, so that it is not asked about again."""
    if not Restoration.objects.exists():
        return
    SentBefore.objects.update_or_create(
        reference=delivery.supplier_order.reference,
        shopify_id=delivery.supplier_order.order.shopify_id,
        resends=delivery.resends,
        defaults={
            "state": State.SENT if was_sent else State.BACK,
            "name": delivery.final_name,
            "sha256": delivery.sha256,
            "at": timezone.now(),
        },
    )


def _waiting(endpoint: Endpoint) -> QuerySet[Delivery]:
    rows = Delivery.objects.filter(due.STILL, endpoint=endpoint).order_by("pk")
    return rows.select_related("endpoint", "supplier_order__order", "supplier_order__supplier")


def _gives_back(attempts: Sequence[Attempt]) -> Callable[[set[int]], None]:
    return lambda orders: records.give_back([attempt for attempt in attempts if attempt.order_id in orders])


def _lines(attempts: Iterable[Attempt]) -> dict[str, list[SentBefore]]:
    found: dict[str, list[SentBefore]] = {}
    references = [attempt.delivery.supplier_order.reference for attempt in attempts]
    for line in SentBefore.objects.filter(reference__in=references).order_by("resends"):
        found.setdefault(line.reference, []).append(line)
    return found


def _line(lines: dict[str, list[SentBefore]], delivery: Delivery) -> SentBefore | None:
    """Return what the journal says last of this sending; an earlier one is none of it, for a person asked for more."""
    said = lines.get(delivery.supplier_order.reference, [])
    mine = [line for line in said if line.shopify_id == delivery.supplier_order.order.shopify_id] or said
    return mine[-1] if mine and mine[-1].resends >= delivery.resends else None


def _is_same(line: SentBefore, delivery: Delivery) -> bool:
    of_order = line.shopify_id == delivery.supplier_order.order.shopify_id
    same = (line.name, line.sha256) == (delivery.final_name, delivery.sha256)
    return line.state == State.SENT and of_order and same


def _doubt(line: SentBefore | None, delivery: Delivery, doubts: Restoration | None) -> str:
    """Say why a person must decide; "" where the file may go."""
    if line is None:
        is_doubted = doubts and _is_from_before(delivery, doubts)
        return f"It may have been sent before the restore. {doubts.why_doubted}" if doubts and is_doubted else ""
    if line.shopify_id != delivery.supplier_order.order.shopify_id:
        return f"Before the restore another order went out under this reference, {_time(line.at)}."
    if line.state == State.BACK:
        return ""
    if line.state == State.SENT:
        return f"{line.name} was sent {_time(line.at)}, before the restore, with other contents than today's."
    return f"It was about to be sent {_time(line.at)}, before the restore, and the journal does not say that it was."


def _is_from_before(delivery: Delivery, restoration: Restoration) -> bool:
    """Tell whether the file may have been sent already: made before the restore, or of what an order was then."""
    part = delivery.supplier_order
    known_at = part.order.placed_at if part.revision == 1 else part.order.shop_updated_at
    return min(delivery.created_at, known_at) <= restoration.restored_at


def _why_doubted(copied: _Copied, reading: Reading, folders: Sequence[Path], made_at: datetime) -> str:
    until = f"It ends {_time(reading.ends_at)}." if reading.ends_at else ""
    if not reading.files:
        return "There is no journal of what was sent."
    if not copied.has_mark:
        return f"The journal of what was sent does not reach back to the backup. {until}"
    if reading.damaged:
        return f"The journal of what was sent is damaged: {reading.damaged} lines cannot be read. {until}"
    if gone := [day for folder in folders for day in journal.missing(folder, made_at)]:
        return f"Files of the journal of what was sent are missing: {', '.join(gone)}. {until}"[:500]
    if not all(journal.is_in_place(folder, made_at) for folder in folders):
        return f"The journal of what was sent is a copy, which may end too early. {until}"
    return ""


def _time(at: datetime) -> str:
    return f"{date_format(timezone.localtime(at), 'DATETIME_FORMAT')} UTC"
