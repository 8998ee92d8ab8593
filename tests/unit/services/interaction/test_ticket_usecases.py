"""What happens to tickets, on a store in memory."""

import uuid
from dataclasses import replace

import pytest
from holdfast.interaction.v1 import tickets_pb2 as pb

from chassis.bulk import Outcome
from chassis.events.outbox import Happening
from chassis.query.selection import Operator, Selection
from chassis.rules import AlreadyExists, Conflict, Invalid, NotFound, Refused
from services.interaction.tickets import usecases as module
from services.interaction.tickets.rules import Change, Draft, Level, State, Ticket, replayed
from services.interaction.tickets.usecases import TicketUseCases
from tests.support.fakes.lineage import FakeLineage
from tests.support.fakes.tickets import FakeTickets
from tests.unit.services.interaction.builders import CUSTOMER, NOW, hours, past, step

DRAFT = Draft(CUSTOMER, "no connection", description="since this morning", category="fault")
S = State
DUPLICATE, GONE = str(uuid.UUID(int=2)), str(uuid.UUID(int=3))


@pytest.fixture
def store() -> FakeTickets:
    return FakeTickets()


@pytest.fixture
def tickets(store: FakeTickets) -> TicketUseCases:
    return TicketUseCases(store, FakeLineage([CUSTOMER, DUPLICATE]), {GONE})


async def opened(tickets: TicketUseCases) -> Ticket:
    return await tickets.open(DRAFT, "", b"")


def facts(happening: Happening) -> pb.TicketFacts:
    assert isinstance(happening.data, pb.TicketOpened | pb.TicketChanged)
    return happening.data.ticket


async def test_an_opened_ticket_is_kept_and_told_of(tickets: TicketUseCases, store: FakeTickets) -> None:
    ticket = await opened(tickets)
    assert await tickets.get(ticket.id) == ticket
    (told,) = store.events
    assert (told.subject, told.sequence, told.customer_id) == (ticket.id, 1, CUSTOMER)
    assert isinstance(told.data, pb.TicketOpened)
    assert facts(told).category == "fault"
    assert b"connection" not in told.data.SerializeToString()
    assert b"morning" not in told.data.SerializeToString()


async def test_a_retry_opens_nothing_anew(tickets: TicketUseCases, store: FakeTickets) -> None:
    first = await tickets.open(DRAFT, "r1", b"same")
    assert await tickets.open(DRAFT, "r1", b"same") == first
    assert len(store.kept) == len(store.events) == 1
    with pytest.raises(Invalid) as refused:
        await tickets.open(DRAFT, "r1", b"other")
    assert refused.value.reason == "REQUEST_ID_REUSED"


async def test_an_id_opens_one_ticket(tickets: TicketUseCases) -> None:
    ticket = await opened(tickets)
    with pytest.raises(AlreadyExists):
        await tickets.open(replace(DRAFT, id=ticket.id), "", b"")


async def test_a_change_is_kept_and_told_of_with_the_whole_history(tickets: TicketUseCases, store: FakeTickets) -> None:
    ticket = await opened(tickets)
    after = await tickets.change(ticket.id, Change(S.IN_PROGRESS, impact=Level.HIGH), "ada", "v1")
    assert await tickets.get(ticket.id) == after
    told = store.events[-1]
    assert isinstance(told.data, pb.TicketChanged)
    assert (told.sequence, told.time) == (2, after.update_time)
    assert [s.state for s in facts(told).history] == [pb.TICKET_STATE_ACKNOWLEDGED, pb.TICKET_STATE_IN_PROGRESS]
    assert facts(told).priority == pb.TICKET_PRIORITY_HIGH
    assert facts(told).change_time == facts(told).history[-1].time


async def test_a_note_changes_the_etag_and_is_no_event(tickets: TicketUseCases, store: FakeTickets) -> None:
    ticket = await opened(tickets)
    after = await tickets.change(ticket.id, Change(note="called back"), "ada", "")
    assert after.version == 2
    assert after.notes[0].author == "ada"
    assert len(store.events) == 1


async def test_a_change_of_nothing_writes_nothing(tickets: TicketUseCases, store: FakeTickets) -> None:
    ticket = await opened(tickets)
    assert await tickets.change(ticket.id, Change(S.ACKNOWLEDGED), "ada", "") == ticket
    assert len(store.events) == 1


async def test_a_change_by_an_old_etag_conflicts(tickets: TicketUseCases) -> None:
    ticket = await opened(tickets)
    await tickets.change(ticket.id, Change(S.HELD), "ada", "v1")
    with pytest.raises(Conflict) as refused:
        await tickets.change(ticket.id, Change(S.RESOLVED), "ada", "v1")
    assert refused.value.metadata == {"etag": "v2"}


async def test_a_refused_change_changes_nothing(tickets: TicketUseCases, store: FakeTickets) -> None:
    ticket = await opened(tickets)
    with pytest.raises(Refused):
        await tickets.change(ticket.id, Change(S.CLOSED, note="done"), "ada", "")
    assert store.kept[ticket.id] == ticket
    assert len(store.events) == 1


async def test_what_is_not_there_is_not_found(tickets: TicketUseCases) -> None:
    for attempt in (tickets.get(CUSTOMER), tickets.change(CUSTOMER, Change(S.HELD), "ada", "")):
        with pytest.raises(NotFound) as refused:
            await attempt
        assert refused.value.metadata == {"type": "ticket", "id": CUSTOMER}


async def test_a_loaded_ticket_tells_its_whole_past(tickets: TicketUseCases, store: FakeTickets) -> None:
    draft = past(step(S.IN_PROGRESS, 1), step(S.RESOLVED, 2), step(S.CLOSED, 3))
    assert await tickets.load([draft]) == [Outcome.CREATED]
    assert store.kept[draft.id].state is S.CLOSED
    assert [h.sequence for h in store.events] == [1, 2, 3, 4]
    assert [h.time for h in store.events] == [hours(n) for n in range(4)]
    assert [len(facts(h).history) for h in store.events] == [1, 2, 3, 4]
    assert [type(h.data) for h in store.events] == [pb.TicketOpened, *[pb.TicketChanged] * 3]


async def test_a_load_leaves_what_is_there(tickets: TicketUseCases, store: FakeTickets) -> None:
    draft = past(step(S.IN_PROGRESS, 1))
    shorter, longer = replace(draft, past=()), replace(draft, past=(*draft.past, step(S.HELD, 2)))
    assert await tickets.load([draft, draft]) == [Outcome.CREATED, Outcome.UNCHANGED]
    assert await tickets.load([draft, shorter, longer]) == [Outcome.UNCHANGED] * 3
    assert len(store.events) == 2


async def test_a_bad_row_stops_no_other(tickets: TicketUseCases, store: FakeTickets) -> None:
    good, bad = past(step(S.HELD, 1)), past(step(S.CLOSED, 1))
    outcomes = await tickets.load([bad, good, past(open_time=None)])
    assert outcomes[1] is Outcome.CREATED
    assert isinstance(outcomes[0], Refused)
    assert isinstance(outcomes[2], Invalid)
    assert set(store.kept) == {good.id}


async def test_a_load_that_was_not_first_leaves_the_rivals_ticket(tickets: TicketUseCases, store: FakeTickets) -> None:
    drafts = [past(step(S.HELD, n + 1)) for n in range(3)]
    rival = replayed(drafts[1], NOW)[0]
    store.rivals.append(rival)
    assert await tickets.load(drafts) == [Outcome.CREATED, Outcome.UNCHANGED, Outcome.CREATED]
    assert store.kept[rival.id] == rival
    assert {h.subject for h in store.events} == {drafts[0].id, drafts[2].id}


async def test_a_large_load_is_split_into_transactions(
    tickets: TicketUseCases, store: FakeTickets, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_STEPS", 5)
    long = past(*(step(S.HELD if n % 2 else S.PENDING, n) for n in range(9)))
    drafts = [past(step(S.HELD, 1)), past(step(S.HELD, 1)), past(step(S.HELD, 1)), long, past()]
    assert await tickets.load(drafts) == [Outcome.CREATED] * 5
    assert store.loads == [2, 1, 1, 1]
    assert len(store.events) == 17


async def test_lists_are_narrowed_and_newest_first(tickets: TicketUseCases) -> None:
    other = str(uuid.uuid4())
    drafts = [past(open_time=hours(n), customer_id=other if n == 2 else CUSTOMER) for n in range(4)]
    await tickets.load(drafts)
    own, token = await tickets.page_of_customer(CUSTOMER, Selection(page_size=2))
    assert [t.id for t in own] == [drafts[3].id, drafts[1].id]
    rest, end = await tickets.page_of_customer(CUSTOMER, Selection(page_size=2, page_token=token))
    assert [t.id for t in rest] == [drafts[0].id]
    assert not end
    found, _ = await tickets.page(Selection().where("customer_id", other))
    assert [t.id for t in found] == [drafts[2].id]
    with pytest.raises(Invalid):
        await tickets.page_of_customer(CUSTOMER, Selection().where("customer_id", other))


async def test_lists_show_the_tickets_under_every_id_of_the_customer(
    tickets: TicketUseCases, store: FakeTickets
) -> None:
    made = [(await tickets.open(replace(DRAFT, customer_id=who), "", b"")).id for who in (CUSTOMER, DUPLICATE, GONE)]
    for asked in (CUSTOMER, DUPLICATE):
        of_customer, _ = await tickets.page_of_customer(asked, Selection())
        of_all, _ = await tickets.page(Selection().where("customer_id", asked))
        assert {t.id for t in of_customer} == {t.id for t in of_all} == set(made[:2])
    others, _ = await tickets.page(Selection().where("customer_id", DUPLICATE, operator=Operator.NOT_EQUAL))
    assert [t.id for t in others] == made[2:]


async def test_of_the_erased_no_text_is_kept(tickets: TicketUseCases, store: FakeTickets) -> None:
    opened_late = await tickets.open(replace(DRAFT, customer_id=GONE), "", b"")
    loaded_late = past(step(S.RESOLVED, 2), customer_id=GONE, description="the whole story")
    assert await tickets.load([loaded_late]) == [Outcome.CREATED]
    noted = await tickets.change(opened_late.id, Change(S.HELD, note="called the daughter"), "ada", "")
    assert (noted.state, noted.notes) == (S.HELD, ())
    for ticket in store.kept.values():
        assert (ticket.title, ticket.description) == ("[erased]", "[erased]")
        assert ticket.redact_time is not None
    assert store.kept[loaded_late.id].state is S.RESOLVED
