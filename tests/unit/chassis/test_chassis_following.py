"""Following customer information: lineage in step, the erased noted, ids resolved in what is asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import Message
from holdfast.customer_info.v1 import customers_pb2, merges_pb2, privacy_pb2

from chassis.following import KINDS, Following, decided, resolved
from chassis.query.selection import Operator, Selection
from tests.support.fakes.lineage import FakeLineage


@dataclass
class Said:
    """An event, as far as it matters."""

    data: Message


def merged(*members: str) -> Said:
    return Said(merges_pb2.CustomersMerged(survivor_id=members[0], duplicate_id=members[-1], member_ids=members))


def parted(*groups: Sequence[str]) -> Said:
    return Said(merges_pb2.CustomersUnmerged(groups=[merges_pb2.CustomerGroup(member_ids=g) for g in groups]))


def erased(*members: str) -> Said:
    return Said(privacy_pb2.CustomerErased(member_ids=members))


async def test_the_lineage_is_what_the_last_event_says_of_each_customer() -> None:
    lineage = FakeLineage()
    follow = Following(lineage)
    await follow.apply([merged("a", "b"), merged("c", "d"), merged("a", "b", "c", "d")], None)
    assert await lineage.of("d") == ("a", "b", "c", "d")
    await follow.apply([parted(["a", "b"], ["c", "d"]), parted(["c"], ["d"])], None)
    assert [await lineage.of(who) for who in "abcd"] == [("a", "b"), ("a", "b"), ("c",), ("d",)]


async def test_the_erased_are_told_of_once_and_in_the_transaction() -> None:
    told: list[tuple[Any, Sequence[str]]] = []

    async def erase(transaction: Any, customer_ids: Sequence[str]) -> None:
        told.append((transaction, customer_ids))

    follow = Following(FakeLineage(), erase)
    await follow.apply([merged("a", "b"), erased("a", "b"), erased("b", "c")], "t")
    await follow.apply([merged("x", "y")], "t")
    assert told == [("t", ("a", "b", "c"))]


async def test_where_nothing_personal_is_kept_an_erasure_changes_nothing() -> None:
    lineage = FakeLineage(["a", "b"])
    await Following(lineage).apply([erased("a", "b")], None)
    assert await lineage.of("b") == ("a", "b")


def test_other_events_decide_nothing() -> None:
    found = decided([Said(customers_pb2.CustomerCreated()), merged("a", "b"), parted(["a"], ["b"])])
    assert (found.groups, found.erased) == (((("a", "b"),), (("a",), ("b",))), ())
    assert found.touched == ["a", "b"]
    assert {kind.DESCRIPTOR.name for kind in KINDS} == {"CustomersMerged", "CustomersUnmerged", "CustomerErased"}


async def test_a_predicate_on_a_customer_asks_for_all_of_its_ids() -> None:
    lineage = FakeLineage(["a", "b"], ["c", "d"])
    asked = Selection(page_size=7).where("state", "open").where("customer_id", "b", "x", "a")
    found = await resolved(asked, lineage)
    assert [p.values for p in found.predicates] == [("open",), ("a", "b", "x")]
    assert found.page_size == 7
    unlike = await resolved(Selection().where("customer_id", "d", operator=Operator.NOT_EQUAL), lineage)
    assert [(p.operator, p.values) for p in unlike.predicates] == [(Operator.NOT_EQUAL, ("c", "d"))]


async def test_a_selection_that_names_no_customer_stays_as_it_is() -> None:
    asked = Selection().where("state", "open")
    assert await resolved(asked, FakeLineage()) is asked
