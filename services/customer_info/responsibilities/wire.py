"""Responsibilities between protobuf and the rules' dataclasses: part of the handlers' door."""

from collections.abc import Mapping, Sequence

from holdfast.customer_info.v1 import responsibilities_pb2 as pb

from chassis.etag import etag
from chassis.times import moment, to_timestamp
from services.customer_info.hierarchy.rules import FOREVER, Placement, Tree
from services.customer_info.history.rules import Made
from services.customer_info.responsibilities.rules import Assignment, Contact, Responsibility, Standing, Wish
from services.customer_info.responsibilities.tree_rules import Gap, GapKind
from services.customer_info.wire import stamp

GAP_KINDS = {k: pb.GapKind.Value(f"GAP_KIND_{k.name}") for k in GapKind}
# A gRPC client takes 4 MiB unless it says otherwise. In deep trees a gap with the names of all above it has 16 kB.
MOST_BYTES = 3 * 1024 * 1024
# What a message costs inside of another one: its tag and its length.
ROOM_AROUND = 4
STANDINGS = {s: pb.HolderStanding.Value(f"HOLDER_STANDING_{s.name}") for s in Standing}


def definition(message: pb.Responsibility) -> Responsibility:
    """The responsibility that a validated message describes."""
    return Responsibility(
        name=message.name,
        description=message.description,
        depends_on=tuple(message.depends_on),
        required=message.required,
        several=message.several,
    )


def definition_message(kept: Responsibility) -> pb.Responsibility:
    """A responsibility as it goes to a caller."""
    return pb.Responsibility(
        name=kept.name,
        etag=etag(kept.version),
        description=kept.description,
        depends_on=kept.depends_on,
        required=kept.required,
        several=kept.several,
        update_time=stamp(kept.update_time),
    )


def version_message(made: Made[Responsibility]) -> pb.ResponsibilityVersion:
    """A version of a responsibility as it goes to a caller."""
    return pb.ResponsibilityVersion(
        responsibility=definition_message(made.record), version=made.record.version, by=made.by, channel=made.channel
    )


def wish(message: pb.Assignment) -> Wish:
    """The assignment that a validated message wants.

    Raises:
        Invalid: one of its times is no time.
    """
    contact = message.contact if message.WhichOneof("holder") == "contact" else None
    return Wish(
        customer_id=message.customer_id,
        node_id=message.node_id,
        responsibility=message.responsibility,
        id=message.id,
        start=moment(message, "start", "assignment.start"),
        end=moment(message, "end", "assignment.end"),
        holder_id=message.holder_id,
        contact=None if contact is None else Contact(contact.name, contact.email, contact.phone),
    )


def message(kept: Assignment) -> pb.Assignment:
    """An assignment as it goes to a caller."""
    out = pb.Assignment(
        id=kept.id,
        etag=etag(kept.version),
        customer_id=kept.customer_id,
        tree_id=kept.tree_id,
        node_id=kept.node_id,
        responsibility=kept.responsibility,
        start=stamp(kept.start),
        update_time=stamp(kept.update_time),
    )
    if kept.end < FOREVER:
        out.end.CopyFrom(to_timestamp(kept.end))
    if kept.contact is None:
        out.holder_id = kept.holder_id
    else:
        out.contact.CopyFrom(contact_message(kept.contact))
    return out


def contact_message(contact: Contact) -> pb.HolderContact:
    """Who somebody is, as a message."""
    return pb.HolderContact(name=contact.name, email=contact.email, phone=contact.phone)


def holder_message(assignment: Assignment, contact: Contact, standing: Standing) -> pb.Holder:
    """Somebody who has a responsibility, as a message."""
    return pb.Holder(assignment=message(assignment), contact=contact_message(contact), standing=STANDINGS[standing])


def holders_message(name: str, holders: list[pb.Holder], place: Placement | None) -> pb.Holders:
    """Those who have a responsibility, and where, as a message."""
    out = pb.Holders(responsibility=name, holders=holders)
    if place is not None:
        out.node_id, out.node_name = place.node_id, place.name
    return out


def gaps_page(gaps: Sequence[Gap], trees: Mapping[str, Tree], most: int) -> list[pb.Gap]:
    """The first of the gaps, at most `most`, that fit into one message together; at least one where there is one."""
    told: list[pb.Gap] = []
    size = 0
    for gap in gaps[:most]:
        message = gap_message(gap, trees[gap.tree_id])
        size += message.ByteSize() + ROOM_AROUND
        if told and size > MOST_BYTES:
            break
        told.append(message)
    return told


def gap_message(gap: Gap, tree: Tree) -> pb.Gap:
    """A gap as a message."""
    return pb.Gap(
        tree_id=gap.tree_id,
        tree_name=tree.name,
        node_id=gap.node_id,
        path=gap.path,
        responsibility=gap.responsibility,
        kind=GAP_KINDS[gap.kind],
        required=gap.required,
        needed_by=gap.needed_by,
        assignment_ids=gap.assignment_ids,
        nodes=gap.nodes,
    )


def facts(kept: Assignment) -> pb.AssignmentFacts:
    """What events tell of an assignment: no names, no addresses."""
    return pb.AssignmentFacts(
        id=kept.id,
        customer_id=kept.customer_id,
        tree_id=kept.tree_id,
        node_id=kept.node_id,
        responsibility=kept.responsibility,
        holder_id=kept.holder_id,
        start=stamp(kept.start),
        end=stamp(kept.end) if kept.end < FOREVER else None,
    )
