"""The authorization code grant: the address that asks for consent, and the code's exchange for a token.

https://shopify.dev/docs/apps/build/authentication-authorization/access-tokens/authorization-code-grant
"""

from dataclasses import dataclass, field
from urllib.parse import quote, urlencode

import requests

from integrations.shopify.errors import Kind, ShopifyError

TIMEOUT = (5, 20)  # seconds to connect, and between two bytes


@dataclass(frozen=True)
class App:
    """What an app proves itself with."""

    client_id: str
    client_secret: str = field(repr=False)


@dataclass(frozen=True)
class Consent:
    """What a store's owner is asked for."""

    scopes: str
    redirect_uri: str
    state: str = field(repr=False)


@dataclass(frozen=True)
class TokenGrant:
    """A token and the scopes it has."""

    access_token: str = field(repr=False)
    scope: str


def authorize_url(shop_url: str, client_id: str, consent: Consent) -> str:
    """Return the address of Shopify's consent page."""
    query = {
        "client_id": client_id,
        "scope": consent.scopes,
        "redirect_uri": consent.redirect_uri,
        "state": consent.state,
    }
    return f"{shop_url}/admin/oauth/authorize?{urlencode(query, safe=',', quote_via=quote)}"


def exchange_code(shop_url: str, app: App, code: str) -> TokenGrant:
    """Exchange a code for a token that does not expire. A code buys one token; posting it again is refused."""
    body = {"client_id": app.client_id, "client_secret": app.client_secret, "code": code}
    try:
        # In the body: a query would leave the secret in every log on the way. No redirect may carry it elsewhere.
        answer = requests.post(
            f"{shop_url}/admin/oauth/access_token",
            data=body,
            headers={"Accept": "application/json"},
            timeout=TIMEOUT,
            allow_redirects=False,
        )
    except requests.RequestException as error:
        raise ShopifyError(Kind.TEMPORARY, f"Shopify could not be reached ({type(error).__name__}).") from None
    if answer.status_code != 200:
        raise _refusal(answer)
    return _grant(answer)


def _refusal(answer: requests.Response) -> ShopifyError:
    status, request_id = answer.status_code, answer.headers.get("X-Request-Id", "")
    is_temporary = status in (408, 425, 429) or status >= 500
    said = _json(answer).get("error")  # a fixed word such as invalid_request; descriptions may quote what was sent
    word = f" ({said[:60]})" if isinstance(said, str) and said.replace("_", "").isalnum() else ""
    kind = Kind.TEMPORARY if is_temporary else Kind.PERMANENT
    return ShopifyError(kind, f"Shopify answered {status}{word}.", status=status, request_id=request_id)


def _grant(answer: requests.Response) -> TokenGrant:
    fields = _json(answer)
    token, scope = fields.get("access_token"), fields.get("scope")
    if not isinstance(token, str) or not token or not isinstance(scope, str):
        request_id = answer.headers.get("X-Request-Id", "")
        raise ShopifyError(Kind.PERMANENT, "Shopify's answer holds no token.", status=200, request_id=request_id)
    return TokenGrant(token, scope)


def _json(answer: requests.Response) -> dict:
    try:
        fields = answer.json()
    except requests.JSONDecodeError:
        return {}
    return fields if isinstance(fields, dict) else {}
