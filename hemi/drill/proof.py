"""What must be true at the end, by id: each accepted order with its supplier exactly once, whole, and nothing else."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from django.db.models import Q
from django.utils import timezone

from hemi.drill.stage import Case
from orders.models import Order
from suppliers.models import Delivery

NEVER_MET = "the fault was never met"
_FINAL = (Delivery.Status.SENT, Delivery.Status.CANCELLED)


def prove(case: Case, ledger: Sequence[dict]) -> None:
    """Compare what the store was promised, what the database holds and what the supplier has; note every problem."""
    seen = case.yard.seen(case.name)
    rows = list(_deliveries(case))
    case.problems += _missing(case, rows)
    there = seen["orders"] + seen["swept"]
    kept_ledger = [line for line in ledger if line["server"] == case.name] if seen["has_ledger"] else there
    for row in rows:
        case.problems += _of_file(row, there, kept_ledger)
    case.problems += _strays(case, rows, there)
    case.problems += _states(rows)
    if case.was_uncertain and not case.point.may_be_uncertain:
        case.problems.append("uncertain where a look could have told")
    if not case.is_met:
        case.problems.append(NEVER_MET)


def lost_orders(accepted: Iterable[int]) -> list[str]:
    """Return what the database misses of everything that was ever accepted, whatever case it was of."""
    wanted = set(accepted)
    sent = Delivery.objects.filter(status=Delivery.Status.SENT).values_list(
        "supplier_order__order__shopify_id", flat=True
    )
    counts = Counter(sent)
    missing = [f"order {number}: accepted, not sent" for number in sorted(wanted - set(counts))]
    return missing + [f"order {number}: {count} files sent" for number, count in counts.items() if count > 1]


def read_ledger(*paths: Path) -> list[dict]:
    """Return what arrived at the servers, oldest first."""
    return [json.loads(line) for path in paths if path.exists() for line in path.read_text().splitlines()]


def _deliveries(case: Case) -> Iterable[Delivery]:
    return Delivery.objects.filter(supplier_order__supplier=case.supplier).select_related(
        "supplier_order__order", "document_row"
    )


def _missing(case: Case, rows: Sequence[Delivery]) -> list[str]:
    stored = Counter(row.supplier_order.order.shopify_id for row in rows)
    known = set(Order.objects.filter(shopify_id__in=case.ids).values_list("shopify_id", flat=True))
    return [
        f"order {number}: {'no document' if number in known else 'no order'}, though it was answered with 200"
        for number in case.ids
        if stored[number] == 0
    ] + [f"order {number}: {count} documents" for number, count in stored.items() if count > 1]


def _of_file(row: Delivery, there: Sequence[dict], ledger: Sequence[dict]) -> list[str]:
    name, order = row.final_name, row.supplier_order.order.shopify_id
    arrived = [line for line in ledger if line["name"] == name]
    lying = [file for file in there if file["name"] == name]
    problems = []
    if row.status != Delivery.Status.SENT:
        problems.append(f"order {order}: {name} is {row.status}, step {row.step or 'none'}. {row.last_error}".strip())
    if len(arrived) != 1 or len(lying) != 1:
        problems.append(f"order {order}: {name} arrived {len(arrived)} times and is there {len(lying)} times")
    for file in [*arrived, *lying]:
        if file["sha256"] != hashlib.sha256(row.document).hexdigest() or file["sha256"] != row.sha256:
            problems.append(
                f"order {order}: {name} is not what the database holds ({file['size']} of {row.size} bytes)"
            )
    if row.done_name and row.done_name not in [file["name"] for file in there]:
        problems.append(f"order {order}: {row.done_name} is missing")
    return problems


def _strays(case: Case, rows: Sequence[Delivery], there: Sequence[dict]) -> list[str]:
    known = {row.final_name for row in rows} | {row.done_name for row in rows}
    return [f"{file['name']} lies at {case.name} and belongs to nothing" for file in there if file["name"] not in known]


def _states(rows: Sequence[Delivery]) -> list[str]:
    """Return rows that are neither final nor due: nobody would ever come back to them."""
    stale = Q(lease_until__lt=timezone.now()) | Q(lease_until=None)
    pks = [row.pk for row in rows]
    odd = Delivery.objects.filter(pk__in=pks).exclude(status__in=_FINAL).exclude(stale, status=Delivery.Status.DUE)
    kept = Delivery.objects.filter(pk__in=pks, status__in=_FINAL).exclude(claim_token="")
    return [f"{row} is neither final nor due" for row in odd] + [f"{row} is final and still claimed" for row in kept]
