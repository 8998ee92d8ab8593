"""A query as the use cases see it: free of protobuf and of MongoDB."""

from dataclasses import dataclass, replace
from enum import Enum

from holdfast.common.v1 import query_pb2

DEFAULT_PAGE_SIZE = 50


class Operator(Enum):
    """How a field relates to the values of a predicate."""

    EQUAL = "eq"
    NOT_EQUAL = "ne"
    GREATER = "gt"
    GREATER_OR_EQUAL = "gte"
    LESS = "lt"
    LESS_OR_EQUAL = "lte"
    PREFIX = "prefix"


@dataclass(frozen=True, slots=True)
class Predicate:
    """A condition on one field; values as text, as they came."""

    field: str
    operator: Operator
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Order:
    """An order on one field."""

    field: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Selection:
    """Which items, in what order, which page. An empty order is the list's own."""

    predicates: tuple[Predicate, ...] = ()
    order: tuple[Order, ...] = ()
    page_size: int = DEFAULT_PAGE_SIZE
    page_token: str = ""

    def where(self, field: str, *values: str, operator: Operator = Operator.EQUAL) -> "Selection":
        """This selection, narrowed by one more predicate."""
        return replace(self, predicates=(*self.predicates, Predicate(field, operator, values)))

    def asks_for(self, field: str) -> bool:
        """Whether a predicate speaks of `field`."""
        return any(p.field == field for p in self.predicates)


_OPERATORS = {
    query_pb2.Predicate.OPERATOR_UNSPECIFIED: Operator.EQUAL,
    query_pb2.Predicate.OPERATOR_EQUAL: Operator.EQUAL,
    query_pb2.Predicate.OPERATOR_NOT_EQUAL: Operator.NOT_EQUAL,
    query_pb2.Predicate.OPERATOR_GREATER: Operator.GREATER,
    query_pb2.Predicate.OPERATOR_GREATER_OR_EQUAL: Operator.GREATER_OR_EQUAL,
    query_pb2.Predicate.OPERATOR_LESS: Operator.LESS,
    query_pb2.Predicate.OPERATOR_LESS_OR_EQUAL: Operator.LESS_OR_EQUAL,
    query_pb2.Predicate.OPERATOR_PREFIX: Operator.PREFIX,
}


def selection(query: query_pb2.Query) -> Selection:
    """The selection that a validated `Query` message asks for."""
    return Selection(
        tuple(Predicate(p.field, _OPERATORS[p.operator], tuple(p.values)) for p in query.predicates),
        tuple(Order(o.field, o.descending) for o in query.order),
        query.page.page_size or DEFAULT_PAGE_SIZE,
        query.page.page_token,
    )
