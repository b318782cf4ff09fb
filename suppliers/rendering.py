"""The rendering runner: make each part's document, check it, store it byte for byte as a Delivery.

The document is made with no transaction open, since a supplier's own format runs in a process of its own; under the
order's lock it is stored only if the rows still say the same, those of the supplier's wishes too.
"""

import hashlib
import logging
from datetime import timedelta
from time import monotonic
from typing import TypeVar

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from hemi.lib import claims, logs, queue
from orders import settlement, timeline
from suppliers import composing, drafting, naming, parts, presend
from suppliers.documents import content as contents
from suppliers.documents.rendered import InvalidDocument, Rendered
from suppliers.models import Delivery, DeliveryContent, DeliveryDocument, SupplierOrder

log = logging.getLogger("suppliers")

Status = SupplierOrder.Status
LEASE = timedelta(seconds=50)  # longer than one document can take
SLICE_SECONDS = 20
BATCH = 20
_WAITING = Q(status=Status.WAITING)
Said = TypeVar("Said", DeliveryDocument, DeliveryContent)


def render() -> int:
    """Make the documents that are due, for a time slice; return how many were looked at."""
    done, until = 0, monotonic() + SLICE_SECONDS
    while claimed := claims.claim(
        SupplierOrder.objects.filter(_WAITING).order_by("next_attempt_at"), still=_WAITING, limit=BATCH, lease=LEASE
    ):
        for part in claims.each(claimed, LEASE):
            with logs.following(webhook_event=part.webhook_event):
                _render_one(part)
        done += len(claimed)
        if monotonic() > until:
            queue.kick("suppliers.render")
            break
    return done


def draft(part: SupplierOrder) -> Rendered:
    """Return the document that the part would be today. Raises InvalidDocument."""
    made = drafting.draft(composing.compose(part), part.supplier)
    if made.rendered is None:
        raise InvalidDocument(made.fault)
    return made.rendered


def has_changed(part: SupplierOrder) -> bool:
    """Say whether the part's stored document says something else than it would today."""
    delivery = Delivery.objects.filter(supplier_order=part).first()
    if delivery is None or delivery.redacted_at:
        return False
    today = composing.compose(part)
    said = DeliveryContent.objects.filter(delivery=delivery).first()
    if said:
        return said.content != contents.as_json(today)
    rendered = drafting.draft(today, part.supplier).rendered  # a document from before contents were kept
    return rendered is None or rendered.document != delivery.document


def _render_one(claimed: SupplierOrder) -> None:
    rows = SupplierOrder.objects.select_related("supplier", "order__account")
    part = rows.prefetch_related("supplier__pre_send_rules").get(pk=claimed.pk)
    wishes = drafting.wishes(part.supplier, part.kind)
    made = drafting.draft(composing.compose(part), part.supplier)
    with transaction.atomic():
        order = settlement.locked(claimed.order_id)
        part = SupplierOrder.objects.select_related("supplier__endpoint").get(pk=claimed.pk)
        if part.claim_token != claimed.claim_token or part.status != Status.WAITING:
            return
        part.order = order
        part.claim_token, part.lease_until, part.attempts = "", None, 0
        is_same = composing.compose(part) == made.content and drafting.wishes(part.supplier, part.kind) == wishes
        if parts.follow(part) or not is_same:
            part.next_attempt_at = timezone.now()
            part.save(update_fields=["next_attempt_at", "claim_token", "lease_until", "attempts"])
            return
        part.findings = presend.as_rows(made.findings)
        if made.rendered is None:
            _block(part, made.fault)
        else:
            _store(part, made, made.rendered)


def _store(part: SupplierOrder, made: drafting.Draft, rendered: Rendered) -> None:
    former = Delivery.objects.filter(supplier_order=part).select_related("endpoint").first()
    endpoint = former.endpoint if former else part.supplier.endpoint
    try:
        name = naming.final_name(endpoint, part, rendered.ending)
    except naming.InvalidName as error:
        _block(part, f"{error} Change it at the endpoint {endpoint}.")
        return
    remarks = [*(finding.text for finding in made.findings), *rendered.remarks]
    values = {
        "final_name": name,
        "done_name": naming.done_name(endpoint, name),
        "sha256": hashlib.sha256(rendered.document).hexdigest(),
        "size": len(rendered.document),
        "remarks": "\n".join(remarks),
        "is_held": bool(part.held_at) or not part.may_go,
    }
    where = {"endpoint": endpoint, "folder": endpoint.orders_folder}
    # A document that was taken back before anybody saw it: its row stays, for it knows of the temporary file.
    again = {"status": Delivery.Status.DUE, "attempts": 0, "next_attempt_at": timezone.now(), "first_claimed_at": None}
    if former:
        Delivery.objects.filter(pk=former.pk).update(**values, **again)
    delivery = former or Delivery.objects.create(supplier_order=part, **values, **where)
    _keep(DeliveryDocument(delivery=delivery, content=rendered.document))
    _keep(DeliveryContent(delivery=delivery, content=contents.as_json(made.content)))
    part.status = Status.READY
    part.save(update_fields=["status", "findings", "claim_token", "lease_until", "attempts"])
    timeline.record(part.order, "document_made", " ".join([f"Document {name} made.", *remarks]), part.reference)
    queue.kick("suppliers.deliver", endpoint.pk)


def _keep(said: Said) -> None:
    type(said).objects.bulk_create([said], update_conflicts=True, unique_fields=["delivery"], update_fields=["content"])


def _block(part: SupplierOrder, reason: str) -> None:
    part.status, part.attention = Status.BLOCKED, f"The document cannot be made: {reason}"[:500]
    part.save(update_fields=["status", "attention", "findings", "claim_token", "lease_until", "attempts"])
    timeline.record(part.order, "document_failed", part.attention, reference=part.reference)
