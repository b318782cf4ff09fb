"""The pages of clients, integrations, accounts and what they sent."""

from integrations.admin import (
    accounts,
    alerts,
    clients,
    collection_exports,
    install_links,
    integrations,
    locations,
    privacy_requests,
    shopline_accounts,
    webhook_events,
)

__all__ = [
    "accounts",
    "alerts",
    "clients",
    "collection_exports",
    "install_links",
    "integrations",
    "locations",
    "privacy_requests",
    "shopline_accounts",
    "webhook_events",
]
