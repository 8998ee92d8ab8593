"""Erasures: what is known of one, and how far it is. Pure."""

from dataclasses import dataclass
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
