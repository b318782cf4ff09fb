"""How a call fails when a fault was asked for."""

from sandbox.shopify.web import Response, html_response, json_response

LASTING_TOKEN = {
    "errors": "[API] Non-expiring access tokens are no longer accepted for the Admin API. Use expiring access tokens."
}
BAD_TOKEN = {"errors": "[API] Invalid API key or access token (unrecognized login or wrong password)"}


def failure(kind: str) -> Response | None:
    """Return the answer of a fault that stops a call before it does anything, or None."""
    if kind == "429":
        return json_response({"errors": "Exceeded 2 calls per second for api client."}, 429, Retry_After="2.0")
    if kind == "401":
        return json_response(BAD_TOKEN, 401)
    if kind in ("500", "502"):
        return html_response("<html><body><h1>Something went wrong</h1></body></html>", int(kind))
    return None


def refusal(error: str, description: str, status: int = 400) -> Response:
    """Answer as Shopify's token endpoint refuses: a name and a sentence."""
    return json_response({"error": error, "error_description": description}, status)
