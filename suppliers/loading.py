"""Read claimed deliveries' documents a few at a time, shortly before they are uploaded.

A large document's memory costs more than its upload where every one is new to the process.
"""

from collections.abc import Callable, Iterator, Sequence

from hemi.lib import binary
from suppliers.attempts import Attempt
from suppliers.models import DeliveryDocument

PORTION_BYTES = 4_000_000

_COLUMNS = ("pk", "content", "delivery__claim_token", "delivery__final_name", "delivery__sha256", "delivery__size")


def in_turn(attempts: Sequence[Attempt], is_open: Callable[[], bool]) -> Iterator[Attempt]:
    """Yield begun uploads with their documents as long as it is open; let go of with the next one.

    A document that is not the claim's any more is left out, and its claim given up.
    """
    for portion in _portions(attempts):
        if not is_open():
            return
        load(portion)
        for attempt in portion:
            if attempt.has_document:
                yield attempt
                attempt.document = b""


def load(attempts: Sequence[Attempt]) -> None:
    """Read the documents of claims that still stand, and what else of a row may have changed until it was begun."""
    rows = DeliveryDocument.objects.filter(pk__in=[attempt.delivery.pk for attempt in attempts])
    found = {pk: values for pk, *values in binary.rows(rows.values_list(*_COLUMNS))}
    for attempt in attempts:
        delivery = attempt.delivery
        content, *mine, sha256, size = found.get(delivery.pk) or (b"", "", "", "", 0)
        attempt.has_document = mine == [delivery.claim_token, delivery.final_name]
        if attempt.has_document:
            attempt.document, delivery.sha256, delivery.size = content, sha256, size


def _portions(attempts: Sequence[Attempt]) -> Iterator[list[Attempt]]:
    portion: list[Attempt] = []
    size = 0
    for attempt in attempts:
        portion.append(attempt)
        size += attempt.delivery.size
        if size >= PORTION_BYTES:
            yield portion
            portion, size = [], 0
    if portion:
        yield portion
