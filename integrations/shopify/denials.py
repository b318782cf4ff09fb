"""What Shopify means by "no": a scope that is missing, data that needs an approval, or the token itself."""

from integrations.shopify.errors import Denial

# The first that is found counts. Shopify says them in a 403 and inside a 200 alike.
_WORDS = (
    ("non-expiring access token", Denial.TOKEN_KIND),
    ("protected-customer-data", Denial.PROTECTED),
    ("protected customer data", Denial.PROTECTED),
    ("not approved to access", Denial.PROTECTED),
    ("not approved to use", Denial.PROTECTED),
    ("access scope", Denial.SCOPE),
    ("requires merchant approval for", Denial.SCOPE),
    ("access denied", Denial.SCOPE),
)


def read(message: str) -> Denial:
    """Return which of the three a refusal's sentence says."""
    said = message.lower()
    return next((denial for words, denial in _WORDS if words in said), Denial.UNKNOWN)
