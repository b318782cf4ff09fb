"""How an app gets tokens: the address that asks for consent, and the grants that the token endpoint knows.

https://shopify.dev/docs/apps/build/authentication-authorization/access-tokens
"""

from dataclasses import dataclass, field
from urllib.parse import quote, urlencode

import requests

from integrations.shopify.errors import Kind, ShopifyError

TIMEOUT = (5, 20)  # seconds to connect, and between two bytes
_OFFLINE = "urn:shopify:params:oauth:token-type:offline-access-token"
_LONGEST_SECONDS = 10 * 365 * 86_400  # what says more is damaged, and would not fit a date


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
    """A token, its scopes, and in how many seconds it ends; None and blank where it does not."""

    access_token: str = field(repr=False)
    scope: str
    expires_in: int | None = None
    refresh_token: str = field(default="", repr=False)
    refresh_expires_in: int | None = None


def authorize_url(shop_url: str, client_id: str, consent: Consent) -> str:
    """Return the address of Shopify's consent page."""
    query = {
        "client_id": client_id,
        "scope": consent.scopes,
        "redirect_uri": consent.redirect_uri,
        "state": consent.state,
    }
    return f"{shop_url}/admin/oauth/authorize?{urlencode(query, safe=',', quote_via=quote)}"


def exchange_code(shop_url: str, app: App, code: str, *, is_expiring: bool = False) -> TokenGrant:
    """Exchange a code for a token. A code buys one token; posting it again is refused.

    …/access-tokens/authorization-code-grant
    """
    wanted = {"code": code, "expiring": "1"} if is_expiring else {"code": code}
    return _grant(_ask(shop_url, app, wanted), is_expiring=False)  # Shopify may still give one that does not expire


def refresh(shop_url: str, app: App, refresh_token: str) -> TokenGrant:
    """Renew an expiring token: both tokens are new afterwards.

    The same request again is right after a lost answer. Kind.REAUTHORISE: the refresh token is worth nothing any more.
    …/access-tokens/offline-access-tokens#refreshing-an-expiring-token
    """
    wanted = {"grant_type": "refresh_token", "refresh_token": refresh_token}
    return _grant(_ask(shop_url, app, wanted), is_expiring=True)


def client_credentials(shop_url: str, app: App) -> TokenGrant:
    """Ask for a token by the app's id and secret alone; it lives a day and is asked for again, not refreshed.

    …/access-tokens/client-credentials-grant
    """
    return _grant(_ask(shop_url, app, {"grant_type": "client_credentials"}), is_expiring=False)


def migrate(shop_url: str, app: App, access_token: str) -> TokenGrant:
    """Exchange a token that does not expire for one that does. The old one is revoked and never comes back.

    The same request again is right after a lost answer, for seven days.
    …/access-tokens/offline-access-tokens#migrating-to-expiring-tokens
    """
    wanted = {
        "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
        "subject_token": access_token,
        "subject_token_type": _OFFLINE,
        "requested_token_type": _OFFLINE,
        "expiring": "1",
    }
    return _grant(_ask(shop_url, app, wanted), is_expiring=True)


def _ask(shop_url: str, app: App, wanted: dict[str, str]) -> requests.Response:
    try:
        # In the body: a query would leave the secret in every log on the way. No redirect may carry it elsewhere.
        answer = requests.post(
            f"{shop_url}/admin/oauth/access_token",
            data={"client_id": app.client_id, "client_secret": app.client_secret, **wanted},
            headers={"Accept": "application/json"},
            timeout=TIMEOUT,
            allow_redirects=False,
        )
    except requests.RequestException as error:
        raise ShopifyError(Kind.TEMPORARY, f"Shopify could not be reached ({type(error).__name__}).") from None
    if answer.status_code != 200:
        raise _refusal(answer)
    return answer


def _refusal(answer: requests.Response) -> ShopifyError:
    status, request_id = answer.status_code, answer.headers.get("X-Request-Id", "")
    said = _json(answer).get("error")  # a fixed word such as invalid_request; descriptions may quote what was sent
    word = f" ({said[:60]})" if isinstance(said, str) and said.replace("_", "").isalnum() else ""
    kind = Kind.PERMANENT
    if status in (408, 425, 429) or status >= 500:
        kind = Kind.TEMPORARY
    elif status == 401 and said == "invalid_request":
        kind = Kind.REAUTHORISE
    return ShopifyError(kind, f"Shopify answered {status}{word}.", status=status, request_id=request_id)


def _grant(answer: requests.Response, *, is_expiring: bool) -> TokenGrant:
    fields = _json(answer)
    token, scope, refresh_token = (fields.get(name) for name in ("access_token", "scope", "refresh_token"))
    life, refresh_life = (fields.get(name) for name in ("expires_in", "refresh_token_expires_in"))
    is_whole = isinstance(token, str) and token and isinstance(scope, str)
    is_whole = is_whole and isinstance(refresh_token, str | None) and _is_lifetime(life) and _is_lifetime(refresh_life)
    # A refresh token without its ends, or the other way round, is a grant that nobody could keep alive.
    is_paired = bool(refresh_token) == (None not in (life, refresh_life)) and (bool(refresh_token) or not is_expiring)
    if not is_whole or not is_paired:
        request_id = answer.headers.get("X-Request-Id", "")
        raise ShopifyError(Kind.PERMANENT, "Shopify's answer holds no token.", status=200, request_id=request_id)
    return TokenGrant(str(token), str(scope), life, refresh_token or "", refresh_life)


def _is_lifetime(value: object) -> bool:
    return value is None or (isinstance(value, int) and not isinstance(value, bool) and 0 < value <= _LONGEST_SECONDS)


def _json(answer: requests.Response) -> dict:
    try:
        fields = answer.json()
    except requests.JSONDecodeError:
        return {}
    return fields if isinstance(fields, dict) else {}
