"""Run one GraphQL document against the sandbox's part of the Admin schema, and count what it costs."""

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    build_schema,
    execute_sync,
    get_operation_ast,
    parse,
    validate,
)

from sandbox.shopify.call import Call
from sandbox.shopify.costs import QUERY_MAXIMUM, CostMeter
from sandbox.shopify.mutations import MUTATIONS
from sandbox.shopify.queries import QUERIES

_ROOT = QUERIES | MUTATIONS


@dataclass(frozen=True)
class GraphQLRequest:
    """The body of a call."""

    document: str
    variables: dict = field(default_factory=dict)
    operation_name: str | None = None


@cache
def admin_schema() -> GraphQLSchema:
    """Build the part of the Admin schema that the sandbox answers."""
    folder = Path(__file__).parent
    return build_schema("\n".join((folder / name).read_text() for name in ("schema.graphql", "enums.graphql")))


def answer(call: Call, request: GraphQLRequest, throttled: bool = False) -> dict:
    """Return the JSON answer: data, errors, and the cost in the extensions."""
    try:
        document = parse(request.document)
    except GraphQLError as error:
        return {"errors": [error.formatted]}
    errors = validate(admin_schema(), document)
    operation = get_operation_ast(document, request.operation_name)
    if errors or operation is None:
        return {"errors": [error.formatted for error in errors] or [{"message": "No operation named so"}]}
    return _metered(call, request, document, operation, throttled)


def _metered(
    call: Call, request: GraphQLRequest, document: DocumentNode, operation: OperationDefinitionNode, throttled: bool
) -> dict:
    meter = CostMeter(admin_schema(), document, request.variables)
    requested = meter.requested(operation)
    if requested > QUERY_MAXIMUM:
        return _refusal("MAX_COST_EXCEEDED", f"Query cost is {requested}, which exceeds {QUERY_MAXIMUM}", requested)
    has_enough, status = _spend(call, 0 if throttled else requested)
    if throttled or not has_enough:
        return _refusal("THROTTLED", "Throttled", requested, status)
    result = execute_sync(
        admin_schema(),
        document,
        root_value=_ROOT,
        context_value=call,
        variable_values=request.variables,
        operation_name=request.operation_name,
    ).formatted
    actual = meter.actual(operation, result.get("data"))
    _, status = _spend(call, actual - requested)
    return dict(result) | {"extensions": _extensions(call, requested, actual, status)}


def _spend(call: Call, points: int) -> tuple[bool, dict]:
    return call.core.buckets.spend(call.grant.client_id, call.shop.name, call.shop.plan, points)


def _extensions(call: Call, requested: int, actual: int, status: dict) -> dict:
    extensions: dict = {"cost": {"requestedQueryCost": requested, "actualQueryCost": actual, "throttleStatus": status}}
    if call.search_warnings:
        extensions["search"] = [{"path": ["orders"], "warnings": call.search_warnings}]
    return extensions


def _refusal(code: str, message: str, requested: int, status: dict | None = None) -> dict:
    cost: dict = {"requestedQueryCost": requested, "actualQueryCost": None}
    if status:
        cost["throttleStatus"] = status
    return {"errors": [{"message": message, "extensions": {"code": code}}], "extensions": {"cost": cost}}
