"""What happens to models: one is trained, one is promoted, all can be looked at."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from chassis.events.outbox import Happening
from chassis.query.selection import Selection
from chassis.rules import missing
from chassis.times import now
from services.retention.features.rules import Value, Vector
from services.retention.models import wire
from services.retention.models.card import card
from services.retention.models.encoding import digest
from services.retention.models.keys import Signer
from services.retention.models.registry import CHAMPION, Entry, Stage, id_of, moved
from services.retention.models.trainer import Result, Step
from services.retention.models.training import Options

T = TypeVar("T")
GATHER_SHARE, LEARN_SHARE = 0.2, 0.75
"""Shares of the bar; what is left is storing."""


class Models(Protocol):
    """What the use cases ask of a store; `ModelStore` says more of each."""

    async def transact(self, work: Callable[[Any], Awaitable[T]]) -> T: ...

    async def get(self, transaction: Any, model_id: str) -> Entry | None: ...

    async def champion(self, transaction: Any) -> Entry | None: ...

    async def page(self, selection: Selection) -> tuple[list[Entry], str]: ...

    async def insert(self, transaction: Any, entry: Entry) -> None: ...

    async def replace(self, transaction: Any, entry: Entry, *happenings: Happening) -> None: ...


class Customers(Protocol):
    """What training asks of features."""

    async def outcome_count(self) -> int: ...

    def labelled(self) -> AsyncIterator[list[tuple[str, dict[str, Value], bool]]]: ...


class Train(Protocol):
    """Trains on labelled customers; `trainer.train` says more."""

    def __call__(
        self, ids: Sequence[str], vectors: Sequence[Vector], labels: Sequence[int], options: Options
    ) -> AsyncGenerator[Step | Result, None]: ...


@dataclass(frozen=True, slots=True)
class Stride:
    """How far a training is, from 0 to 1; the last one has the model."""

    stage: str
    progress: float
    entry: Entry | None = None


class ModelUseCases:
    """Trains, shows and promotes models."""

    def __init__(self, store: Models, customers: Customers, train: Train, signer: Signer, horizon_months: int) -> None:
        self._store = store
        self._customers = customers
        self._train = train
        self._signer = signer
        self._horizon_months = horizon_months
        # A training takes a core: two at once would take that of the service.
        self._one = asyncio.Lock()

    async def train(self, seed: int, *, promote: bool) -> AsyncGenerator[Stride, None]:
        """Trains on the outcomes known so far; the same data and seed give the same model, which is kept once.

        Raises:
            Invalid: the seed is too large; Refused: too few customers or of one outcome (TOO_FEW_OUTCOMES), or the
            process cannot train.
        """
        options = Options(horizon_months=self._horizon_months, seed=seed)
        yield Stride("waiting for another training" if self._one.locked() else "gathering customers", 0.0)
        async with self._one:
            ids: list[str] = []
            rows: list[dict[str, Value]] = []
            labels: list[int] = []
            expected = max(1, await self._customers.outcome_count())
            async for some in self._customers.labelled():
                for customer_id, row, churned in some:
                    ids.append(customer_id)
                    rows.append(row)
                    labels.append(int(churned))
                yield Stride("gathering customers", GATHER_SHARE * min(1.0, len(ids) / expected))
            result: Result | None = None
            # Closed at once when the caller goes away: its process must not outlive it.
            async with contextlib.aclosing(self._train(ids, rows, labels, options)) as steps:
                async for told in steps:
                    if isinstance(told, Result):
                        result = told
                    else:
                        yield Stride(told.text, GATHER_SHARE + LEARN_SHARE * told.done / told.total)
        if result is None:
            raise RuntimeError("training ended without a model")
        yield Stride("storing", GATHER_SHARE + LEARN_SHARE)
        entry = await self._kept(result)
        if promote:
            entry = await self.promote(entry.id)
        yield Stride("done", 1.0, entry)

    async def get(self, model_id: str) -> Entry:
        """One model; "champion" stands for the one in use.

        Raises:
            NotFound: there is none.
        """
        champion = model_id == CHAMPION
        entry = await (self._store.champion(None) if champion else self._store.get(None, model_id))
        if entry is None:
            raise missing("model", model_id)
        return entry

    async def page(self, selection: Selection) -> tuple[list[Entry], str]:
        """A page of models, and the next page's token.

        Raises:
            Invalid: the selection asks for what the list does not offer.
        """
        return await self._store.page(selection)

    async def promote(self, model_id: str) -> Entry:
        """Makes a model champion; the one before steps back. Promoting an older one is the way back.

        Raises:
            NotFound: there is no such model; Refused: it is not signed by the key trusted here, or was changed.
        """

        async def work(transaction: Any) -> Entry:
            entry = await self._store.get(transaction, model_id)
            if entry is None:
                raise missing("model", model_id)
            self._signer.open(entry)
            if entry.stage is Stage.CHAMPION:
                return entry
            before = await self._store.champion(transaction)
            if before is not None:
                await self._store.replace(transaction, moved(before, Stage.RETIRED))
            after = moved(entry, Stage.CHAMPION)
            happening = Happening(after.id, after.version, wire.champion_changed(after), now())
            await self._store.replace(transaction, after, happening)
            return after

        return await self._store.transact(work)

    async def _kept(self, result: Result) -> Entry:
        found = digest(result.text)
        entry = Entry(
            id=id_of(found),
            digest=found,
            text=result.text,
            signature=self._signer.sign(result.text),
            stage=Stage.CANDIDATE,
            report=result.report,
            card=card(result.model, result.report),
            create_time=now(),
            version=1,
        )

        async def work(transaction: Any) -> Entry:
            there = await self._store.get(transaction, entry.id)
            if there is not None:
                return there
            await self._store.insert(transaction, entry)
            return entry

        return await self._store.transact(work)
