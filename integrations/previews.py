"""Preview links of storefront pages: short-lived, for one store and one shopper.

The token stands in the path, so that a page's relative links keep it and no cookie is needed.
"""

from dataclasses import dataclass

from django.conf import settings
from django.core import signing

from integrations.models import AccountShopline

MINUTES = 30
MARK = "~"  # between the merchant id, which has none, and the token
_SALT = "integrations.previews"


class PreviewEnded(Exception):
    """The link was right once and is too old."""


class NoPreview(Exception):
    """This is no token that Hemi made."""


@dataclass(frozen=True)
class Preview:
    """What a link stands for; a blank `customer_id` is a guest."""

    merchant_id: str
    customer_id: str


def why_not(account: AccountShopline, *, is_development: bool) -> str:
    """Return why no link can be made, in one sentence; blank if one can."""
    if not settings.STOREFRONT_SIDE:
        return "The storefront side is off. Set STOREFRONT_SIDE=true and restart Hemi."
    if not settings.HEMI_BASE_URL:
        return "HEMI_BASE_URL is not set, so a link would lead nowhere."
    if not account.app_proxy_secret:
        return "There is no App Proxy Secret yet. Make or enter one first."
    if is_development:
        return "" if account.app_id else "Enter the app id first: it is the development subpath."
    if not account.proxy_enabled:
        return "The App Proxy is off, so the release path shows nothing. Preview the development path."
    if not account.live_subpath:
        return "No settings have been approved yet. Preview the development path."
    return ""


def link(account: AccountShopline, customer_id: str, *, is_development: bool) -> str:
    """Return the address of the pages' first page, as this shopper sees it for the next half hour."""
    prefix, subpath, _ = account.in_force
    if is_development:
        prefix, subpath = account.subpath_prefix, account.development_subpath
    token = signing.dumps([account.merchant_id, customer_id], salt=_SALT)
    return f"{settings.HEMI_BASE_URL}/storefront/{account.merchant_id}{MARK}{token}/{prefix}/{subpath}/"


def read(token: str) -> Preview:
    """Return what a token stands for. Raises PreviewEnded and NoPreview."""
    try:
        merchant_id, customer_id = signing.loads(token, salt=_SALT, max_age=MINUTES * 60)
    except signing.SignatureExpired:
        raise PreviewEnded from None
    except signing.BadSignature:
        raise NoPreview from None
    return Preview(merchant_id, customer_id)
