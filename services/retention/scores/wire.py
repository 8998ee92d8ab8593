"""Scores between protobuf and the rules' dataclasses: part of the handlers' door."""

from collections.abc import Mapping
from typing import Final

from holdfast.common.v1 import types_pb2
from holdfast.retention.v1 import scores_pb2 as pb

from chassis.times import to_timestamp
from services.retention.features.rules import Value
from services.retention.scores.assessment_rules import BANDS, Assessment
from services.retention.scores.rules import Band

NUMBERS: Final[Mapping[Band, pb.RiskBand.ValueType]] = {
    band: pb.RiskBand.Value(f"RISK_BAND_{band.upper()}") for band in BANDS
}


def message(found: Assessment) -> pb.Score:
    """A score as it goes to a caller."""
    value = found.value
    return pb.Score(
        customer_id=found.customer_id,
        probability=found.probability,
        band=NUMBERS[found.band],
        reasons=[
            pb.ReasonCode(
                feature=one.feature,
                value=text(one.value),
                text=one.text,
                log_odds=one.log_odds,
                probability_points=one.points / 100,
            )
            for one in found.reasons
        ],
        levers=[
            pb.Lever(
                feature=one.feature,
                current_value=text(one.value),
                new_value=text(one.to_value),
                probability=one.probability,
            )
            for one in found.remedies
        ],
        model_id=found.model_id,
        score_time=to_timestamp(found.at),
        lifetime_value=types_pb2.Money(currency_code=value.currency_code, micros=value.micros) if value else None,
        value_tier=found.tier or "",
    )


def band_changed(found: Assessment, before: Band | None) -> pb.RiskBandChanged:
    """The event that a band changed."""
    previous = NUMBERS[before] if before else pb.RISK_BAND_UNSPECIFIED
    return pb.RiskBandChanged(score=message(found), previous_band=previous)


def text(value: Value) -> str:
    """A feature's value as text; empty where it is not known."""
    if value is None:
        return ""
    return value if isinstance(value, str) else f"{value:g}"
