"""What happened to a customer in its last year: contacts and tickets, in seconds before the story's end."""

import random
from dataclasses import dataclass
from typing import Final

from holdfast.interaction.v1.tickets_pb2 import Level, TicketState, TicketType

from cli.demo import topics
from cli.demo.accounts import Account
from cli.demo.chance import DAY, HOUR, MONTH, one_of, poisson
from cli.demo.promises import RESPONSE_SHARE, wall_seconds
from cli.demo.topics import Topic

YEAR: Final = 365 * DAY
WINDOW: Final = 90 * DAY
EPISODE: Final = 75 * DAY
"""Trouble that a customer leaves over is fresh."""
STILL_OPEN: Final = 0.2
"""Share of the episodes that go on: their last ticket is so young that it may still be open."""

IN_PROGRESS, PENDING, HELD = (
    TicketState.TICKET_STATE_IN_PROGRESS,
    TicketState.TICKET_STATE_PENDING,
    TicketState.TICKET_STATE_HELD,
)
RESOLVED, CLOSED = TicketState.TICKET_STATE_RESOLVED, TicketState.TICKET_STATE_CLOSED
CANCELLED, REJECTED = TicketState.TICKET_STATE_CANCELLED, TicketState.TICKET_STATE_REJECTED
FINAL: Final = frozenset({RESOLVED, CLOSED, CANCELLED, REJECTED})
LEVELS: Final = ((Level.LEVEL_LOW, 25.0), (Level.LEVEL_MEDIUM, 50.0), (Level.LEVEL_HIGH, 25.0))


@dataclass(frozen=True, slots=True)
class Contact:
    """Something said, `age` seconds before the end; `ticket` is the place of the ticket it is about, -1 for none."""

    age: int
    topic: Topic
    ticket: int = -1


@dataclass(frozen=True, slots=True)
class TicketStory:
    """A ticket opened `age` seconds before the end; steps after it have ages too, below 0 beyond the end."""

    age: int
    steps: tuple[tuple[int, TicketState.ValueType], ...]
    kind: TicketType.ValueType
    impact: Level.ValueType
    urgency: Level.ValueType
    about: tuple[str, str, str, str]
    late: bool


@dataclass(frozen=True, slots=True)
class Story:
    """A year."""

    contacts: tuple[Contact, ...]
    tickets: tuple[TicketStory, ...]


def write(account: Account, rng: random.Random) -> Story:
    """The last year of an account, or all of it where it is younger."""
    span = min(YEAR, account.tenure * MONTH)
    share = span / YEAR
    busy = 2.5 if account.tier else 1.0
    contacts = [*_everyday(account, rng, span, busy), *_beginning(account)]
    opened = [rng.randrange(span) for _ in range(poisson(rng, 1.15 * account.friction * busy * share))]
    contacts += _some(rng, topics.COMPLAINTS, 0.45 * account.friction * share, span)
    if rng.random() < min(0.6, 0.07 + 0.13 * account.friction):
        # An episode: one trouble draws the others behind it.
        begin = min(EPISODE, span)
        contacts += _some(rng, topics.COMPLAINTS, 1.5, begin)
        opened += [rng.randrange(begin) for _ in range(1 + poisson(rng, 0.6))]
        if rng.random() < STILL_OPEN:
            opened.append(rng.randrange(min(2 * DAY, span)))
    tickets = [_ticket(account, rng, waking(age)) for age in sorted(opened, reverse=True)]
    for place, ticket in enumerate(tickets):
        contacts += _about(rng, place, ticket)
    contacts.sort(key=lambda contact: -contact.age)
    return Story(tuple(contacts), tuple(tickets))


def waking(age: int) -> int:
    """An age in the same day, between eight and eight: at night people sleep. A story ends at midnight."""
    return age - 8 * HOUR + -age % DAY // 2


def _some(rng: random.Random, choice: tuple[tuple[Topic, float], ...], mean: float, span: int) -> list[Contact]:
    return [Contact(rng.randrange(span), one_of(rng, choice)) for _ in range(poisson(rng, mean))]


def _everyday(account: Account, rng: random.Random, span: int, busy: float) -> list[Contact]:
    share = span / YEAR
    own = _some(rng, topics.EVERYDAY, 7.0 * share * busy * (0.7 + 0.3 * account.friction), span)
    return own + _some(rng, topics.OUTBOUND, 4.5 * share, span)


def _beginning(account: Account) -> list[Contact]:
    age = account.tenure * MONTH
    return [Contact(age + 9 * DAY, topics.ORDERED), Contact(age, topics.ACTIVATED)] if age < YEAR - 10 * DAY else []


def _about(rng: random.Random, place: int, ticket: TicketStory) -> list[Contact]:
    told = [Contact(ticket.age, topics.FAULT, place)]
    solved = [age for age, state in ticket.steps if state == RESOLVED]
    if ticket.late:
        until = solved[0] if solved else 0
        told.append(Contact(rng.randint(min(until, ticket.age), ticket.age), topics.FOLLOW_UP, place))
    return told + [Contact(age, topics.REPAIRED, place) for age in solved]


def _ticket(account: Account, rng: random.Random, age: int) -> TicketStory:
    change = rng.random() < 0.15
    about = rng.choice([one for one in (topics.CHANGES if change else topics.TROUBLES) if _fits(account, one[0])])
    impact, urgency = one_of(rng, LEVELS), one_of(rng, LEVELS)
    allowed = wall_seconds(account.tier or "standard", priority(impact, urgency))
    needed = allowed * rng.lognormvariate(-1.0, 0.75) * (0.75 + 0.25 * account.friction)
    response = min(needed / 2, allowed / RESPONSE_SHARE * rng.lognormvariate(-1.1, 0.7))
    return TicketStory(
        age=age,
        steps=_steps(rng, age, int(response), int(needed)),
        kind=TicketType.TICKET_TYPE_CHANGE_REQUEST if change else TicketType.TICKET_TYPE_TROUBLE,
        impact=impact,
        urgency=urgency,
        about=about,
        late=needed > allowed,
    )


def _fits(account: Account, family: str) -> bool:
    return not family or account.has(family)


def priority(impact: Level.ValueType, urgency: Level.ValueType) -> str:
    """What follows from impact and urgency, as ITIL's matrix has it."""
    return {6: "CRITICAL", 5: "HIGH", 4: "MEDIUM"}.get(int(impact) + int(urgency), "LOW")


def _steps(rng: random.Random, age: int, response: int, needed: int) -> tuple[tuple[int, TicketState.ValueType], ...]:
    fate = rng.random()
    if fate < 0.02:
        return ((age - response, REJECTED),)
    if fate < 0.06:
        return ((age - response, IN_PROGRESS), (age - needed, CANCELLED))
    steps = [(age - response, IN_PROGRESS)]
    waited = 0
    if fate < 0.36:
        state = PENDING if fate < 0.28 else HELD
        begin = response + int((needed - response) * rng.uniform(0.2, 0.7))
        waited = int(rng.uniform(2, 40) * HOUR)
        steps += [(age - begin, state), (age - begin - waited, IN_PROGRESS)]
    done = age - needed - waited
    return (*steps, (done, RESOLVED), (done - int(rng.uniform(1, 72) * HOUR), CLOSED))
