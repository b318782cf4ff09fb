"""The grants behind the token endpoint but for the code's: expiring pairs, refresh, client credentials, moving over."""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass

from sandbox.shopify.core import Core
from sandbox.shopify.failing import refusal
from sandbox.shopify.state import App, Grant, RefreshToken
from sandbox.shopify.web import Response, json_response

_OFFLINE = "urn:shopify:params:oauth:token-type:offline-access-token"
_ID_TOKEN = "urn:ietf:params:oauth:token-type:id_token"
_DAY = 86_400.0


@dataclass(frozen=True)
class Holder:
    """Who is given tokens: one app in one shop, with these scopes."""

    client_id: str
    shop: str
    scopes: tuple[str, ...]


def expiring_pair(core: Core, holder: Holder, refreshed: str = "") -> dict:
    """Issue an access and a refresh token. Acquired anew, they kill the shop's other refresh tokens of the app."""
    behaviour, state, now = core.behaviour, core.state, core.clock.now()
    access = core.issue_token(holder.client_id, holder.shop, holder.scopes, lifetime=behaviour.access_seconds)
    refresh = f"shprt_{secrets.token_hex(16)}"
    with state.lock:
        if not refreshed:
            drop_refresh_tokens(core, holder.client_id, holder.shop)
        grant = state.tokens[access]
        state.refresh_tokens[refresh] = RefreshToken(grant, now + behaviour.refresh_seconds, refreshed)
    return {
        "access_token": access,
        "scope": ",".join(grant.scopes),
        "expires_in": int(behaviour.access_seconds),
        "refresh_token": refresh,
        "refresh_token_expires_in": int(behaviour.refresh_seconds),
    }


def drop_refresh_tokens(core: Core, client_id: str, shop: str) -> None:
    """Make every refresh token of an app in a shop worthless."""
    with core.state.lock:
        for token, row in list(core.state.refresh_tokens.items()):
            if (row.grant.client_id, row.grant.shop) == (client_id, shop):
                del core.state.refresh_tokens[token]


def refresh(core: Core, app: App, shop: str, values: dict[str, str]) -> Response:
    """Renew a pair; the old refresh token goes in one of the two ways that were published."""
    token = values.get("refresh_token", "")
    with core.state.lock:
        row = core.state.refresh_tokens.get(token)
        if row is None or (row.grant.client_id, row.grant.shop) != (app.client_id, shop) or _is_over(core, row):
            return refusal("invalid_request", "This refresh token is not valid or was used.", 401)
        if row.used_at is not None and core.behaviour.rotation == "window":
            return json_response(row.answer)
        if row.used_at is not None:  # the answer was lost: what it held goes
            core.state.refresh_tokens.pop(row.answer["refresh_token"], None)
        core.state.refresh_tokens.pop(row.predecessor, None)
        row.used_at = core.clock.now() if row.used_at is None else row.used_at
        row.answer = expiring_pair(core, Holder(app.client_id, shop, row.grant.scopes), refreshed=token)
        return json_response(row.answer)


def client_credentials(core: Core, app: App, shop: str, values: dict[str, str]) -> Response:
    """Give a token for a day, if the app belongs to the organisation of the shop."""
    if shop not in app.organisation_shops:
        return refusal("shop_not_permitted", "The app and the shop must belong to the same organization.")
    token = core.issue_token(app.client_id, shop, app.released_scopes, lifetime=_DAY - 1)
    scope = ",".join(core.state.tokens[token].scopes)
    return json_response({"access_token": token, "scope": scope, "expires_in": int(_DAY - 1)})


def exchange_token(core: Core, app: App, shop: str, values: dict[str, str]) -> Response:
    """Move a token that does not expire over to an expiring pair; the old one is revoked.

    The same request again gives the same answer for seven days.
    """
    kind = values.get("subject_token_type")
    if kind == _ID_TOKEN:
        return refusal("invalid_subject_token", "The id token is not valid.")
    subject = values.get("subject_token", "")
    with core.state.lock:
        moved = core.state.moved_tokens.get(subject)
        if moved and moved[0] > core.clock.now() - 7 * _DAY:
            return json_response(moved[1])
        grant = core.state.tokens.get(subject)
        is_asked_right = kind == _OFFLINE and values.get("expiring") == "1"
        is_ours = grant is not None and (grant.client_id, grant.shop) == (app.client_id, shop)
        if grant is None or not is_ours or grant.expires_at is not None or not is_asked_right:
            return refusal("invalid_subject_token", "The subject token is not an offline token that can be exchanged.")
        answer = expiring_pair(core, Holder(app.client_id, shop, grant.scopes))
        del core.state.tokens[subject]
        core.state.moved_tokens[subject] = (core.clock.now(), answer)
    return json_response(answer)


def issue_pair(core: Core, client_id: str, shop: str, scopes: Iterable[str]) -> dict:
    """Make an expiring pair without a consent; return the token endpoint's answer."""
    return expiring_pair(core, Holder(client_id, shop, tuple(scopes)))


def _is_over(core: Core, row: RefreshToken) -> bool:
    now = core.clock.now()
    if row.expires_at <= now:
        return True
    if row.used_at is None:
        return False
    kept_for = core.behaviour.window_seconds if core.behaviour.rotation == "window" else 30 * _DAY
    return row.used_at + kept_for <= now


def is_valid(core: Core, grant: Grant | None) -> bool:
    """Say whether an access token still opens anything."""
    return grant is not None and (grant.expires_at is None or grant.expires_at > core.clock.now())
