"""Read an answer of the GraphQL API: errors come as an HTTP status, as `errors`, and as `userErrors`."""

from dataclasses import dataclass

import requests

from integrations.shopify import denials
from integrations.shopify.errors import Kind, ShopifyError

_BY_CODE = {
    "ACCESS_DENIED": Kind.FORBIDDEN,
    "SHOP_INACTIVE": Kind.FORBIDDEN,
    "INTERNAL_SERVER_ERROR": Kind.TEMPORARY,
    "TIMEOUT": Kind.TEMPORARY,
}
_BY_STATUS = {401: Kind.UNAUTHORISED, 402: Kind.FORBIDDEN, 403: Kind.FORBIDDEN, 423: Kind.FORBIDDEN}


class Throttled(Exception):
    """The call was not run; it may be sent again after `seconds`."""

    def __init__(self, seconds: float, error: ShopifyError) -> None:
        super().__init__(seconds)
        self.seconds = seconds
        self.error = error


def read(answer: requests.Response, *, is_mutation: bool) -> dict:
    """Return `data`; raises Throttled or ShopifyError."""
    status, request_id, fields = answer.status_code, answer.headers.get("X-Request-Id", ""), _fields(answer)
    data = fields.get("data")

    def error(kind: Kind, message: str) -> ShopifyError:
        made = ShopifyError(kind, message[:500], status=status, request_id=request_id)
        made.data = data if isinstance(data, dict) else {}
        if kind == Kind.FORBIDDEN:
            made.denial = denials.read(message)
        return made

    messages, codes = _errors(fields)
    if status == 429:
        raise Throttled(_retry_after(answer), error(Kind.TEMPORARY, "Shopify is busy (429)."))
    if status >= 500 or status == 408:
        raise error(Kind.UNCERTAIN if is_mutation else Kind.TEMPORARY, f"Shopify answered {status}.")
    if status != 200:
        said = f": {'; '.join(messages)}" if messages else ""
        raise error(_BY_STATUS.get(status, Kind.PERMANENT), f"Shopify answered {status}{said}.")
    if "THROTTLED" in codes:
        raise Throttled(_refill_seconds(cost(answer)), error(Kind.TEMPORARY, "Shopify is busy (throttled)."))
    if messages:  # partial data is no answer
        kind = next((_BY_CODE[code] for code in codes if code in _BY_CODE), Kind.PERMANENT)
        if kind == Kind.TEMPORARY and is_mutation:
            kind = Kind.UNCERTAIN
        raise error(kind, f"Shopify refused: {'; '.join(messages)}")
    if not isinstance(data, dict):
        raise error(Kind.UNCERTAIN if is_mutation else Kind.TEMPORARY, "Shopify's answer is not what was asked for.")
    if refused := _user_errors(data):
        raise error(Kind.PERMANENT, f"Shopify refused: {'; '.join(refused)}")
    return data


def page(data: dict, connection: str) -> tuple[list[dict], dict]:
    """Return the nodes of a connection and its pageInfo; raises ShopifyError for anything else."""
    found = data.get(connection)
    nodes, info = (found.get("nodes"), found.get("pageInfo")) if isinstance(found, dict) else (None, None)
    is_list = isinstance(nodes, list) and all(isinstance(node, dict) for node in nodes)
    if not is_list or not isinstance(info, dict) or not isinstance(info.get("hasNextPage"), bool):
        raise ShopifyError(Kind.PERMANENT, f"Shopify's answer holds no list of {connection}.")
    return list(nodes or []), {"endCursor": None, **info}


@dataclass(frozen=True)
class Cost:
    """What a call took from the store's bucket, and how the bucket is afterwards; None where Shopify did not say."""

    requested: float | None = None
    actual: float | None = None
    maximum: float | None = None
    available: float | None = None
    restore_rate: float | None = None


def cost(answer: requests.Response) -> Cost:
    """Return what the answer says about points."""
    points = _cost(_fields(answer))
    bucket = points.get("throttleStatus")
    bucket = bucket if isinstance(bucket, dict) else {}
    return Cost(
        _number(points, "requestedQueryCost"),
        _number(points, "actualQueryCost"),
        _number(bucket, "maximumAvailable"),
        _number(bucket, "currentlyAvailable"),
        _number(bucket, "restoreRate"),
    )


def _number(fields: dict, name: str) -> float | None:
    value = fields.get(name)
    return value if isinstance(value, int | float) and not isinstance(value, bool) and value >= 0 else None


def _fields(answer: requests.Response) -> dict:
    try:
        fields = answer.json()
    except requests.JSONDecodeError:
        return {}
    return fields if isinstance(fields, dict) else {}


def _errors(fields: dict) -> tuple[list[str], list[str]]:
    errors = fields.get("errors") or []
    if not isinstance(errors, list):  # a refused token: {"errors": "[API] Invalid API key or access token …"}
        return [str(errors)], []
    rows = [row if isinstance(row, dict) else {"message": row} for row in errors]
    codes = [(row.get("extensions") or {}).get("code", "") for row in rows]
    return [str(row.get("message", "")) for row in rows], codes


def _user_errors(data: dict) -> list[str]:
    payloads = [payload for payload in data.values() if isinstance(payload, dict)]
    rows = [row for payload in payloads for row in payload.get("userErrors") or []]
    return [": ".join([*filter(None, [".".join(row.get("field") or [])]), row["message"]]) for row in rows]


def _cost(fields: dict) -> dict:
    extensions = fields.get("extensions")
    points = extensions.get("cost") if isinstance(extensions, dict) else None
    return points if isinstance(points, dict) else {}


def _refill_seconds(points: Cost) -> float:
    """Compute when the bucket holds what the call asks for; at least a second."""
    lacking = (points.requested or 0) - (points.available or 0)
    return max(1.0, lacking / (points.restore_rate or 50))


def _retry_after(answer: requests.Response) -> float:
    try:
        return min(60.0, max(0.1, float(answer.headers.get("Retry-After", ""))))
    except ValueError:
        return 2.0
