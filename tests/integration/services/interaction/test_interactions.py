"""Interactions through a real process, a real socket and a real MongoDB."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from datetime import timedelta

import grpc
import pytest
from holdfast.common.v1 import query_pb2
from holdfast.interaction.v1 import interactions_pb2 as pb
from holdfast.interaction.v1.interactions_pb2_grpc import InteractionsServiceStub

from chassis.errors import reason_of
from chassis.times import now, to_timestamp
from tests.integration.services.interaction.conftest import Metadata, violated
from tests.support.service import Keys
from tests.unit.services.interaction.builders import entry


async def log(stub: "InteractionsServiceStub", made: pb.Interaction, agent: Metadata) -> pb.LogInteractionResponse:
    return await stub.LogInteraction(pb.LogInteractionRequest(interaction=made), metadata=agent)


async def test_a_logged_entry_is_read_back_as_it_was_answered(
    interactions: "InteractionsServiceStub", agent: Metadata
) -> None:
    answer = await log(interactions, entry(source="chat", message_id=uuid.uuid4().hex), agent)
    assert not answer.duplicate
    request = pb.GetInteractionRequest(interaction_id=answer.interaction.id)
    assert (await interactions.GetInteraction(request, metadata=agent)).interaction == answer.interaction
    assert answer.interaction.occur_time == answer.interaction.record_time


async def test_sixty_four_retries_at_once_log_one_entry(
    interactions: "InteractionsServiceStub", agent: Metadata
) -> None:
    message = entry(customer_id=str(uuid.uuid4()), source="chat", message_id=uuid.uuid4().hex)
    answers = await asyncio.gather(*(log(interactions, message, agent) for _ in range(64)))
    assert len({a.interaction.id for a in answers}) == 1
    assert sum(not a.duplicate for a in answers) == 1
    later = await log(interactions, message, agent)
    assert later.duplicate
    assert later.interaction == answers[0].interaction
    request = pb.ListInteractionsRequest(customer_id=message.customer_id)
    assert len((await interactions.ListInteractions(request, metadata=agent)).interactions) == 1


async def test_good_bad_and_repeated_entries_that_come_together_each_get_their_own_answer(
    interactions: "InteractionsServiceStub", agent: Metadata
) -> None:
    known = await log(interactions, entry(source="chat", message_id=uuid.uuid4().hex), agent)
    repeated = entry(source="chat", message_id=known.interaction.message_id, note="told again")
    late = entry(occur_time=now() + timedelta(days=2))
    kinds = [entry(), repeated, late, entry(channel=99)] * 16
    outcomes = await asyncio.gather(*(log(interactions, one, agent) for one in kinds), return_exceptions=True)
    ids = set()
    for n, outcome in enumerate(outcomes):
        if n % 4 == 0:
            assert isinstance(outcome, pb.LogInteractionResponse)
            assert not outcome.duplicate
            ids.add(outcome.interaction.id)
        elif n % 4 == 1:
            assert outcome == pb.LogInteractionResponse(interaction=known.interaction, duplicate=True)
        else:
            assert isinstance(outcome, grpc.aio.AioRpcError)
            assert outcome.code() is grpc.StatusCode.INVALID_ARGUMENT
            assert violated(outcome) == ["interaction.occur_time" if n % 4 == 2 else "interaction.channel"]
    assert len(ids) == 16


async def test_an_unknown_entry_is_not_found(interactions: "InteractionsServiceStub", agent: Metadata) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await interactions.GetInteraction(pb.GetInteractionRequest(interaction_id=str(uuid.uuid4())), metadata=agent)
    assert reason_of(refused.value) == "NOT_FOUND"


async def test_pages_of_a_history_follow_each_other_newest_first(
    interactions: "InteractionsServiceStub", agent: Metadata
) -> None:
    customer, start = str(uuid.uuid4()), now() - timedelta(days=1)
    for n in range(23):
        # Three at a time share a moment: the id breaks the tie.
        await log(interactions, entry(customer_id=customer, occur_time=start + timedelta(minutes=n // 3)), agent)
    await log(interactions, entry(), agent)
    seen: list[pb.Interaction] = []
    query = query_pb2.Query(page=query_pb2.PageRequest(page_size=5))
    request = pb.ListInteractionsRequest(customer_id=customer, query=query)
    while True:
        answer = await interactions.ListInteractions(request, metadata=agent)
        seen += answer.interactions
        if not answer.page.next_page_token:
            break
        request.query.page.page_token = answer.page.next_page_token
    assert len({e.id for e in seen}) == len(seen) == 23
    assert [e.id for e in seen] == [
        e.id for e in sorted(seen, key=lambda e: (e.occur_time.ToDatetime(), e.id), reverse=True)
    ]


async def test_a_history_is_narrowed_by_channel_and_time(
    interactions: "InteractionsServiceStub", agent: Metadata
) -> None:
    customer, start = str(uuid.uuid4()), now() - timedelta(days=1)
    for n in range(6):
        channel = pb.CHANNEL_CHAT if n % 2 else pb.CHANNEL_CALL
        made = entry(customer_id=customer, channel=channel, occur_time=start + timedelta(hours=n))
        await log(interactions, made, agent)
    query = query_pb2.Query()
    query.predicates.add(field="channel", values=["CHANNEL_CHAT"])
    query.predicates.add(
        field="occur_time",
        operator=query_pb2.Predicate.OPERATOR_GREATER_OR_EQUAL,
        values=[(start + timedelta(hours=2)).isoformat()],
    )
    request = pb.ListInteractionsRequest(customer_id=customer, query=query)
    found = (await interactions.ListInteractions(request, metadata=agent)).interactions
    assert [e.occur_time for e in found] == [to_timestamp(start + timedelta(hours=n)) for n in (5, 3)]
    query.predicates.add(field="note", values=["bill"])
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await interactions.ListInteractions(
            pb.ListInteractionsRequest(customer_id=customer, query=query), metadata=agent
        )
    assert reason_of(refused.value) == "INVALID_QUERY"


async def test_a_customer_sees_its_own_history_only(interactions: "InteractionsServiceStub", keys: Keys) -> None:
    own, other = str(uuid.uuid4()), str(uuid.uuid4())
    metadata = keys.metadata("customer", customer_id=own)
    assert await interactions.ListInteractions(pb.ListInteractionsRequest(customer_id=own), metadata=metadata)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await interactions.ListInteractions(pb.ListInteractionsRequest(customer_id=other), metadata=metadata)
    assert reason_of(refused.value) == "NOT_OWN_CUSTOMER"


async def test_a_load_answers_every_message_with_errors_per_item(
    interactions: "InteractionsServiceStub", loader: Metadata
) -> None:
    customer, key = str(uuid.uuid4()), uuid.uuid4().hex
    good = [entry(customer_id=customer, source="load", message_id=f"{key}-{n}") for n in range(40)]
    bad = [entry(customer_id="nobody"), entry(occur_time=now() + timedelta(days=3)), entry(source="", message_id="m")]

    async def requests() -> AsyncIterator[pb.IngestInteractionsRequest]:
        yield pb.IngestInteractionsRequest(interactions=good[:20])
        yield pb.IngestInteractionsRequest(interactions=[*good[20:30], *bad, *good[15:25]])
        yield pb.IngestInteractionsRequest()
        yield pb.IngestInteractionsRequest(interactions=good[30:])

    answers = [a async for a in interactions.IngestInteractions(requests(), metadata=loader)]
    assert [(a.acknowledged, a.created, a.duplicates) for a in answers] == [
        (20, 20, 0), (43, 10, 10), (43, 0, 0), (53, 10, 0),
    ]  # fmt: skip
    errors = [error for answer in answers for error in answer.errors]
    assert [e.row for e in errors] == [31, 32, 33]
    assert {e.reason for e in errors} == {"INVALID_FIELD"}
    assert [e.field for e in errors[:2]] == ["customer_id", "occur_time"]
    again = [a async for a in interactions.IngestInteractions(requests(), metadata=loader)]
    assert sum(a.created for a in again) == 0
    assert sum(a.duplicates for a in again) == 50
    query = query_pb2.Query(page=query_pb2.PageRequest(page_size=1000))
    request = pb.ListInteractionsRequest(customer_id=customer, query=query)
    assert len((await interactions.ListInteractions(request, metadata=loader)).interactions) == 40


async def test_a_loader_that_waits_for_each_answer_gets_it(
    interactions: "InteractionsServiceStub", loader: Metadata
) -> None:
    call = interactions.IngestInteractions(metadata=loader)
    for n in range(1, 4):
        await call.write(pb.IngestInteractionsRequest(interactions=[entry(), entry()]))
        async with asyncio.timeout(30):
            answer = await call.read()
        assert isinstance(answer, pb.IngestInteractionsResponse)
        assert (answer.acknowledged, answer.created) == (2 * n, 2)
    await call.done_writing()
    assert await call.read() is grpc.aio.EOF


async def test_a_message_with_too_many_items_ends_the_load_and_keeps_what_was_answered(
    interactions: "InteractionsServiceStub", loader: Metadata
) -> None:
    customer = str(uuid.uuid4())
    call = interactions.IngestInteractions(metadata=loader)
    await call.write(pb.IngestInteractionsRequest(interactions=[entry(customer_id=customer)]))
    assert isinstance(await call.read(), pb.IngestInteractionsResponse)
    tiny = pb.Interaction(customer_id=customer)
    await call.write(pb.IngestInteractionsRequest(interactions=[tiny] * 1001))
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await call.read()
    assert violated(refused.value) == ["interactions"]
    request = pb.ListInteractionsRequest(customer_id=customer)
    assert len((await interactions.ListInteractions(request, metadata=loader)).interactions) == 1
