"""What happens to scores: one is asked for, one has to be made anew, those at risk are listed."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from chassis.events.outbox import Happening
from chassis.query.selection import Selection
from chassis.rules import Refused
from chassis.times import now
from services.retention.features.rules import Reading
from services.retention.models.rules import Model
from services.retention.scores import wire
from services.retention.scores.assessment_rules import Assessment, Champion, Scored, assess, probability
from services.retention.scores.rules import Band, band

MANY = 64
"""From so many customers on, numpy is faster than scoring one after the other."""
EXPLAINED = 100
"""Scores explained between two turns of the event loop: some milliseconds of work."""


@dataclass(frozen=True, slots=True)
class Told:
    """What is known of a customer's last score: its version, and the band that was last told of."""

    version: int
    announced: Band | None


NEVER = Told(0, None)


class Scores(Protocol):
    """What the use cases ask of a store; `ScoreStore` says more of each."""

    async def told(self, transaction: Any, customer_ids: Sequence[str]) -> dict[str, Told]: ...

    async def keep(self, transaction: Any, scores: Sequence[Scored], happenings: Sequence[Happening]) -> None: ...

    async def expect(self, transaction: Any, customer_ids: Sequence[str], at: datetime) -> None: ...

    async def retire(self, transaction: Any, customer_ids: Sequence[str]) -> None: ...

    async def forget(self, transaction: Any, customer_ids: Sequence[str]) -> None: ...

    async def page(self, selection: Selection) -> tuple[list[Scored], str]: ...


class Features(Protocol):
    """What scores ask of features."""

    async def get(self, customer_id: str, at: datetime) -> tuple[str, Reading]: ...


class Champions(Protocol):
    """What scores ask of the models."""

    def current(self) -> Champion | None: ...

    async def of(self, transaction: Any) -> Champion | None: ...

    async def model(self, model_id: str) -> Champion | None: ...


class ScoreUseCases:
    """Scores customers."""

    def __init__(self, store: Scores, features: Features, champions: Champions) -> None:
        self._store = store
        self._features = features
        self._champions = champions

    async def get(self, customer_id: str) -> Assessment:
        """A customer's score as of now, by the champion; of one that was merged, that of its survivor.

        Raises:
            Refused: there is no champion (NO_CHAMPION); NotFound: nothing was ever heard of the customer.
        """
        champion = self._champions.current()
        if champion is None:
            raise Refused("no model is champion yet: train one and promote it", reason="NO_CHAMPION")
        at = now()
        survivor, reading = await self._features.get(customer_id, at)
        return assess(survivor, champion, reading.values, reading.currency, at)

    async def page(self, selection: Selection) -> tuple[list[Assessment], str]:
        """A page of scores as they were stored, and the next page's token.

        Raises:
            Invalid: the selection asks for what the list does not offer.
        """
        scores, token = await self._store.page(selection)
        models = {model_id: await self._champions.model(model_id) for model_id in {one.model_id for one in scores}}
        found: list[Assessment] = []
        for start in range(0, len(scores), EXPLAINED):
            found += [_assessed(one, models[one.model_id]) for one in scores[start : start + EXPLAINED]]
            await asyncio.sleep(0)
        return found, token

    async def rescore(self, transaction: Any, readings: Mapping[str, Reading], at: datetime) -> None:
        """Scores customers anew with the champion, and tells of every band that changed; without one, they wait."""
        champion = await self._champions.of(transaction)
        if champion is not None:
            await self.score(transaction, champion, readings, at)
        elif readings:
            await self._store.expect(transaction, list(readings), at)

    async def retire(self, transaction: Any, customer_ids: Sequence[str]) -> None:
        """Takes ids off the list that are no customer of their own any more; they may become one again."""
        await self._store.retire(transaction, customer_ids)

    async def forget(self, transaction: Any, customer_ids: Sequence[str]) -> None:
        """Deletes the scores of somebody erased, with what they were computed from and what was told of them."""
        await self._store.forget(transaction, customer_ids)

    async def score(self, transaction: Any, champion: Champion, readings: Mapping[str, Reading], at: datetime) -> None:
        """Scores customers with `champion`, keeps the scores, and tells of every band that changed."""
        if not readings:
            return
        known = await self._store.told(transaction, list(readings))
        chances = _chances(champion.model, readings)
        scores: list[Scored] = []
        happenings: list[Happening] = []
        for (who, reading), chance in zip(readings.items(), chances, strict=True):
            before = known.get(who, NEVER)
            scored = _scored(who, reading, chance, model_id=champion.id, told=before, at=at)
            if scored.announced != before.announced:
                happenings.append(_band_changed(scored, champion, before))
            scores.append(scored)
        await self._store.keep(transaction, scores, happenings)


def _chances(model: Model, readings: Mapping[str, Reading]) -> list[float]:
    if len(readings) >= MANY:
        try:
            from services.retention.models.batch import score_batch
        except ModuleNotFoundError:
            # numpy comes with the extra `train`; without it the figures are the same, and later.
            pass
        else:
            rows = [reading.vector for reading in readings.values()]
            return [float(one) for one in score_batch(model, rows).probability]
    return [probability(model, reading.values) for reading in readings.values()]


def _scored(who: str, reading: Reading, chance: float, *, model_id: str, told: Told, at: datetime) -> Scored:
    found = band(chance)
    return Scored(
        customer_id=who,
        probability=chance,
        band=found,
        model_id=model_id,
        at=at,
        values=reading.values,
        currency=reading.currency,
        # Nobody is told of the risk of losing who has left.
        announced=found if reading.is_customer else told.announced,
        listed=reading.is_customer,
        version=told.version + 1,
    )


def _assessed(scored: Scored, model: Champion | None) -> Assessment:
    if model is None:
        # The model can no longer be trusted or read: what it said stands, why it said so cannot be told.
        return Assessment(
            scored.customer_id, scored.probability, scored.band, (), (), scored.model_id, scored.at, None, None
        )
    return assess(scored.customer_id, model, scored.values, scored.currency, scored.at)


def _band_changed(scored: Scored, model: Champion, told: Told) -> Happening:
    data = wire.band_changed(_assessed(scored, model), told.announced)
    return Happening(scored.customer_id, scored.version, data, scored.at, scored.customer_id)
