"""Follows what customer information decides of its records: which are one customer, which are not, who was erased.

Each service keeps the lineage in a collection of its own, in step with the events, and resolves ids when it reads. So
what it has written stays where it is, whatever is merged or parted later.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol

from google.protobuf.message import Message
from holdfast.customer_info.v1 import merges_pb2, privacy_pb2

from chassis.query.selection import Predicate, Selection

KINDS: Final = (merges_pb2.CustomersMerged, merges_pb2.CustomersUnmerged, privacy_pb2.CustomerErased)
"""The events to listen to."""
WHOSE: Final = "customer_id"

# Takes note of the ids of erased persons, in the transaction; the work itself may follow later.
Erase = Callable[[Any, Sequence[str]], Awaitable[None]]


class Event(Protocol):
    """What is needed of an event; `chassis.events.listener.Received` says more."""

    @property
    def data(self) -> Message: ...


class Groups(Protocol):
    """Where the lineage is kept; `chassis.lineage.Lineage` says more."""

    async def put(self, transaction: Any, groups: Sequence[Sequence[str]]) -> None: ...


class Ids(Protocol):
    """Where ids are resolved; `chassis.lineage.Lineage` says more."""

    async def of(self, customer_id: str) -> tuple[str, ...]: ...

    async def of_many(self, customer_ids: Sequence[str], transaction: Any = None) -> Mapping[str, tuple[str, ...]]: ...


@dataclass(frozen=True, slots=True)
class Decided:
    """What events say: one customer or several, each by its ids, the survivor's first, in the order of the events; and
    the ids of those who were erased.
    """

    groups: tuple[tuple[tuple[str, ...], ...], ...]
    erased: tuple[str, ...]

    @property
    def touched(self) -> list[str]:
        """Every id that is in another group than before, or may be, once."""
        return list(dict.fromkeys(who for groups in self.groups for group in groups for who in group))


def decided(events: Iterable[Event]) -> Decided:
    """What those of the events say that are of `KINDS`."""
    groups: list[tuple[tuple[str, ...], ...]] = []
    erased: list[str] = []
    for event in events:
        data = event.data
        if isinstance(data, merges_pb2.CustomersMerged):
            groups.append((tuple(data.member_ids),))
        elif isinstance(data, merges_pb2.CustomersUnmerged):
            groups.append(tuple(tuple(group.member_ids) for group in data.groups))
        elif isinstance(data, privacy_pb2.CustomerErased):
            erased += data.member_ids
    return Decided(tuple(groups), tuple(dict.fromkeys(erased)))


class Following:
    """Keeps a service's lineage in step; `apply` is what a `Listener` to `KINDS` calls."""

    def __init__(self, lineage: Groups, erase: Erase | None = None) -> None:
        """Puts groups into `lineage`, and tells `erase` of the erased; None: nothing personal is kept here."""
        self._lineage = lineage
        self._erase = erase

    async def apply(self, events: Sequence[Event], transaction: Any) -> None:
        """Applies events, in order, in the transaction."""
        found = decided(events)
        for groups in found.groups:
            await self._lineage.put(transaction, groups)
        if found.erased and self._erase is not None:
            await self._erase(transaction, found.erased)


async def resolved(selection: Selection, lineage: Ids, field: str = WHOSE) -> Selection:
    """`selection` with every customer id that a predicate on `field` names replaced by all ids of that customer."""
    if not selection.asks_for(field):
        return selection
    known = await lineage.of_many([v for p in selection.predicates if p.field == field for v in p.values])

    def widened(predicate: Predicate) -> Predicate:
        return replace(predicate, values=tuple(dict.fromkeys(who for v in predicate.values for who in known[v])))

    predicates = (widened(p) if p.field == field else p for p in selection.predicates)
    return replace(selection, predicates=tuple(predicates))
