"""Lists in memory: the same allow-lists, values and refusals as in the store, and none of its machinery."""

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from chassis.query.fields import look_up
from chassis.query.listing import Listing
from chassis.query.selection import Operator, Order, Predicate, Selection
from chassis.rules import Invalid

T = TypeVar("T")
Getters = Mapping[str, Callable[[Any], Any]]
_COMPARE: Mapping[Operator, Callable[[Any, Any], bool]] = {
    Operator.GREATER: operator.gt,
    Operator.GREATER_OR_EQUAL: operator.ge,
    Operator.LESS: operator.lt,
    Operator.LESS_OR_EQUAL: operator.le,
}


def page(items: Iterable[T], selection: Selection, listing: Listing, getters: Getters) -> tuple[list[T], str]:
    """A page of `items`, as `listing` would give it; `getters` say where an item has each field."""
    found = [item for item in items if all(_holds(item, p, listing, getters) for p in selection.predicates)]
    found.sort(key=getters["id"])
    for order in reversed(_order(selection, listing)):
        found.sort(key=getters[order.field], reverse=order.descending)
    ids = [getters["id"](item) for item in found]
    start = _start(selection, ids)
    end = start + selection.page_size
    token = f"{_mark(selection)}:{ids[end - 1]}" if end < len(found) else ""
    return found[start:end], token


def _holds(item: Any, predicate: Predicate, listing: Listing, getters: Getters) -> bool:
    field = look_up(listing.fields, predicate.field, "field")
    if predicate.operator not in field.operators:
        raise Invalid("the field has no such operator", field="operator", reason="INVALID_QUERY")
    try:
        values = [field.parse(value) for value in predicate.values]
    except ValueError as error:
        raise Invalid(str(error), field="values", reason="INVALID_QUERY") from error
    has = getters[predicate.field](item)
    if predicate.operator in (Operator.EQUAL, Operator.NOT_EQUAL):
        # Of a list, one item is enough.
        found = not set(has).isdisjoint(values) if isinstance(has, tuple) else has in values
        return found is (predicate.operator is Operator.EQUAL)
    return _COMPARE[predicate.operator](has, values[0])


def _order(selection: Selection, listing: Listing) -> Sequence[Order]:
    order = selection.order or listing.order
    if not all(look_up(listing.fields, o.field, "order").sortable for o in order):
        raise Invalid("the list cannot be ordered by it", field="order", reason="INVALID_QUERY")
    return order


def _mark(selection: Selection) -> str:
    return f"{hash((selection.predicates, selection.order)):x}"


def _start(selection: Selection, ids: Sequence[str]) -> int:
    if not selection.page_token:
        return 0
    mark, _, last = selection.page_token.partition(":")
    if mark != _mark(selection) or last not in ids:
        raise Invalid("a foreign token", field="query.page.page_token", reason="INVALID_PAGE_TOKEN")
    return ids.index(last) + 1
