"""What a person may ask of an endpoint."""

import base64
import binascii
import logging
import re
from typing import Any

from django.db import transaction
from django.utils import timezone

from hemi.lib import queue
from orders.services import Refused
from suppliers import addressing, turns
from suppliers.models import Delivery, Endpoint, EndpointCheck

log = logging.getLogger("suppliers")

_DIGEST_BYTES = 32
_WHERE = {"protocol", "host", "port", "username"}
_OF_FILES = {"orders_folder", "name_template", "done_suffix"}
_AT_WORK = "The endpoint is not stopped, and not left alone."
_TO_CONFIRM = "Nobody has confirmed who the server is. Confirm its identity first."


def restart(*, endpoint: Endpoint, by: Any) -> Endpoint:
    """Let a stopped endpoint, or one that is left alone for a while, try again now. Raises Refused."""
    if reason := why_not_restart(Endpoint.objects.get(pk=endpoint.pk)):
        raise Refused(reason)
    row, now = Endpoint.objects.filter(pk=endpoint.pk), timezone.now()
    is_restarted = row.exclude(stopped_at=None).update(stopped_at=None, stop_reason="", attempts=0, next_attempt_at=now)
    # Its circuit breaker stays open until one file has shown that the server is back.
    if not is_restarted and not row.exclude(opened_at=None).update(next_attempt_at=now):
        raise Refused(_AT_WORK)
    log.info("endpoint.restarted", extra={"endpoint_id": endpoint.pk, "by": getattr(by, "pk", None)})
    queue.kick("suppliers.deliver", endpoint.pk)
    return Endpoint.objects.get(pk=endpoint.pk)


def changed(*, endpoint: Endpoint, columns: set[str], by: Any) -> int:
    """Have files heed columns that were just changed; return how many go elsewhere now, or under another name."""
    if columns & _WHERE:
        # A run at work stops at its next step. A file that is gone from another server was not taken from there.
        Endpoint.objects.filter(pk=endpoint.pk).update(claim_token="", lease_until=None)
        _doubt_renames(endpoint)
    moved = addressing.follow(endpoint.deliveries.all()) if columns & _OF_FILES else 0
    log.info("endpoint.changed", extra={"endpoint_id": endpoint.pk, "by": getattr(by, "pk", None), "files": moved})
    return moved


def _doubt_renames(endpoint: Endpoint) -> None:
    rows = endpoint.deliveries.filter(step=Delivery.Step.RENAMING)

    def write(orders: set[int]) -> None:
        rows.filter(supplier_order__order__in=orders).update(renaming_at=None)

    turns.each(rows.values_list("supplier_order__order", flat=True), write)  # as the runs at work lock them


def why_not_restart(endpoint: Endpoint) -> str:
    """Say why there is nothing to restart, or why not yet."""
    if not endpoint.stopped_at and not endpoint.opened_at:
        return _AT_WORK
    return _TO_CONFIRM if endpoint.needs_identity else ""


def test(*, endpoint: Endpoint, by: Any) -> EndpointCheck:
    """Ask for a test of the endpoint; one that waits already is joined."""
    with transaction.atomic():
        Endpoint.objects.select_for_update().get(pk=endpoint.pk)
        waiting = endpoint.checks.filter(status=EndpointCheck.Status.WAITING).first()
        check = waiting or EndpointCheck.objects.create(endpoint=endpoint, made_by=by)
        queue.kick("suppliers.check_endpoint", check.pk)
    return check


def why_not_confirm(endpoint: Endpoint) -> str:
    """Say why there is no identity to confirm."""
    if endpoint.offered_identity and endpoint.needs_identity:
        return ""
    if endpoint.needs_identity:
        return "Hemi has not seen the server yet. Press Test connection first."
    if endpoint.protocol == Endpoint.Protocol.FTP:
        return "Plain FTP does not tell who the server is."
    if endpoint.host_identity:
        return "It is confirmed already, and the server has shown no other since."
    return "Authorities vouch for its certificate; nothing needs to be confirmed unless a test says so."


def is_same(one: str, other: str) -> bool:
    """Tell whether two fingerprints are the same, however they are written: in hex or base64, with SHA256: or not."""
    return _digest(one) == _digest(other) != b""


def confirm_identity(*, endpoint: Endpoint, shown: str, by: Any) -> Endpoint:
    """Take the identity that the person saw as the server's. Raises Refused."""
    row = Endpoint.objects.filter(pk=endpoint.pk, offered_identity=shown).exclude(offered_identity="")
    confirmed = {"host_identity": shown, "identity_confirmed_at": timezone.now(), "identity_confirmed_by": by}
    with transaction.atomic():
        if reason := why_not_confirm(Endpoint.objects.get(pk=endpoint.pk)):
            raise Refused(reason)
        if not row.update(**confirmed):
            raise Refused("The server has shown yet another identity meanwhile. Compare that one.")
        # What stopped it was that nobody had confirmed this.
        Endpoint.objects.filter(pk=endpoint.pk).update(
            offered_identity="", stopped_at=None, stop_reason="", attempts=0, next_attempt_at=timezone.now()
        )
        queue.kick("suppliers.deliver", endpoint.pk)
    log.info("endpoint.identity_confirmed", extra={"endpoint_id": endpoint.pk, "actor_id": getattr(by, "pk", None)})
    return Endpoint.objects.get(pk=endpoint.pk)


def _digest(fingerprint: str) -> bytes:
    text = re.sub(r"^SHA-?256[ :=]*", "", fingerprint.strip(), flags=re.IGNORECASE)
    in_hex = re.sub(r"[: ]", "", text)
    if re.fullmatch(r"[0-9A-Fa-f]{64}", in_hex):
        return bytes.fromhex(in_hex)
    try:
        found = base64.b64decode(text.rstrip("=") + "=", validate=True)
    except binascii.Error:
        return b""
    return found if len(found) == _DIGEST_BYTES else b""
