"""What happens when records are merged and parted, one function per method."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeVar

from holdfast.customer_info.v1 import merges_pb2 as pb

from chassis import etag
from chassis.call import subject
from chassis.events.outbox import Happening
from chassis.ids import new_id
from chassis.rules import Invalid, Refused, missing
from chassis.times import now
from services.customer_info.customers.rules import UPDATABLE, Customer, check_open
from services.customer_info.customers.usecases import survivor, updated_event
from services.customer_info.merges import parting_rules, rules
from services.customer_info.merges.list_rules import Keep
from services.customer_info.merges.parting_rules import Held, Parting
from services.customer_info.merges.rules import Merge

T = TypeVar("T")
EVERYTHING = UPDATABLE | {"status"}


class Merges(Protocol):
    """What the use cases ask of a store; `MergeStore` says more of each."""

    async def once(self, request_id: str, content: bytes, work: Callable[[Any], Awaitable[Merge]]) -> Merge: ...

    async def transact(self, work: Callable[[Any], Awaitable[T]]) -> T: ...

    async def insert(self, transaction: Any, merge: Merge) -> None: ...

    async def replace(self, transaction: Any, merge: Merge) -> None: ...

    async def holding(self, transaction: Any, survivor_id: str) -> list[Merge]: ...

    async def of(self, customer_ids: Sequence[str]) -> list[Merge]: ...


class Customers(Protocol):
    """What they ask of the store of customers."""

    async def read(self, transaction: Any, customer_id: str) -> Customer | None: ...

    async def version(self, transaction: Any, customer_id: str, version: int) -> Customer | None: ...

    async def merged_into(self, transaction: Any, customer_ids: Sequence[str]) -> dict[str, str]: ...

    async def replace(self, transaction: Any, customer: Customer, *happenings: Happening) -> None: ...

    async def get(self, customer_id: str) -> Customer | None: ...


class Structure(Protocol):
    """What they ask of the use cases of customers: whether the legal structure makes sense."""

    async def hold_parents(self, transaction: Any, customer: Customer) -> None: ...


class Lineages(Protocol):
    """What they ask of the lineage."""

    async def of(self, customer_id: str) -> tuple[str, ...]: ...

    async def read(self, transaction: Any, customer_id: str) -> tuple[str, ...]: ...

    async def put(self, transaction: Any, groups: Sequence[Sequence[str]]) -> None: ...


@dataclass(frozen=True, slots=True)
class Wish:
    """Two records that shall be one, the fields whose value somebody chose, and the etags they were seen with."""

    survivor_id: str
    duplicate_id: str
    choices: Mapping[str, Keep]
    survivor_etag: str = ""
    duplicate_etag: str = ""


@dataclass(frozen=True, slots=True)
class Preview:
    """What a merge makes of two records."""

    customer: Customer
    merge: Merge
    survivor: Customer
    duplicate: Customer


class _DryRun(Exception):
    """Leaves a transaction without keeping anything of it."""

    def __init__(self, preview: Preview) -> None:
        super().__init__("nothing is kept of a dry run")
        self.preview = preview


class MergeUseCases:
    """Previews, makes, undoes and lists merges."""

    def __init__(self, store: Merges, customers: Customers, structure: Structure, lineage: Lineages) -> None:
        self._store = store
        self._customers = customers
        self._structure = structure
        self._lineage = lineage

    async def preview(self, wish: Wish) -> Preview:
        """What a merge would make: it is made, and not kept.

        Raises:
            NotFound, Conflict (etag), Invalid (a choice), Refused (they cannot be one).
        """

        async def work(transaction: Any) -> None:
            raise _DryRun(await self._merge(transaction, wish))

        try:
            await self._store.transact(work)
        except _DryRun as made:
            return made.preview
        raise AssertionError("a dry run always ends so")

    async def merge(self, wish: Wish, request_id: str, content: bytes) -> tuple[Customer, Merge]:
        """Makes two records one; a retry with the same `request_id` gets the same merge.

        A record that was merged already stands for its survivor, so that whoever merges the same records at the same
        time, in whatever pairs, ends with one.

        Raises:
            NotFound, Conflict (etag), Invalid (a choice), Refused (they cannot be one, or are one already).
        """

        async def work(transaction: Any) -> Merge:
            return (await self._merge(transaction, wish)).merge

        merge = await self._store.once(request_id, content, work)
        # As it was made: it may have been changed, or merged on, before a retry.
        made = await self._customers.version(None, merge.survivor_id, merge.survivor_after)
        assert made is not None, "versions are kept for ever"
        return made, merge

    async def _merge(self, transaction: Any, wish: Wish) -> Preview:
        survivor, duplicate = await self._pair(transaction, wish)
        at = now()
        after, outcomes = rules.merged(survivor, duplicate, wish.choices, at)
        group = [
            *await self._lineage.read(transaction, survivor.id),
            *await self._lineage.read(transaction, duplicate.id),
        ]
        rules.check_group(group)
        await self._lineage.put(transaction, [group])
        # The duplicate first: its identifiers must be free before the survivor takes them.
        await self._customers.replace(transaction, rules.swallowed(duplicate, survivor.id, at))
        try:
            await self._structure.hold_parents(transaction, after)
        except Invalid as wrong:
            raise Invalid(f"{wrong.message}: choose another parent_id", field="choices") from wrong
        merge = Merge(new_id(), survivor.id, duplicate.id, survivor.version, after.version, at, subject(), outcomes)
        event = pb.CustomersMerged(
            merge_id=merge.id, survivor_id=survivor.id, duplicate_id=duplicate.id, member_ids=group
        )
        changed = frozenset(o.field for o in outcomes)
        await self._customers.replace(transaction, after, updated_event(after, changed), _event(after, event))
        await self._store.insert(transaction, merge)
        return Preview(after, merge, survivor, duplicate)

    async def unmerge(self, duplicate_id: str) -> tuple[Customer, Customer, Merge]:
        """Parts a record from the one it was merged into: the survivor, the record on its own again, and the merge.

        Raises:
            NotFound: there is no such record.
            Refused: it was not merged, its survivor was merged on (MERGED: part that one first), or was erased; or the
                legal structure, or what was merged since, is such that it would make no sense.
        """

        async def work(transaction: Any) -> tuple[Customer, Customer, Merge]:
            duplicate = await self._record(transaction, duplicate_id)
            if not duplicate.merged_into:
                raise Refused("the record is not merged into another", metadata={"state": duplicate.status})
            survivor = await self._record(transaction, duplicate.merged_into)
            check_open(survivor)
            holding = await self._store.holding(transaction, survivor.id)
            since = [merge.duplicate_id for merge in holding].index(duplicate.id)
            undone, *later = [await self._held(transaction, merge) for merge in holding[since:]]
            parting = parting_rules.unmerged(undone, later, survivor, now())
            members = await self._lineage.read(transaction, survivor.id)
            into = await self._customers.merged_into(transaction, members)
            await self._part(transaction, parting, undone.merge, rules.groups(members, into, duplicate.id))
            for again in parting.again:
                await self._store.replace(transaction, again)
            for other in parting.others:
                await self._customers.replace(transaction, other)
            mine = parting.survivor[-1]
            over = replace(undone.merge, unmerge_time=mine.update_time, unmerged_by=subject())
            await self._store.replace(transaction, over)
            return mine, parting.duplicate, over

        return await self._store.transact(work)

    async def lineage(self, customer_id: str) -> tuple[list[Merge], tuple[str, ...]]:
        """The merges of a customer and its members, latest first, and all its ids, the survivor's first.

        Raises:
            NotFound: there is no such customer.
        """
        if await self._customers.get(customer_id) is None:
            raise missing("customer", customer_id)
        members = await self._lineage.of(customer_id)
        return await self._store.of([customer_id, *members]), members

    async def _held(self, transaction: Any, merge: Merge) -> Held:
        before = await self._customers.version(transaction, merge.survivor_id, merge.survivor_before)
        after = await self._customers.version(transaction, merge.survivor_id, merge.survivor_after)
        assert before is not None, "versions are kept for ever"
        assert after is not None, "versions are kept for ever"
        return Held(merge, before, after, await self._record(transaction, merge.duplicate_id))

    async def _part(self, transaction: Any, parting: Parting, merge: Merge, groups: Sequence[Sequence[str]]) -> None:
        *between, mine = parting.survivor
        theirs = parting.duplicate
        await self._lineage.put(transaction, groups)
        parted = pb.CustomersUnmerged(merge_id=merge.id, groups=[pb.CustomerGroup(member_ids=g) for g in groups])
        # The survivor first: what it gives back must be free before its owner takes it. What it was between the merges
        # is kept, since they start from it, and told to nobody.
        for version in between:
            await self._customers.replace(transaction, version)
        await self._customers.replace(
            transaction, mine, updated_event(mine, frozenset(EVERYTHING)), _event(mine, parted)
        )
        await self._customers.replace(transaction, theirs, updated_event(theirs, frozenset(EVERYTHING)))
        for customer in (mine, theirs):
            try:
                await self._structure.hold_parents(transaction, customer)
            except Invalid as wrong:
                raise Refused(
                    f"once they are parted, {wrong.message}: move it below another parent, or out, first",
                    field="duplicate_id",
                    metadata={"state": "structure", "id": customer.id, "parent_id": customer.parent_id},
                ) from wrong

    async def _pair(self, transaction: Any, wish: Wish) -> tuple[Customer, Customer]:
        """The two records to merge, each the survivor of what it was merged into."""
        survivor = await self._survivor(transaction, wish.survivor_id)
        duplicate = await self._survivor(transaction, wish.duplicate_id)
        if survivor.id == duplicate.id:
            raise Refused("the two are one customer already", field="duplicate_id", metadata={"state": "one"})
        for customer, given in ((survivor, wish.survivor_etag), (duplicate, wish.duplicate_etag)):
            check_open(customer)
            etag.check(given, customer.version)
        return survivor, duplicate

    async def _survivor(self, transaction: Any, customer_id: str) -> Customer:
        async def read(record_id: str) -> Customer | None:
            return await self._customers.read(transaction, record_id)

        found = await survivor(read, customer_id)
        if found is None:
            raise missing("customer", customer_id)
        return found

    async def _record(self, transaction: Any, customer_id: str) -> Customer:
        found = await self._customers.read(transaction, customer_id)
        if found is None:
            raise missing("customer", customer_id)
        return found


def _event(survivor: Customer, data: pb.CustomersMerged | pb.CustomersUnmerged) -> Happening:
    assert survivor.update_time is not None, "a stored customer has one"
    return Happening(survivor.id, survivor.version, data, survivor.update_time, survivor.id)
