"""What happens to responsibilities, one function per method; `reading_usecases` tells who has them."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Protocol, TypeVar

from holdfast.customer_info.v1 import responsibilities_pb2 as pb

from chassis import etag
from chassis.events.outbox import Happening
from chassis.ids import new_id
from chassis.query.selection import Selection
from chassis.rules import NotFound, missing
from chassis.times import now
from services.customer_info.customers import holding
from services.customer_info.customers.holding import Owners, held, survivor_held
from services.customer_info.customers.turns import Turns
from services.customer_info.hierarchy.rules import Placement
from services.customer_info.history.rules import Made
from services.customer_info.history.versions import version_page
from services.customer_info.responsibilities import rules, wire
from services.customer_info.responsibilities.rules import DEFINITION, Assignment, Catalogue, Responsibility, Wish

T = TypeVar("T")


class Responsibilities(Protocol):
    """What the use cases ask of a store; `ResponsibilityStore` says more of each."""

    async def transact(self, work: Callable[[Any], Awaitable[T]]) -> T: ...

    async def once(
        self, request_id: str, content: bytes, work: Callable[[Any], Awaitable[Assignment]]
    ) -> Assignment: ...

    async def add_missing(self, responsibilities: Sequence[Responsibility]) -> None: ...

    async def catalogue(self, transaction: Any) -> Catalogue: ...

    async def define(self, transaction: Any, responsibility: Responsibility, *happenings: Happening) -> None: ...

    async def hold_definitions(self, transaction: Any, names: Sequence[str]) -> None: ...

    async def listed(self, selection: Selection) -> tuple[list[Responsibility], str]: ...

    async def versions(self, name: str, before: int, most: int) -> list[Made[Responsibility]]: ...

    async def read(self, transaction: Any, assignment_id: str) -> Assignment | None: ...

    async def hold_place(self, transaction: Any, node_id: str, responsibility: str) -> None: ...

    async def at_place(self, transaction: Any, node_id: str, responsibility: str) -> list[Assignment]: ...

    async def page(self, customer_ids: Sequence[str], selection: Selection) -> tuple[list[Assignment], str]: ...

    async def put(self, transaction: Any, assignment: Assignment, *happenings: Happening) -> None: ...


class Trees(Protocol):
    """What the use cases ask of the store of hierarchies."""

    async def path(self, node_id: str, at: datetime) -> Sequence[Placement]: ...


class Lineage(holding.Lineage, Protocol):
    """Whose records belong to a customer, its survivor's first."""

    async def of(self, customer_id: str) -> Sequence[str]: ...


class ResponsibilityUseCases:
    """Defines, assigns and ends responsibilities."""

    def __init__(
        self, store: Responsibilities, customers: Owners, trees: Trees, lineage: Lineage, *, turns: Turns | None = None
    ) -> None:
        """`turns` are shared with others who hold the same customers; None: with nobody."""
        self._turns = turns or Turns()
        self._store = store
        self._customers = customers
        self._trees = trees
        self._lineage = lineage

    async def start(self) -> None:
        """Adds those of the usual responsibilities that the catalogue lacks; what has become of the others stays."""
        at = now()
        await self._store.add_missing([replace(r, update_time=at) for r in rules.DEFAULTS])

    async def define(self, wish: Responsibility, given_etag: str) -> Responsibility:
        """Makes a responsibility or changes the one of this name.

        Raises:
            NotFound: an etag is given, but there is none; Conflict (etag); Invalid: it would depend on itself, or on
                what there is not.
        """

        async def work(transaction: Any) -> Responsibility:
            catalogue = await self._store.catalogue(transaction)
            before = catalogue.get(wish.name)
            if before is not None:
                etag.check(given_etag, before.version)
            elif given_etag:
                raise missing(DEFINITION, wish.name)
            after = rules.defined(before, wish, catalogue, now())
            if after is not before:
                # Two changes at once could close a circle that neither sees: holding what they read makes one wait.
                above = rules.dependencies(after.name, {**catalogue, after.name: after})
                await self._store.hold_definitions(transaction, above)
                await self._store.define(transaction, after, defined_event(after))
            return after

        return await self._store.transact(work)

    async def listed(self, selection: Selection) -> tuple[list[Responsibility], str]:
        """A page of responsibilities by name, and the next page's token.

        Raises:
            Invalid: the selection asks for what the list does not offer.
        """
        return await self._store.listed(selection)

    async def versions(self, name: str, page_size: int, page_token: str) -> tuple[list[Made[Responsibility]], str]:
        """A page of what a responsibility was, the latest version first, and the next page's token.

        Raises:
            NotFound: there is none of this name; Invalid: the token is another list's.
        """
        return await version_page(self._store.versions, DEFINITION, name, page_size, page_token)

    async def assign(self, wish: Wish, request_id: str, content: bytes) -> Assignment:
        """Gives a responsibility to somebody; a retry with the same `request_id` gets the same assignment.

        Raises:
            Invalid: its times or its contact make no sense; NotFound: no such enterprise, node, responsibility or
                holder; AlreadyExists: somebody has it then, or the id is taken; Refused: the enterprise was merged or
                erased, or the holder was or has left.
        """

        async def work(transaction: Any) -> Assignment:
            await held(self._customers, transaction, wish.customer_id, "assignment.customer_id")
            ids = await self._lineage.read(transaction, wish.customer_id)
            known = (await self._store.catalogue(transaction)).get(wish.responsibility)
            if known is None:
                raise missing(DEFINITION, wish.responsibility, "assignment.responsibility")
            at = now()
            place = await self._place(ids, wish.node_id, wish.start or at)
            await self._check_holder(transaction, wish)
            assignment = rules.assigned(wish, wish.id or new_id(), place, at)
            await self._check_room(transaction, assignment, several=known.several)
            await self._store.put(transaction, assignment, assigned_event(assignment))
            return assignment

        return await self._turns.take(wish.customer_id, lambda: self._store.once(request_id, content, work))

    async def end(self, customer_id: str, assignment_id: str, end: datetime | None, given_etag: str) -> Assignment:
        """Sets when an assignment ends: now, unless a time is given.

        Raises:
            NotFound: no such enterprise or assignment; Conflict (etag); Invalid: that is before it starts;
                AlreadyExists: somebody has it by then; Refused: the enterprise was erased.
        """

        async def work(transaction: Any) -> Assignment:
            _, ids = await survivor_held(self._customers, self._lineage, transaction, customer_id)
            before = await self._assignment(transaction, ids, assignment_id)
            etag.check(given_etag, before.version)
            after = rules.ended(before, end, now())
            if after is not before:
                if after.end > before.end:
                    known = (await self._store.catalogue(transaction))[before.responsibility]
                    await self._check_room(transaction, after, several=known.several)
                await self._store.put(transaction, after, ended_event(after))
            return after

        return await self._turns.take(customer_id, lambda: self._store.transact(work))

    async def get(self, customer_id: str, assignment_id: str) -> Assignment:
        """One assignment; of this enterprise, if one is named.

        Raises:
            NotFound: there is none.
        """
        return await self._assignment(None, await self._whose(customer_id), assignment_id)

    async def page(self, customer_id: str, selection: Selection) -> tuple[list[Assignment], str]:
        """A page of assignments, of one enterprise or of all, and the next page's token.

        Raises:
            Invalid: the selection asks for what the list does not offer.
        """
        return await self._store.page(await self._whose(customer_id), selection)

    async def _check_holder(self, transaction: Any, wish: Wish) -> None:
        if wish.holder_id:
            holder = await self._customers.read(transaction, wish.holder_id)
            if holder is None:
                raise missing("customer", wish.holder_id, "assignment.holder_id")
            rules.check_holder(holder)

    async def _check_room(self, transaction: Any, assignment: Assignment, *, several: bool) -> None:
        # Who assigns the same at the same node meanwhile waits, and looks again.
        await self._store.hold_place(transaction, assignment.node_id, assignment.responsibility)
        others = await self._store.at_place(transaction, assignment.node_id, assignment.responsibility)
        rules.check_room(assignment, others, several=several)

    async def _place(self, ids: Sequence[str], node_id: str, at: datetime) -> Placement:
        path = await self._trees.path(node_id, at)
        if not path or path[-1].customer_id not in ids:
            raise no_node(node_id, "assignment.node_id")
        return path[-1]

    async def _assignment(self, transaction: Any, ids: Sequence[str], assignment_id: str) -> Assignment:
        assignment = await self._store.read(transaction, assignment_id)
        if assignment is None or (ids and assignment.customer_id not in ids):
            raise missing("assignment", assignment_id)
        return assignment

    async def _whose(self, customer_id: str) -> Sequence[str]:
        return await self._lineage.of(customer_id) if customer_id else ()


def no_node(node_id: str, field: str) -> NotFound:
    """The refusal of a node that is not there at that time, or that the caller may not know of."""
    return NotFound("there is no such node at that time", field=field, metadata={"type": "node", "id": node_id})


def defined_event(responsibility: Responsibility) -> Happening:
    """Tells that a responsibility was made or changed."""
    assert responsibility.update_time is not None, "a stored responsibility has one"
    data = pb.ResponsibilityDefined(responsibility=wire.definition_message(responsibility))
    return Happening(responsibility.name, responsibility.version, data, responsibility.update_time)


def assigned_event(assignment: Assignment) -> Happening:
    """Tells that a responsibility was given to somebody."""
    return _event(assignment, pb.ResponsibilityAssigned(assignment=wire.facts(assignment)))


def ended_event(assignment: Assignment) -> Happening:
    """Tells when an assignment ends."""
    return _event(assignment, pb.AssignmentEnded(assignment=wire.facts(assignment)))


def _event(assignment: Assignment, data: pb.ResponsibilityAssigned | pb.AssignmentEnded) -> Happening:
    return Happening(assignment.id, assignment.version, data, assignment.update_time, assignment.customer_id)
