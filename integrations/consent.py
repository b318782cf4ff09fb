"""What an install link asks a store's owner for, and how what comes back is looked up."""

import hashlib

from django.db.models import Case, F, Value, When

from integrations import connections
from integrations.models import InstallLink
from integrations.shopify import oauth

# For an update that ends a link: a mail that waits is not sent any more.
NO_LONGER_DUE = Case(When(mail=InstallLink.Mail.DUE, then=Value(InstallLink.Mail.NONE)), default=F("mail"))


def url(link: InstallLink) -> str:
    """Return the address that the store's owner opens."""
    wanted = oauth.Consent(link.scopes, link.redirect_uri, str(link.state))
    return oauth.authorize_url(connections.shop_url(link.account), link.integration.credentials.client_id, wanted)


def digest(text: str) -> str:
    """Return the hash under which a state or a code is looked up."""
    return hashlib.sha256(text.encode()).hexdigest()
