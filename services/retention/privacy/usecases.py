"""Everything that is held on a customer."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from chassis.exporting import Pages
from chassis.following import WHOSE, Ids
from services.retention.features.kept import Kept
from services.retention.features.rules import NAMES, OutcomeRecorded, to_document
from services.retention.scores.assessment_rules import Scored


class Features(Protocol):
    """What an export asks of features; `FeatureStore` says more of each."""

    async def states(self, transaction: Any, customer_ids: Sequence[str]) -> dict[str, Kept]: ...

    async def outcomes(self, transaction: Any, customer_ids: Sequence[str]) -> dict[str, OutcomeRecorded]: ...


class Scores(Protocol):
    """What an export asks of scores; `ScoreStore` says more of each."""

    async def many(self, customer_ids: Sequence[str]) -> list[Scored]: ...


class Exporting:
    """Shows everything that is held on a customer."""

    def __init__(self, lineage: Ids, features: Features, scores: Scores) -> None:
        self._lineage = lineage
        self._features = features
        self._scores = scores

    async def export(self, customer_id: str) -> Mapping[str, Pages]:
        """All that is kept under whichever of a customer's ids, kind by kind."""
        ids = await self._lineage.of(customer_id)
        return {"features": self._all_features(ids), "scores": self._all_scores(ids), "outcomes": self._outcomes(ids)}

    async def _all_features(self, ids: Sequence[str]) -> Pages:
        kept = await self._features.states(None, ids)
        yield [{WHOSE: who, **to_document(one.state)} for who, one in kept.items() if one.state.is_known]

    async def _all_scores(self, ids: Sequence[str]) -> Pages:
        yield [_score(one) for one in await self._scores.many(ids)]

    async def _outcomes(self, ids: Sequence[str]) -> Pages:
        known = await self._features.outcomes(None, ids)
        yield [{WHOSE: who, "churned": one.churned, "observe_time": one.at} for who, one in known.items()]


def _score(scored: Scored) -> Mapping[str, Any]:
    return {
        WHOSE: scored.customer_id,
        "probability": scored.probability,
        "band": scored.band,
        "model_id": scored.model_id,
        "score_time": scored.at,
        "inputs": dict(zip(NAMES, scored.values, strict=False)),
        "currency_code": scored.currency,
    }
