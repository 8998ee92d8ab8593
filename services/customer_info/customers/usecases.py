"""What happens to customers, one function per method."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

from holdfast.customer_info.v1 import customers_pb2 as pb

from chassis import etag
from chassis.bulk import Outcome
from chassis.events.outbox import Happening
from chassis.ids import new_id
from chassis.query.selection import Selection
from chassis.rules import AlreadyExists, Invalid, NotFound, Refusal
from chassis.times import now
from services.customer_info.customers import rules, wire
from services.customer_info.customers.rules import Customer, Status


class Customers(Protocol):
    """What the use cases ask of a store; `CustomerStore` says more of each."""

    async def transact(self, work: Callable[[Any], Awaitable[Customer]]) -> Customer: ...

    async def once(self, request_id: str, content: bytes, work: Callable[[Any], Awaitable[Customer]]) -> Customer: ...

    async def get(self, customer_id: str) -> Customer | None: ...

    async def read(self, transaction: Any, customer_id: str) -> Customer | None: ...

    async def many(self, customer_ids: Sequence[str]) -> dict[str, Customer]: ...

    async def find(self, key: str) -> list[Customer]: ...

    async def page(self, selection: Selection) -> tuple[list[Customer], str]: ...

    async def insert(self, transaction: Any, customer: Customer, *happenings: Happening) -> None: ...

    async def replace(self, transaction: Any, customer: Customer, *happenings: Happening) -> None: ...

    async def load(
        self, new: Sequence[Customer], changed: Sequence[Customer], happenings: Sequence[Happening]
    ) -> None: ...


class CustomerUseCases:
    """Creates, reads, changes and loads customers."""

    def __init__(self, store: Customers) -> None:
        self._store = store

    async def create(self, wish: Customer, request_id: str, content: bytes) -> Customer:
        """Makes a customer; a retry with the same `request_id` gets the same one.

        Raises:
            Invalid: it is inconsistent; AlreadyExists: its id or an external id is taken; NotFound: no such parent.
        """

        async def work(transaction: Any) -> Customer:
            customer = rules.created(wish, wish.id or new_id(), now())
            await self._check_parents(transaction, customer)
            await self._store.insert(transaction, customer, created_event(customer))
            return customer

        return await self._store.once(request_id, content, work)

    async def get(self, customer_id: str) -> Customer:
        """One customer.

        Raises:
            NotFound: there is none.
        """
        customer = await self._store.get(customer_id)
        if customer is None:
            raise missing(customer_id)
        return customer

    async def look_up(self, key: str) -> Customer:
        """The one customer that a look-up key belongs to.

        Raises:
            NotFound: it belongs to none, or to more than one.
        """
        found = await self._store.find(key)
        if len(found) != 1:
            several = "several customers answer" if found else "no customer answers"
            raise NotFound(f"{several} to this identifier", metadata={"type": "customer"})
        return found[0]

    async def page(self, selection: Selection) -> tuple[list[Customer], str]:
        """A page of customers, and the next page's token.

        Raises:
            Invalid: the selection asks for what the list does not offer.
        """
        return await self._store.page(selection)

    async def update(self, wish: Customer, names: frozenset[str], given_etag: str) -> Customer:
        """Changes the fields `names` of the customer `wish.id` to what `wish` says.

        Raises:
            NotFound, Conflict (etag), Invalid, AlreadyExists (an external id is taken).
        """

        async def work(transaction: Any) -> Customer:
            before = await self._current(transaction, wish.id, given_etag)
            after, changed = rules.updated(before, wish, names, now())
            if not changed:
                return before
            if "parent_id" in changed:
                await self._check_parents(transaction, after)
            await self._store.replace(transaction, after, updated_event(after, changed))
            return after

        return await self._store.transact(work)

    async def change_status(self, customer_id: str, status: Status, given_etag: str) -> Customer:
        """Moves a customer along its lifecycle.

        Raises:
            NotFound, Conflict (etag), Refused (no such arrow).
        """

        async def work(transaction: Any) -> Customer:
            before = await self._current(transaction, customer_id, given_etag)
            after = rules.moved(before, status, now())
            if after is not before:
                await self._store.replace(transaction, after, updated_event(after, frozenset({"status"})))
            return after

        return await self._store.transact(work)

    async def load(self, wishes: Sequence[Customer]) -> list[Outcome | Refusal]:
        """Makes, changes or leaves each customer, by its id; answers for each in order."""
        try:
            return await self._load(wishes)
        except AlreadyExists as taken:
            if len(wishes) == 1:
                return [taken]
            # One of them is in another's way: each by itself finds out which.
            return [outcome for wish in wishes for outcome in await self.load([wish])]

    async def _load(self, wishes: Sequence[Customer]) -> list[Outcome | Refusal]:
        known = await self._store.many([*{w.id for w in wishes}, *{w.parent_id for w in wishes if w.parent_id}])
        outcomes: list[Outcome | Refusal] = []
        new: dict[str, Customer] = {}
        changed: dict[str, Customer] = {}
        events: list[Happening] = []
        for wish in wishes:
            try:
                before = known.get(wish.id)
                if wish.id in new or wish.id in changed:
                    raise Invalid("the same id stands in this batch twice", field="id")
                if wish.parent_id and wish.parent_id not in known and wish.parent_id not in new:
                    raise NotFound("there is no such parent", field="parent_id", metadata={"type": "customer"})
                at = now()
                if before is None:
                    customer = rules.created(wish, wish.id, at)
                    parent = known.get(wish.parent_id) or new.get(wish.parent_id)
                    rules.check_parents(customer, [parent] if parent else [])
                    new[customer.id] = customer
                    events.append(created_event(customer))
                    outcomes.append(Outcome.CREATED)
                    continue
                customer, names = rules.imported(before, wish, at)
                if "parent_id" in names and customer.parent_id:
                    await self._check_parents(None, customer)
                if names:
                    changed[customer.id] = customer
                    events.append(updated_event(customer, names))
                outcomes.append(Outcome.UPDATED if names else Outcome.UNCHANGED)
            except Refusal as refusal:
                outcomes.append(refusal)
        if new or changed:
            await self._store.load(list(new.values()), list(changed.values()), events)
        return outcomes

    async def _current(self, transaction: Any, customer_id: str, given_etag: str) -> Customer:
        customer = await self._store.read(transaction, customer_id)
        if customer is None:
            raise missing(customer_id)
        etag.check(given_etag, customer.version)
        return customer

    async def _check_parents(self, transaction: Any, customer: Customer) -> None:
        chain: list[Customer] = []
        parent_id = customer.parent_id
        while parent_id and len(chain) < rules.DEEPEST and parent_id != customer.id:
            parent = await self._store.read(transaction, parent_id)
            if parent is None:
                raise NotFound(
                    "there is no such parent",
                    field="customer.parent_id",
                    metadata={"type": "customer", "id": parent_id},
                )
            chain.append(parent)
            parent_id = parent.parent_id
        if parent_id == customer.id:
            chain.append(customer)
        rules.check_parents(customer, chain)


def missing(customer_id: str) -> NotFound:
    """The refusal of a customer that is not there."""
    return NotFound("there is no such customer", metadata={"type": "customer", "id": customer_id})


def created_event(customer: Customer) -> Happening:
    """Tells that a customer was made."""
    return _event(customer, pb.CustomerCreated(customer=wire.facts(customer)))


def updated_event(customer: Customer, changed: frozenset[str]) -> Happening:
    """Tells that a customer changed."""
    return _event(customer, pb.CustomerUpdated(customer=wire.facts(customer), changed_fields=sorted(changed)))


def _event(customer: Customer, data: pb.CustomerCreated | pb.CustomerUpdated) -> Happening:
    assert customer.update_time is not None, "a stored customer has one"
    return Happening(customer.id, customer.version, data, customer.update_time, customer.id)
