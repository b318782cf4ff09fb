"""Orders as Shopify's webhooks carry them: an ordinary one, and every oddity by name."""

from datetime import UTC, datetime
from random import Random

from sandbox.shopify.draft import Draft
from sandbox.shopify.order_parts import token
from sandbox.shopify.totals import settle
from sandbox.shopify.variants import VARIANTS

__all__ = ["VARIANTS", "make_order"]

_PLACED_AT = datetime(2026, 11, 5, 9, 30, tzinfo=UTC)
_NULLS = (
    "app_id",
    "browser_ip",
    "cancel_reason",
    "cancelled_at",
    "cart_token",
    "checkout_id",
    "checkout_token",
    "client_details",
    "closed_at",
    "current_total_additional_fees_set",
    "current_total_duties_set",
    "device_id",
    "fulfillment_status",
    "landing_site",
    "landing_site_ref",
    "location_id",
    "merchant_of_record_app_id",
    "note",
    "original_total_additional_fees_set",
    "original_total_duties_set",
    "payment_terms",
    "phone",
    "po_number",
    "reference",
    "referring_site",
    "source_identifier",
    "source_url",
    "user_id",
)
_EMPTY_LISTS = (
    "discount_applications",
    "discount_codes",
    "fulfillments",
    "note_attributes",
    "refunds",
    "returns",
    "tax_lines",
)


def make_order(
    number: int, variant: str = "plain", rng: Random | None = None, placed_at: datetime | None = None
) -> dict:
    """Make one order; the same number, variant, generator state and time give the same order."""
    edit = VARIANTS[variant]
    draft = Draft(number, rng or Random(number))
    order = _blank(draft, placed_at or _PLACED_AT)
    finish = edit(order, draft)
    order.update(draft.parts())
    settle(order, draft.presentment_rate)
    if finish:
        finish(order)
    return order


def _blank(draft: Draft, placed_at: datetime) -> dict:
    moment = placed_at.isoformat(timespec="seconds")
    order = dict.fromkeys(_NULLS) | {name: [] for name in _EMPTY_LISTS}
    return order | {
        "id": draft.ids.order,
        "admin_graphql_api_id": f"gid://shopify/Order/{draft.ids.order}",
        "buyer_accepts_marketing": False,
        "confirmation_number": token(draft.rng)[:9].upper(),
        "confirmed": True,
        "created_at": moment,
        "customer_locale": "en",
        "duties_included": False,
        "estimated_taxes": False,
        "financial_status": "paid",
        "merchant_business_entity_id": "MTAwMDAwMDAwMQ",
        "name": f"#{draft.ids.number}",
        "number": max(draft.ids.number - 1000, 1),
        "order_number": draft.ids.number,
        "order_status_url": f"https://shop.example/orders/{token(draft.rng)}/authenticate",
        "payment_gateway_names": ["shopify_payments"],
        "processed_at": moment,
        "source_name": "web",
        "tags": "",
        "tax_exempt": False,
        "taxes_included": True,
        "test": False,
        "token": token(draft.rng),
        "updated_at": moment,
    }
