"""What an install link asks a store's owner for, and how what comes back is looked up."""

import hashlib

from django.db.models import Case, F, Value, When

from integrations import connections
from integrations.models import InstallLink
from integrations.shopify import oauth

# For an update that ends a link: a mail that waits is not sent any more.
NO_LONGER_DUE = Case(When(mail=InstallLink.Mail.DUE, then=Value(InstallLink.Mail.NONE)), default=F("mail"))

# What an open link loses when it ends unused.
CLOSED = {"state": "", "mail": NO_LONGER_DUE, "next_reminder_at": None, "lease_until": None, "claim_token": ""}


def url(link: InstallLink) -> str:
    """Return the address that the store's owner opens."""
    wanted = oauth.Consent(link.scopes, link.redirect_uri, str(link.state))
    return oauth.authorize_url(connections.shop_url(link.account), link.integration.credentials.client_id, wanted)


def url_for_client(link: InstallLink) -> str:
    """Return what the client opens first: Shopify's own install link where the app needs one, which then opens Hemi's
    App URL; otherwise the authorize page."""
    return link.integration.install_url or url(link)


def digest(text: str) -> str:
    """Return the hash under which a state or a code is looked up."""
    return hashlib.sha256(text.encode()).hexdigest()
