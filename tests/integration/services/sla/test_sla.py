"""SLA through a real process, a real socket and a real MongoDB: agreements, clocks that hear tickets, measurements."""

import asyncio
import random
import uuid
from collections.abc import AsyncIterator, Callable
from datetime import timedelta

import grpc
import pytest
from holdfast.common.v1 import query_pb2
from holdfast.common.v1.types_pb2 import Period
from holdfast.sla.v1 import agreements_pb2 as ag
from holdfast.sla.v1 import clocks_pb2 as pb
from holdfast.sla.v1 import measurements_pb2 as ms

from chassis.errors import reason_of
from chassis.times import now, to_timestamp
from tests.integration.services.sla.interaction import FakeInteraction, event_of, events_of
from tests.integration.services.sla.running import Sla, live, versions
from tests.support.service import Keys
from tests.unit.services.sla.builders import HOUR, agreement, at, objective, stamp, ticket, valid

pytestmark = pytest.mark.usefixtures("everybodys_agreement")


@pytest.fixture(scope="module")
async def sla(
    mongo_uri: Callable[[str], str], keys: Keys, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Sla]:
    interaction = FakeInteraction()
    await interaction.start()
    made = Sla(mongo_uri("sla"), keys, tmp_path_factory.mktemp("sla"), interaction)
    await made.add_replica()
    yield made
    await made.close()
    await interaction.stop()


@pytest.fixture(scope="module")
async def everybodys_agreement(sla: Sla) -> None:
    await put(sla, agreement())


async def put(sla: Sla, wish: ag.Agreement) -> ag.Agreement:
    request = ag.PutAgreementRequest(agreement=wish)
    return (await sla.agreements.PutAgreement(request, metadata=sla.as_role("supervisor"))).agreement


async def clock_of(sla: Sla, clock_id: str) -> pb.GetClockResponse:
    return await sla.clocks.GetClock(pb.GetClockRequest(clock_id=clock_id), metadata=sla.as_role("agent"))


async def clock_in(sla: Sla, clock_id: str, state: "pb.ClockState.ValueType") -> pb.Clock:
    """Waits until a clock is there and stands in a state."""
    async with asyncio.timeout(20):
        while True:
            try:
                found = (await clock_of(sla, clock_id)).clock
            except grpc.aio.AioRpcError as error:
                if error.code() is not grpc.StatusCode.NOT_FOUND:
                    raise
            else:
                if found.state == state:
                    return found
            await asyncio.sleep(0.02)


async def test_a_put_agreement_is_read_back_listed_and_versioned(sla: Sla) -> None:
    wish = agreement("gold", str(uuid.uuid4()), valid=valid(0))
    first = await put(sla, wish)
    assert (first.version, await put(sla, wish)) == (1, first)
    wish.name = "Another"
    second = await put(sla, wish)
    assert second.version == 2
    agent = sla.as_role("agent")
    old = await sla.agreements.GetAgreement(ag.GetAgreementRequest(agreement_id="gold", version=1), metadata=agent)
    assert old.agreement == first
    newest = await sla.agreements.GetAgreement(ag.GetAgreementRequest(agreement_id="gold"), metadata=agent)
    assert newest.agreement == second
    query = query_pb2.Query(predicates=[query_pb2.Predicate(field="customer_id", values=[wish.customer_id])])
    listed = await sla.agreements.ListAgreements(ag.ListAgreementsRequest(query=query), metadata=agent)
    assert list(listed.agreements) == [second]
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await sla.agreements.GetAgreement(ag.GetAgreementRequest(agreement_id="gold", version=3), metadata=agent)
    assert reason_of(refused.value) == "NOT_FOUND"


async def test_puts_at_once_lose_no_version(sla: Sla) -> None:
    customer = str(uuid.uuid4())
    wishes = [agreement("contested", customer, name=f"Name {n}") for n in range(8)]
    made = await asyncio.gather(*(put(sla, wish) for wish in wishes))
    assert sorted(one.version for one in made) == list(range(1, 9))


async def test_a_calendar_that_makes_no_sense_is_refused_by_the_name_of_its_field(sla: Sla) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await put(sla, agreement("bad", calendar=ag.Calendar(time_zone="Mars/Olympus")))
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    with pytest.raises(grpc.aio.AioRpcError):
        await sla.agreements.GetAgreement(ag.GetAgreementRequest(agreement_id="bad"), metadata=sla.as_role("agent"))


async def test_a_ticket_starts_its_clocks_and_its_end_stops_them(sla: Sla) -> None:
    one = live("IN_PROGRESS", opened=now() - timedelta(minutes=1))
    await sla.interaction.tell(event_of(versions(one)[0]))
    running = await clock_in(sla, f"{one.id}:RESOLUTION", pb.CLOCK_STATE_RUNNING)
    assert running.due_time == to_timestamp(one.open_time + timedelta(hours=8))
    assert (running.agreement_id, running.agreement_version, running.priority) == ("standard", 1, "HIGH")
    await sla.interaction.tell(event_of(one))
    answered = await clock_in(sla, f"{one.id}:FIRST_RESPONSE", pb.CLOCK_STATE_MET)
    assert answered.stop_time == to_timestamp(one.visits[1].time)
    response = await clock_of(sla, f"{one.id}:RESOLUTION")
    assert [(i.reason, i.counted) for i in response.intervals] == [("running", True)]
    assert sum(i.seconds for i in response.intervals) == pytest.approx(response.clock.elapsed_seconds)


async def test_deliveries_that_repeat_or_overtake_each_other_converge_on_one_story(sla: Sla) -> None:
    stories = [
        live("IN_PROGRESS", "PENDING", "IN_PROGRESS", "RESOLVED", opened=now() - timedelta(minutes=1))
        for _ in range(20)
    ]
    events = [event for one in stories for event in events_of(versions(one))]
    shuffled = [*events, *events]
    random.Random(7).shuffle(shuffled)
    for n in range(0, len(shuffled), 9):
        await sla.interaction.tell(*shuffled[n : n + 9])
    for one in stories:
        met = await clock_in(sla, f"{one.id}:RESOLUTION", pb.CLOCK_STATE_MET)
        assert met.elapsed_seconds == 3.0
    marker = live()
    await sla.interaction.tell(event_of(marker))
    await clock_in(sla, f"{marker.id}:RESOLUTION", pb.CLOCK_STATE_RUNNING)
    started = sla.told(pb.ClockStarted)
    assert {started[f"{one.id}:{metric}"] for one in stories for metric in ("RESOLUTION", "FIRST_RESPONSE")} == {1}


async def test_what_is_told_again_after_a_broken_stream_changes_nothing(sla: Sla) -> None:
    first, second = live(), live()
    await sla.interaction.tell(event_of(first))
    await clock_in(sla, f"{first.id}:RESOLUTION", pb.CLOCK_STATE_RUNNING)
    before, asked = len(sla.outbox()), len(sla.interaction.asked)
    sla.interaction.rewind = 10_000
    await sla.interaction.hang_up()
    await sla.interaction.tell(event_of(second))
    await clock_in(sla, f"{second.id}:RESOLUTION", pb.CLOCK_STATE_RUNNING)
    sla.interaction.rewind = 0
    assert len(sla.interaction.asked) > asked
    assert sla.interaction.asked[-1] != ""
    assert len(sla.outbox()) == before + 2
    assert set(sla.told(pb.ClockStarted).values()) == {1}


async def test_tickets_of_the_past_are_judged_by_their_own_times(sla: Sla) -> None:
    customer = str(uuid.uuid4())
    met = ticket((0, "ACKNOWLEDGED"), (0.5, "IN_PROGRESS"), (6, "RESOLVED"), (9, "CLOSED"), customer_id=customer)
    paused = ticket((0, "ACKNOWLEDGED"), (1.5, "PENDING"), (20, "IN_PROGRESS"), (22, "RESOLVED"), customer_id=customer)
    missed = ticket((0, "ACKNOWLEDGED"), (2, "IN_PROGRESS"), (30, "CLOSED"), customer_id=customer)
    stories = {str(uuid.uuid4()): one for one in (met, paused, missed)}
    renamed = [type(one)(name, one.customer_id, one.open_time, one.visits, 1) for name, one in stories.items()]
    await sla.interaction.tell(*events_of(renamed))
    ids = list(stories)
    assert (await clock_in(sla, f"{ids[0]}:RESOLUTION", pb.CLOCK_STATE_MET)).elapsed_seconds == 6 * HOUR
    assert (await clock_in(sla, f"{ids[1]}:RESOLUTION", pb.CLOCK_STATE_MET)).elapsed_seconds == 3.5 * HOUR
    late = await clock_in(sla, f"{ids[2]}:RESOLUTION", pb.CLOCK_STATE_MISSED)
    assert (late.breach_time, late.stop_time) == (stamp(8), stamp(30))
    assert list(late.jeopardy) == [0.75, 0.9, 1.0]
    (breach,) = sla.outbox(subject=late.id, type=pb.ClockBreached.DESCRIPTOR.full_name)
    assert breach["time"] == at(8)
    summary = await sla.clocks.GetCustomerSla(
        pb.GetCustomerSlaRequest(customer_id=customer), metadata=sla.as_role("customer", customer_id=customer)
    )
    # Of the answers, one came in time; those of the others came with the work, hours late.
    assert (summary.met, summary.missed, summary.breached, len(summary.running)) == (3, 3, 0, 0)
    assert summary.hit_rate == 0.5
    assert (summary.agreement_id, summary.agreement_name) == ("standard", "Standard")


async def test_the_agreement_in_force_when_the_ticket_was_opened_is_the_one_that_counts(sla: Sla) -> None:
    customer = str(uuid.uuid4())
    tight = [objective("RESOLUTION", {"HIGH": HOUR})]
    await put(sla, agreement(f"only-{customer[:8]}", customer, tight, valid=valid(100)))
    early, later = live(customer_id=customer), live(customer_id=customer)
    told_early = type(early)(early.id, customer, at(99), early.visits, 1)
    told_later = type(later)(later.id, customer, at(101), later.visits, 1)
    await sla.interaction.tell(*events_of([told_early, told_later]))
    own = await clock_in(sla, f"{later.id}:RESOLUTION", pb.CLOCK_STATE_BREACHED)
    assert own.agreement_id.startswith("only-")
    before = await clock_of(sla, f"{early.id}:RESOLUTION")
    assert before.clock.agreement_id == "standard"


async def test_the_list_of_clocks_is_asked_by_customer_and_state(sla: Sla) -> None:
    customer = str(uuid.uuid4())
    one = live(customer_id=customer)
    await sla.interaction.tell(event_of(one))
    await clock_in(sla, f"{one.id}:RESOLUTION", pb.CLOCK_STATE_RUNNING)
    query = query_pb2.Query(
        predicates=[
            query_pb2.Predicate(field="customer_id", values=[customer]),
            query_pb2.Predicate(field="state", values=["CLOCK_STATE_RUNNING"]),
        ],
        order=[query_pb2.Order(field="due_time")],
    )
    listed = await sla.clocks.ListClocks(pb.ListClocksRequest(query=query), metadata=sla.as_role("agent"))
    assert [c.id for c in listed.clocks] == [f"{one.id}:FIRST_RESPONSE", f"{one.id}:RESOLUTION"]
    query.predicates.add(field="priority", values=["HIGH"])
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await sla.clocks.ListClocks(pb.ListClocksRequest(query=query), metadata=sla.as_role("agent"))
    assert reason_of(refused.value) == "INVALID_QUERY"


async def test_a_customer_sees_only_its_own_promises(sla: Sla) -> None:
    mine, other = str(uuid.uuid4()), str(uuid.uuid4())
    request = pb.GetCustomerSlaRequest(customer_id=other)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await sla.clocks.GetCustomerSla(request, metadata=sla.as_role("customer", customer_id=mine))
    assert reason_of(refused.value) == "NOT_OWN_CUSTOMER"
    nothing = await sla.clocks.GetCustomerSla(request, metadata=sla.as_role("customer", customer_id=other))
    assert not nothing.HasField("hit_rate")


async def test_outages_are_recorded_once_and_bad_rows_stop_no_other(sla: Sla) -> None:
    customer, product = str(uuid.uuid4()), str(uuid.uuid4())

    def outage(start: float, end: float, **changes: object) -> ms.Outage:
        values: dict[str, object] = {"id": str(uuid.uuid4()), "customer_id": customer, "product_id": product, **changes}
        return ms.Outage(period=Period(start=stamp(start), end=stamp(end)), **values)  # type: ignore[arg-type]

    rows = [
        outage(0, 6),
        outage(100, 124, planned=True),
        outage(5, 5),
        outage(9, 10, id="not a uuid"),
        ms.Outage(id=str(uuid.uuid4()), customer_id=customer, product_id=product, period=Period()),
    ]

    async def requests() -> AsyncIterator[ms.RecordOutagesRequest]:
        for n in range(0, len(rows), 2):
            yield ms.RecordOutagesRequest(outages=rows[n : n + 2])

    loader = sla.as_role("service")
    first = (await sla.measurements.RecordOutages(requests(), metadata=loader)).summary
    assert (first.received, first.created, first.failed) == (5, 2, 3)
    assert [(e.row, e.field) for e in first.errors] == [(3, "period.end"), (4, "id"), (5, "")]
    second = (await sla.measurements.RecordOutages(requests(), metadata=loader)).summary
    assert (second.created, second.updated, second.unchanged, second.failed) == (0, 0, 2, 3)
    answer = await sla.measurements.GetAvailability(
        ms.GetAvailabilityRequest(customer_id=customer, period=Period(start=stamp(0), end=stamp(144))),
        metadata=sla.as_role("customer", customer_id=customer),
    )
    (line,) = answer.products
    assert (line.product_id, line.outage_seconds, line.planned_seconds, line.outages) == (
        product, 6 * HOUR, 24 * HOUR, 1,
    )  # fmt: skip
    assert line.availability == pytest.approx(1 - 6 / 120)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await sla.measurements.GetAvailability(
            ms.GetAvailabilityRequest(customer_id=customer, period=Period(start=stamp(0))), metadata=loader
        )
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
