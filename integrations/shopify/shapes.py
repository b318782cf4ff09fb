"""Strict reading of an answer: a field is what the schema says, or the one error of the wire is raised."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from integrations.shopify.errors import Kind, ShopifyError


@dataclass(frozen=True)
class Node:
    """An object of an answer, and where it stands, for the error that names a field."""

    path: str
    fields: Any

    def text(self, name: str) -> str:
        """Return a text; null is none."""
        value = self._get(name)
        if not isinstance(value, str):
            raise self.wrong(name)
        return value

    def maybe_text(self, name: str) -> str:
        """Return a text, "" for null."""
        return "" if self._get(name) is None else self.text(name)

    def flag(self, name: str) -> bool:
        """Return a boolean."""
        value = self._get(name)
        if not isinstance(value, bool):
            raise self.wrong(name)
        return value

    def integer(self, name: str) -> int:
        """Return a whole number; Shopify writes 64-bit ones as text."""
        value = self._get(name)
        is_number = isinstance(value, int) and not isinstance(value, bool)
        if not is_number and not (isinstance(value, str) and value.isascii() and value.isdigit()):
            raise self.wrong(name)
        return int(value)

    def moment(self, name: str) -> datetime:
        """Return a time with its zone."""
        try:
            at = datetime.fromisoformat(self.text(name))
        except ValueError:
            raise self.wrong(name) from None
        if at.tzinfo is None:
            raise self.wrong(name)
        return at

    def gid(self, name: str) -> int:
        """Return the number at the end of an id such as gid://shopify/Shop/1."""
        tail = self.text(name).rpartition("/")[2]
        if not (tail.isascii() and tail.isdigit()):
            raise self.wrong(name)
        return int(tail)

    def node(self, name: str) -> "Node":
        """Return an object."""
        value = self._get(name)
        if not isinstance(value, dict):
            raise self.wrong(name)
        return Node(f"{self.path}.{name}", value)

    def maybe_node(self, name: str) -> "Node | None":
        """Return an object, None for null."""
        return None if self._get(name) is None else self.node(name)

    def rows(self, name: str) -> list["Node"]:
        """Return a list of objects."""
        value = self._get(name)
        if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
            raise self.wrong(name)
        return [Node(f"{self.path}.{name}", row) for row in value]

    def texts(self, name: str) -> list[str]:
        """Return a list of texts."""
        value = self._get(name)
        if not isinstance(value, list) or not all(isinstance(row, str) for row in value):
            raise self.wrong(name)
        return value

    def wrong(self, name: str) -> ShopifyError:
        """Return the error that says which field is not as it should be."""
        return ShopifyError(Kind.PERMANENT, f"Shopify's answer is not what was asked for: {self.path}.{name}.")

    def _get(self, name: str) -> Any:
        if not isinstance(self.fields, dict) or name not in self.fields:
            raise self.wrong(name)
        return self.fields[name]
