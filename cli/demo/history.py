"""Interactions and tickets as messages."""

import random
from collections.abc import Sequence
from typing import Final

from google.protobuf.timestamp_pb2 import Timestamp
from holdfast.common.v1.types_pb2 import Reference
from holdfast.customer_info.v1.portfolio_pb2 import Product
from holdfast.interaction.v1.interactions_pb2 import Interaction, InteractionItem, Participant
from holdfast.interaction.v1.tickets_pb2 import Ticket, TicketState, TicketStateChange

from cli.demo import topics
from cli.demo.chance import DAY, HOUR, one_of, uuid_of
from cli.demo.members import Member
from cli.demo.stories import CANCELLED, FINAL, YEAR, Contact, TicketStory, waking
from cli.demo.topics import Topic

SOURCE: Final = "demo-crm"
AGENTS: Final = 40
BY_DAY: Final = (topics.STORE, topics.FIELD_VISIT)


def tickets(member: Member, products: Sequence[Product], seed: str, as_of: int) -> list[Ticket | None]:
    """The tickets of a customer, in the places its story gives them; None for what lies further back than a year."""
    rng = member.rng(seed, "tickets")
    return [_ticket(member, one, products, rng, as_of) for one in member.story.tickets]


def _ticket(
    member: Member, story: TicketStory, products: Sequence[Product], rng: random.Random, as_of: int
) -> Ticket | None:
    ticket_id, opened = uuid_of(rng), member.end - story.age
    if opened < max(as_of - YEAR, member.since):
        return None
    family, category, title, description = story.about
    history = _history(member, story)
    return Ticket(
        id=ticket_id,
        customer_id=member.id,
        type=story.kind,
        state=history[-1].state if history else TicketState.TICKET_STATE_ACKNOWLEDGED,
        impact=story.impact,
        urgency=story.urgency,
        title=title,
        description=description,
        category=category,
        product_id=next((product.id for product in products if family and product.family == family), ""),
        open_time=Timestamp(seconds=opened),
        history=history,
    )


def _history(member: Member, story: TicketStory) -> list[TicketStateChange]:
    present = member.departure or member.end
    steps = [(member.end - age, state) for age, state in story.steps if member.end - age <= present]
    if member.departure is not None and (not steps or steps[-1][1] not in FINAL):
        # Nobody waits any more.
        steps.append((member.departure, CANCELLED))
    return [TicketStateChange(state=state, time=Timestamp(seconds=time)) for time, state in steps]


def interactions(member: Member, made: Sequence[Ticket | None], seed: str, as_of: int) -> list[Interaction]:
    """The contacts of a customer in the last year, oldest first."""
    rng = member.rng(seed, "contacts")
    earliest = max(as_of - YEAR, member.since - 10 * DAY)
    logged = []
    for place, contact in enumerate(member.story.contacts):
        about = contact.ticket >= 0
        ticket = made[contact.ticket] if about else None
        # Drawn in any case: what is left out must not change what comes after it.
        entry = _contact(member, contact, f"{place}", ticket, rng)
        if earliest <= entry.occur_time.seconds < (member.departure or member.end) and bool(ticket) == about:
            logged.append(entry)
    if member.departure is not None:
        logged.append(_interaction(member, topics.LEFT, "left", member.departure, rng))
    return logged


def _contact(member: Member, contact: Contact, key: str, ticket: Ticket | None, rng: random.Random) -> Interaction:
    time = member.end - (waking(contact.age) if contact.ticket < 0 else contact.age)
    entry = _interaction(member, contact.topic, key, time, rng)
    if ticket is not None:
        entry.related.append(Reference(type="ticket", id=ticket.id))
    return entry


def _interaction(member: Member, topic: Topic, key: str, time: int, rng: random.Random) -> Interaction:
    channel = one_of(rng, topic.channels)
    if channel in BY_DAY and not 7 <= time % DAY // HOUR < 21:
        channel = topics.CALL if topic.direction == topics.IN else topics.SYSTEM
    entry = Interaction(
        customer_id=member.id,
        channel=channel,
        direction=topic.direction,
        stage=topic.stage,
        category=topic.category,
        complaint=topic.complaint,
        note=rng.choice(topic.notes),
        items=[InteractionItem(topic=topic.category, resolution=topic.resolution)],
        occur_time=Timestamp(seconds=time),
        receive_time=Timestamp(seconds=time + rng.randint(0, 5)),
        source=SOURCE,
        message_id=f"{member.id}/{key}",
        duration_seconds=int(topic.minutes * 60 * rng.uniform(0.4, 1.8)),
    )
    if topic.mood is not None:
        entry.sentiment = round(max(-1.0, min(1.0, rng.gauss(topic.mood, 0.2))), 2)
    if channel not in (topics.SYSTEM, topics.APP, topics.WEB):
        role = "technician" if channel == topics.FIELD_VISIT else "agent"
        entry.participants.append(Participant(role=role, id=f"{role}-{rng.randint(1, AGENTS):02}"))
    return entry
