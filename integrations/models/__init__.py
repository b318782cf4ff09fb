"""Who is connected, and what they sent."""

from integrations.models.account_events import AccountEvent
from integrations.models.accounts import AccountShopify, Location
from integrations.models.accounts_shopline import AccountShopline, UsedSignature
from integrations.models.alerts import StaffAlert
from integrations.models.clients import Client
from integrations.models.collection_exports import CollectionExport
from integrations.models.disconnections import Disconnection
from integrations.models.install_links import InstallLink
from integrations.models.integrations import Integration, IntegrationCredentials
from integrations.models.key_canary import KeyCanary
from integrations.models.privacy import PrivacyRequest, Redaction
from integrations.models.refused_requests import RefusedRequest
from integrations.models.shopline_events import AccountShoplineEvent
from integrations.models.webhook_events import WebhookEvent
from integrations.models.webhook_subscriptions import WebhookSubscription

__all__ = [
    "AccountEvent",
    "AccountShopify",
    "AccountShopline",
    "AccountShoplineEvent",
    "Client",
    "CollectionExport",
    "Disconnection",
    "InstallLink",
    "Integration",
    "IntegrationCredentials",
    "KeyCanary",
    "Location",
    "PrivacyRequest",
    "Redaction",
    "RefusedRequest",
    "StaffAlert",
    "UsedSignature",
    "WebhookEvent",
    "WebhookSubscription",
]
