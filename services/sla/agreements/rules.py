"""Agreements: what was promised to whom, from when until when, and which agreement governs a ticket at a time."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from chassis.rules import Invalid
from services.sla.agreements.objective_rules import (
    CLOCK_METRICS,
    JEOPARDY_THRESHOLDS,
    UNITS,
    Metric,
    Objective,
    Operator,
    PriorityTarget,
)

__all__ = [
    "CLOCK_METRICS",
    "JEOPARDY_THRESHOLDS",
    "UNITS",
    "Agreement",
    "AgreementRef",
    "Metric",
    "Objective",
    "Operator",
    "PriorityTarget",
    "Scope",
    "in_force",
    "objective_for",
]


@dataclass(frozen=True, slots=True)
class Scope:
    """Whom and what an agreement covers; None means everybody or everything, so `Scope()` covers all."""

    customer_id: str | None = None
    product: str | None = None

    @property
    def specificity(self) -> int:
        """A named customer outweighs a named product; both together outweigh either."""
        return 2 * (self.customer_id is not None) + (self.product is not None)

    def covers(self, customer_id: str | None, product: str | None) -> bool:
        """Whether a ticket of this customer about this product lies within the scope."""
        return self.customer_id in (None, customer_id) and self.product in (None, product)


@dataclass(frozen=True, slots=True, order=True)
class AgreementRef:
    """Names one version of an agreement; a version never changes once used."""

    id: str
    version: int


@dataclass(frozen=True, slots=True)
class Agreement:
    """One version of an agreement, valid from `valid_from` up to, but not including, `valid_to` (None: open end).

    Raises:
        Invalid: on construction, with the field named; also when two objectives promise the same thing to the same
            priority, since neither would then be the promise.
    """

    id: str
    version: int
    scope: Scope
    objectives: tuple[Objective, ...]
    valid_from: datetime
    valid_to: datetime | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "objectives", tuple(self.objectives))
        if not self.id:
            raise Invalid("An agreement needs an id.", field="id")
        if self.version < 1:
            raise Invalid("An agreement's version starts at 1.", field="version")
        if not self.objectives:
            raise Invalid("An agreement promises at least one objective.", field="objectives")
        if self.valid_from.tzinfo is None:
            raise Invalid("An instant needs a UTC offset.", field="valid_from")
        if self.valid_to is not None and self.valid_to.tzinfo is None:
            raise Invalid("An instant needs a UTC offset.", field="valid_to")
        if self.valid_to is not None and self.valid_to <= self.valid_from:
            raise Invalid("An agreement ends after it starts.", field="valid_to")
        _check_overlap(self.objectives)

    @property
    def ref(self) -> AgreementRef:
        return AgreementRef(self.id, self.version)

    def valid_at(self, at: datetime) -> bool:
        return self.valid_from <= at and (self.valid_to is None or at < self.valid_to)


def in_force(
    agreements: Iterable[Agreement], *, customer_id: str | None, product: str | None, at: datetime
) -> Agreement | None:
    """The agreement version that governs a ticket at an instant, or None where nothing was promised.

    Of each agreement the highest version valid at `at` speaks, and only that one: what a newer version no longer
    covers is no longer promised. Among those that cover the ticket the most specific scope wins (customer and product,
    then customer, then product, then all); among equals the one that became valid last, then the smallest id.

    Raises:
        Invalid: `at` is naive.
    """
    if at.tzinfo is None:
        raise Invalid("An instant needs a UTC offset.", field="at")
    current: dict[str, Agreement] = {}
    for agreement in agreements:
        known = current.get(agreement.id)
        if agreement.valid_at(at) and (known is None or known.version < agreement.version):
            current[agreement.id] = agreement
    covering = sorted(
        (agreement for agreement in current.values() if agreement.scope.covers(customer_id, product)),
        key=lambda agreement: agreement.id,
    )
    return max(covering, key=lambda agreement: (agreement.scope.specificity, agreement.valid_from), default=None)


def in_force_of_any(
    agreements: Iterable[Agreement], *, customer_ids: Sequence[str], product: str | None, at: datetime
) -> Agreement | None:
    """The agreement version that governs a customer of several ids: the own one of the first id that has one, else
    the one for everybody.

    Raises:
        Invalid: `at` is naive.
    """
    known = list(agreements)
    found = [in_force(known, customer_id=who, product=product, at=at) for who in customer_ids]
    own = (one for one in found if one is not None and one.scope.customer_id is not None)
    return next(own, found[0])


def objective_for(agreement: Agreement, metric: Metric, priority: str | None, name: str = "") -> Objective | None:
    """The objective that promises a metric to a priority: one that lists it, else one with a target for the rest."""
    about = [objective for objective in agreement.objectives if objective.key == (metric, name)]
    for objective in about:
        if any(entry.priority == priority for entry in objective.targets):
            return objective
    return next((objective for objective in about if objective.target is not None), None)


def _check_overlap(objectives: Iterable[Objective]) -> None:
    taken: set[tuple[Metric, str, str | None]] = set()
    for objective in objectives:
        priorities: list[str | None] = [entry.priority for entry in objective.targets]
        if objective.target is not None:
            priorities.append(None)
        for priority in priorities:
            if (*objective.key, priority) in taken:
                raise Invalid(f"Two objectives promise {objective.metric} to the same priority.", field="objectives")
            taken.add((*objective.key, priority))
