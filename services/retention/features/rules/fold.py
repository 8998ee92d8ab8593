"""The fold: facts in, state out. Pure, and the same whatever the order in which facts arrive."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import reduce
from typing import Any, Final, TypeVar, cast

from services.retention.features.rules.facts import (
    ClockBreached,
    Fact,
    InteractionLogged,
    OutcomeRecorded,
    ProductChanged,
    ProfileChanged,
    TicketClosed,
    TicketOpened,
    utc,
)
from services.retention.features.rules.schema import Source
from services.retention.features.rules.state import SENTIMENT_SCALE, Day, State, Ticket, earliest, latest

KEEP_DAYS: Final = 400
"""How long daily counts, closed tickets and breaches are kept: a year of as-of reads, each with its 90-day window."""

T = TypeVar("T")


def apply(state: State, fact: Fact) -> State:
    """The state after a fact.

    Profile, products, tickets, clocks and outcomes tolerate repeats and any order. Interactions tolerate any order,
    but each counts: whoever calls this applies a logged interaction exactly once.
    """
    return _APPLY[type(fact)](state, fact)


def fold(facts: Iterable[Fact], state: State | None = None) -> State:
    """The state after all facts; a rebuild by replay starts from nothing."""
    state = state or State()
    for fact in facts:
        state = apply(state, fact)
    return state


def merge(survivor: State, merged: State) -> State:
    """One state for two customers that turned out to be the same; a merge is applied exactly once.

    The survivor keeps its own profile: which fields it takes over is decided in customer_info, and arrives as a fact.
    """
    products = dict(survivor.products)
    for key, product in merged.products.items():
        if key not in products or product.version > products[key].version:
            products[key] = product
    outcomes = [outcome for outcome in (survivor.outcome, merged.outcome) if outcome]
    return State(
        profile=survivor.profile or merged.profile,
        products=products,
        days=_joined(survivor.days, merged.days, Day.plus),
        tickets=_joined(survivor.tickets, merged.tickets, Ticket.plus),
        breaches=_joined(survivor.breaches, merged.breaches, min),
        last_contact=latest(survivor.last_contact, merged.last_contact),
        outcome=max(outcomes, key=_outcome_order, default=None),
        heard=_joined(survivor.heard, merged.heard, max),
    )


def combined(states: Iterable[State]) -> State:
    """One state for a customer of several ids, the survivor's first; each stays what it is, and can be parted again."""
    several = list(states)
    return reduce(merge, several) if several else State()


def prune(state: State, as_of: datetime, keep_days: int = KEEP_DAYS) -> State:
    """The state without what no window as of `as_of` or the year before it can see any more.

    A fact that arrives later than `keep_days` after a newer one of the same product or ticket may bring it back.
    Not part of `apply`: a fact with a date in the far future must not be able to empty a customer's history.
    """
    cutoff = utc(as_of, "as_of") - timedelta(days=keep_days)
    first_day = cutoff.date().isoformat()
    return replace(
        state,
        products={key: one for key, one in state.products.items() if one.ends_at is None or one.ends_at >= cutoff},
        days={key: day for key, day in state.days.items() if key >= first_day},
        tickets={key: one for key, one in state.tickets.items() if not _settled_before(one, cutoff)},
        breaches={key: at for key, at in state.breaches.items() if at >= cutoff},
    )


def _settled_before(ticket: Ticket, cutoff: datetime) -> bool:
    # A ticket of which only the closing is known stays: its opening may still come, and would look open for ever.
    if ticket.last_opened is None or ticket.last_closed is None:
        return False
    return ticket.last_opened <= ticket.last_closed < cutoff


def _joined(one: Mapping[str, T], other: Mapping[str, T], join: Callable[[T, T], T]) -> dict[str, T]:
    joined = dict(one)
    for key, value in other.items():
        joined[key] = join(joined[key], value) if key in joined else value
    return joined


def _heard(state: State, source: Source, at: datetime) -> dict[str, datetime]:
    return {**state.heard, source: max(at, state.heard.get(source, at))}


def _profile(state: State, fact: ProfileChanged) -> State:
    heard = _heard(state, "profile", fact.at)
    if state.profile is not None and fact.version <= state.profile.version:
        return replace(state, heard=heard)
    return replace(state, profile=fact, heard=heard)


def _product(state: State, fact: ProductChanged) -> State:
    heard = _heard(state, "product", fact.at)
    known = state.products.get(fact.product_id)
    if known is not None and fact.version <= known.version:
        return replace(state, heard=heard)
    return replace(state, products={**state.products, fact.product_id: fact}, heard=heard)


def _interaction(state: State, fact: InteractionLogged) -> State:
    rated = fact.sentiment is not None
    counted = Day(
        contacts=int(fact.inbound),
        complaints=int(fact.complaint),
        sentiment=round((fact.sentiment or 0.0) * SENTIMENT_SCALE),
        rated=int(rated),
    )
    key = fact.at.date().isoformat()
    return replace(
        state,
        days={**state.days, key: state.days.get(key, Day()).plus(counted)},
        last_contact=latest(state.last_contact, fact.at) if fact.inbound else state.last_contact,
        heard=_heard(state, "interaction", fact.at),
    )


def _ticket(state: State, ticket_id: str, seen: Ticket, at: datetime) -> State:
    tickets = {**state.tickets, ticket_id: state.tickets.get(ticket_id, Ticket()).plus(seen)}
    return replace(state, tickets=tickets, heard=_heard(state, "ticket", at))


def _opened(state: State, fact: TicketOpened) -> State:
    return _ticket(state, fact.ticket_id, Ticket(first_opened=fact.at, last_opened=fact.at), fact.at)


def _closed(state: State, fact: TicketClosed) -> State:
    return _ticket(state, fact.ticket_id, Ticket(last_closed=fact.at), fact.at)


def _breached(state: State, fact: ClockBreached) -> State:
    at = cast("datetime", earliest(state.breaches.get(fact.clock_id), fact.at))
    return replace(state, breaches={**state.breaches, fact.clock_id: at}, heard=_heard(state, "clock", fact.at))


def _outcome_order(outcome: OutcomeRecorded) -> tuple[datetime, bool]:
    # Two outcomes of one moment: leaving wins, so that the order of arrival decides nothing.
    return outcome.at, outcome.churned


def _outcome(state: State, fact: OutcomeRecorded) -> State:
    if state.outcome is not None and _outcome_order(fact) <= _outcome_order(state.outcome):
        return state
    return replace(state, outcome=fact)


_APPLY: Final[Mapping[type, Callable[[State, Any], State]]] = {
    ProfileChanged: _profile,
    ProductChanged: _product,
    InteractionLogged: _interaction,
    TicketOpened: _opened,
    TicketClosed: _closed,
    ClockBreached: _breached,
    OutcomeRecorded: _outcome,
}
