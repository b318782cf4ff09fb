"""What is due at suppliers' servers: deliveries, and looks for replies."""

from functools import cache

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from hemi.lib import claims
from orders.models import Order
from suppliers.models import Delivery, Endpoint, EndpointCheck, Supplier, SupplierOrder

# A stopped endpoint, or one that a restore closed, waits for a person, however the columns of its lane stand.
OPEN = Q(is_active=True, stopped_at=None, closed_at=None)
# Where the fate of a sent file says something.
TRACEABLE = ~Q(done_folder="") | ~Q(failed_folder="") | Q(is_gone_taken=True)
STILL = Q(status=Delivery.Status.DUE)
_OPEN_ENDPOINT = Q(endpoint__is_active=True, endpoint__stopped_at=None, endpoint__closed_at=None)
_NOT_PAUSED = Q(supplier_order__supplier__paused_at=None, supplier_order__order__account__paused_at=None)
_OF_ITS_MODE = Q(supplier_order__order__is_test=True, supplier_order__supplier__mode=Supplier.Mode.TEST) | Q(
    supplier_order__order__is_test=False, supplier_order__supplier__mode=Supplier.Mode.LIVE
)
_OPEN_PART = Q(supplier_order__status=SupplierOrder.Status.READY, supplier_order__held_at=None)
# A cancellation goes out of an order that does not.
_OF_A_LIVE_ORDER = Q(supplier_order__order__state=Order.State.READY) | Q(
    supplier_order__kind=SupplierOrder.Kind.CANCELLATION
)
# One that has changed changes its files first. Nothing waits for a store that is merely asked again.
_IS_FOLLOWED = Q(supplier_order__order__needs_routing=False)
# A newer file of the same order must not overtake an older one.
_EARLIER = Delivery.objects.filter(
    supplier_order__order=OuterRef("supplier_order__order"),
    supplier_order__supplier=OuterRef("supplier_order__supplier"),
    supplier_order__revision__lt=OuterRef("supplier_order__revision"),
    status__in=[Delivery.Status.DUE, Delivery.Status.DEAD, Delivery.Status.UNCERTAIN],
)
_IN_TURN = Q(supplier_order__revision=1) | ~Exists(_EARLIER)
# Sent before, and a person wants it sent once more, whatever became of the rest of the order.
_AGAIN = Q(resends__gt=0, supplier_order__status__in=list(SupplierOrder.RANK))
_IS_NEW = _OPEN_PART & _OF_A_LIVE_ORDER & _IS_FOLLOWED & _IN_TURN
_MAY_GO = _OF_ITS_MODE & Q(is_held=False, redacted_at=None) & (_IS_NEW | _AGAIN)
# Where the rename may have happened the truth is looked for, whatever was decided since.
_TO_LOOK = Q(step__in=[Delivery.Step.RENAMING, Delivery.Step.SIGNALLING])
# A temporary file may lie there that no attempt removes. A held one's is removed when it goes on or is cancelled, but
# that may take days.
_LEFT = Q(step=Delivery.Step.UPLOADING) & ~Q(temporary_name="")
_NOT_COMING = Q(status__in=[Delivery.Status.CANCELLED, Delivery.Status.DEAD]) | Q(STILL, is_held=True)


def free_to_go() -> QuerySet[Delivery]:
    """Return the deliveries that nothing forbids: asked again before each step."""
    return _free_to_go().all()


def deliveries() -> QuerySet[Delivery]:
    """Return the deliveries that wait for their turn, claimed or not, oldest first."""
    return _deliveries().all()


# Made once: to put these together takes as long as to ask them.
@cache
def _free_to_go() -> QuerySet[Delivery]:
    return Delivery.objects.filter(_OPEN_ENDPOINT & _NOT_PAUSED & _MAY_GO & STILL)


@cache
def _deliveries() -> QuerySet[Delivery]:
    waiting = Delivery.objects.filter(_OPEN_ENDPOINT & _NOT_PAUSED & (_MAY_GO | _TO_LOOK) & STILL)
    return waiting.order_by("next_attempt_at", "pk")


def retryable() -> QuerySet[Delivery]:
    """Return the deliveries that wait or were given up, and that would go if a person asked for them now."""
    unlocked = Q(status__in=Delivery.RETRYABLE, is_held=False, redacted_at=None)
    return Delivery.objects.filter(_OPEN_ENDPOINT & _NOT_PAUSED & unlocked & (_OF_ITS_MODE & _IN_TURN | _TO_LOOK))


def leftovers() -> QuerySet[Delivery]:
    """Return the deliveries whose temporary file may lie on the server although no attempt is to come."""
    return Delivery.objects.filter(_LEFT & _NOT_COMING)


def has_deliveries(endpoint_id: int) -> bool:
    """Tell whether a delivery of the endpoint could be claimed now."""
    return deliveries().filter(claims.due(), endpoint=endpoint_id).exists()


def endpoints_with_deliveries() -> QuerySet[Endpoint]:
    """Return the endpoints whose lane is free and where something is due or left over."""
    here = {"endpoint": OuterRef("pk")}
    is_due = Exists(deliveries().filter(claims.due(), **here).order_by())
    return Endpoint.objects.filter(OPEN & claims.due()).filter(
        is_due | Exists(leftovers().filter(claims.due(), **here))
    )


def endpoints_that_reply() -> QuerySet[Endpoint]:
    """Return the endpoints that have replies: as files, or by what becomes of the order files."""
    return Endpoint.objects.filter(~Q(replies_folder="") | TRACEABLE)


def endpoints_to_poll() -> QuerySet[Endpoint]:
    """Return the endpoints where it is time to look for replies and whose lane is free."""
    return endpoints_that_reply().filter(OPEN & claims.due(), next_poll_at__lte=timezone.now())


def waiting_check(endpoint_id: int) -> int | None:
    """Return the test that waits for this endpoint's lane; whoever leaves the lane lets it go first."""
    waiting = EndpointCheck.objects.filter(claims.due(), endpoint=endpoint_id, status=EndpointCheck.Status.WAITING)
    return waiting.values_list("pk", flat=True).first()


def must_poll(endpoint_id: int) -> bool:
    """Tell whether it is time to look for this endpoint's replies."""
    return endpoints_to_poll().filter(pk=endpoint_id).exists()
