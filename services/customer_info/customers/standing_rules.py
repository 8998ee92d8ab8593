"""How a customer's record stands, for those who write many of its things at once. Pure: no I/O, no clock."""

from dataclasses import dataclass
from datetime import datetime

from chassis.rules import Refused, erased


@dataclass(frozen=True, slots=True)
class Standing:
    """What became of a customer's record: whether it was merged into another one, or the person erased.

    `parent_id` is who is above it in the legal structure, as it was given.
    """

    id: str
    merged_into: str = ""
    erase_time: datetime | None = None
    parent_id: str = ""


def check_standing(standing: Standing, *, takes_new: bool) -> None:
    """Passes a record that may be given things; new ones go to the survivor of a merge, those that are there stay.

    Raises:
        Refused: the person was erased (ERASED), or something new would go to a record that was merged (MERGED).
    """
    if standing.erase_time:
        raise erased(standing.id)
    if takes_new and standing.merged_into:
        raise Refused(
            "the customer was merged into another one: that one takes what is new",
            reason="MERGED",
            metadata={"survivor_id": standing.merged_into},
        )
