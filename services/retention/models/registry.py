"""The registry of models: what is kept of each, and how one becomes champion."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import IntEnum

from services.retention.models.report import Report
from services.retention.models.signing import Signature

ID_DIGITS = 12
CHAMPION = "champion"
"""Stands, where a model is asked for, for the one in use."""


class Stage(IntEnum):
    """Where a model stands; numbered as in the contract."""

    CANDIDATE = 1
    CHAMPION = 2
    RETIRED = 3


@dataclass(frozen=True, slots=True)
class Entry:
    """A model in the registry.

    Attributes:
        id: "churn-" and the first digits of the digest.
        text: its canonical JSON.
        signature: of that text.
        report, card: what its training found out, and the same for people.
        version: counts the changes of its stage.
    """

    id: str
    digest: str
    text: bytes
    signature: Signature
    stage: Stage
    report: Report
    card: str
    create_time: datetime
    version: int


def id_of(digest: str) -> str:
    """The id of the model with that digest."""
    return f"churn-{digest[:ID_DIGITS]}"


def moved(entry: Entry, stage: Stage) -> Entry:
    """The entry in another stage."""
    return replace(entry, stage=stage, version=entry.version + 1)
