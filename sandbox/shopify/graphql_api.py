"""POST /shops/{shop}/admin/api/{version}/graphql.json"""

import uuid

from sandbox.shopify import grants
from sandbox.shopify.call import Call
from sandbox.shopify.core import Core
from sandbox.shopify.execution import GraphQLRequest, answer
from sandbox.shopify.failing import BAD_TOKEN, LASTING_TOKEN, failure, spoiled
from sandbox.shopify.web import Request, Response, json_response


def graphql(core: Core, request: Request, shop: str, version: str) -> Response:
    """Answer one call; the headers name the version that answered."""
    place = "mutation" if _is_mutation(request) else ""
    kind = (place and core.faults.take(place, shop, request.body)) or core.faults.take("graphql", shop, request.body)
    if kind == "timeout":
        core.stopping.wait(core.behaviour.hang_seconds)
        return Response(0)
    served = _served_version(core, version)
    response = failure(kind) or _serve(core, request, shop, served, kind)
    response.body = spoiled(kind, response.body)
    response.headers |= {"X-Shopify-API-Version": served, "X-Request-Id": str(uuid.uuid4())}
    if kind == "held":
        core.faults.gate.wait(core.behaviour.hang_seconds)
    return _delayed(core, kind) or response


def _delayed(core: Core, kind: str) -> Response | None:
    """Answer for a call that did its work and whose caller does not hear of it."""
    if kind == "late":
        core.stopping.wait(core.behaviour.hang_seconds)
    return failure("502") if kind == "late_502" else Response(0) if kind in ("lost", "late") else None


def _serve(core: Core, request: Request, shop_name: str, version: str, kind: str) -> Response:
    with core.state.lock:
        shop = core.state.shops.get(shop_name)
        grant = core.state.tokens.get(request.headers.get("x-shopify-access-token", ""))
    if shop is None:
        return json_response({"errors": "Not Found"}, 404)
    if grant is None or grant.shop != shop.name or not grants.is_valid(core, grant):
        return json_response(BAD_TOKEN, 401)
    app = core.state.apps.get(grant.client_id)
    if app and app.refuses_lasting_tokens and grant.expires_at is None:
        return json_response(LASTING_TOKEN, 403)
    try:
        wanted = _read(request)
    except ValueError as error:
        return json_response({"errors": {"query": str(error)}}, 400)
    call = Call(core, shop, grant, version, kind == "user_errors", kind == "access_denied")
    return json_response(answer(call, wanted, kind == "throttled"))


def _is_mutation(request: Request) -> bool:
    try:
        return _read(request).document.lstrip().startswith("mutation")
    except ValueError:
        return False


def _read(request: Request) -> GraphQLRequest:
    body = request.json()
    document = body.get("query")
    if not isinstance(document, str):
        raise ValueError("Required parameter missing or invalid")
    return GraphQLRequest(document, body.get("variables") or {}, body.get("operationName"))


def _served_version(core: Core, version: str) -> str:
    """Return the version asked for, or the oldest supported one in place of a retired one."""
    supported = core.behaviour.api_versions
    return version if version in supported else supported[0]
