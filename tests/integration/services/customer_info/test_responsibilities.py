"""Responsibilities through a real process, a real socket and a real MongoDB."""

import asyncio

import grpc
import pytest
from google.protobuf.json_format import MessageToDict
from holdfast.common.v1 import query_pb2
from holdfast.customer_info.v1 import merges_pb2, privacy_pb2
from holdfast.customer_info.v1 import responsibilities_pb2 as pb
from holdfast.customer_info.v1.customers_pb2_grpc import CustomersServiceStub
from holdfast.customer_info.v1.hierarchy_pb2_grpc import HierarchyServiceStub
from holdfast.customer_info.v1.merges_pb2_grpc import MergesServiceStub
from holdfast.customer_info.v1.privacy_pb2_grpc import PrivacyServiceStub
from holdfast.customer_info.v1.responsibilities_pb2_grpc import ResponsibilitiesServiceStub
from holdfast.events.v1 import events_pb2, events_pb2_grpc

from chassis.errors import reason_of
from services.customer_info.responsibilities.rules import DEFAULTS
from tests.integration.services.customer_info.conftest import Metadata
from tests.integration.services.customer_info.messages import (
    bad_fields,
    company,
    metadata_of,
    new_uuid,
    person,
    stamp,
)
from tests.integration.services.customer_info.office import REQUIRED, assigned, created, grown, planted, who_is, wish
from tests.support.service import Keys

RACERS = 16


@pytest.fixture
def duties(channel: grpc.aio.Channel) -> ResponsibilitiesServiceStub:
    return ResponsibilitiesServiceStub(channel)


@pytest.fixture
def trees(channel: grpc.aio.Channel) -> HierarchyServiceStub:
    return HierarchyServiceStub(channel)


@pytest.fixture
async def owner(customers: CustomersServiceStub, agent: Metadata) -> str:
    """The id of an enterprise without trees."""
    return await created(customers, agent, company())


async def test_what_an_operator_usually_needs_is_there_and_can_be_changed(
    duties: ResponsibilitiesServiceStub, agent: Metadata, loader: Metadata
) -> None:
    listed = await duties.ListResponsibilities(pb.ListResponsibilitiesRequest(), metadata=agent)
    there = {r.name: r for r in listed.responsibilities}
    assert set(there) >= {r.name for r in DEFAULTS}
    mine = pb.Responsibility(name=f"r{new_uuid()[:8]}", description="Waters the plants.", depends_on=["auditor"])
    made = (
        await duties.DefineResponsibility(pb.DefineResponsibilityRequest(responsibility=mine), metadata=loader)
    ).responsibility
    assert made.etag == "v1"
    circle = there["report_recipient"]
    circle.depends_on.append(made.name)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await duties.DefineResponsibility(pb.DefineResponsibilityRequest(responsibility=circle), metadata=loader)
    assert bad_fields(refused.value) == ["responsibility.depends_on[0]"]
    with pytest.raises(grpc.aio.AioRpcError) as role:
        await duties.DefineResponsibility(pb.DefineResponsibilityRequest(responsibility=made), metadata=agent)
    assert reason_of(role.value) == "PERMISSION_DENIED"


async def test_who_made_a_responsibility_what_it_is_can_be_read_and_the_past_goes_by_what_it_was_then(
    duties: ResponsibilitiesServiceStub, trees: HierarchyServiceStub, owner: str, agent: Metadata, loader: Metadata
) -> None:
    def named(*depends_on: str) -> pb.Responsibility:
        return pb.Responsibility(name=name, description="Waters the plants.", depends_on=depends_on)

    name = f"r{new_uuid()[:8]}"
    node, *_ = await grown(trees, agent, (await planted(trees, agent, owner)).id)
    made = []
    for needed in ("auditor", "portfolio_manager", "technical_contact"):
        wanted = pb.DefineResponsibilityRequest(responsibility=named(needed))
        made.append((await duties.DefineResponsibility(wanted, metadata=loader)).responsibility)
    asked = pb.ListResponsibilityVersionsRequest(name=name, page=query_pb2.PageRequest(page_size=2))
    latest = await duties.ListResponsibilityVersions(asked, metadata=agent)
    asked.page.page_token = latest.page.next_page_token
    first = await duties.ListResponsibilityVersions(asked, metadata=agent)
    told = [*latest.versions, *first.versions]
    assert [(v.version, v.responsibility, v.by) for v in told] == [(n, made[n - 1], "tester") for n in (3, 2, 1)]
    assert first.page.next_page_token == ""
    usual = pb.ListResponsibilityVersionsRequest(name="auditor")
    assert (await duties.ListResponsibilityVersions(usual, metadata=agent)).versions[-1].by == "system"
    for then in made:
        asked_then = pb.WhoIsRequest(customer_id=owner, responsibility=name, node_id=node, as_of=then.update_time)
        answer = await duties.WhoIs(asked_then, metadata=agent)
        assert answer.dependencies[0].responsibility == then.depends_on[0]
    with pytest.raises(grpc.aio.AioRpcError) as unknown:
        await duties.ListResponsibilityVersions(pb.ListResponsibilityVersionsRequest(name="unheard_of"), metadata=agent)
    assert metadata_of(unknown.value) == {"type": "responsibility", "id": "unheard_of"}


async def test_definitions_that_would_close_a_circle_together_do_not(
    duties: ResponsibilitiesServiceStub, loader: Metadata
) -> None:
    names = [f"r{n}_{new_uuid()[:8]}" for n in range(6)]
    for name in names:
        plain = pb.Responsibility(name=name, description="Does it.")
        await duties.DefineResponsibility(pb.DefineResponsibilityRequest(responsibility=plain), metadata=loader)
    rounds = [
        pb.Responsibility(name=name, description="Does it.", depends_on=[following])
        for name, following in zip(names, [*names[1:], names[0]], strict=True)
    ]
    answers = await asyncio.gather(
        *(
            duties.DefineResponsibility(pb.DefineResponsibilityRequest(responsibility=r), metadata=loader)
            for r in rounds
        ),
        return_exceptions=True,
    )
    refused = [a for a in answers if isinstance(a, grpc.aio.AioRpcError)]
    assert len(refused) == 1
    assert refused[0].code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_a_responsibility_is_inherited_overridden_and_ends(
    duties: ResponsibilitiesServiceStub,
    trees: HierarchyServiceStub,
    customers: CustomersServiceStub,
    agent: Metadata,
    owner: str,
) -> None:
    tree = await planted(trees, agent, owner)
    top, sales, field = await grown(trees, agent, tree.id)
    ada = await created(customers, agent, person())
    await assigned(duties, agent, wish(owner, top, "invoice_collector", holder_id=ada))
    await assigned(duties, agent, wish(owner, sales, "invoice_sorter"))
    answer = await who_is(duties, agent, field, "invoice_sorter", customer_id=owner)
    assert (answer.answer.node_id, answer.answer.node_name) == (sales, "Sales")
    (holder,) = answer.answer.holders
    assert holder.contact == pb.HolderContact(name="Pat Example", email="pat@example.com", phone="+4930123456")
    (needed,) = answer.dependencies
    assert (needed.responsibility, needed.node_id, needed.holders[0].contact.name) == (
        "invoice_collector",
        top,
        "Ada Example",
    )
    override = await assigned(duties, agent, wish(owner, field, "invoice_collector"))
    below = await who_is(duties, agent, field, "invoice_collector")
    assert [h.assignment for h in below.answer.holders] == [override]
    ended = await duties.EndAssignment(
        pb.EndAssignmentRequest(customer_id=owner, assignment_id=override.id, etag="v1"), metadata=agent
    )
    assert ended.assignment.HasField("end")
    again = await who_is(duties, agent, field, "invoice_collector")
    assert again.answer.node_id == top
    before = await who_is(duties, agent, field, "invoice_collector", as_of=override.start)
    assert before.answer.node_id == field
    found = await duties.GetAssignment(pb.GetAssignmentRequest(assignment_id=override.id), metadata=agent)
    assert found.assignment == ended.assignment


async def test_of_many_at_once_one_gets_it(
    duties: ResponsibilitiesServiceStub, trees: HierarchyServiceStub, agent: Metadata, owner: str
) -> None:
    tree = await planted(trees, agent, owner)
    top, *_ = await grown(trees, agent, tree.id)
    answers = await asyncio.gather(
        *(assigned(duties, agent, wish(owner, top)) for _ in range(RACERS)), return_exceptions=True
    )
    (kept,) = [a for a in answers if isinstance(a, pb.Assignment)]
    for refused in (a for a in answers if isinstance(a, grpc.aio.AioRpcError)):
        assert reason_of(refused) == "ALREADY_EXISTS"
        assert metadata_of(refused) == {"type": "assignment", "id": kept.id}
    request = pb.AssignRequest(assignment=wish(owner, top, "auditor"), request_id=new_uuid())
    retried = await asyncio.gather(*(duties.Assign(request, metadata=agent) for _ in range(8)))
    assert len({a.assignment.id for a in retried}) == 1


async def test_a_customer_sees_its_own_map_only_and_changes_nothing(
    duties: ResponsibilitiesServiceStub, trees: HierarchyServiceStub, agent: Metadata, keys: Keys, owner: str
) -> None:
    tree = await planted(trees, agent, owner)
    top, *_ = await grown(trees, agent, tree.id)
    kept = await assigned(duties, agent, wish(owner, top))
    own = keys.metadata("customer", customer_id=owner)
    answer = await who_is(duties, own, top, "portfolio_manager", customer_id=owner)
    assert [h.assignment for h in answer.answer.holders] == [kept]
    with pytest.raises(grpc.aio.AioRpcError) as unnamed:
        await who_is(duties, own, top, "portfolio_manager")
    assert reason_of(unnamed.value) == "NOT_OWN_CUSTOMER"
    stranger = new_uuid()
    other = keys.metadata("customer", customer_id=stranger)
    with pytest.raises(grpc.aio.AioRpcError) as hidden:
        await who_is(duties, other, top, "portfolio_manager", customer_id=stranger)
    assert hidden.value.code() is grpc.StatusCode.NOT_FOUND
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await assigned(duties, own, wish(owner, top, "auditor"))
    assert reason_of(refused.value) == "PERMISSION_DENIED"


async def test_what_makes_no_sense_is_refused_by_field(
    duties: ResponsibilitiesServiceStub, trees: HierarchyServiceStub, agent: Metadata, owner: str
) -> None:
    tree = await planted(trees, agent, owner)
    top, *_ = await grown(trees, agent, tree.id)
    for wanted, fields in (
        (wish(owner, top, contact=pb.HolderContact(name="Pat", email="nowhere")), ["assignment.contact.email"]),
        (wish(owner, top, contact=pb.HolderContact(email="pat@example.com")), ["assignment.contact.name"]),
        (wish(owner, top, start=stamp("2030-01-02"), end=stamp("2030-01-01")), ["assignment.end"]),
        (pb.Assignment(customer_id=owner, node_id=top, responsibility="auditor"), ["assignment"]),
    ):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await assigned(duties, agent, wanted)
        assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert [f.partition(".holder")[0] for f in bad_fields(refused.value)] == fields
        assert "nowhere" not in str(refused.value.details())
    with pytest.raises(grpc.aio.AioRpcError) as unknown:
        await assigned(duties, agent, wish(owner, top, "unheard_of"))
    assert metadata_of(unknown.value) == {"type": "responsibility", "id": "unheard_of"}


async def test_an_assignment_that_is_over_is_not_ended_again(
    duties: ResponsibilitiesServiceStub, trees: HierarchyServiceStub, agent: Metadata, owner: str
) -> None:
    tree = await planted(trees, agent, owner)
    top, *_ = await grown(trees, agent, tree.id)
    over = await assigned(duties, agent, wish(owner, top))
    cancelled = await assigned(duties, agent, wish(owner, top, "auditor", start=stamp("2300-01-01")))
    for there in (over, cancelled):
        request = pb.EndAssignmentRequest(customer_id=owner, assignment_id=there.id)
        once = (await duties.EndAssignment(request, metadata=agent)).assignment
        assert (await duties.EndAssignment(request, metadata=agent)).assignment == once
    assert once.end == once.start


async def test_what_is_assigned_while_two_are_one_is_with_the_right_record_when_they_are_parted(
    channel: grpc.aio.Channel, duties: ResponsibilitiesServiceStub, agent: Metadata, keys: Keys, owner: str
) -> None:
    merges, trees, customers = MergesServiceStub(channel), HierarchyServiceStub(channel), CustomersServiceStub(channel)
    lead = keys.metadata("supervisor")
    survivor = await created(customers, agent, company())
    tree = await planted(trees, agent, owner)
    top, *_ = await grown(trees, agent, tree.id)
    merge = merges_pb2.MergeRequest(survivor_id=survivor, duplicate_id=owner)
    await merges.Merge(merge, metadata=lead)
    kept = await assigned(duties, agent, wish(survivor, top))
    assert kept.customer_id == owner
    await merges.Unmerge(merges_pb2.UnmergeRequest(duplicate_id=owner), metadata=lead)
    report = await duties.GapReport(pb.GapReportRequest(customer_id=owner), metadata=agent)
    assert "portfolio_manager" not in {g.responsibility for g in report.gaps}
    request = pb.EndAssignmentRequest(customer_id=owner, assignment_id=kept.id)
    assert (await duties.EndAssignment(request, metadata=agent)).assignment.HasField("end")


async def test_a_person_is_shown_what_it_answers_for_and_nothing_of_others(
    channel: grpc.aio.Channel, duties: ResponsibilitiesServiceStub, agent: Metadata, keys: Keys, owner: str
) -> None:
    trees, customers = HierarchyServiceStub(channel), CustomersServiceStub(channel)
    tree = await planted(trees, agent, owner)
    top, *_ = await grown(trees, agent, tree.id)
    ada = await created(customers, agent, person())
    mine = await assigned(duties, agent, wish(owner, top, holder_id=ada))
    await assigned(duties, agent, wish(owner, top, "auditor"))
    request = privacy_pb2.ExportCustomerRequest(customer_id=ada)
    own = keys.metadata("customer", customer_id=ada)
    shown = [part async for part in PrivacyServiceStub(channel).ExportCustomer(request, metadata=own)]
    (held,) = [MessageToDict(r) for part in shown if part.kind == "held_assignment" for r in part.records]
    assert (held["id"], held["responsibility"], held["customer_id"]) == (mine.id, "portfolio_manager", owner)
    assert "Pat" not in str(shown)


async def test_a_customer_learns_which_responsibilities_there_are(
    duties: ResponsibilitiesServiceStub, keys: Keys, owner: str
) -> None:
    own = keys.metadata("customer", customer_id=owner)
    listed = await duties.ListResponsibilities(pb.ListResponsibilitiesRequest(customer_id=owner), metadata=own)
    assert {r.name for r in listed.responsibilities} >= set(REQUIRED)
    with pytest.raises(grpc.aio.AioRpcError) as unnamed:
        await duties.ListResponsibilities(pb.ListResponsibilitiesRequest(), metadata=own)
    assert reason_of(unnamed.value) == "NOT_OWN_CUSTOMER"


async def test_assignments_are_listed_and_told(
    channel: grpc.aio.Channel, duties: ResponsibilitiesServiceStub, agent: Metadata, owner: str, keys: Keys
) -> None:
    trees = HierarchyServiceStub(channel)
    tree = await planted(trees, agent, owner)
    top, sales, field = await grown(trees, agent, tree.id)
    made = [await assigned(duties, agent, wish(owner, node)) for node in (top, sales, field)]
    query = query_pb2.Query(page=query_pb2.PageRequest(page_size=2))
    request = pb.ListAssignmentsRequest(customer_id=owner, query=query)
    first = await duties.ListAssignments(request, metadata=agent)
    request.query.page.page_token = first.page.next_page_token
    second = await duties.ListAssignments(request, metadata=agent)
    assert [a.id for a in (*first.assignments, *second.assignments)] == [a.id for a in reversed(made)]
    kinds = (pb.ResponsibilityAssigned, pb.AssignmentEnded)
    stream = events_pb2_grpc.EventsServiceStub(channel).Subscribe(
        events_pb2.SubscribeRequest(types=[k.DESCRIPTOR.full_name for k in kinds]),
        metadata=keys.metadata("service"),
        timeout=30,
    )
    told: list[str] = []
    async for answer in stream:
        told += [e.subject for e in answer.events if e.customer_id == owner]
        if not answer.events:
            break
    stream.cancel()
    assert told == [a.id for a in made]
