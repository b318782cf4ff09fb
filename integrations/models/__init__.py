"""Who is connected, and what they sent."""

from integrations.models.accounts import AccountShopify, Location
from integrations.models.alerts import StaffAlert
from integrations.models.clients import Client
from integrations.models.install_links import InstallLink
from integrations.models.integrations import Integration, IntegrationCredentials
from integrations.models.key_canary import KeyCanary
from integrations.models.webhook_events import WebhookEvent

__all__ = [
    "AccountShopify",
    "Client",
    "InstallLink",
    "Integration",
    "IntegrationCredentials",
    "KeyCanary",
    "Location",
    "StaffAlert",
    "WebhookEvent",
]
