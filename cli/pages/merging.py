"""What a merge would make and made, and what an erasure takes."""

from typing import Final

from holdfast.customer_info.v1.customers_pb2 import Customer
from holdfast.customer_info.v1.merges_pb2 import (
    FieldOutcome,
    MergeRecord,
    PreviewMergeResponse,
    Survivorship,
    UnmergeResponse,
)
from holdfast.customer_info.v1.privacy_pb2 import EraseCustomerResponse
from rich.console import Group, RenderableType
from rich.text import Text

from cli.pages.found import status_of
from cli.pages.frame import columns
from cli.pages.text import enum_words, minute, plain, words
from cli.pages.who import name_of

LOST: Final = "one of two values will be seen in the history only"


def preview(seen: PreviewMergeResponse) -> RenderableType:
    """Who they would be together, and whose value of each field is kept."""
    table = columns("field", "kept is", "", flexible="")
    for outcome in seen.outcomes:
        table.add_row(*_outcome(outcome))
    return Group(_headline(seen.customer), table)


def merged(record: MergeRecord) -> Text:
    """What to say of a merge that was made."""
    return Text(
        f"{plain(record.duplicate_id)} is part of {plain(record.survivor_id)} since {minute(record.merge_time)} UTC; "
        f"`holdfast customer unmerge {plain(record.duplicate_id)}` undoes it."
    )


def unmerged(answer: UnmergeResponse) -> RenderableType:
    """Both records, each by itself again."""
    return Group("Two customers again:", _headline(answer.survivor), _headline(answer.duplicate))


def about_to_erase(customer: Customer) -> Text:
    """Whom an erasure is about."""
    return _headline(customer)


def erased(answer: EraseCustomerResponse) -> Text:
    """What to say of an erasure that was made."""
    several = f" with all its {len(answer.member_ids)} records" if len(answer.member_ids) > 1 else ""
    return Text(f"Erased{several} at {minute(answer.erase_time)} UTC.")


def _headline(customer: Customer) -> Text:
    return Text.assemble((name_of(customer), "bold"), "  ", status_of(customer), (f"  {plain(customer.id)}", "dim"))


def _outcome(outcome: FieldOutcome) -> tuple[RenderableType, ...]:
    keep = enum_words(Survivorship.Name(outcome.keep), "SURVIVORSHIP_")
    whose = "of both" if outcome.keep == Survivorship.SURVIVORSHIP_BOTH else f"the {keep}'s"
    return words(outcome.field), whose, Text(LOST, style="yellow") if outcome.conflict else ""
