"""Names of shops: what people paste, and what Shopify sends."""

import re

# Host names of Shopify's stores have at most 63 characters before the first dot (RFC 1035).
_NAME = r"[a-z0-9][a-z0-9-]{0,62}"
_PASTED = (
    re.compile(rf"({_NAME})"),
    re.compile(rf"(?:https?://)?({_NAME})\.myshopify\.com(?:/|/admin/?)?"),
    re.compile(rf"(?:https?://)?admin\.shopify\.com/store/({_NAME})/?"),
)
_DOMAIN = re.compile(rf"({_NAME})\.myshopify\.com")


def normalise(text: str) -> str:
    """Return the name of the shop in what was pasted: `test` for `https://test.myshopify.com/admin`.

    Raises ValueError with a sentence for staff.
    """
    address = text.strip(" \t\r\n").lower() if text.isascii() else text
    for pattern in _PASTED:
        if match := pattern.fullmatch(address):
            return match[1]
    raise ValueError(
        f"“{text.strip()[:80]}” is not the name of a Shopify store. Enter the part before .myshopify.com "
        "(“test” for test.myshopify.com), or paste the address of the store's admin."
    )


def from_domain(domain: str) -> str:
    """Return the name in `<name>.myshopify.com`, which must be that in full; raises ValueError."""
    if match := _DOMAIN.fullmatch(domain):
        return match[1]
    raise ValueError("not the domain of a Shopify store")
