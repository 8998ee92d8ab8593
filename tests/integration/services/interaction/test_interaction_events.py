"""What interaction tells the others: each event once, in order, resumed where a listener broke off."""

import asyncio
import uuid
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import grpc
import pytest
from holdfast.events.v1 import events_pb2
from holdfast.events.v1.events_pb2_grpc import EventsServiceStub
from holdfast.interaction.v1 import interactions_pb2, tickets_pb2
from holdfast.interaction.v1.interactions_pb2_grpc import InteractionsServiceStub
from holdfast.interaction.v1.tickets_pb2_grpc import TicketsServiceStub

from chassis.errors import reason_of
from chassis.times import now, to_timestamp
from tests.integration.services.interaction.conftest import Metadata
from tests.support.service import Keys
from tests.unit.services.interaction.builders import entry

LOGGED = "holdfast.interaction.v1.InteractionLogged"
OPENED = "holdfast.interaction.v1.TicketOpened"
CHANGED = "holdfast.interaction.v1.TicketChanged"


class Ear:
    """Listens until it has heard enough; `position` is where it broke off."""

    def __init__(self, stub: "EventsServiceStub", metadata: Metadata) -> None:
        self._stub = stub
        self._metadata = metadata
        self.heard: list[events_pb2.Event] = []
        self.position = ""
        self.caught_up = asyncio.Event()

    async def hear(self, enough: Callable[["Ear"], bool], *types: str) -> None:
        call = self._stub.Subscribe(
            events_pb2.SubscribeRequest(after=self.position, types=types), metadata=self._metadata
        )
        async with asyncio.timeout(30):
            async for response in call:
                self.heard += response.events
                self.position = response.position
                if not response.events:
                    self.caught_up.set()
                if enough(self):
                    break
        call.cancel()

    def of(self, subject: str) -> list[events_pb2.Event]:
        return [event for event in self.heard if event.subject == subject]


@pytest.fixture
def ear(events: "EventsServiceStub", loader: Metadata) -> Ear:
    return Ear(events, loader)


async def log(stub: "InteractionsServiceStub", agent: Metadata, **changes: object) -> interactions_pb2.Interaction:
    request = interactions_pb2.LogInteractionRequest(interaction=entry(**changes))
    return (await stub.LogInteraction(request, metadata=agent)).interaction


async def test_every_entry_is_heard_once_those_from_before_in_order(
    interactions: "InteractionsServiceStub", ear: Ear, agent: Metadata
) -> None:
    before = [await log(interactions, agent) for _ in range(5)]
    hearing = asyncio.create_task(ear.hear(lambda e: len(e.heard) >= 25, LOGGED))
    async with asyncio.timeout(30):
        await ear.caught_up.wait()
    assert [e.subject for e in ear.heard] == [b.id for b in before]
    after = [await log(interactions, agent) for _ in range(10)]
    together = await asyncio.gather(*(log(interactions, agent) for _ in range(10)))
    await hearing
    assert [e.subject for e in ear.heard[5:15]] == [a.id for a in after]
    assert sorted(e.subject for e in ear.heard[15:]) == sorted(t.id for t in together)


async def test_entries_logged_while_a_listener_catches_up_are_not_missed(
    interactions: "InteractionsServiceStub", ear: Ear, agent: Metadata
) -> None:
    hearing = asyncio.create_task(ear.hear(lambda e: expected <= {h.subject for h in e.heard}, LOGGED))
    expected = {"until they are known"}
    expected = {e.id for e in await asyncio.gather(*(log(interactions, agent) for _ in range(40)))}
    expected.add((await log(interactions, agent)).id)
    await hearing
    times = Counter(e.id for e in ear.heard)
    # What arrives between the sweep and the change stream may come in both.
    assert set(times.values()) <= {1, 2}


async def test_an_entry_is_told_without_its_note_under_the_time_at_which_it_happened(
    interactions: "InteractionsServiceStub", ear: Ear, keys: Keys
) -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    metadata = (*keys.metadata("agent"), ("traceparent", trace))
    made = await log(interactions, metadata, occur_time=now() - timedelta(days=30))
    await ear.hear(lambda e: bool(e.of(made.id)), LOGGED)
    (event,) = ear.of(made.id)
    assert (event.type, event.source, event.sequence) == (LOGGED, "holdfast/interaction", 1)
    assert (event.time, event.customer_id, event.id) == (made.occur_time, made.customer_id, made.id)
    assert event.traceparent.split("-")[1] == trace.split("-")[1]
    told = interactions_pb2.InteractionLogged()
    assert event.data.Unpack(told)
    made.ClearField("note")
    assert told.interaction == made


async def test_a_tickets_life_is_told_in_order_and_a_note_is_not(
    tickets: "TicketsServiceStub", ear: Ear, agent: Metadata
) -> None:
    wish = tickets_pb2.Ticket(customer_id=str(uuid.uuid4()), title="no connection", description="since today")
    made = (await tickets.OpenTicket(tickets_pb2.OpenTicketRequest(ticket=wish), metadata=agent)).ticket
    for change in (
        tickets_pb2.ChangeTicketRequest(ticket_id=made.id, state=tickets_pb2.TICKET_STATE_IN_PROGRESS),
        tickets_pb2.ChangeTicketRequest(ticket_id=made.id, note="called back"),
        tickets_pb2.ChangeTicketRequest(ticket_id=made.id, impact=tickets_pb2.LEVEL_HIGH),
    ):
        await tickets.ChangeTicket(change, metadata=agent)
    await ear.hear(lambda e: len(e.of(made.id)) >= 3, OPENED, CHANGED)
    told = ear.of(made.id)
    assert [(e.type, e.sequence) for e in told] == [(OPENED, 1), (CHANGED, 2), (CHANGED, 4)]
    assert b"connection" not in b"".join(e.SerializeToString() for e in told)
    last = tickets_pb2.TicketChanged()
    assert told[-1].data.Unpack(last)
    assert [s.state for s in last.ticket.history] == [
        tickets_pb2.TICKET_STATE_ACKNOWLEDGED,
        tickets_pb2.TICKET_STATE_IN_PROGRESS,
        tickets_pb2.TICKET_STATE_IN_PROGRESS,
    ]
    assert last.ticket.priority == tickets_pb2.TICKET_PRIORITY_HIGH


async def test_imported_tickets_tell_their_past_once(tickets: "TicketsServiceStub", ear: Ear, loader: Metadata) -> None:
    start = now() - timedelta(days=10)
    row = tickets_pb2.Ticket(
        id=str(uuid.uuid4()), customer_id=str(uuid.uuid4()), title="x", open_time=to_timestamp(start)
    )
    for n, state in enumerate((tickets_pb2.TICKET_STATE_HELD, tickets_pb2.TICKET_STATE_RESOLVED), 1):
        row.history.add(state=state, time=to_timestamp(start + timedelta(days=n)))
    last = tickets_pb2.Ticket()
    last.CopyFrom(row)
    last.id = str(uuid.uuid4())
    for one in (row, row, last):
        await tickets.ImportTickets(iter([tickets_pb2.ImportTicketsRequest(tickets=[one])]), metadata=loader)
    await ear.hear(lambda e: len(e.of(last.id)) >= 3)
    told = ear.of(row.id)
    assert [(e.type, e.sequence) for e in told] == [(OPENED, 1), (CHANGED, 2), (CHANGED, 3)]
    assert [e.time for e in told] == [to_timestamp(start + timedelta(days=n)) for n in range(3)]


async def test_a_listener_resumes_where_it_broke_off(
    interactions: "InteractionsServiceStub", ear: Ear, agent: Metadata
) -> None:
    first = await log(interactions, agent)
    await ear.hear(lambda e: bool(e.of(first.id)))
    while_away = [await log(interactions, agent) for _ in range(3)]
    await ear.hear(lambda e: bool(e.of(while_away[-1].id)))
    for made in while_away:
        assert len(ear.of(made.id)) == 1
    assert len({e.id for e in ear.heard}) == len(ear.heard)
    more = await log(interactions, agent)
    seen = len(ear.heard)
    await ear.hear(lambda e: len(e.heard) > seen)
    assert [e.subject for e in ear.heard[seen:]] == [more.id]


async def test_a_position_of_somebody_else_is_refused(events: "EventsServiceStub", loader: Metadata) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await events.Subscribe(events_pb2.SubscribeRequest(after="elsewhere"), metadata=loader).read()
    assert reason_of(refused.value) == "INVALID_FIELD"
