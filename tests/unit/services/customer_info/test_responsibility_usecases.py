"""What happens to responsibilities, on stores in memory."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from holdfast.customer_info.v1 import responsibilities_pb2 as pb

from chassis.query.selection import Selection
from chassis.rules import AlreadyExists, Conflict, Invalid, NotFound, Refusal, Refused
from services.customer_info.customers.rules import Customer, Status
from services.customer_info.hierarchy.rules import Placement, Tree
from services.customer_info.responsibilities.rules import DEFAULTS, Assignment, Contact, Responsibility, Wish
from services.customer_info.responsibilities.usecases import ResponsibilityUseCases
from tests.support.fakes.customers import FakeCustomers
from tests.support.fakes.hierarchy import FakeHierarchy
from tests.support.fakes.lineage import FakeLineage
from tests.support.fakes.responsibilities import FakeResponsibilities
from tests.unit.services.customer_info.builders import NOON, company, email, later, new_uuid, person
from tests.unit.services.customer_info.responsibility_builders import PAT, assignment, duty
from tests.unit.services.customer_info.trees import family, tree

OWNER = company()
ADA = person(contact_media=(email("ada@example.com"),))
TREE = tree(OWNER.id)
TOP, SALES, FIELD = family(TREE, "top", "top/sales", "top/sales/field")
MANAGER = duty("manager", required=True)
SORTER, COLLECTOR = duty("sorter", "collector"), duty("collector")
RECIPIENT = duty("recipient", several=True)
CATALOGUE = (MANAGER, SORTER, COLLECTOR, RECIPIENT)


def usecases(
    *kept: Responsibility | Assignment,
    customers: tuple[Customer, ...] = (OWNER, ADA),
    nodes: tuple[Tree | Placement, ...] = (TREE, TOP, SALES, FIELD),
    lineage: FakeLineage | None = None,
) -> tuple[ResponsibilityUseCases, FakeResponsibilities]:
    store = FakeResponsibilities(*CATALOGUE, *kept)
    known = FakeCustomers(*customers)
    return ResponsibilityUseCases(store, known, FakeHierarchy(*nodes), lineage or FakeLineage()), store


def wish(**changes: Any) -> Wish:
    usual: dict[str, Any] = {"customer_id": OWNER.id, "node_id": "sales", "responsibility": "manager"}
    if "holder_id" not in changes:
        usual["contact"] = PAT
    return Wish(**{**usual, **changes})


def told(store: FakeResponsibilities) -> list[tuple[str, int, str]]:
    return [(e.subject, e.sequence, e.data.DESCRIPTOR.name) for e in store.events]


async def test_what_is_there_at_the_start_stays_as_it_became() -> None:
    duties, store = usecases(replace(DEFAULTS[0], required=False, version=3))
    await duties.start()
    assert set(store.kept) >= {r.name for r in DEFAULTS}
    assert store.kept[DEFAULTS[0].name].version == 3
    assert store.kept[DEFAULTS[1].name].update_time is not None
    page, token = await duties.listed(Selection(page_size=100))
    assert [r.name for r in page] == sorted({*(r.name for r in DEFAULTS), *(r.name for r in CATALOGUE)})
    assert token == ""


async def test_a_responsibility_is_made_and_changed_with_its_etag() -> None:
    duties, store = usecases()
    made = await duties.define(duty("auditor", "sorter"), "")
    assert made.version == 1
    assert store.held == ["sorter", "collector"]
    after = await duties.define(replace(made, required=True), "v1")
    assert (after.version, after.required) == (2, True)
    assert await duties.define(replace(after, version=1), "v2") == after
    with pytest.raises(Conflict) as stale:
        await duties.define(made, "v1")
    assert stale.value.metadata == {"etag": "v2"}
    with pytest.raises(NotFound):
        await duties.define(duty("unheard_of"), "v1")
    with pytest.raises(Invalid):
        await duties.define(replace(COLLECTOR, depends_on=("auditor",)), "")
    assert told(store) == [("auditor", n, "ResponsibilityDefined") for n in (1, 2)]
    page, token = await duties.versions("auditor", 1, "")
    last, end = await duties.versions("auditor", 1, token)
    assert ([m.record for m in (*page, *last)], end) == ([after, made], "")


async def test_an_assignment_is_kept_with_its_tree_and_told_without_its_contact() -> None:
    duties, store = usecases()
    made = await duties.assign(wish(), "", b"")
    assert (made.tree_id, made.contact) == (TREE.id, PAT)
    assert await duties.get(OWNER.id, made.id) == await duties.get("", made.id) == made
    (event,) = store.events
    assert isinstance(event.data, pb.ResponsibilityAssigned)
    assert event.customer_id == OWNER.id
    assert "pat" not in str(event.data).lower()
    with pytest.raises(NotFound):
        await duties.get(ADA.id, made.id)


async def test_an_assignment_belongs_to_the_record_whose_tree_it_is_at() -> None:
    survivor = company()
    lineage = FakeLineage((survivor.id, OWNER.id))
    duties, _ = usecases(customers=(survivor, replace(OWNER, merged_into=survivor.id)), lineage=lineage)
    made = await duties.assign(wish(customer_id=survivor.id), "", b"")
    assert made.customer_id == OWNER.id
    parted, _ = usecases(made)
    assert (await parted.end(OWNER.id, made.id, None, "")).version == 2
    with pytest.raises(NotFound):
        await parted.end(survivor.id, made.id, None, "")


async def test_a_start_before_the_node_began_is_told_as_such() -> None:
    duties, _ = usecases()
    with pytest.raises(NotFound) as refused:
        await duties.assign(wish(start=later(-1)), "", b"")
    assert refused.value.message == "there is no such node at that time"


async def test_an_assignment_that_is_over_is_not_ended_again() -> None:
    over, cancelled = assignment(SALES, end=later(5)), assignment(SALES, "sorter", start=later(7), end=later(7))
    duties, store = usecases(over, cancelled)
    for there in (over, cancelled):
        assert await duties.end(OWNER.id, there.id, None, "v1") == there
    assert store.events == []


async def test_a_retry_gets_the_first_answer() -> None:
    duties, store = usecases()
    first = await duties.assign(wish(), "a-request", b"content")
    assert await duties.assign(wish(), "a-request", b"content") == first
    assert len(store.events) == 1


@pytest.mark.parametrize(
    ("changes", "kind", "field"),
    [
        ({"customer_id": new_uuid()}, NotFound, "assignment.customer_id"),
        ({"node_id": "nowhere"}, NotFound, "assignment.node_id"),
        ({"start": later(-1)}, NotFound, "assignment.node_id"),
        ({"responsibility": "unheard_of"}, NotFound, "assignment.responsibility"),
        ({"holder_id": new_uuid()}, NotFound, "assignment.holder_id"),
        ({"contact": Contact("Pat", "nowhere")}, Invalid, "assignment.contact.email"),
        ({"customer_id": ADA.id}, NotFound, "assignment.node_id"),
    ],
)
async def test_what_cannot_be_assigned_is_refused_by_field(
    changes: dict[str, Any], kind: type[Refusal], field: str
) -> None:
    duties, store = usecases()
    with pytest.raises(kind) as refused:
        await duties.assign(wish(**changes), "", b"")
    assert refused.value.field == field
    assert store.events == []


async def test_who_left_or_was_merged_or_erased_neither_holds_nor_owns() -> None:
    gone = person(status=Status.CLOSED)
    merged = person(merged_into=ADA.id)
    duties, _ = usecases(customers=(OWNER, gone, merged))
    for holder, reason in ((gone, "FAILED_PRECONDITION"), (merged, "MERGED")):
        with pytest.raises(Refused) as refused:
            await duties.assign(wish(holder_id=holder.id), "", b"")
        assert refused.value.reason == reason
    for owner, reason, field in (
        (replace(OWNER, erase_time=NOON), "ERASED", None),
        (replace(OWNER, merged_into=ADA.id), "MERGED", "assignment.customer_id"),
        (replace(OWNER, merged_into=ADA.id, erase_time=NOON), "ERASED", None),
    ):
        duties, _ = usecases(customers=(owner,))
        with pytest.raises(Refused) as refused:
            await duties.assign(wish(), "", b"")
        assert (refused.value.reason, refused.value.field) == (reason, field)


async def test_of_many_at_once_one_gets_it_unless_several_may() -> None:
    duties, store = usecases()
    answers = await asyncio.gather(*(duties.assign(wish(), "", b"") for _ in range(8)), return_exceptions=True)
    assert sum(isinstance(a, Assignment) for a in answers) == 1
    assert sum(isinstance(a, AlreadyExists) for a in answers) == 7
    assert set(store.held) == {"sales:manager"}
    await asyncio.gather(*(duties.assign(wish(responsibility="recipient"), "", b"") for _ in range(8)))
    with pytest.raises(AlreadyExists):
        for _ in range(2):
            await duties.assign(wish(responsibility="recipient", holder_id=ADA.id), "", b"")


async def test_an_end_makes_room_for_a_successor_and_cannot_move_into_its_way() -> None:
    first = assignment(SALES)
    duties, store = usecases(first)
    ended = await duties.end(OWNER.id, first.id, later(5), "v1")
    assert (ended.end, ended.version) == (later(5), 2)
    await duties.assign(wish(start=later(5)), "", b"")
    with pytest.raises(AlreadyExists):
        await duties.end(OWNER.id, first.id, later(6), "")
    sooner = await duties.end(OWNER.id, first.id, later(4), "")
    assert await duties.end(OWNER.id, first.id, later(4), "") == sooner
    assert (await duties.end(OWNER.id, first.id, later(5), "")).end == later(5)
    with pytest.raises(Conflict):
        await duties.end(OWNER.id, first.id, None, "v1")
    with pytest.raises(NotFound):
        await duties.end(ADA.id, first.id, None, "")
    assert [name for _, _, name in told(store)].count("AssignmentEnded") == 3
