"""What a contract suite is run against: the hand-written fake, and the real store."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from chassis.events.outbox import OUTBOX, Happening
from chassis.mongo.client import Store

S = TypeVar("S")
Told = list[tuple[str, int, str]]


@dataclass
class Subject(Generic[S]):
    """A store under test. `told` answers with the events kept of some things: whose, which version, what."""

    store: S
    told: Callable[[Sequence[str]], Awaitable[Told]]


def told_by_fake(store: Any) -> Callable[[Sequence[str]], Awaitable[Told]]:
    """The events that a fake keeps."""

    async def told(subjects: Sequence[str]) -> Told:
        events: list[Happening] = store.events
        return sorted((e.subject, e.sequence, e.data.DESCRIPTOR.name) for e in events if e.subject in subjects)

    return told


def told_by_outbox(store: Store) -> Callable[[Sequence[str]], Awaitable[Told]]:
    """The events that wait in the outbox."""

    async def told(subjects: Sequence[str]) -> Told:
        found = store.collection(OUTBOX.name).find({"subject": {"$in": list(subjects)}})
        return sorted([(e["subject"], e["sequence"], e["type"].rpartition(".")[2]) async for e in found])

    return told
