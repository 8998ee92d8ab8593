"""Merges between protobuf and the rules' dataclasses."""

from collections.abc import Iterable

from holdfast.customer_info.v1 import merges_pb2 as pb

from chassis.rules import Invalid
from services.customer_info.merges.list_rules import Keep
from services.customer_info.merges.rules import Merge, Outcome
from services.customer_info.wire import stamp

KEEPS = {k: pb.Survivorship.Value(f"SURVIVORSHIP_{k.name}") for k in Keep}
_KEEP = {number: keep for keep, number in KEEPS.items()}
# What the contract calls the two kinds of party.
_FIELDS = {"individual": "party", "organization": "party"}


def choices(messages: Iterable[pb.FieldChoice]) -> dict[str, Keep]:
    """The choices that messages tell, by field.

    Raises:
        Invalid: two choose for one field.
    """
    chosen: dict[str, Keep] = {}
    for n, choice in enumerate(messages):
        name = _FIELDS.get(choice.field, choice.field)
        if name in chosen:
            raise Invalid("a field is chosen for once", field=f"choices[{n}].field")
        chosen[name] = _KEEP[choice.keep]
    return chosen


def outcomes(kept: Iterable[Outcome]) -> list[pb.FieldOutcome]:
    """What becomes of fields, as messages."""
    return [pb.FieldOutcome(field=o.field, keep=KEEPS[o.keep], conflict=o.conflict) for o in kept]


def message(merge: Merge) -> pb.MergeRecord:
    """A merge as it goes to a caller."""
    return pb.MergeRecord(
        id=merge.id,
        survivor_id=merge.survivor_id,
        duplicate_id=merge.duplicate_id,
        merge_time=stamp(merge.merge_time),
        merged_by=merge.merged_by,
        unmerge_time=stamp(merge.unmerge_time),
        unmerged_by=merge.unmerged_by,
        outcomes=outcomes(merge.outcomes),
    )
