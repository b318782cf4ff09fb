"""How Shopify signs what it sends: the query of a redirect and the body of a webhook."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence


def sign_query(parameters: Mapping[str, str | Sequence[str]], secret: str) -> str:
    """Return the lowercase hex digest over the query's parameters, without its own `hmac`."""
    pairs = sorted((name.removesuffix("[]"), value) for name, value in parameters.items() if name != "hmac")
    message = "&".join(f"{_escape(name, '%&=')}={_escape(_text(value), '%&')}" for name, value in pairs)
    return hmac.new(secret.encode(), message.encode(), hashlib.sha256).hexdigest()


def sign_body(body: bytes, secret: str) -> str:
    """Return the base64 digest over a webhook's raw body."""
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


def webhook_json(payload: object) -> bytes:
    """Write a webhook's body as Shopify does: compact, UTF-8, `&`, `<` and `>` as escapes."""
    text = json.dumps(payload, ensure_ascii=False, separators=(",", ":"))
    for character in "&<>":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text.encode()


def _text(value: str | Sequence[str]) -> str:
    return value if isinstance(value, str) else json.dumps(list(value))


def _escape(text: str, characters: str) -> str:
    for character in characters:
        text = text.replace(character, f"%{ord(character):02X}")
    return text
