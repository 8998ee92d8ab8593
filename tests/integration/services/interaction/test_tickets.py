"""Tickets through a real process, a real socket and a real MongoDB."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from datetime import timedelta

import grpc
import pytest
from holdfast.common.v1 import query_pb2
from holdfast.interaction.v1 import tickets_pb2 as pb
from holdfast.interaction.v1.tickets_pb2_grpc import TicketsServiceStub

from chassis.errors import reason_of
from chassis.times import now, to_timestamp
from tests.integration.services.interaction.conftest import Metadata, violated
from tests.support.service import Keys


def ticket(**fields: object) -> pb.Ticket:
    usual: dict[str, object] = {"customer_id": str(uuid.uuid4()), "title": "no connection", "category": "fault"}
    return pb.Ticket(**{**usual, **fields})  # type: ignore[arg-type]


def loaded(*states: pb.TicketState.ValueType, **fields: object) -> pb.Ticket:
    """A row of a bulk load: opened a day ago, an hour between its states."""
    start = now() - timedelta(days=1)
    row = ticket(id=str(uuid.uuid4()), open_time=to_timestamp(start), **fields)
    for n, state in enumerate(states, 1):
        row.history.add(state=state, time=to_timestamp(start + timedelta(hours=n)))
    return row


async def opened(stub: "TicketsServiceStub", agent: Metadata, **fields: object) -> pb.Ticket:
    return (await stub.OpenTicket(pb.OpenTicketRequest(ticket=ticket(**fields)), metadata=agent)).ticket


async def changed(stub: "TicketsServiceStub", agent: Metadata, **fields: object) -> pb.Ticket:
    request = pb.ChangeTicketRequest(**fields)  # type: ignore[arg-type]
    return (await stub.ChangeTicket(request, metadata=agent)).ticket


async def test_a_ticket_goes_its_way_from_opening_to_closing(tickets: "TicketsServiceStub", keys: Keys) -> None:
    ada = keys.metadata("agent", subject="ada")
    made = await opened(tickets, ada, impact=pb.LEVEL_HIGH, urgency=pb.LEVEL_HIGH)
    assert (made.state, made.type) == (pb.TICKET_STATE_ACKNOWLEDGED, pb.TICKET_TYPE_TROUBLE)
    assert made.priority == pb.TICKET_PRIORITY_CRITICAL
    assert not made.HasField("response_time")
    states = [pb.TICKET_STATE_IN_PROGRESS, pb.TICKET_STATE_PENDING, pb.TICKET_STATE_RESOLVED]
    for state in states:
        made = await changed(tickets, ada, ticket_id=made.id, state=state, etag=made.etag)
    assert made.response_time == made.history[1].time
    assert made.resolve_time == made.history[3].time
    reopened = await changed(tickets, ada, ticket_id=made.id, state=pb.TICKET_STATE_IN_PROGRESS, note="still down")
    assert not reopened.HasField("resolve_time")
    assert [(n.author, n.text) for n in reopened.notes] == [("ada", "still down")]
    for state in (pb.TICKET_STATE_RESOLVED, pb.TICKET_STATE_CLOSED):
        made = await changed(tickets, ada, ticket_id=made.id, state=state)
    assert [s.state for s in made.history][-2:] == [pb.TICKET_STATE_RESOLVED, pb.TICKET_STATE_CLOSED]
    assert (await tickets.GetTicket(pb.GetTicketRequest(ticket_id=made.id), metadata=ada)).ticket == made


async def test_a_retry_with_the_same_request_id_opens_one_ticket(
    tickets: "TicketsServiceStub", agent: Metadata
) -> None:
    request = pb.OpenTicketRequest(ticket=ticket(), request_id=str(uuid.uuid4()))
    answers = await asyncio.gather(*(tickets.OpenTicket(request, metadata=agent) for _ in range(8)))
    assert len({a.ticket.id for a in answers}) == 1
    assert len({a.SerializeToString(deterministic=True) for a in answers}) == 1
    request.ticket.title = "another"
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await tickets.OpenTicket(request, metadata=agent)
    assert reason_of(refused.value) == "REQUEST_ID_REUSED"


async def test_changes_that_come_together_are_all_kept(tickets: "TicketsServiceStub", agent: Metadata) -> None:
    made = await opened(tickets, agent)
    notes = [f"note {n}" for n in range(8)]
    await asyncio.gather(*(changed(tickets, agent, ticket_id=made.id, note=note) for note in notes))
    after = (await tickets.GetTicket(pb.GetTicketRequest(ticket_id=made.id), metadata=agent)).ticket
    assert sorted(n.text for n in after.notes) == notes
    assert after.etag == "v9"


async def test_of_two_changes_by_one_etag_one_is_aborted(tickets: "TicketsServiceStub", agent: Metadata) -> None:
    made = await opened(tickets, agent)
    wishes = [pb.TICKET_STATE_IN_PROGRESS, pb.TICKET_STATE_HELD]
    outcomes = await asyncio.gather(
        *(changed(tickets, agent, ticket_id=made.id, state=state, etag=made.etag) for state in wishes),
        return_exceptions=True,
    )
    refused = [o for o in outcomes if isinstance(o, grpc.aio.AioRpcError)]
    assert [reason_of(r) for r in refused] == ["ETAG_MISMATCH"]


async def test_what_is_refused_is_refused_with_its_reason(tickets: "TicketsServiceStub", agent: Metadata) -> None:
    made = await opened(tickets, agent)
    unknown = str(uuid.uuid4())
    late = to_timestamp(now() + timedelta(hours=1))
    for attempt, reason in (
        (changed(tickets, agent, ticket_id=made.id, state=pb.TICKET_STATE_CLOSED), "FORBIDDEN_TRANSITION"),
        (changed(tickets, agent, ticket_id=unknown, state=pb.TICKET_STATE_HELD), "NOT_FOUND"),
        (opened(tickets, agent, id=made.id), "ALREADY_EXISTS"),
        (opened(tickets, agent, state=pb.TICKET_STATE_HELD), "INVALID_FIELD"),
        (opened(tickets, agent, open_time=late), "INVALID_FIELD"),
    ):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await attempt
        assert reason_of(refused.value) == reason
    assert violated(refused.value) == ["ticket.open_time"]


async def test_a_customer_opens_and_lists_its_own_tickets_only(tickets: "TicketsServiceStub", keys: Keys) -> None:
    own = str(uuid.uuid4())
    metadata = keys.metadata("customer", customer_id=own)
    made = await opened(tickets, metadata, customer_id=own)
    answer = await tickets.ListCustomerTickets(pb.ListCustomerTicketsRequest(customer_id=own), metadata=metadata)
    assert list(answer.tickets) == [made]
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await opened(tickets, metadata)
    assert reason_of(refused.value) == "NOT_OWN_CUSTOMER"


async def test_pages_of_a_queue_follow_each_other(tickets: "TicketsServiceStub", loader: Metadata) -> None:
    customer = str(uuid.uuid4())
    rows = [loaded(pb.TICKET_STATE_HELD if n % 2 else pb.TICKET_STATE_PENDING, customer_id=customer) for n in range(9)]
    rows += [loaded(customer_id=customer)]
    await tickets.ImportTickets(iter([pb.ImportTicketsRequest(tickets=rows)]), metadata=loader)
    query = query_pb2.Query(page=query_pb2.PageRequest(page_size=4))
    query.predicates.add(field="state", values=["TICKET_STATE_HELD", "TICKET_STATE_PENDING"])
    query.predicates.add(field="customer_id", values=[customer])
    query.order.add(field="update_time", descending=True)
    seen: list[pb.Ticket] = []
    while True:
        answer = await tickets.ListTickets(pb.ListTicketsRequest(query=query), metadata=loader)
        seen += answer.tickets
        if not answer.page.next_page_token:
            break
        query.page.page_token = answer.page.next_page_token
    assert sorted(t.id for t in seen) == sorted(r.id for r in rows[:9])
    assert seen == sorted(seen, key=lambda t: (t.update_time.ToDatetime(), t.id), reverse=True)


async def test_importing_the_same_tickets_twice_changes_nothing(
    tickets: "TicketsServiceStub", loader: Metadata
) -> None:
    closed = (pb.TICKET_STATE_IN_PROGRESS, pb.TICKET_STATE_RESOLVED, pb.TICKET_STATE_CLOSED)
    good = [loaded(*closed, state=pb.TICKET_STATE_CLOSED) for _ in range(30)]
    bad = [
        ticket(open_time=to_timestamp(now())),
        loaded(pb.TICKET_STATE_CLOSED),
        loaded(pb.TICKET_STATE_UNSPECIFIED),
        ticket(id=str(uuid.uuid4())),
    ]
    bad[1].history[0].time.seconds = 10**14

    async def requests() -> AsyncIterator[pb.ImportTicketsRequest]:
        yield pb.ImportTicketsRequest(tickets=[*good[:10], *bad])
        yield pb.ImportTicketsRequest(tickets=good[5:])

    first = (await tickets.ImportTickets(requests(), metadata=loader)).summary
    assert (first.received, first.created, first.unchanged, first.failed) == (39, 30, 5, 4)
    assert [(e.row, e.field) for e in first.errors] == [
        (11, "id"), (12, "history[0].time"), (13, "history[0].state"), (14, "open_time"),
    ]  # fmt: skip
    request = pb.GetTicketRequest(ticket_id=good[0].id)
    before = (await tickets.GetTicket(request, metadata=loader)).ticket
    assert [s.state for s in before.history] == [pb.TICKET_STATE_ACKNOWLEDGED, *(s.state for s in good[0].history)]
    assert before.resolve_time == before.history[2].time
    second = (await tickets.ImportTickets(requests(), metadata=loader)).summary
    assert (second.created, second.updated, second.unchanged, second.failed) == (0, 0, 35, 4)
    assert (await tickets.GetTicket(request, metadata=loader)).ticket == before


async def test_the_same_load_twice_at_once_makes_each_ticket_once(
    tickets: "TicketsServiceStub", loader: Metadata
) -> None:
    rows = [loaded(pb.TICKET_STATE_HELD) for _ in range(20)]
    request = pb.ImportTicketsRequest(tickets=rows)
    answers = await asyncio.gather(*(tickets.ImportTickets(iter([request]), metadata=loader) for _ in range(4)))
    assert sum(a.summary.created for a in answers) == 20
    assert sum(a.summary.unchanged for a in answers) == 60
