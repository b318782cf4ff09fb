"""What proves that Shopify sent it: the HMAC of a query or an app proxy's query (hex), or of a webhook's body (base64).

All take several secrets, because Shopify may sign with the old one for an hour after a rotation.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Iterable
from urllib.parse import parse_qsl, quote

_UNSIGNED = ("hmac", "signature")


def query_hmac(query: str, secret: str) -> str:
    """Return the hex digest of a raw query string, its own `hmac` and the legacy `signature` left out.

    https://shopify.dev/docs/apps/build/authentication-authorization/access-tokens/authorization-code-grant
    """
    return _hex(query_messages(query)[0], secret)


def is_query_signed(query: str, secrets: Iterable[str]) -> bool:
    """Say whether the `hmac` of a raw query string was made with one of the secrets."""
    claimed = [value for name, value in _pairs(query) if name == "hmac"]
    if len(claimed) != 1:
        return False
    made = [_hex(message, secret) for secret in secrets if secret for message in query_messages(query)]
    return _is_one_of(claimed[0], made)


def webhook_hmac(body: bytes, secret: str) -> str:
    """Return the base64 digest of a webhook's raw body."""
    return base64.b64encode(hmac.digest(secret.encode(), body, hashlib.sha256)).decode()


def is_webhook_signed(body: bytes, claimed: str, secrets: Iterable[str]) -> bool:
    """Say whether `X-Shopify-Hmac-Sha256` was made over these bytes with one of the secrets."""
    return any(_is_one_of(claimed, [webhook_hmac(body, secret)]) for secret in secrets if secret)


def proxy_signature(query: str, secret: str) -> str:
    """Return the hex digest of the raw query string of a request through Shopify's app proxy.

    https://shopify.dev/docs/apps/build/online-store/app-proxies/authenticate-app-proxies
    """
    return _hex(proxy_message(query), secret)


def is_proxy_signed(query: str, secrets: Iterable[str]) -> bool:
    """Say whether the `signature` of an app proxy's query was made with one of the secrets."""
    claimed = [value for name, value in _pairs(query) if name == "signature"]
    return len(claimed) == 1 and _is_one_of(
        claimed[0], [proxy_signature(query, secret) for secret in secrets if secret]
    )


def proxy_message(query: str) -> str:
    """Return what Shopify's app proxy signs: repeated values joined by a comma, `key=value` sorted, nothing between."""
    values: dict[str, list[str]] = {}
    for name, value in _pairs(query):
        values.setdefault(name, []).append(value)
    values.pop("signature", None)
    return "".join(sorted(f"{name}={','.join(found)}" for name, found in values.items()))


def query_messages(query: str) -> list[str]:
    """Return what Shopify may have signed of an install or callback query: one text, or two that are encoded apart."""
    # Shopify does not say how it encodes what is signed. Its Python library escapes the delimiters only, its
    # JavaScript one encodes as in a form. For [A-Za-z0-9._-] both are the same, and one digest is enough.
    pairs = _grouped((name, value) for name, value in _pairs(query) if name not in _UNSIGNED)
    plain = _joined(pairs, lambda text: text.replace("%", "%25").replace("&", "%26").replace("=", "%3D"), _value)
    form = _joined(pairs, _form, _form)
    return [plain] if plain == form else [plain, form]


def _pairs(query: str) -> list[tuple[str, str]]:
    return parse_qsl(query, keep_blank_values=True)


def _grouped(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Sort by name; a repeated `ids[]` is signed as `ids=["2", "1"]`."""
    single: list[tuple[str, str]] = []
    arrays: dict[str, list[str]] = {}
    for name, value in pairs:
        if name.endswith("[]"):
            arrays.setdefault(name.removesuffix("[]"), []).append(value)
        else:
            single.append((name, value))
    return sorted(single + [(name, json.dumps(values)) for name, values in arrays.items()])


def _joined(pairs: list[tuple[str, str]], name_of: Callable[[str], str], value_of: Callable[[str], str]) -> str:
    return "&".join(f"{name_of(name)}={value_of(value)}" for name, value in pairs)


def _value(text: str) -> str:
    return text.replace("%", "%25").replace("&", "%26")


def _form(text: str) -> str:
    return quote(text, safe="-_.!~*'()")


def _hex(message: str, secret: str) -> str:
    return hmac.digest(secret.encode(), message.encode(), hashlib.sha256).hex()


def _is_one_of(claimed: str, made: list[str]) -> bool:
    # As bytes: compare_digest raises TypeError on a text that is not ASCII.
    return any(hmac.compare_digest(claimed.encode(), digest.encode()) for digest in made)
