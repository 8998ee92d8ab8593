"""Who has responsibilities and who is missing, now and then, on stores in memory."""

from dataclasses import replace

import pytest

from chassis.rules import Invalid, NotFound
from services.customer_info.customers.rules import Customer, Status
from services.customer_info.hierarchy.rules import Placement, Tree
from services.customer_info.responsibilities import paging_rules
from services.customer_info.responsibilities.reading_usecases import ResponsibilityReading
from services.customer_info.responsibilities.rules import Assignment, Contact, Responsibility, Standing
from services.customer_info.responsibilities.tree_rules import Gap, GapKind
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
CATALOGUE = (duty("manager", required=True), duty("sorter", "collector"), duty("collector"))


def reading(
    *kept: Assignment,
    customers: tuple[Customer, ...] = (OWNER, ADA),
    former: tuple[Customer, ...] = (),
    nodes: tuple[Tree | Placement, ...] = (TREE, TOP, SALES, FIELD),
    lineage: FakeLineage | None = None,
) -> ResponsibilityReading:
    """What is told of these; `former` are versions of customers that others took the place of."""
    known = FakeCustomers(*customers)
    for customer in former:
        known.former.setdefault(customer.id, []).append(customer)
    store = FakeResponsibilities(*CATALOGUE, *kept)
    return ResponsibilityReading(store, known, FakeHierarchy(*nodes), lineage or FakeLineage())


async def test_who_is_answers_with_the_nearest_and_with_those_it_depends_on() -> None:
    top, field = assignment(TOP, holder_id=ADA.id), assignment(FIELD)
    sorter, collector = assignment(TOP, "sorter"), assignment(SALES, "collector")
    duties = reading(top, field, sorter, collector)
    answer, dependencies = await duties.who_is(OWNER.id, "manager", "sales", NOON)
    assert (answer.place, dependencies) == (TOP, [])
    (holder,) = answer.holders
    assert (holder.assignment, holder.contact, holder.standing) == (
        top,
        Contact("Ada Example", "ada@example.com"),
        Standing.REACHABLE,
    )
    below, _ = await duties.who_is("", "manager", "field", NOON)
    assert ([h.contact for h in below.holders], below.place) == ([PAT], FIELD)
    found, (needs,) = await duties.who_is(OWNER.id, "sorter", "field", NOON)
    assert (found.place, needs.place, needs.responsibility) == (TOP, SALES, "collector")
    nobody, (none,) = await duties.who_is(OWNER.id, "sorter", "top", later(-0))
    assert nobody.place == TOP
    assert (none.holders, none.place) == ((), None)


async def test_who_is_knows_the_past_and_what_is_not_there() -> None:
    old = assignment(TOP, start=NOON, end=later(5))
    duties = reading(old, assignment(TOP, start=later(5)))
    (then,) = (await duties.who_is(OWNER.id, "manager", "field", later(4)))[0].holders
    assert then.assignment == old
    for customer_id, name, node_id, at in (
        (OWNER.id, "unheard_of", "field", NOON),
        (OWNER.id, "manager", "nowhere", NOON),
        (OWNER.id, "manager", "field", later(-1)),
        (ADA.id, "manager", "field", NOON),
    ):
        with pytest.raises(NotFound):
            await duties.who_is(customer_id, name, node_id, at)


async def test_a_holder_that_was_merged_is_its_survivor() -> None:
    before = person(merged_into=ADA.id)
    lineage = FakeLineage((ADA.id, before.id))
    duties = reading(assignment(TOP, holder_id=before.id), customers=(OWNER, ADA, before), lineage=lineage)
    (holder,) = (await duties.who_is(OWNER.id, "manager", "top", NOON))[0].holders
    assert holder.contact.email == "ada@example.com"


async def test_a_report_covers_all_trees_of_the_enterprise_and_of_what_was_merged_into_it() -> None:
    absorbed = new_uuid()
    second, merged = tree(OWNER.id), tree(absorbed)
    nodes: tuple[Tree | Placement, ...] = (
        TREE,
        TOP,
        SALES,
        FIELD,
        second,
        *family(second, "x"),
        merged,
        *family(merged, "y"),
        tree(),
    )
    gone = replace(ADA, status=Status.CLOSED)
    silent = assignment(SALES, contact=Contact("Pat"))
    duties = reading(
        assignment(TOP, holder_id=ADA.id),
        silent,
        assignment(FIELD, end=later(1)),
        customers=(OWNER, gone),
        nodes=nodes,
        lineage=FakeLineage((OWNER.id, absorbed)),
    )
    report = await duties.gap_report(OWNER.id, "", NOON)
    assert (report.nodes, report.as_of, set(report.trees)) == (5, NOON, {TREE.id, second.id, merged.id})
    assert {(g.tree_id, g.node_id, g.kind, g.nodes) for g in report.gaps} == {
        (TREE.id, "top", GapKind.LEFT, 1),
        (TREE.id, "sales", GapKind.UNREACHABLE, 1),
        (second.id, "x", GapKind.NO_HOLDER, 1),
        (merged.id, "y", GapKind.NO_HOLDER, 1),
    }
    later_on = await duties.gap_report(OWNER.id, TREE.id, later(1))
    assert [(g.node_id, g.nodes) for g in later_on.gaps] == [("top", 1), ("sales", 2)]
    for customer_id, tree_id in ((new_uuid(), ""), (OWNER.id, new_uuid())):
        with pytest.raises(NotFound):
            await duties.gap_report(customer_id, tree_id, NOON)


async def test_a_holder_stood_at_a_time_as_it_stood_then() -> None:
    closed = replace(ADA, status=Status.CLOSED, contact_media=(), version=2, update_time=later(5))
    duties = reading(assignment(TOP, holder_id=ADA.id), customers=(OWNER, closed), former=(ADA,))
    for at, standing in ((NOON, Standing.REACHABLE), (later(5), Standing.LEFT), (None, Standing.LEFT)):
        (holder,) = (await duties.who_is(OWNER.id, "manager", "field", at))[0].holders
        assert holder.standing is standing
    assert (await duties.gap_report(OWNER.id, "", NOON)).gaps == []
    assert [g.kind for g in (await duties.gap_report(OWNER.id, "", later(5))).gaps] == [GapKind.LEFT]


async def test_who_was_erased_has_left_at_every_time() -> None:
    erased = replace(ADA, contact_media=(), erase_time=later(5), version=2, update_time=later(5))
    duties = reading(assignment(TOP, holder_id=ADA.id), customers=(OWNER, erased), former=(ADA,))
    (holder,) = (await duties.who_is(OWNER.id, "manager", "top", NOON))[0].holders
    assert (holder.standing, holder.contact.email) == (Standing.LEFT, "")


async def test_before_a_merge_a_holder_was_itself() -> None:
    before = person(contact_media=(email("own@example.com"),))
    merged = replace(before, merged_into=ADA.id, version=2, update_time=later(5))
    lineage = FakeLineage((ADA.id, before.id))
    held = assignment(TOP, holder_id=before.id)
    duties = reading(held, customers=(OWNER, ADA, merged), former=(before,), lineage=lineage)
    for at, address in ((NOON, "own@example.com"), (later(5), "ada@example.com"), (None, "ada@example.com")):
        (holder,) = (await duties.who_is(OWNER.id, "manager", "top", at))[0].holders
        assert holder.contact.email == address


async def test_while_a_holder_was_merged_it_was_the_survivor_though_they_were_parted_since() -> None:
    before = person(contact_media=(email("own@example.com"),))
    merged = replace(before, merged_into=ADA.id, version=2, update_time=later(5))
    parted = replace(before, version=3, update_time=later(9))
    held = assignment(TOP, holder_id=before.id)
    for ada, then in ((ADA, "ada@example.com"), (replace(ADA, erase_time=later(20), contact_media=()), "")):
        duties = reading(held, customers=(OWNER, ada, parted), former=(before, merged))
        for at, address in ((NOON, "own@example.com"), (later(7), then), (later(9), "own@example.com")):
            (holder,) = (await duties.who_is(OWNER.id, "manager", "top", at))[0].holders
            assert holder.contact.email == address


async def test_a_holder_whose_record_is_younger_than_the_question_is_as_it_is() -> None:
    young = replace(ADA, create_time=later(5), update_time=later(5))
    duties = reading(assignment(TOP, holder_id=ADA.id), customers=(OWNER, young))
    (holder,) = (await duties.who_is(OWNER.id, "manager", "top", NOON))[0].holders
    assert holder.standing is Standing.REACHABLE


async def test_what_there_is_to_look_after_is_as_it_was_then() -> None:
    store = FakeResponsibilities(*CATALOGUE, assignment(TOP, "sorter"), assignment(TOP, "collector"), assignment(TOP))
    duties = ResponsibilityReading(store, FakeCustomers(OWNER), FakeHierarchy(TREE, TOP), FakeLineage())

    async def defined(wish: Responsibility) -> None:
        await store.transact(lambda t: store.define(t, wish))

    await defined(duty("sorter", "checker", version=2, update_time=later(5)))
    await defined(duty("checker", required=True, update_time=later(7)))
    for at, needed, missing in (
        (NOON, "collector", []),
        (later(4), "collector", []),
        (later(6), "checker", [("checker", ("sorter",))]),
        (later(7), "checker", [("checker", ())]),
        (None, "checker", [("checker", ())]),
    ):
        _, dependencies = await duties.who_is(OWNER.id, "sorter", "top", at)
        assert [d.responsibility for d in dependencies] == [needed]
        report = await duties.gap_report(OWNER.id, "", at)
        assert [(g.responsibility, g.needed_by) for g in report.gaps] == missing


async def test_a_report_goes_on_where_its_page_ended_as_of_the_same_time() -> None:
    second = tree(OWNER.id)
    nodes: tuple[Tree | Placement, ...] = (TREE, TOP, SALES, FIELD, second, *family(second, "x"))
    silent = [assignment(place, contact=Contact("Pat")) for place in (SALES, FIELD)]
    duties = reading(assignment(TOP, "sorter"), *silent, nodes=nodes)
    whole = await duties.gap_report(OWNER.id, "", NOON)
    assert whole.count == len(whole.gaps) == 5
    told: list[Gap] = []
    token = ""
    while len(told) < whole.count:
        page = await duties.gap_report(OWNER.id, "", None, token)
        assert (page.count, page.nodes) == (5, 4)
        assert not told or page.as_of == NOON
        told.append(page.gaps[0])
        token = paging_rules.token(OWNER.id, "", NOON, page.gaps[0])
    assert told == whole.gaps
    assert (await duties.gap_report(OWNER.id, "", None, token)).gaps == []
    for foreign in (token, "bm90IG9uZQ==", "?"):
        with pytest.raises(Invalid) as refused:
            await duties.gap_report(OWNER.id, TREE.id, None, foreign)
        assert (refused.value.reason, refused.value.field) == ("INVALID_PAGE_TOKEN", "page.page_token")
