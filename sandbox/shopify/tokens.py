"""POST /shops/{shop}/admin/oauth/access_token: one function for each grant type."""

import hmac
from collections.abc import Callable

from sandbox.shopify import grants
from sandbox.shopify.core import Core
from sandbox.shopify.failing import failure, refusal
from sandbox.shopify.state import App
from sandbox.shopify.web import Request, Response, json_response

CODE_GRANT = "authorization_code"


def access_token(core: Core, request: Request, shop: str) -> Response:
    """Exchange what the grant type brings for an access token."""
    kind = core.faults.take("token", shop)
    if kind == "timeout":
        core.stopping.wait(core.behaviour.hang_seconds)
        return Response(0)
    response = failure(kind) or _exchange(core, request, shop)
    if kind == "held":
        core.faults.gate.wait(core.behaviour.hang_seconds)
    return Response(0) if kind == "lost" else response


def _exchange(core: Core, request: Request, shop: str) -> Response:
    if shop not in core.state.shops:
        return json_response({"errors": "Not Found"}, 404)
    if {"client_secret", "code", "refresh_token", "subject_token"} & set(request.query):
        return refusal("invalid_request", "Send secrets, codes and tokens in the body, never in the URL.")
    try:
        values = _values(request)
    except ValueError:
        return refusal("invalid_request", "The body is neither a form nor a JSON object.")
    app = _authenticate(core, values)
    if app is None:
        return refusal("application_cannot_be_found", "The client_id or the client_secret is wrong.")
    grant_type = values.get("grant_type") or CODE_GRANT
    grant = GRANT_TYPES.get(grant_type)
    core.state.token_requests.append(grant_type)
    if grant is None:
        return refusal("unsupported_grant_type", f"This sandbox knows no grant type {grant_type}.")
    return grant(core, app, shop, values)


def _code_grant(core: Core, app: App, shop: str, values: dict[str, str]) -> Response:
    with core.state.lock:
        found = core.state.codes.get(values.get("code", ""))
        if found is None or (found.client_id, found.shop) != (app.client_id, shop):
            return refusal("invalid_request", "The authorization code was not found or was already used.")
        del core.state.codes[values["code"]]
    if values.get("expiring") == "1":
        return json_response(grants.issue_pair(core, app.client_id, shop, found.scopes))
    token = core.issue_token(app.client_id, shop, found.scopes)
    return json_response({"access_token": token, "scope": ",".join(core.state.tokens[token].scopes)})


GRANT_TYPES: dict[str, Callable[[Core, App, str, dict[str, str]], Response]] = {
    CODE_GRANT: _code_grant,
    "refresh_token": grants.refresh,
    "client_credentials": grants.client_credentials,
    "urn:ietf:params:oauth:grant-type:token-exchange": grants.exchange_token,
}


def _values(request: Request) -> dict[str, str]:
    if request.headers.get("content-type", "").startswith("application/json"):
        return {name: str(value) for name, value in request.json().items()}
    return {name: values[0] for name, values in request.form().items()}


def _authenticate(core: Core, values: dict[str, str]) -> App | None:
    app = core.state.apps.get(values.get("client_id", ""))
    given = values.get("client_secret", "").encode()
    secrets = [app.client_secret, app.old_client_secret] if app else []
    return app if any(secret and hmac.compare_digest(secret.encode(), given) for secret in secrets) else None
