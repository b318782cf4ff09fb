"""Shopify's access scopes: the list that a new account asks for, and how granted is compared with asked."""

import re

DEFAULT = (
    "read_assigned_fulfillment_orders,write_assigned_fulfillment_orders,read_checkouts,write_checkouts,read_content,"
    "write_content,read_customer_merge,write_customer_merge,read_customers,write_customers,read_discounts,"
    "write_discounts,read_draft_orders,write_draft_orders,read_files,write_files,read_fulfillments,write_fulfillments,"
    "read_gift_cards,write_gift_cards,read_inventory,write_inventory,read_legal_policies,read_locales,write_locales,"
    "read_locations,read_metaobject_definitions,write_metaobject_definitions,read_metaobjects,write_metaobjects,"
    "read_marketing_events,write_marketing_events,read_merchant_managed_fulfillment_orders,"
    "write_merchant_managed_fulfillment_orders,read_orders,write_orders,read_payment_terms,write_payment_terms,"
    "read_price_rules,write_price_rules,read_products,write_products,read_product_listings,read_publications,"
    "write_publications,read_purchase_options,write_purchase_options,read_reports,write_reports,"
    "read_resource_feedbacks,write_resource_feedbacks,read_script_tags,write_script_tags,read_shipping,write_shipping,"
    "read_shopify_payments_disputes,read_shopify_payments_payouts,read_returns,write_returns,read_themes,write_themes,"
    "read_translations,write_translations,read_third_party_fulfillment_orders,write_third_party_fulfillment_orders,"
    "read_order_edits,write_order_edits,read_all_orders"
)

# What Hemi's own documents read and change; integrations/tests/shopify/test_documents.py holds it against them.
NEEDED = (
    "read_orders",
    "read_products",
    "read_customers",
    "read_locations",
    "write_merchant_managed_fulfillment_orders",
)

_HANDLE = re.compile(r"[a-z][a-z0-9_]{1,99}")


def split(text: str) -> list[str]:
    """Read handles separated by commas, spaces or lines, each once, in their order.

    Raises ValueError naming the first word that cannot be a scope.
    """
    handles = list(dict.fromkeys(word for word in re.split(r"[\s,]+", text) if word))
    for handle in handles:
        if not _HANDLE.fullmatch(handle):
            raise ValueError(f"“{handle[:60]}” is not an access scope. Scopes look like read_orders.")
    return handles


def arrange(handles: list[str]) -> list[str]:
    """Put handles into the order of DEFAULT; what is not in it comes after, as it was."""
    order = {handle: number for number, handle in enumerate(DEFAULT.split(","))}
    return sorted(handles, key=lambda handle: order.get(handle, len(order)))


def expand(handles: list[str]) -> set[str]:
    """Add the read scope that each write scope implies (Shopify's answer leaves the implied ones out)."""
    implied = {re.sub(r"^(unauthenticated_)?write_", r"\g<1>read_", handle) for handle in handles}
    return set(handles) | implied


def missing(asked: str, granted: str) -> list[str]:
    """Return what was asked and not granted, in the order asked."""
    has = expand(re.split(r"[\s,]+", granted))
    return [handle for handle in split(asked) if handle not in has]
