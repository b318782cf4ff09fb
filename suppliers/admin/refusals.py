"""Why a button of a supplier order, a delivery or a reply is off, in the words in which the services refuse."""

from suppliers import resending, waiting
from suppliers.models import Delivery, ReplyStatement, SupplierOrder, SupplierReply
from suppliers.services import ground, replies

_HANDING_OVER = (Delivery.Step.RENAMING, Delivery.Step.SIGNALLING)
REDACTED = "The customer's data was removed, and the document with it: it cannot be sent or read again."


def hold(part: SupplierOrder) -> str:
    """Why a part cannot be put on hold."""
    return "This part is on hold already." if part.held_at else _too_late(part)


def release(part: SupplierOrder) -> str:
    """Why a part cannot be released."""
    return "" if part.held_at else "This part is not on hold."


def cancel(part: SupplierOrder) -> str:
    """Why a part cannot be cancelled."""
    if part.status == SupplierOrder.Status.REJECTED:
        return ""
    delivery = getattr(part, "delivery", None)
    is_unknown = delivery and delivery.endpoint.closed_at and part.status in SupplierOrder.UNSENT
    return ground.too_late(part) if is_unknown else _too_late(part)


def deal_with(part: SupplierOrder) -> str:
    """Why there is nothing to be dealt with."""
    if part.status == SupplierOrder.Status.BLOCKED:
        return "The document cannot be made: mend the cause and make it again."
    return "" if part.attention else "Nothing about this part needs attention."


def make_again(part: SupplierOrder) -> str:
    """Why a document is not made again."""
    is_blocked = part.status == SupplierOrder.Status.BLOCKED
    return "" if is_blocked else "The document was made; there is nothing to try again."


def download(delivery: Delivery) -> str:
    """Why there is no document to be had."""
    return REDACTED if delivery.redacted_at else ""


def download_reply(reply: SupplierReply) -> str:
    """Why there is no reply to be had."""
    if reply.redacted_at:
        return REDACTED
    is_repeat = reply.source == SupplierReply.Source.FILE and reply.size and not reply.content
    return (
        "There is no file to be had: it was never fetched, said nothing new, or is older than what is kept."
        if is_repeat
        else ""
    )


def retry(delivery: Delivery) -> str:
    """Why a delivery is not tried now."""
    if delivery.redacted_at:
        return REDACTED
    if delivery.status in Delivery.RETRYABLE and not delivery.is_held:
        return waiting.reason(delivery)
    return "Only a file that is waiting or given up, and not on hold, can be tried again."


def send_again(delivery: Delivery) -> str:
    """Why a document is not sent once more."""
    return resending.why_not(delivery)


def settle(delivery: Delivery) -> str:
    """Why there is nothing to settle."""
    if delivery.redacted_at:
        return REDACTED
    return "" if delivery.status == Delivery.Status.UNCERTAIN else "This delivery is not uncertain."


def read_again(reply: SupplierReply) -> str:
    """Why a reply is not read again."""
    return REDACTED if reply.redacted_at else replies.why_not_again(reply)


def match_reply(reply: SupplierReply) -> str:
    """Why a reply is not matched by hand as a whole."""
    if reply.redacted_at:
        return REDACTED
    open_rows = reply.statements.filter(status=ReplyStatement.Status.UNMATCHED)[:2].count()
    if open_rows > 1:
        return "It speaks of several orders: open the statement that you mean, below."
    return "" if open_rows else "Nothing in this reply waits for its order."


def settle_reply(reply: SupplierReply) -> str:
    """Why there is nothing to settle about a reply."""
    return "" if reply.status in SupplierReply.OPEN else "Nothing in this reply waits for a person."


def match(statement: ReplyStatement) -> str:
    """Why a statement is not matched by hand."""
    if statement.status == ReplyStatement.Status.UNREADABLE:
        return "This row cannot be read, so there is nothing to apply. Settle it."
    return settle_statement(statement)


def settle_statement(statement: ReplyStatement) -> str:
    """Why there is nothing to settle about a statement."""
    return "" if statement.status in ReplyStatement.OPEN else "This statement was applied or settled already."


def _too_late(part: SupplierOrder) -> str:
    if part.status == SupplierOrder.Status.CANCELLED:
        return "This part is cancelled."
    delivery = getattr(part, "delivery", None)
    is_under_way = delivery and (delivery.status == Delivery.Status.UNCERTAIN or delivery.step in _HANDING_OVER)
    if part.status in SupplierOrder.UNSENT and not is_under_way:
        return ""
    return ground.too_late(part)
