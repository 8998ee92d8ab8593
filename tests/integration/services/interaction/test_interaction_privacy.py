"""Merges, un-merges and erasures of customer information, and the export, over real sockets and a real store."""

import uuid
from datetime import timedelta

import grpc
import pytest
from holdfast.common.v1 import query_pb2
from holdfast.interaction.v1 import interactions_pb2, privacy_pb2, tickets_pb2
from holdfast.interaction.v1.interactions_pb2_grpc import InteractionsServiceStub
from holdfast.interaction.v1.privacy_pb2_grpc import PrivacyServiceStub
from holdfast.interaction.v1.tickets_pb2_grpc import TicketsServiceStub

from chassis.errors import reason_of
from chassis.mongo.client import Store
from chassis.times import now
from tests.integration.services.interaction.conftest import Metadata
from tests.support.event_source import EventSource, erased, merged, parted
from tests.support.polling import eventually
from tests.support.service import Keys
from tests.unit.services.interaction.builders import entry


class Desk:
    """What an agent does."""

    def __init__(self, interactions: InteractionsServiceStub, tickets: TicketsServiceStub, metadata: Metadata) -> None:
        self._interactions = interactions
        self._tickets = tickets
        self._metadata = metadata

    async def log(self, customer_id: str, **changes: object) -> interactions_pb2.Interaction:
        request = interactions_pb2.LogInteractionRequest(interaction=entry(customer_id=customer_id, **changes))
        return (await self._interactions.LogInteraction(request, metadata=self._metadata)).interaction

    async def open(self, customer_id: str) -> tickets_pb2.Ticket:
        wish = tickets_pb2.Ticket(customer_id=customer_id, title="no connection", description="since this morning")
        request = tickets_pb2.OpenTicketRequest(ticket=wish, request_id=str(uuid.uuid4()))
        return (await self._tickets.OpenTicket(request, metadata=self._metadata)).ticket

    async def note(self, ticket_id: str, text: str) -> tickets_pb2.Ticket:
        request = tickets_pb2.ChangeTicketRequest(ticket_id=ticket_id, note=text)
        return (await self._tickets.ChangeTicket(request, metadata=self._metadata)).ticket

    async def get(self, entry_id: str) -> interactions_pb2.Interaction:
        request = interactions_pb2.GetInteractionRequest(interaction_id=entry_id)
        return (await self._interactions.GetInteraction(request, metadata=self._metadata)).interaction

    async def history(self, customer_id: str, size: int = 50) -> list[str]:
        """The ids of a customer's entries, walked in pages."""
        found: list[str] = []
        query = query_pb2.Query(page=query_pb2.PageRequest(page_size=size))
        while True:
            request = interactions_pb2.ListInteractionsRequest(customer_id=customer_id, query=query)
            answer = await self._interactions.ListInteractions(request, metadata=self._metadata)
            found += [one.id for one in answer.interactions]
            query.page.page_token = answer.page.next_page_token
            if not answer.page.next_page_token:
                return found

    async def tickets(self, customer_id: str) -> set[str]:
        """The ids of a customer's tickets; both lists agree."""
        own = tickets_pb2.ListCustomerTicketsRequest(customer_id=customer_id)
        query = query_pb2.Query(predicates=[query_pb2.Predicate(field="customer_id", values=[customer_id])])
        first = await self._tickets.ListCustomerTickets(own, metadata=self._metadata)
        second = await self._tickets.ListTickets(tickets_pb2.ListTicketsRequest(query=query), metadata=self._metadata)
        assert [t.id for t in first.tickets] == [t.id for t in second.tickets]
        return {t.id for t in first.tickets}


@pytest.fixture
def desk(interactions: InteractionsServiceStub, tickets: TicketsServiceStub, agent: Metadata) -> Desk:
    return Desk(interactions, tickets, agent)


def somebody() -> str:
    return str(uuid.uuid4())


async def test_merged_customers_share_their_history_and_parted_ones_have_their_own_again(
    desk: Desk, customer_info: EventSource
) -> None:
    ann, duplicate = somebody(), somebody()
    hers = [(await desk.log(ann, occur_time=now() - timedelta(hours=2 * n))).id for n in range(4)]
    others = [(await desk.log(duplicate, occur_time=now() - timedelta(hours=2 * n + 1))).id for n in range(4)]
    ticket, other_ticket = (await desk.open(ann)).id, (await desk.open(duplicate)).id
    both = [one for pair in zip(hers, others, strict=True) for one in pair]
    customer_info.tell(merged(ann, duplicate))
    await eventually(lambda: _is(desk, ann, both), "the merged history")
    for asked in (ann, duplicate):
        assert await desk.history(asked, size=3) == both
        assert await desk.tickets(asked) == {ticket, other_ticket}
    late = await desk.log(duplicate)
    assert late.customer_id == duplicate
    assert await desk.history(ann) == [late.id, *both]
    customer_info.tell(parted([ann], [duplicate]))
    await eventually(lambda: _is(desk, ann, hers), "the history of one")
    assert await desk.history(duplicate) == [late.id, *others]
    assert (await desk.tickets(ann), await desk.tickets(duplicate)) == ({ticket}, {other_ticket})


async def _is(desk: Desk, customer_id: str, expected: list[str]) -> bool:
    return await desk.history(customer_id) == expected


async def test_a_page_token_does_not_outlive_a_merge(
    desk: Desk, interactions: InteractionsServiceStub, agent: Metadata, customer_info: EventSource
) -> None:
    ann, duplicate = somebody(), somebody()
    own = [(await desk.log(ann)).id for _ in range(3)]
    query = query_pb2.Query(page=query_pb2.PageRequest(page_size=2))
    request = interactions_pb2.ListInteractionsRequest(customer_id=ann, query=query)
    answer = await interactions.ListInteractions(request, metadata=agent)
    extra = (await desk.log(duplicate)).id
    customer_info.tell(merged(ann, duplicate))
    await eventually(lambda: _is(desk, ann, [extra, *own[::-1]]), "the merged history")
    request.query.page.page_token = answer.page.next_page_token
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await interactions.ListInteractions(request, metadata=agent)
    assert reason_of(refused.value) == "INVALID_PAGE_TOKEN"


async def test_of_the_erased_texts_are_taken_out_everywhere_and_late_ones_are_dropped(
    desk: Desk, customer_info: EventSource, store: Store
) -> None:
    ann, duplicate, ben = somebody(), somebody(), somebody()
    customer_info.tell(merged(ann, duplicate))
    logged = [await desk.log(who) for who in (ann, duplicate, ben)]
    ticket = await desk.open(duplicate)
    await desk.note(ticket.id, "spoke to the daughter")
    customer_info.tell(erased(ann, duplicate))

    async def gone() -> bool:
        kept = store.collection("erasures").find({"_id": {"$in": [ann, duplicate]}, "redact_time": {"$exists": True}})
        return len([d async for d in kept]) == 2

    await eventually(gone, "the redaction")
    found = [await desk.get(one.id) for one in logged]
    assert [e.note for e in found] == ["[erased]", "[erased]", "asked about the bill"]
    assert [e.HasField("redact_time") for e in found] == [True, True, False]
    assert [e.category for e in found] == ["billing"] * 3
    kept = await store.collection("tickets").find_one({"_id": ticket.id})
    answers = [d async for d in store.collection("requests").find({"answer._id": ticket.id})]
    assert len(answers) == 1
    for text in (str(kept), str(answers)):
        assert "connection" not in text
        assert "morning" not in text
        assert "daughter" not in text

    async def known() -> bool:
        return (await desk.log(ann)).note == "[erased]"

    await eventually(known, "a late text dropped")
    noted = await desk.note(ticket.id, "called again")
    assert [n.text for n in noted.notes] == ["[erased]"]
    assert (await desk.open(ann)).title == "[erased]"
    assert ann in {d["customer_id"] async for d in store.collection("interactions").find({"customer_id": ann})}
    due = {d["_id"]: d.get("due_time") async for d in store.collection("erasures").find()}
    assert all(due[who] > now() for who in (ann, duplicate))


async def test_the_second_pass_finds_what_came_in_between(desk: Desk, customer_info: EventSource, store: Store) -> None:
    ann = somebody()
    customer_info.tell(erased(ann))
    condition = {"_id": ann, "redact_time": {"$exists": True}}
    erasures = store.collection("erasures")

    async def passed() -> bool:
        return await erasures.find_one(condition) is not None

    await eventually(passed, "the first pass")
    # As a replica would write that has not yet heard of the erasure.
    slipped = await desk.log(somebody())
    await store.collection("interactions").update_one({"_id": slipped.id}, {"$set": {"customer_id": ann}})
    await erasures.update_one({"_id": ann}, {"$set": {"due_time": now()}})

    async def over() -> bool:
        return await erasures.find_one({"_id": ann, "due_time": {"$exists": False}}) is not None

    await eventually(over, "the second pass")
    assert (await desk.get(slipped.id)).note == "[erased]"


async def export(stub: PrivacyServiceStub, customer_id: str, metadata: Metadata) -> dict[str, list[dict[str, object]]]:
    found: dict[str, list[dict[str, object]]] = {}
    request = privacy_pb2.ExportCustomerRequest(customer_id=customer_id)
    async for part in stub.ExportCustomer(request, metadata=metadata):
        found.setdefault(part.kind, []).extend(dict(record) for record in part.records)
    return found


async def test_everything_held_on_a_customer_is_exported_however_much_it_is(
    desk: Desk, privacy: PrivacyServiceStub, customer_info: EventSource, keys: Keys, store: Store
) -> None:
    ann, duplicate = somebody(), somebody()
    first = [await desk.log(who, note="x" * 16_000) for who in (ann, duplicate) for _ in range(20)]
    opened = await desk.open(duplicate)
    one = await store.collection("interactions").find_one({"_id": first[0].id})
    copies = [{**one, "_id": somebody()} for _ in range(800)]
    await store.collection("interactions").insert_many(copies)
    customer_info.tell(merged(ann, duplicate))
    everything = {one.id for one in first} | {d["_id"] for d in copies}
    supervisor = keys.metadata("supervisor")

    async def complete() -> bool:
        return {r["id"] for r in (await export(privacy, ann, supervisor))["interactions"]} == everything

    await eventually(complete, "the merged export")
    found = await export(privacy, duplicate, keys.metadata("customer", customer_id=duplicate))
    assert len(found["interactions"]) == len(everything)
    assert {r["id"] for r in found["interactions"]} == everything
    assert [(r["id"], r["title"]) for r in found["tickets"]] == [(opened.id, "no connection")]


async def test_an_export_is_for_whom_it_concerns(privacy: PrivacyServiceStub, keys: Keys) -> None:
    assert await export(privacy, somebody(), keys.metadata("admin")) == {"interactions": [], "tickets": []}
    for metadata in (keys.metadata("agent"), keys.metadata("customer", customer_id=somebody())):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await export(privacy, somebody(), metadata)
        assert refused.value.code() is grpc.StatusCode.PERMISSION_DENIED
