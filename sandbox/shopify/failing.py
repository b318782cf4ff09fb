"""How a call fails when a fault was asked for."""

import json

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


def spoiled(kind: str, body: bytes) -> bytes:
    """Put an error into the answer of a call that did its work, where the fault asks for that."""
    if kind not in ("late_errors", "late_user_errors"):
        return body
    answer = json.loads(body)
    if kind == "late_errors":
        return json.dumps({**answer, "errors": [{"message": "Something went wrong on our side."}]}).encode()
    for payload in answer["data"].values():
        payload["userErrors"] = [{"field": None, "message": "Something went wrong. Please try again later."}]
    return json.dumps(answer).encode()


def refusal(error: str, description: str, status: int = 400) -> Response:
    """Answer as Shopify's token endpoint refuses: a name and a sentence."""
    return json_response({"error": error, "error_description": description}, status)
