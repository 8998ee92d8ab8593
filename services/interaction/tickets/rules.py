"""What a ticket is, and what may become of it. Pure: no I/O, no clock, no randomness.

States are those of TM Forum's TMF621 (Trouble Ticket Management); priorities follow ITIL's matrix of impact and
urgency.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from chassis.rules import Invalid, Refused
from services.interaction.privacy.rules import ERASED


class State(StrEnum):
    """Where a ticket stands, as TMF621 writes it."""

    ACKNOWLEDGED = "acknowledged"
    REJECTED = "rejected"
    PENDING = "pending"
    HELD = "held"
    IN_PROGRESS = "inProgress"
    CANCELLED = "cancelled"
    CLOSED = "closed"
    RESOLVED = "resolved"


class Kind(StrEnum):
    """What a ticket asks for."""

    TROUBLE = "trouble"
    CHANGE_REQUEST = "change_request"


class Level(StrEnum):
    """How much, or how soon."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class Priority(StrEnum):
    """In which turn."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


# A resolved ticket is reopened by putting it in progress. Closed is the customer's consent and, as in TMF621, final:
# what comes back after it is a new ticket.
TRANSITIONS: Mapping[State, frozenset[State]] = {
    State.ACKNOWLEDGED: frozenset(
        {State.IN_PROGRESS, State.PENDING, State.HELD, State.REJECTED, State.CANCELLED, State.RESOLVED}
    ),
    State.IN_PROGRESS: frozenset({State.PENDING, State.HELD, State.RESOLVED, State.CANCELLED}),
    State.PENDING: frozenset({State.IN_PROGRESS, State.HELD, State.RESOLVED, State.CANCELLED}),
    State.HELD: frozenset({State.IN_PROGRESS, State.PENDING, State.RESOLVED, State.CANCELLED}),
    State.RESOLVED: frozenset({State.CLOSED, State.IN_PROGRESS}),
    State.CLOSED: frozenset(),
    State.REJECTED: frozenset(),
    State.CANCELLED: frozenset(),
}
FINAL = frozenset(state for state, arrows in TRANSITIONS.items() if not arrows)
# Somebody has taken the ticket up: it stands where only work on it can have brought it.
TAKEN_UP = frozenset({State.IN_PROGRESS, State.PENDING, State.HELD, State.RESOLVED})

# ITIL: priority is read from impact and urgency.
PRIORITIES: Mapping[tuple[Level, Level], Priority] = {
    (Level.HIGH, Level.HIGH): Priority.CRITICAL,
    (Level.HIGH, Level.MEDIUM): Priority.HIGH,
    (Level.HIGH, Level.LOW): Priority.MEDIUM,
    (Level.MEDIUM, Level.HIGH): Priority.HIGH,
    (Level.MEDIUM, Level.MEDIUM): Priority.MEDIUM,
    (Level.MEDIUM, Level.LOW): Priority.LOW,
    (Level.LOW, Level.HIGH): Priority.MEDIUM,
    (Level.LOW, Level.MEDIUM): Priority.LOW,
    (Level.LOW, Level.LOW): Priority.LOW,
}
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
# How far a sender's clock may run ahead: promises are measured from these times.
FURTHEST_AHEAD = timedelta(minutes=5)
# One ticket is one document of the store, which holds 16 MiB; a character takes up to four bytes.
MOST_CHANGES = 1000
MOST_NOTES = 1000
MOST_NOTE_CHARACTERS = 1_000_000


@dataclass(frozen=True, slots=True)
class Step:
    """A state that a ticket entered, or a priority that it got in it, and when."""

    state: State
    priority: Priority
    time: datetime


@dataclass(frozen=True, slots=True)
class Note:
    """Something somebody wrote on a ticket."""

    author: str
    text: str
    time: datetime


@dataclass(frozen=True, slots=True)
class Ticket:
    """A ticket. `version` counts its changes, from 1; `history` is never empty and ends where the ticket stands;
    `redact_time` is when its texts were taken out, None where they are there.
    """

    id: str
    customer_id: str
    kind: Kind
    state: State
    impact: Level
    urgency: Level
    priority: Priority
    title: str
    description: str
    category: str
    product_id: str
    open_time: datetime
    update_time: datetime
    history: tuple[Step, ...]
    response_time: datetime | None = None
    resolve_time: datetime | None = None
    notes: tuple[Note, ...] = ()
    version: int = 1
    redact_time: datetime | None = None


@dataclass(frozen=True, slots=True)
class PastStep:
    """A step as a bulk load tells it; without a priority, that of the step before."""

    state: State
    priority: Priority | None
    time: datetime


@dataclass(frozen=True, slots=True)
class Draft:
    """A ticket as a caller describes it. Only a bulk load says what became of it after it was opened."""

    customer_id: str
    title: str
    id: str = ""
    kind: Kind = Kind.TROUBLE
    state: State | None = None
    impact: Level = Level.MEDIUM
    urgency: Level = Level.MEDIUM
    description: str = ""
    category: str = ""
    product_id: str = ""
    open_time: datetime | None = None
    past: tuple[PastStep, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """What a caller wants of a ticket; what is None or empty stays as it is."""

    state: State | None = None
    impact: Level | None = None
    urgency: Level | None = None
    note: str = ""


def opened(draft: Draft, ticket_id: str, at: datetime, path: str = "") -> Ticket:
    """The new ticket that `draft` describes, recorded at `at`; `path` stands before field names in the request.

    Raises:
        Invalid: it wants to begin in another state than acknowledged, or at a time that makes no sense.
    """
    if draft.state not in (None, State.ACKNOWLEDGED):
        raise Invalid("a new ticket is acknowledged", field=f"{path}state")
    open_time = draft.open_time or at
    _check_time(open_time, at, f"{path}open_time")
    ticket = _first(draft, ticket_id, open_time, PRIORITIES[draft.impact, draft.urgency])
    return replace(ticket, update_time=max(at, open_time))


def changed(ticket: Ticket, change: Change, author: str, at: datetime) -> Ticket:
    """`ticket` after `change` by `author`; itself if nothing differs. Its times never run backwards, whatever `at` is.

    Raises:
        Refused: no such arrow, a final ticket, or changed too often (FORBIDDEN_TRANSITION).
        Invalid: the ticket has no room for another note.
    """
    at = max(at, ticket.update_time, ticket.history[-1].time)
    state = change.state or ticket.state
    impact, urgency = change.impact or ticket.impact, change.urgency or ticket.urgency
    after = ticket
    if state is not ticket.state or (impact, urgency) != (ticket.impact, ticket.urgency):
        if state is ticket.state and ticket.state in FINAL:
            raise _forbidden(ticket.state, state, f"a ticket that is {ticket.state} keeps its impact and urgency")
        after = replace(ticket, impact=impact, urgency=urgency)
        after = _stepped(after, Step(state, PRIORITIES[impact, urgency], at))
    if change.note:
        after = _noted(after, Note(author, change.note, at))
    return after if after is ticket else replace(after, version=ticket.version + 1, update_time=at)


def replayed(draft: Draft, at: datetime) -> list[Ticket]:
    """Every version that a ticket of a bulk load went through, the one it has now last; loaded at `at`.

    Raises:
        Invalid: a time lies ahead, before 1970 or before the one it follows; a step changes nothing; the ticket's own
            state or priority is not where its history ends.
        Refused: a step that no arrow allows (FORBIDDEN_TRANSITION).
    """
    if draft.open_time is None:
        raise Invalid("a ticket of a bulk load says when it was opened", field="open_time")
    _check_time(draft.open_time, at, "open_time")
    matrix = PRIORITIES[draft.impact, draft.urgency]
    first = next((step.priority for step in draft.past if step.priority), matrix)
    versions = [_first(draft, draft.id, draft.open_time, first)]
    for field, step in _later(draft):
        before = versions[-1]
        _check_time(step.time, at, f"{field}.time")
        if step.time < before.update_time:
            raise Invalid("lies before the step it follows", field=f"{field}.time")
        priority = step.priority or before.priority
        if (step.state, priority) == (before.state, before.priority):
            raise Invalid("changes neither state nor priority", field=field)
        after = _stepped(before, Step(step.state, priority, step.time), field)
        versions.append(replace(after, version=before.version + 1, update_time=step.time))
    last = versions[-1]
    if draft.state not in (None, last.state):
        raise Invalid(f"is not where the history ends, which is {last.state}", field="state")
    if last.priority is not matrix:
        raise Invalid(f"ends in another priority than impact and urgency give, which is {matrix}", field="history")
    return versions


def redacted(ticket: Ticket, at: datetime) -> Ticket:
    """`ticket` without its texts; `TicketStore.redact` does the same in place."""
    return replace(
        ticket,
        title=ERASED,
        description=ERASED if ticket.description else "",
        notes=tuple(replace(note, text=ERASED) for note in ticket.notes),
        redact_time=at,
    )


def _later(draft: Draft) -> Iterator[tuple[str, PastStep]]:
    """The steps after the opening, with their paths. A history as this service tells it begins with the opening."""
    for n, step in enumerate(draft.past):
        if n == 0 and step.state is State.ACKNOWLEDGED and step.time == draft.open_time:
            continue
        yield f"history[{n}]", step


def _first(draft: Draft, ticket_id: str, open_time: datetime, priority: Priority) -> Ticket:
    return Ticket(
        id=ticket_id,
        customer_id=draft.customer_id,
        kind=draft.kind,
        state=State.ACKNOWLEDGED,
        impact=draft.impact,
        urgency=draft.urgency,
        priority=priority,
        title=draft.title,
        description=draft.description,
        category=draft.category,
        product_id=draft.product_id,
        open_time=open_time,
        update_time=open_time,
        history=(Step(State.ACKNOWLEDGED, priority, open_time),),
    )


def _stepped(ticket: Ticket, step: Step, field: str = "state") -> Ticket:
    """`ticket` in the state and priority of `step`."""
    moves = step.state is not ticket.state
    if moves and step.state not in TRANSITIONS[ticket.state]:
        raise _forbidden(ticket.state, step.state, f"a ticket that is {ticket.state} cannot become {step.state}", field)
    if not moves and step.priority is ticket.priority:
        return ticket
    if len(ticket.history) >= MOST_CHANGES:
        raise _forbidden(ticket.state, step.state, f"a ticket changes at most {MOST_CHANGES} times", field)
    resolved = ticket.resolve_time
    if moves:
        # A reopened ticket is not resolved; a closed one stays resolved when it was.
        resolved = step.time if step.state is State.RESOLVED else resolved if step.state is State.CLOSED else None
    return replace(
        ticket,
        state=step.state,
        priority=step.priority,
        history=(*ticket.history, step),
        response_time=ticket.response_time or (step.time if step.state in TAKEN_UP else None),
        resolve_time=resolved,
    )


def _noted(ticket: Ticket, note: Note) -> Ticket:
    if len(ticket.notes) >= MOST_NOTES or _characters(ticket.notes) + len(note.text) > MOST_NOTE_CHARACTERS:
        raise Invalid(
            f"a ticket holds at most {MOST_NOTES} notes of {MOST_NOTE_CHARACTERS} characters in all", field="note"
        )
    return replace(ticket, notes=(*ticket.notes, note))


def _characters(notes: Sequence[Note]) -> int:
    return sum(len(note.text) for note in notes)


def _check_time(moment: datetime, at: datetime, field: str) -> None:
    if moment < EARLIEST:
        raise Invalid("lies before 1970", field=field)
    if moment > at + FURTHEST_AHEAD:
        raise Invalid("lies in the future", field=field)


def _forbidden(before: State, after: State, sentence: str, field: str = "state") -> Refused:
    allowed = ", ".join(sorted(TRANSITIONS[before])) or "none"
    return Refused(
        f"{sentence}; it can become {allowed}",
        reason="FORBIDDEN_TRANSITION",
        field=field,
        metadata={"from": before, "to": after, "allowed": allowed},
    )
