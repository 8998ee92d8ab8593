"""What happens to customers, one function per method."""

from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from itertools import takewhile
from typing import Any, Protocol, TypeVar

from holdfast.customer_info.v1 import customers_pb2 as pb

from chassis import etag
from chassis.bulk import Outcome
from chassis.events.outbox import Happening
from chassis.ids import new_id
from chassis.query.selection import Selection
from chassis.rules import Invalid, NotFound, Refusal, missing
from chassis.times import now
from services.customer_info.customers import import_rules, rules, state_rules, structure_rules, wire
from services.customer_info.customers.as_of import line
from services.customer_info.customers.import_rules import Held, Row
from services.customer_info.customers.rules import Customer, ExternalId, Status
from services.customer_info.identifier_rules import Key
from services.customer_info.loading import Keep, Outcomes, each_once

T = TypeVar("T")
Read = Callable[[str], Awaitable[Customer | None]]


class Customers(Protocol):
    """What the use cases ask of a store; `CustomerStore` says more of each."""

    async def transact(self, work: Callable[[Any], Awaitable[T]]) -> T: ...

    async def once(
        self, method: str, request_id: str, content: bytes, work: Callable[[Any], Awaitable[Customer]]
    ) -> Customer: ...

    async def get(self, customer_id: str) -> Customer | None: ...

    async def read(self, transaction: Any, customer_id: str) -> Customer | None: ...

    async def many(self, customer_ids: Sequence[str]) -> dict[str, Customer]: ...

    async def as_of(self, customer_id: str, at: datetime) -> Customer | None: ...

    async def find(self, keys: Sequence[Key]) -> list[Customer]: ...

    async def page(self, selection: Selection) -> tuple[list[Customer], str]: ...

    async def following(self, selection: Selection, customer_id: str, most: int) -> list[Customer]: ...

    async def external_holders(self, ids: Iterable[ExternalId]) -> dict[ExternalId, str]: ...

    async def children(self, transaction: Any, customer_ids: Sequence[str]) -> list[str]: ...

    async def hold(self, transaction: Any, customer_ids: Sequence[str]) -> None: ...

    async def insert(self, transaction: Any, customer: Customer, *happenings: Happening) -> None: ...

    async def replace(self, transaction: Any, customer: Customer, *happenings: Happening) -> None: ...

    async def load(
        self,
        new: Sequence[Customer],
        changed: Sequence[Customer],
        happenings: Sequence[Happening],
        turn: Callable[[], Awaitable[None]] | None = None,
        beside: Callable[[Any], Awaitable[None]] | None = None,
    ) -> None: ...


class Lineage(Protocol):
    """Which ids are one customer."""

    async def of_many(self, customer_ids: Sequence[str], transaction: Any = None) -> dict[str, tuple[str, ...]]: ...


@dataclass(frozen=True, slots=True)
class Write:
    """The call that a change comes with: a retry with the same `request_id` and `content` gets its answer."""

    request_id: str = ""
    content: bytes = b""


NO_RETRY = Write()


class CustomerUseCases:
    """Creates, reads, changes and loads customers."""

    def __init__(self, store: Customers, lineage: Lineage) -> None:
        self._store = store
        self._lineage = lineage

    async def create(self, wish: Customer, request_id: str, content: bytes) -> Customer:
        """Makes a customer; a retry with the same `request_id` gets the same one.

        Raises:
            Invalid: it is inconsistent; AlreadyExists: its id or an external id is taken; NotFound: no such parent.
        """

        async def work(transaction: Any) -> Customer:
            customer = rules.created(wish, wish.id or new_id(), now())
            await self._check_parents(customer, self._reader(transaction))
            await self._store.insert(transaction, customer, created_event(customer))
            return customer

        return await self._store.once("CreateCustomer", request_id, content, work)

    async def get(self, customer_id: str) -> Customer:
        """One customer.

        Raises:
            NotFound: there is none.
        """
        customer = await survivor(self._store.get, customer_id)
        if customer is None:
            raise missing("customer", customer_id)
        return customer

    async def get_as_of(self, customer_id: str, at: datetime, *, own: bool = False) -> Customer:
        """One customer as it was read at `at`: a record that was merged by then as the one it was merged into, one that
        was merged later as what it was itself.

        Who sees its `own` only is led to nobody who is another customer now, and sees nothing personal of a time when
        the record held the data of such a one.

        Raises:
            NotFound: there was none.
        """
        chain = await line(customer_id, partial(self._store.as_of, at=at))
        if not chain:
            raise missing("customer", customer_id)
        if not own:
            return chain[-1]
        # Read last: whoever is parted meanwhile is another already.
        members = (await self._lineage.of_many([customer_id]))[customer_id]
        customer = list(takewhile(lambda c: c.id in members, chain))[-1]
        return customer if set(customer.sources) <= set(members) else rules.without_personal(customer)

    async def page(self, selection: Selection) -> tuple[list[Customer], str]:
        """A page of customers, and the next page's token.

        Raises:
            Invalid: the selection asks for what the list does not offer.
        """
        return await self._store.page(await self._widened(selection))

    async def following(self, selection: Selection, customer_id: str, most: int) -> list[Customer]:
        """At most `most` customers in the order of their ids, from the one after this id.

        Raises:
            Invalid: the selection asks for what the list does not offer.
        """
        return await self._store.following(await self._widened(selection), customer_id, most)

    async def _widened(self, selection: Selection) -> Selection:
        """The same selection, with every id of those whose children it asks for: a child keeps the one it was given."""
        asked = [value for p in selection.predicates if p.field == "parent_id" for value in p.values]
        if not asked:
            return selection
        ids = await self._lineage.of_many(asked)

        def wide(values: Iterable[str]) -> tuple[str, ...]:
            return tuple(dict.fromkeys(member for value in values for member in ids[value]))

        predicates = (replace(p, values=wide(p.values)) if p.field == "parent_id" else p for p in selection.predicates)
        return replace(selection, predicates=tuple(predicates))

    async def update(
        self,
        wish: Customer,
        names: frozenset[str],
        given_etag: str,
        write: Write = NO_RETRY,
        *,
        says_status: bool = False,
    ) -> Customer:
        """Changes the fields `names` of the customer `wish.id` to what `wish` says.

        With `says_status`, the caller tells of a status too: it must be the one there is.

        Raises:
            NotFound, Conflict (etag), Invalid, AlreadyExists (an external id is taken), Refused (it is archived).
        """
        if not wish.id:
            raise Invalid("names no customer", field="customer.id")

        async def work(transaction: Any) -> Customer:
            before = await self._current(transaction, wish.id, given_etag)
            if says_status:
                state_rules.check_same_status(before, wish.status)
            after, changed = rules.updated(before, wish, names, now())
            if changed:
                state_rules.check_kept(before)
                await self._put(transaction, after, changed)
            return after

        return await self._store.once("UpdateCustomer", write.request_id, write.content, work)

    async def change_status(
        self, customer_id: str, status: Status, given_etag: str, write: Write = NO_RETRY
    ) -> Customer:
        """Moves a customer along its lifecycle.

        Raises:
            NotFound, Conflict (etag), Refused (no such arrow).
        """

        async def work(transaction: Any) -> Customer:
            before = await self._current(transaction, customer_id, given_etag)
            after = rules.moved(before, status, now())
            if after is not before:
                await self._put(transaction, after, frozenset({"status"}))
            return after

        return await self._store.once("ChangeCustomerStatus", write.request_id, write.content, work)

    async def load(self, rows: Sequence[Row], keep: Keep | None = None) -> Outcomes:
        """Makes, changes or leaves each customer, by its id; answers for each in order."""
        return await each_once(rows, [row.wish.id for row in rows], self._load, keep)

    async def _load(self, rows: Sequence[Row], keep: Keep | None) -> Outcomes:
        wishes = [row.wish for row in rows]
        known = await self._store.many(list({w.id for w in wishes} | {w.parent_id for w in wishes if w.parent_id}))
        # Whoever loads a file again under fresh ids is told so at once; what is taken meanwhile, the store refuses.
        batch = _Batch(Held(await self._holders(import_rules.fresh_ids(wishes, known), keep)))
        outcomes: Outcomes = []
        for n, row in enumerate(rows):
            try:
                outcomes.append(await self._place(n, row, known, batch))
            except Refusal as refusal:
                outcomes.append(refusal)
        if batch.new or batch.changed:
            # What moves is written after this, so that this is not all of the batch.
            beside = partial(keep.note, outcomes=outcomes) if keep and not batch.moving else None
            turn = keep.turn if keep else None
            await self._store.load(list(batch.new.values()), batch.changed, batch.events, turn, beside)
        if batch.moving and keep:
            await keep.turn()
        # One by one and last: whether a move makes a cycle depends on every move before it.
        for n in batch.moving:
            outcomes[n] = await self._load_moved(rows[n])
        return outcomes

    async def _holders(self, ids: Collection[ExternalId], keep: Keep | None) -> dict[ExternalId, str]:
        """Whose the external ids are when the batch is written, of those that somebody has."""
        holders = await self._store.external_holders(ids) if ids else {}
        if holders and keep is not None:
            # What came before may free them, and is perhaps being written.
            await keep.turn()
            holders = await self._store.external_holders(holders)
        return holders

    async def _place(self, n: int, row: Row, known: dict[str, Customer], batch: "_Batch") -> Outcome:
        """Puts the n-th row where it belongs in the batch."""
        before, at = known.get(row.wish.id), now()
        if before is None:
            customer = rules.loaded(row.wish, row.wish.id, at)

            async def read(customer_id: str) -> Customer | None:
                found = batch.new.get(customer_id) or known.get(customer_id)
                if found is None and (found := await self._store.read(None, customer_id)):
                    known[customer_id] = found
                return found

            await self._check_parents(customer, read)
            batch.held.take(None, customer)
            batch.new[customer.id] = customer
            batch.events.append(created_event(customer))
            return Outcome.CREATED
        rules.check_open(before)
        customer, names = import_rules.imported(before, row, at)
        if "parent_id" in names:
            batch.moving.append(n)
        elif names:
            batch.held.take(before, customer)
            batch.changed.append(customer)
            batch.events.append(updated_event(customer, names))
        return Outcome.UPDATED if names else Outcome.UNCHANGED

    async def _load_moved(self, row: Row) -> Outcome | Refusal:
        """Loads a row that puts a customer under another parent."""

        async def work(transaction: Any) -> Outcome:
            before = await self._current(transaction, row.wish.id, "")
            after, changed = import_rules.imported(before, row, now())
            if changed:
                await self._put(transaction, after, changed)
            return Outcome.UPDATED if changed else Outcome.UNCHANGED

        try:
            return await self._store.transact(work)
        except Refusal as refusal:
            return refusal

    async def _current(self, transaction: Any, customer_id: str, given_etag: str) -> Customer:
        customer = await self._store.read(transaction, customer_id)
        if customer is None:
            raise missing("customer", customer_id)
        rules.check_open(customer)
        etag.check(given_etag, customer.version)
        return customer

    async def _put(self, transaction: Any, after: Customer, changed: frozenset[str]) -> None:
        """Keeps the next version of a customer, and tells of it."""
        if "parent_id" in changed:
            await self.hold_parents(transaction, after)
        await self._store.replace(transaction, after, updated_event(after, changed))

    async def hold_parents(self, transaction: Any, customer: Customer) -> None:
        """Refuses a structure that makes no sense, and keeps the one there is until the transaction ends.

        Two moves at once could close a circle that neither sees: holding what they read makes one wait.

        Raises:
            NotFound, Invalid: as for a new customer.
        """
        height = await self._height(transaction, customer.id) if customer.parent_id else 0
        if above := await self._check_parents(customer, self._reader(transaction), height):
            await self._store.hold(transaction, above)

    async def _height(self, transaction: Any, customer_id: str) -> int:
        """How many levels there are below a customer; what is below its duplicates is below it."""
        level, seen, height = [customer_id], {customer_id}, 0
        while height < structure_rules.DEEPEST:
            ids = await self._lineage.of_many(level, transaction)
            below = await self._store.children(transaction, [member for i in level for member in ids[i]])
            level = [child for child in below if child not in seen]
            if not level:
                break
            seen.update(level)
            height += 1
        return height

    def _reader(self, transaction: Any) -> Read:
        async def read(customer_id: str) -> Customer | None:
            return await self._store.read(transaction, customer_id)

        return read

    async def _check_parents(self, customer: Customer, read: Read, height: int = 0) -> list[str]:
        """The ids of those above `customer`, from the nearest up; refuses a structure that makes no sense."""
        chain: list[Customer] = []
        parent_id = customer.parent_id
        while parent_id and len(chain) < structure_rules.DEEPEST:
            parent = await survivor(read, parent_id)
            if parent is None:
                raise NotFound(
                    "there is no such parent",
                    field="customer.parent_id",
                    metadata={"type": "customer", "id": parent_id},
                )
            chain.append(parent)
            parent_id = "" if parent.id == customer.id else parent.parent_id
        structure_rules.check_parents(customer, chain, height)
        return [parent.id for parent in chain]


@dataclass
class _Batch:
    """What one batch of a bulk load amounts to; `moving` are the places of rows that change their parent."""

    held: Held
    new: dict[str, Customer] = field(default_factory=dict)
    changed: list[Customer] = field(default_factory=list)
    moving: list[int] = field(default_factory=list)
    events: list[Happening] = field(default_factory=list)


async def survivor(read: Read, customer_id: str) -> Customer | None:
    """The record that one was merged into, by whatever way, or that one itself; None where there is none."""
    found = await read(customer_id)
    while found is not None and found.merged_into:
        found = await read(found.merged_into)
    return found


def created_event(customer: Customer) -> Happening:
    """Tells that a customer was made."""
    return _event(customer, pb.CustomerCreated(customer=wire.facts(customer)))


def updated_event(customer: Customer, changed: frozenset[str]) -> Happening:
    """Tells that a customer changed."""
    return _event(customer, pb.CustomerUpdated(customer=wire.facts(customer), changed_fields=sorted(changed)))


def _event(customer: Customer, data: pb.CustomerCreated | pb.CustomerUpdated) -> Happening:
    assert customer.update_time is not None, "a stored customer has one"
    return Happening(customer.id, customer.version, data, customer.update_time, customer.id)
