"""What a query costs: before it runs by the page sizes it asks for, afterwards by the rows it got.

An object costs 1, scalars and the small value types nothing, a mutation 10, a connection 2 and its rows.
"""

from collections.abc import Callable
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    get_named_type,
    is_composite_type,
    value_from_ast_untyped,
)

QUERY_MAXIMUM = 1000
MUTATION_COST = 10
_VALUE_TYPES = {
    "MoneyBag",
    "MoneyV2",
    "Count",
    "PageInfo",
    "UserError",
    "TaxLine",
    "Attribute",
    "LocationAddress",
    "CollectionSourceInclusion",
}


class CostMeter:
    """Walks one operation, beside its data if there is some."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode, variables: dict) -> None:
        self._schema = schema
        self._variables = variables
        self._fragments = {
            node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
        }

    def requested(self, operation: OperationDefinitionNode) -> int:
        """Return the cost if each page comes full."""
        return self._operation(operation, lambda field, data: [(self._page_size(field), None)], None)

    def actual(self, operation: OperationDefinitionNode, data: dict | None) -> int:
        """Return the cost of what the answer holds."""
        return self._operation(operation, lambda field, rows: [(1, row) for row in rows or []], data or {})

    def _operation(self, operation: OperationDefinitionNode, pages: Callable, data: dict | None) -> int:
        root = self._schema.get_root_type(operation.operation)
        extra = MUTATION_COST if operation.operation.value == "mutation" else 0
        return extra + self._selection(operation.selection_set, root, pages, data)

    def _selection(
        self, selection_set: SelectionSetNode | None, parent: Any, pages: Callable, data: dict | None
    ) -> int:
        selections = selection_set.selections if selection_set else ()
        return sum(self._node(node, parent, pages, data) for node in selections)

    def _node(self, node: Any, parent: Any, pages: Callable, data: dict | None) -> int:
        if isinstance(node, FragmentSpreadNode):
            node = self._fragments[node.name.value]
        if isinstance(node, FragmentDefinitionNode | InlineFragmentNode):
            condition = node.type_condition
            inner = self._schema.type_map[condition.name.value] if condition else parent
            return self._selection(node.selection_set, inner, pages, data)
        return self._field(node, parent, pages, data)

    def _field(self, node: FieldNode, parent: Any, pages: Callable, data: dict | None) -> int:
        definition = getattr(parent, "fields", {}).get(node.name.value)
        kind: Any = get_named_type(definition.type) if definition else None
        if node.selection_set is None or not is_composite_type(kind):
            return 0
        value = data.get((node.alias or node.name).value) if data is not None else None
        if data is not None and value is None:
            return 0
        if kind.name.endswith("Connection"):
            return 2 + self._connection(node, kind, pages, value)
        own = 0 if kind.name in _VALUE_TYPES else 1
        rows = value if isinstance(value, list) else [value]
        return sum(own + self._selection(node.selection_set, kind, pages, row) for row in rows)

    def _connection(self, node: FieldNode, kind: Any, pages: Callable, value: dict | None) -> int:
        cost = 0
        for child in node.selection_set.selections if node.selection_set else ():
            if not isinstance(child, FieldNode) or child.name.value not in ("nodes", "edges"):
                continue
            rows = value.get((child.alias or child.name).value) if value else None
            cost += sum(times * self._row(child, kind, pages, row) for times, row in pages(node, rows))
        return cost

    def _row(self, child: FieldNode, kind: Any, pages: Callable, row: dict | None) -> int:
        inner = get_named_type(kind.fields[child.name.value].type)
        if child.name.value == "nodes":
            return 1 + self._selection(child.selection_set, inner, pages, row)
        return self._selection(child.selection_set, inner, pages, row)

    def _page_size(self, node: FieldNode) -> int:
        sizes = {argument.name.value: argument.value for argument in node.arguments}
        size = sizes.get("first") or sizes.get("last")
        number = value_from_ast_untyped(size, self._variables) if size else 0
        return number if isinstance(number, int) else 0
