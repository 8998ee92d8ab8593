"""What happens when customers are looked for by name."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Protocol

from chassis.rules import Invalid
from services.customer_info.customers.rules import Customer, names
from services.customer_info.search import rules

DEFAULT_LIMIT = 10


class Terms(Protocol):
    """What the use cases ask of a store; `SearchStore` says more."""

    async def holding(
        self, terms: Collection[str], most: int, *, within: Iterable[Collection[str]] = (), include_archived: bool
    ) -> list[Customer]: ...


@dataclass(frozen=True, slots=True)
class Found:
    """A customer, and how well it answers, from 0 to 1."""

    customer: Customer
    score: float


class SearchUseCases:
    """Searches by name."""

    def __init__(self, store: Terms) -> None:
        self._store = store

    async def search(self, text: str, limit: int, *, include_archived: bool) -> list[Found]:
        """The customers who answer best to `text`, which may be half-typed; the best first.

        Raises:
            Invalid: less than two letters were typed.
        """
        steps = rules.plan(text).steps
        if not steps:
            raise Invalid(f"needs {rules.SHORTEST} letters at least", field="text")
        wanted = limit or DEFAULT_LIMIT
        known: dict[str, Customer] = {}
        ranked: list[tuple[str, float]] = []
        crowded = False
        for step in steps:
            if not step.worth([score for _, score in ranked], wanted, crowded=crowded):
                continue
            terms = step.terms
            if not terms:
                continue
            found = await self._store.holding(
                terms, rules.CANDIDATES, within=step.within, include_archived=include_archived
            )
            crowded = crowded or len(found) >= rules.CANDIDATES
            fresh = {c.id: c for c in found if c.id not in known}
            if fresh:
                known |= fresh
                ranked = _merged(ranked, rules.ranked(text, [(c.id, names(c)) for c in fresh.values()]))
        return [Found(known[which], score) for which, score in ranked[:wanted]]


def _merged(known: list[tuple[str, float]], fresh: list[tuple[str, float]]) -> list[tuple[str, float]]:
    """Both, the best first; those found by an earlier step before others as good."""
    return sorted([*known, *fresh], key=lambda answer: -answer[1])
