"""What happens to profiles and to the facts beside them, one function per method."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol, TypeVar

from holdfast.customer_info.v1 import profiles_pb2 as pb

from chassis import etag
from chassis.events.outbox import Happening
from chassis.ids import new_id
from chassis.rules import missing
from chassis.times import now
from services.customer_info.customers.rules import Customer, check_open
from services.customer_info.profiles import facts, rules, view_rules
from services.customer_info.profiles.facts import SECTIONS, Event
from services.customer_info.profiles.rules import Profile
from services.customer_info.profiles.view_rules import Told, View

T = TypeVar("T")
# Of whom, and for which section.
Place = tuple[str, str]


class Profiles(Protocol):
    """What the use cases ask of a store; `ProfileStore` says more of each."""

    async def transact(self, work: Callable[[Any], Awaitable[T]]) -> T: ...

    async def of(self, transaction: Any, customer_ids: Sequence[str]) -> dict[str, Profile]: ...

    async def put(self, transaction: Any, profile: Profile, *happenings: Happening) -> None: ...

    async def told(self, transaction: Any, places: Sequence[Place]) -> dict[Place, Told | None]: ...

    async def tell(self, transaction: Any, facts: Mapping[Place, Told]) -> None: ...

    async def heard(self, services: Sequence[str]) -> dict[str, datetime]: ...


class Customers(Protocol):
    """What they ask of the store of customers."""

    async def get(self, customer_id: str) -> Customer | None: ...

    async def read(self, transaction: Any, customer_id: str) -> Customer | None: ...

    async def hold(self, transaction: Any, customer_ids: Sequence[str]) -> None: ...


class Lineage(Protocol):
    """Whose records belong to a customer."""

    async def of(self, customer_id: str) -> tuple[str, ...]: ...

    async def read(self, transaction: Any, customer_id: str) -> tuple[str, ...]: ...


class ProfileUseCases:
    """Reads and changes profiles, keeps facts, and shows both together."""

    def __init__(self, store: Profiles, customers: Customers, lineage: Lineage) -> None:
        self._store = store
        self._customers = customers
        self._lineage = lineage

    async def get(self, customer_id: str) -> Profile:
        """The profile of a customer; an empty one where nothing was told.

        Raises:
            NotFound: there is no such customer.
        """
        ids = await self._lineage.of(customer_id)
        customer = await self._customer(ids[0])
        return _shown(customer, ids, await self._store.of(None, ids))

    async def update(self, wish: Profile, names: frozenset[str], given_etag: str) -> Profile:
        """Changes the fields `names` of a customer's profile to what `wish` says; makes it where there is none.

        Raises:
            NotFound, Conflict (etag), Invalid (it would be inconsistent), Refused (merged into another, or erased).
        """

        async def work(transaction: Any) -> Profile:
            customer = await self._customers.read(transaction, wish.customer_id)
            if customer is None:
                raise missing("customer", wish.customer_id)
            check_open(customer)
            ids = await self._lineage.read(transaction, wish.customer_id)
            kept = await self._store.of(transaction, ids)
            own, shown = kept.get(customer.id, Profile(customer.id)), rules.of_customer(ids, kept)
            etag.check(given_etag, own.version)
            after, changed = rules.updated(own, wish, names, new_id(), now(), shown=shown)
            if changed:
                # Two who make the first version, or one who erases meanwhile: whoever comes second looks again.
                await self._customers.hold(transaction, [customer.id])
                await self._store.put(transaction, after, updated_event(after, changed))
            return rules.of_customer(ids, {**kept, customer.id: after})

        return await self._store.transact(work)

    async def view(self, customer_id: str) -> View:
        """The profile of a customer beside what the other services told of it, from this service's own store.

        Raises:
            NotFound: there is no such customer.
        """
        ids = await self._lineage.of(customer_id)
        places = [(i, s.name) for i in ids for s in SECTIONS if s.kinds]
        services = sorted({s.service for s in SECTIONS if s.service})
        customer, profiles, told, heard = await asyncio.gather(
            self._customer(ids[0]),
            self._store.of(None, ids),
            self._store.told(None, places),
            self._store.heard(services),
        )
        at = now()
        sections = (
            view_rules.section(
                s.name,
                s.service,
                [found for i in ids if (found := told.get((i, s.name))) is not None],
                heard.get(s.service),
                at,
            )
            for s in SECTIONS
        )
        return view_rules.view(_shown(customer, ids, profiles), customer.language, sections, at)

    async def apply(self, events: Sequence[Event], transaction: Any) -> None:
        """Adds what events say to what is known, in the transaction that marks them as heard.

        Raises:
            Invalid: a time in one of them is none.
        """
        fresh: dict[Place, Told] = {}
        for event in events:
            for whose, section, said in facts.told(event):
                fresh[whose, section] = view_rules.more(fresh.get((whose, section)), Told(said, event.time))
        before = await self._store.told(transaction, list(fresh))
        # Who was erased stays forgotten, whatever is still said of them.
        forgotten = {place for place, known in before.items() if known is None}
        told = {p: view_rules.more(before.get(p), said) for p, said in fresh.items() if p not in forgotten}
        if told:
            await self._store.tell(transaction, told)

    async def _customer(self, customer_id: str) -> Customer:
        customer = await self._customers.get(customer_id)
        if customer is None:
            raise missing("customer", customer_id)
        return customer


def _shown(customer: Customer, ids: Sequence[str], kept: Mapping[str, Profile]) -> Profile:
    """The profile of a customer; an empty one of who was erased, whatever its former versions are kept for."""
    return Profile(customer.id) if customer.erase_time else rules.of_customer(ids, kept)


def updated_event(profile: Profile, changed: frozenset[str]) -> Happening:
    """Tells that a profile was made or changed, not what it says."""
    assert profile.update_time is not None, "a stored profile has one"
    data = pb.ProfileUpdated(customer_id=profile.customer_id, changed_fields=sorted(changed))
    return Happening(profile.id, profile.version, data, profile.update_time, profile.customer_id)
