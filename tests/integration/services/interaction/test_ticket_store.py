"""One suite for the store in memory and the real one; and what only the real one can show."""

import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from holdfast.interaction.v1 import tickets_pb2 as pb

from chassis.events.outbox import OUTBOX, Happening
from chassis.ids import new_id
from chassis.lineage import MOST_MEMBERS
from chassis.mongo.client import Store
from chassis.query.selection import Order, Selection
from chassis.rules import AlreadyExists, Invalid, Refused
from services.interaction.tickets.rules import Change, Draft, Level, State, Ticket, changed, opened, redacted
from services.interaction.tickets.store import TicketStore
from services.interaction.tickets.usecases import Tickets, opened_event
from tests.support.explain import SLOW, overheard, stages
from tests.support.fakes.tickets import FakeTickets
from tests.unit.services.interaction.builders import NOW


@pytest.fixture(params=["memory", "mongodb"])
def tickets(request: pytest.FixtureRequest, store: Store) -> Tickets:
    return FakeTickets() if request.param == "memory" else TicketStore(store)


def made(customer: str = "", ago: int = 0, state: State | None = None) -> Ticket:
    draft = Draft(customer or str(uuid.uuid4()), "no connection", open_time=NOW - timedelta(hours=ago))
    ticket = opened(draft, new_id(), NOW)
    return changed(ticket, Change(state), "ada", NOW + timedelta(hours=ago)) if state else ticket


async def insert(tickets: Tickets, *several: Ticket) -> None:
    for ticket in several:

        async def work(transaction: Any, ticket: Ticket = ticket) -> Ticket:
            await tickets.insert(transaction, ticket, opened_event(ticket))
            return ticket

        await tickets.transact(work)


async def test_a_ticket_comes_back_as_it_was_kept(tickets: Tickets) -> None:
    ticket = changed(made(), Change(State.RESOLVED, Level.HIGH, note="done"), "ada", NOW)
    full = replace(ticket, description="all day", category="fault", product_id=str(uuid.uuid4()))
    await insert(tickets, full)
    assert await tickets.get(full.id) == full
    assert await tickets.read(None, full.id) == full
    assert await tickets.get(new_id()) is None
    assert await tickets.known([full.id, new_id()]) == {full.id}


async def test_an_id_is_taken_once(tickets: Tickets) -> None:
    ticket = made()
    await insert(tickets, ticket)
    with pytest.raises(AlreadyExists):
        await insert(tickets, ticket)
    with pytest.raises(AlreadyExists):
        await tickets.load([made(), ticket], [])


async def test_what_is_refused_leaves_nothing_behind(tickets: Tickets) -> None:
    ticket = made()

    async def work(transaction: Any) -> Ticket:
        await tickets.insert(transaction, ticket, opened_event(ticket))
        raise Refused("on second thoughts")

    with pytest.raises(Refused):
        await tickets.transact(work)
    assert await tickets.get(ticket.id) is None


async def test_a_replaced_ticket_is_the_new_one(tickets: Tickets) -> None:
    ticket = made()
    await insert(tickets, ticket)
    after = changed(ticket, Change(State.HELD), "ada", NOW)

    async def work(transaction: Any) -> Ticket:
        assert await tickets.read(transaction, ticket.id) == ticket
        await tickets.replace(transaction, after)
        return after

    assert await tickets.transact(work) == after
    assert await tickets.get(ticket.id) == after


async def test_a_request_is_answered_once(tickets: Tickets) -> None:
    request = str(uuid.uuid4())

    async def work(transaction: Any) -> Ticket:
        ticket = made()
        await tickets.insert(transaction, ticket)
        return ticket

    first = await tickets.once(request, b"same", work)
    assert await tickets.once(request, b"same", work) == first
    with pytest.raises(Invalid):
        await tickets.once(request, b"other", work)


async def test_lists_are_narrowed_and_walked_in_order(tickets: Tickets) -> None:
    customer = str(uuid.uuid4())
    mine = [made(customer, ago, State.HELD if ago % 2 else None) for ago in range(6)]
    await tickets.load([*mine, made()], [])
    first, token = await tickets.page_of_customer([customer], Selection(page_size=4))
    rest, end = await tickets.page_of_customer([customer], Selection(page_size=4, page_token=token))
    assert first + rest == mine
    assert not end
    held = Selection().where("state", "TICKET_STATE_HELD").where("customer_id", customer)
    found, _ = await tickets.page(replace(held, order=(Order("update_time", descending=True),)))
    assert found == [mine[5], mine[3], mine[1]]
    with pytest.raises(Invalid):
        await tickets.page_of_customer([customer], Selection(order=(Order("update_time"),)))


async def test_the_tickets_of_several_ids_are_one_list(tickets: Tickets) -> None:
    several = [str(uuid.uuid4()) for _ in range(3)]
    made_so = [made(several[ago % 3], ago) for ago in range(9)]
    await tickets.load([*made_so, made()], [])
    first, token = await tickets.page_of_customer(several, Selection(page_size=5))
    rest, end = await tickets.page_of_customer(several, Selection(page_size=5, page_token=token))
    assert (first + rest, end) == (made_so, "")


async def test_redaction_takes_out_texts_and_leaves_what_counts(tickets: Tickets) -> None:
    customer = str(uuid.uuid4())
    noted = changed(made(customer), Change(State.RESOLVED, note="spoke to the daughter"), "ada", NOW)
    full, bare, other = replace(noted, description="all day"), made(customer), made()
    await insert(tickets, full, bare, other)
    assert await tickets.redact(customer, NOW) == 2
    for ticket in (full, bare):
        found = await tickets.get(ticket.id)
        assert found == replace(redacted(ticket, NOW), version=ticket.version + 1)
    assert await tickets.get(other.id) == other
    assert await tickets.redact(customer, NOW + timedelta(hours=1)) == 0


async def test_a_note_added_after_a_redaction_is_taken_out_by_the_next(tickets: Tickets) -> None:
    ticket = made(str(uuid.uuid4()))
    await insert(tickets, ticket)
    await tickets.redact(ticket.customer_id, NOW)

    async def add_note(transaction: Any) -> Ticket:
        before = await tickets.read(transaction, ticket.id)
        assert before is not None
        after = changed(before, Change(note="did not know"), "ada", NOW)
        await tickets.replace(transaction, after)
        return after

    await tickets.transact(add_note)
    assert await tickets.redact(ticket.customer_id, NOW) == 1
    found = await tickets.get(ticket.id)
    assert found is not None
    assert [note.text for note in found.notes] == ["[erased]"]


async def test_the_answer_kept_for_a_retry_is_redacted_with_the_ticket(store: Store) -> None:
    tickets, ticket, request = TicketStore(store), replace(made(), description="all day"), str(uuid.uuid4())

    async def work(transaction: Any) -> Ticket:
        await tickets.insert(transaction, ticket)
        return ticket

    assert await tickets.once(request, b"same", work) == ticket
    await tickets.redact(ticket.customer_id, NOW)
    assert await tickets.once(request, b"same", work) == redacted(ticket, NOW)


async def test_a_load_and_its_events_are_kept_together(store: Store) -> None:
    tickets = TicketStore(store)
    several = [made() for _ in range(3)]
    data = pb.TicketOpened()
    await tickets.load(several, [Happening(t.id, 1, data, NOW) for t in several])
    ids = [t.id for t in several]
    assert await store.collection(OUTBOX.name).count_documents({"subject": {"$in": ids}}) == 3
    with pytest.raises(AlreadyExists):
        await tickets.load([made(), several[0]], [Happening(several[0].id, 1, data, NOW)])
    assert await store.collection(OUTBOX.name).count_documents({"subject": {"$in": ids}}) == 3


async def test_no_query_reads_everything_or_sorts_in_memory(mongo_uri: Callable[[str], str], store: Store) -> None:
    customer = str(uuid.uuid4())
    async with overheard(mongo_uri("interaction")) as (heard, listener):
        tickets = TicketStore(heard)
        await tickets.load([made(customer, ago % 24, State.HELD if ago % 2 else None) for ago in range(200)], [])
        await insert(tickets, ticket := made())
        await tickets.get(ticket.id)
        await tickets.known([ticket.id])
        await tickets.transact(lambda t: _replaced(tickets, t, ticket))
        by_update = (Order("update_time", descending=True),)
        first = Selection(page_size=20)
        for narrowed in (
            first,
            first.where("state", "TICKET_STATE_HELD", "TICKET_STATE_PENDING"),
            first.where("priority", "TICKET_PRIORITY_HIGH").where("type", "TICKET_TYPE_TROUBLE"),
        ):
            await tickets.page_of_customer([customer], narrowed)
            for order in ((), by_update):
                await tickets.page(replace(narrowed, order=order))
                own = replace(narrowed, order=order).where("customer_id", customer)
                _, token = await tickets.page(own)
                if token:
                    await tickets.page(replace(own, page_token=token))
        merged = [customer, *(str(uuid.uuid4()) for _ in range(MOST_MEMBERS - 1))]
        for selection in (first, first.where("state", "TICKET_STATE_HELD", "TICKET_STATE_PENDING")):
            _, token = await tickets.page_of_customer(merged, selection)
            await tickets.page_of_customer(merged, replace(selection, page_token=token))
            for order in ((), by_update):
                own = replace(selection, order=order).where("customer_id", *merged)
                _, token = await tickets.page(own)
                await tickets.page(replace(own, page_token=token))
        await tickets.redact(customer, NOW)
        assert len(listener.commands) > 36
        assert any("answer.customer_id" in str(command) for command in listener.commands)
        for command in listener.commands:
            assert not await stages(store, command) & SLOW, command


async def _replaced(tickets: TicketStore, transaction: Any, ticket: Ticket) -> Ticket:
    assert await tickets.read(transaction, ticket.id) == ticket
    await tickets.replace(transaction, ticket)
    return ticket
