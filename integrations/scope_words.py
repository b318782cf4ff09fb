"""What each access scope allows, in words for staff, and which scopes Shopify has beside those Hemi asks for."""

import re

_THINGS = {
    "assigned_fulfillment_orders": "fulfilment orders that are assigned to this app's own locations",
    "checkouts": "checkouts that were begun and not completed",
    "content": "blogs, articles, comments and pages",
    "customer_merge": "merging two customers into one",
    "customers": "customers with their addresses and tags",
    "discounts": "discounts and discount codes",
    "draft_orders": "draft orders",
    "files": "files and pictures of the store",
    "fulfillments": "shipments and fulfilment services",
    "gift_cards": "gift cards and their balance",
    "inventory": "stock levels and inventory items",
    "legal_policies": "the store's legal policies",
    "locales": "the store's languages",
    "locations": "the store's locations",
    "metaobject_definitions": "definitions of metaobjects",
    "metaobjects": "metaobjects: entries of the store's own content types",
    "marketing_events": "marketing activities and what they brought",
    "merchant_managed_fulfillment_orders": "fulfilment orders at the store's own locations",
    "orders": "orders of the last 60 days, with payments and shipments",
    "payment_terms": "payment terms of orders",
    "price_rules": "price rules, the older form of discounts",
    "products": "products, variants and collections",
    "product_listings": "products as they are published to this app",
    "publications": "what is published to which sales channel",
    "purchase_options": "selling plans, such as subscriptions and pre-orders",
    "reports": "reports",
    "resource_feedbacks": "feedback on whether products can be sold through this app",
    "script_tags": "scripts on the store's pages",
    "shipping": "shipping rates, zones and carriers",
    "shopify_payments_disputes": "disputes of Shopify Payments",
    "shopify_payments_payouts": "payouts of Shopify Payments",
    "returns": "returns",
    "themes": "themes and their files",
    "translations": "translations of the store's content",
    "third_party_fulfillment_orders": "fulfilment orders at other companies' fulfilment services",
    "order_edits": "edits of orders that are placed already",
}
_WHOLE = {
    "read_all_orders": "Read orders older than 60 days, too. Shopify has to approve it for the app.",
    "read_customer_merge": "See whether and how customers can be merged.",
    "write_customer_merge": "Merge two customers into one.",
    "write_order_edits": "Edit orders that are placed already.",
}
# The other scopes that Shopify's 2026-10 schema names. Whether an app may have them is between it and Shopify.
_OTHERS = frozenset(
    re.findall(
        r"\w+",
        """
    read_analytics_annotations read_apps read_capital read_cart_transforms read_cash_tracking
    read_checkout_and_accounts_configurations read_checkout_settings read_companies read_customer_data_erasure
    read_customer_payment_methods read_delivery_customizations read_delivery_promises read_financial_kyc_information
    read_fulfillment_constraint_rules read_gift_card_transactions read_images read_inventory_shipments
    read_inventory_transfers read_marketplace_fulfillment_orders read_marketplace_orders read_marketplace_returns
    read_markets read_markets_home read_merchant_approval_signals read_mobile_platform_applications
    read_online_store_navigation read_online_store_pages read_own_subscription_contracts read_payment_customizations
    read_payment_mandate read_pixels read_point_of_sale_devices read_privacy_settings read_quick_sale
    read_shop_promise_program read_shopify_payments read_shopify_payments_accounts
    read_shopify_payments_accounts_sensitive read_shopify_payments_bank_accounts
    read_shopify_payments_dispute_evidences read_shopify_payments_legal_entities read_shopify_payments_tooling
    read_store_credit_account_transactions read_store_credit_accounts read_taxes read_users read_validations
    write_analytics_annotations write_cart_transforms write_cash_tracking write_checkout_and_accounts_configurations
    write_checkout_settings write_companies write_customer_data_erasure write_customer_payment_methods
    write_delivery_customizations write_delivery_promises write_fulfillment_constraint_rules
    write_gift_card_transactions write_images write_inventory_purchase_orders write_inventory_shipments
    write_inventory_shipments_received_items write_inventory_transfers write_legal_policies write_locations
    write_marketplace_fulfillment_orders write_marketplace_orders write_marketplace_returns write_markets
    write_mobile_platform_applications write_online_store_navigation write_online_store_pages
    write_own_subscription_contracts write_payment_customizations write_payment_mandate write_pixels
    write_pos_staff_member_event_attribution_overrides write_privacy_settings write_quick_sale
    write_shopify_payments_dispute_evidences write_shopify_payments_tooling write_store_credit_account_transactions
    write_taxes write_validations
    """,
    )
)


def words(handle: str) -> str:
    """Say what a scope allows; blank for one that is not known here."""
    if handle in _WHOLE:
        return _WHOLE[handle]
    kind, _, thing = handle.partition("_")
    if thing not in _THINGS or kind not in ("read", "write"):
        return ""
    return f"{'Read' if kind == 'read' else 'Read and change'} {_THINGS[thing]}."


def unknown(handles: list[str]) -> list[str]:
    """Return the scopes that neither Hemi's list nor Shopify's schema names; they may exist all the same."""
    return [
        handle
        for handle in handles
        if not words(handle) and handle not in _OTHERS and not handle.startswith("unauthenticated_")
    ]
