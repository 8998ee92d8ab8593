"""What happens when duplicates are looked for."""

from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from chassis.rules import Invalid, missing
from services.customer_info.customers.rules import Customer, check_open, normalised
from services.customer_info.duplicates import rules
from services.customer_info.duplicates.profile_rules import profile
from services.customer_info.duplicates.rules import Comparison

DEFAULT_LIMIT = 10
# What a call compares at most: milliseconds of work. A key that more records share tells nobody apart.
MOST_COMPARED = 500
# Customers between two answers of a scan.
STEP = 100


class Candidates(Protocol):
    """What the use cases ask of a store; `DuplicateStore` says more of each."""

    async def sharing(self, keys: Collection[str], most: int) -> list[Customer]: ...

    async def following(self, after: str, most: int) -> list[Customer]: ...

    async def distinct(self, customer_id: str, others: Sequence[str]) -> set[str]: ...

    async def part(self, customer_id: str, other_id: str) -> None: ...


class Customers(Protocol):
    """What they ask of the store of customers."""

    async def get(self, customer_id: str) -> Customer | None: ...

    async def present(self, customer_ids: Sequence[str]) -> set[str]: ...


@dataclass(frozen=True, slots=True)
class Candidate:
    """A record that may be the same customer, and why."""

    customer: Customer
    comparison: Comparison


@dataclass(frozen=True, slots=True)
class Pair:
    """Two records that may be one customer, the older one first, and why."""

    customer_id: str
    other_id: str
    comparison: Comparison


@dataclass(frozen=True, slots=True)
class Stretch:
    """The pairs among a part of the customers, how many were seen in it, and where it ends."""

    pairs: tuple[Pair, ...]
    seen: int
    position: str


class DuplicateUseCases:
    """Finds, dismisses and lists duplicates."""

    def __init__(self, store: Candidates, customers: Customers) -> None:
        self._store = store
        self._customers = customers

    async def of(self, customer_id: str, limit: int) -> list[Candidate]:
        """The records that may be the same customer as one there is, the likeliest first.

        Raises:
            NotFound: there is no such customer; Refused: it was merged (MERGED) or erased (ERASED).
        """
        customer = await self._customers.get(customer_id)
        if customer is None:
            raise missing("customer", customer_id)
        check_open(customer)
        return (await self._found(customer))[: limit or DEFAULT_LIMIT]

    async def like(self, draft: Customer, limit: int) -> list[Candidate]:
        """The records that may be the customer that somebody is about to make.

        Raises:
            Invalid: an email address or a telephone number is none.
        """
        kept = replace(draft, contact_media=normalised(draft.contact_media))
        return (await self._found(kept))[: limit or DEFAULT_LIMIT]

    async def dismiss(self, customer_id: str, other_id: str) -> None:
        """Keeps two records from being suggested as one again.

        Raises:
            Invalid: they are the same record; NotFound: one is not there.
        """
        if customer_id == other_id:
            raise Invalid("is the customer itself", field="other_id")
        known = await self._customers.present([customer_id, other_id])
        for one in (customer_id, other_id):
            if one not in known:
                raise missing("customer", one)
        await self._store.part(customer_id, other_id)

    async def scan(self, after: str, least: float) -> AsyncIterator[Stretch]:
        """All pairs, each once, in stretches of the customers after an id; ends with the last customer."""
        while customers := await self._store.following(after, STEP):
            pairs: list[Pair] = []
            for customer in customers:
                # Of two, the one with the greater id tells: the pair is told once, when both are there.
                pairs += [
                    _pair(found.customer, customer, found.comparison)
                    for found in await self._found(customer)
                    if found.customer.id < customer.id and found.comparison.score >= least
                ]
            after = customers[-1].id
            yield Stretch(tuple(pairs), len(customers), after)

    async def _found(self, customer: Customer) -> list[Candidate]:
        own = profile(customer)
        others: dict[str, Customer] = {}
        # The telling keys first: a name that many share must not push out who has the same telephone.
        for keys in rules.blocking_steps(own):
            others |= {c.id: c for c in await self._store.sharing(keys, MOST_COMPARED) if c.id != customer.id}
        found = [Candidate(c, rules.compared(own, c)) for c in others.values()]
        likely = [c for c in found if c.comparison.score >= rules.POSSIBLE]
        if customer.id and likely:
            apart = await self._store.distinct(customer.id, [c.customer.id for c in likely])
            likely = [c for c in likely if c.customer.id not in apart]
        return sorted(likely, key=lambda c: -c.comparison.score)


def _pair(one: Customer, other: Customer, comparison: Comparison) -> Pair:
    # Callers choose ids: only the times say which record came first; those of one batch of a load are the same.
    older, younger = sorted((one, other), key=lambda c: (c.create_time, c.id))
    return Pair(older.id, younger.id, comparison)
