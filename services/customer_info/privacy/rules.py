"""Erasures: what is known of one, and how far it is. Pure."""

from dataclasses import dataclass, replace
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Erasure:
    """The erasure of one person, under all ids they had (`members`, the survivor's first); there is one of a survivor.

    It is asked for, and from then on carried out whatever process dies meanwhile; `done_time` is when nothing was left.
    """

    members: tuple[str, ...]
    reason: str
    asked_by: str
    ask_time: datetime
    done_time: datetime | None = None


def begun(known: Erasure | None, asked: Erasure) -> Erasure:
    """The erasure that is to be carried out when `asked` is asked for; `known` is what there is of the person already.

    One that is known stands for all that follow. It is to be carried out anew, for all, where it did not know all ids.
    """
    if known is None:
        return asked
    members = tuple(dict.fromkeys((*known.members, *asked.members)))
    return known if members == known.members else replace(known, members=members, done_time=None)
