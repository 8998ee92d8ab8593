"""Responsibilities between protobuf and the rules."""

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from holdfast.customer_info.v1 import responsibilities_pb2 as pb

from chassis.rules import Invalid
from chassis.times import to_timestamp
from services.customer_info.responsibilities import wire
from services.customer_info.responsibilities.rules import Contact, Standing
from services.customer_info.responsibilities.tree_rules import Gap, GapKind
from tests.unit.services.customer_info.builders import NOON, later, new_uuid
from tests.unit.services.customer_info.responsibility_builders import PAT, assignment, duty
from tests.unit.services.customer_info.trees import placement, tree

TREE = tree()
PLACE = placement(TREE, new_uuid())


def test_a_definition_survives_the_wire() -> None:
    kept = duty("sorter", "collector", required=True, several=True)
    sent = wire.definition_message(kept)
    assert sent.etag == "v1"
    read = wire.definition(sent)
    assert (read.name, read.depends_on, read.required, read.several) == ("sorter", ("collector",), True, True)


def test_an_assignment_says_who_holds_it_and_names_no_end_that_it_does_not_have() -> None:
    outside = wire.message(assignment(PLACE))
    assert (outside.WhichOneof("holder"), outside.contact.name) == ("contact", PAT.name)
    assert not outside.HasField("end")
    holder = new_uuid()
    ours = wire.message(assignment(PLACE, holder_id=holder, end=later()))
    assert (ours.WhichOneof("holder"), ours.holder_id) == ("holder_id", holder)
    assert ours.end == to_timestamp(later())


def test_a_wish_is_read_with_its_times() -> None:
    read = wire.wish(pb.Assignment(node_id="n", contact=pb.HolderContact(name="Pat"), start=to_timestamp(NOON)))
    assert (read.start, read.end, read.contact, read.holder_id) == (NOON, None, Contact("Pat"), "")
    assert wire.wish(pb.Assignment(holder_id="h")).contact is None
    with pytest.raises(Invalid) as refused:
        wire.wish(pb.Assignment(end=Timestamp(seconds=10**15)))
    assert refused.value.field == "assignment.end"


def test_events_name_nobody() -> None:
    assert "pat" not in str(wire.facts(assignment(PLACE, end=later()))).lower()


def test_a_gap_and_a_holder_go_out_whole() -> None:
    gap = Gap(
        tree_id=TREE.id,
        node_ids=PLACE.path,
        path=("top",),
        responsibility="sorter",
        kind=GapKind.LEFT,
        required=True,
        needed_by=("auditor",),
        assignment_ids=("a",),
        nodes=7,
    )
    sent = wire.gap_message(gap, TREE)
    assert (sent.tree_name, sent.kind, sent.required, sent.nodes) == (TREE.name, pb.GAP_KIND_LEFT, True, 7)
    assert (list(sent.path), list(sent.needed_by), list(sent.assignment_ids)) == (["top"], ["auditor"], ["a"])
    holder = wire.holder_message(assignment(PLACE), PAT, Standing.UNREACHABLE)
    assert holder.standing == pb.HOLDER_STANDING_UNREACHABLE
    assert wire.holders_message("x", [holder], None).node_id == ""
    assert wire.holders_message("x", [holder], PLACE).node_name == PLACE.name
