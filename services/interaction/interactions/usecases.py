"""What happens to interactions, one function per method."""

from collections.abc import Container, Sequence
from datetime import datetime
from typing import Protocol

from holdfast.interaction.v1 import interactions_pb2 as pb

from chassis.bulk import Outcome
from chassis.following import Ids
from chassis.ids import new_id, new_ids
from chassis.query.selection import Selection
from chassis.rules import Refusal, missing
from chassis.times import now
from services.interaction.interactions import wire
from services.interaction.interactions.rules import Times, check_sender


class Interactions(Protocol):
    """What the use cases ask of a store; `InteractionStore` says more of each."""

    async def add(self, entry: pb.Interaction, times: Times) -> pb.Interaction | None: ...

    async def add_all(self, entries: Sequence[tuple[pb.Interaction, Times]]) -> list[Outcome | Refusal]: ...

    async def get(self, entry_id: str) -> pb.Interaction | None: ...

    async def page(self, customer_ids: Sequence[str], selection: Selection) -> tuple[list[pb.Interaction], str]: ...

    async def redact(self, customer_id: str, at: datetime) -> int: ...


class InteractionUseCases:
    """Logs and reads entries."""

    def __init__(self, store: Interactions, lineage: Ids, erased: Container[str]) -> None:
        """Keeps entries in `store`; resolves ids by `lineage`, and keeps no text of those who are `erased`."""
        self._store = store
        self._lineage = lineage
        self._erased = erased

    async def log(self, entry: pb.Interaction) -> tuple[pb.Interaction, bool]:
        """Logs an entry; answers with it as kept, or with the one logged before under its message id, and whether so.

        What a caller says of a customer is logged whether or not this service ever heard of that customer. Of a person
        who was erased, that there was a contact is logged, and nothing of what was said.

        Raises:
            Invalid: it says to have happened, or been received, at a time that makes no sense, or it gives a message id
                without its source.
        """
        check_sender(entry.source, entry.message_id, "interaction.")
        times = wire.times(entry, now(), "interaction.")
        if entry.customer_id in self._erased:
            times = _without_text(entry, times)
        wire.stamp(entry, new_id(), times)
        original = await self._store.add(entry, times)
        return (entry, False) if original is None else (original, True)

    async def get(self, entry_id: str) -> pb.Interaction:
        """One entry.

        Raises:
            NotFound: there is none.
        """
        entry = await self._store.get(entry_id)
        if entry is None:
            raise missing("interaction", entry_id)
        return entry

    async def page(self, customer_id: str, selection: Selection) -> tuple[list[pb.Interaction], str]:
        """A page of a customer's history, under whichever of its ids, newest first, and the next page's token.

        Raises:
            Invalid: the selection asks for what the list does not offer.
        """
        return await self._store.page(await self._lineage.of(customer_id), selection)

    async def ingest(self, entries: Sequence[pb.Interaction]) -> list[Outcome | Refusal]:
        """Logs many entries; answers for each in order: created, unchanged (logged before), or why it was refused."""
        at = now()
        outcomes: list[Outcome | Refusal] = [Outcome.CREATED] * len(entries)
        places: list[int] = []
        good: list[tuple[pb.Interaction, Times]] = []
        for place, entry in enumerate(entries):
            try:
                check_sender(entry.source, entry.message_id)
                times = wire.times(entry, at)
                if entry.customer_id in self._erased:
                    times = _without_text(entry, times)
            except Refusal as refusal:
                outcomes[place] = refusal
                continue
            places.append(place)
            good.append((entry, times))
        if good:
            for (entry, _), entry_id in zip(good, new_ids(len(good)), strict=True):
                entry.id = entry_id
            for place, outcome in zip(places, await self._store.add_all(good), strict=True):
                outcomes[place] = outcome
        return outcomes


def _without_text(entry: pb.Interaction, times: Times) -> Times:
    """The times of an entry, of which the texts are taken out."""
    wire.redact(entry)
    return times._replace(redact=times.record)
