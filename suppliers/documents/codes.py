"""Countries and currencies as the standards spell them, and what Shopify says beside them."""

from functools import cache

import pycountry

# Territories that Shopify lists by codes of its own; ISO 3166-1 has them as a part of Saint Helena.
_PART_OF = {"AC": "SH", "TA": "SH"}


@cache
def country(code: str) -> str:
    """Return the ISO 3166-1 alpha-2 code for Shopify's; "" where there is none, as for XK, AN and ZZ."""
    code = _PART_OF.get(code, code)
    return code if len(code) == 2 and code.isupper() and pycountry.countries.get(alpha_2=code) else ""


@cache
def is_currency(code: str) -> bool:
    """Tell whether `code` is in ISO 4217."""
    return len(code) == 3 and code.isupper() and pycountry.currencies.get(alpha_3=code) is not None
