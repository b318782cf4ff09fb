"""GET and POST /shops/{shop}/admin/oauth/authorize: the page where a client says yes or no."""

import base64
import secrets
import time
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit, urlunsplit

from sandbox.shopify import scopes as scope_lists
from sandbox.shopify.core import Core
from sandbox.shopify.pages import consent_page, error_page
from sandbox.shopify.signatures import sign_query
from sandbox.shopify.state import App, Grant
from sandbox.shopify.web import Request, Response, html_response


class ConsentRefused(Exception):
    """The request cannot be shown to a client; the message is Shopify's."""


@dataclass(frozen=True)
class Consent:
    """A checked request for consent."""

    app: App
    shop: str
    scopes: list[str]
    redirect_uri: str
    state: str


def show(core: Core, request: Request, shop: str) -> Response:
    """Show the consent page."""
    try:
        consent = _read(core, request.query, shop)
    except ConsentRefused as error:
        return html_response(error_page(str(error)), 400)
    hidden = {"client_id": consent.app.client_id, "redirect_uri": consent.redirect_uri, "state": consent.state}
    return html_response(consent_page(consent.app.name, f"{shop}.myshopify.com", consent.scopes, hidden))


def decide(core: Core, request: Request, shop: str) -> Response:
    """Send the client back to the app: with a code, or with the refusal."""
    form = request.form()
    try:
        consent = _read(core, form, shop)
    except ConsentRefused as error:
        return html_response(error_page(str(error)), 400)
    if form.get("decision") != ["install"]:
        return _redirect(consent, {"error": "access_denied", "error_description": "The merchant declined."})
    code = secrets.token_hex(16)
    with core.state.lock:
        core.state.codes[code] = Grant(consent.app.client_id, shop, tuple(scope_lists.compress(consent.scopes)))
    return _redirect(consent, {"code": code})


def _read(core: Core, values: dict[str, list[str]], shop: str) -> Consent:
    if shop not in core.state.shops:
        raise ConsentRefused("This shop does not exist.")
    app = core.state.apps.get(_one(values, "client_id"))
    if app is None:
        raise ConsentRefused("Oauth error invalid_request: Could not find Shopify API application with that api_key.")
    is_known = (app.client_id, shop) in core.state.opened or core.state.is_installed(app.client_id, shop)
    if app.needs_install_link and not is_known:
        raise ConsentRefused("The installation link for this app cannot be used on this store.")
    redirect_uri = _one(values, "redirect_uri")
    if redirect_uri not in app.redirect_uris:
        raise ConsentRefused("Oauth error invalid_request: The redirect_uri is not whitelisted.")
    asked = scope_lists.parse(",".join(values.get("scope", [])))
    wrong = scope_lists.invalid(asked)
    if wrong:
        raise ConsentRefused(f"Oauth error invalid_scope: The access scope is invalid: {', '.join(wrong)}")
    return Consent(app, shop, asked, redirect_uri, _one(values, "state"))


def open_install_link(core: Core, request: Request, shop: str) -> Response:
    """Follow Shopify's own install link of a custom app: it opens the App URL, signed."""
    app = core.state.apps.get(_one(request.query, "client_id"))
    if app is None or not app.app_url or shop not in core.state.shops:
        return html_response(error_page("The installation link for this app is invalid."), 400)
    with core.state.lock:
        core.state.opened.add((app.client_id, shop))
    parameters = {"host": _host(shop), "shop": f"{shop}.myshopify.com", "timestamp": str(int(time.time()))}
    signed = parameters | {"hmac": sign_query(parameters, app.signing_secret)}
    return Response(302, headers={"Location": f"{app.app_url}?{urlencode(signed)}"})


def _redirect(consent: Consent, result: dict[str, str]) -> Response:
    parts = urlsplit(consent.redirect_uri)
    query = "&".join(part for part in (parts.query, urlencode(_signed_query(consent, result))) if part)
    return Response(302, headers={"Location": urlunsplit(parts._replace(query=query))})


def _signed_query(consent: Consent, result: dict[str, str]) -> dict[str, str]:
    parameters = result | {
        "host": _host(consent.shop),
        "shop": f"{consent.shop}.myshopify.com",
        "state": consent.state,
        "timestamp": str(int(time.time())),
    }
    return parameters | {"hmac": sign_query(parameters, consent.app.signing_secret)}


def _host(shop: str) -> str:
    return base64.b64encode(f"admin.shopify.com/store/{shop}".encode()).decode().rstrip("=")


def _one(values: dict[str, list[str]], name: str) -> str:
    return values.get(name, [""])[0]
