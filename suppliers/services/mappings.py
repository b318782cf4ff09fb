"""What a person may ask of a supplier's own format: a new version, another version live."""

import itertools
import logging
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Max

from orders.services import Refused
from suppliers import drafting, previews
from suppliers.documents.rendered import InvalidDocument
from suppliers.models import Mapping, Supplier

_TRIED = 5  # of the last orders, where the example fails: a supplier's schema may want what it has not

log = logging.getLogger("suppliers")


def add(*, mapping: Mapping, by: Any) -> Mapping:
    """Store a new version of its supplier's mapping under the next number."""
    with transaction.atomic():
        Supplier.objects.select_for_update().get(pk=mapping.supplier_id)
        latest = Mapping.objects.filter(supplier=mapping.supplier_id).aggregate(latest=Max("version"))["latest"] or 0
        mapping.version, mapping.made_by, mapping.is_live = latest + 1, by, False
        mapping.save(force_insert=True)
    return mapping


def make_live(*, mapping: Mapping, by: Any) -> Mapping:
    """Have the supplier's files made with this version from now on. Raises Refused."""
    if fault := _fault(mapping):
        raise Refused(f"This version does not go live: it fails for an example order. {fault}")
    try:
        with transaction.atomic():
            Supplier.objects.select_for_update().get(pk=mapping.supplier_id)
            if Mapping.objects.get(pk=mapping.pk).is_live:
                raise Refused("This version is live already.")
            Mapping.objects.filter(supplier=mapping.supplier_id, is_live=True).update(is_live=False)
            Mapping.objects.filter(pk=mapping.pk).update(is_live=True)
    except IntegrityError:
        raise Refused("Somebody made another version live at the same moment. Look again.") from None
    ids = {"supplier_id": mapping.supplier_id, "mapping_id": mapping.pk, "by": getattr(by, "pk", None)}
    log.info("mapping.made_live", extra=ids)
    return Mapping.objects.get(pk=mapping.pk)


def _fault(mapping: Mapping) -> str:
    """Return why the version makes nothing of an example; "" where it does, or does of one of the last orders.

    The supplier's rules stop nothing here: that an order lacks a telephone number says nothing of the version.
    """
    supplier, faults = mapping.supplier, []
    last = (previews.said(part) for part in previews.recent(supplier)[:_TRIED])
    for content in itertools.chain([previews.example(supplier)], last):
        try:
            drafting.try_out(content, supplier, mapping)
        except InvalidDocument as fault:
            faults.append(str(fault))
        else:
            return ""
    return faults[0]


def earlier(mapping: Mapping) -> Mapping | None:
    """Return the version before this one."""
    return (
        Mapping.objects.filter(supplier=mapping.supplier_id, version__lt=mapping.version).order_by("-version").first()
    )


def go_back(*, mapping: Mapping, by: Any) -> Mapping:
    """Make the version before a live one live again. Raises Refused."""
    before = earlier(mapping)
    if not mapping.is_live or before is None:
        raise Refused("Only from a live version with one before it can one go back.")
    return make_live(mapping=before, by=by)
