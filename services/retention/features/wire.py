"""Features between protobuf and the rules' dataclasses: part of the handlers' door."""

from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp
from holdfast.retention.v1 import features_pb2 as pb

from chassis.rules import Invalid
from chassis.times import from_timestamp, to_timestamp
from services.retention.features.kept import Outcome
from services.retention.features.readings import Aged
from services.retention.features.rules import FEATURES, Feature, OutcomeRecorded

FIRST_YEAR, LAST_YEAR = 1900, 2999
"""Features count in days and months around a time: at the ends of the calendar there are none."""


def moment(stamp: Timestamp, field: str) -> datetime:
    """A time that features can be read as of.

    Raises:
        Invalid: it is none; names `field`.
    """
    at = from_timestamp(stamp, field)
    if not FIRST_YEAR <= at.year <= LAST_YEAR:
        raise Invalid(f"must lie between the years {FIRST_YEAR} and {LAST_YEAR}", field=field)
    return at


def outcome(message: pb.Outcome) -> Outcome:
    """The outcome that a validated message tells of.

    Raises:
        Invalid: its time is none.
    """
    at = moment(message.observe_time, "observe_time")
    return Outcome(message.customer_id, OutcomeRecorded(at=at, churned=message.churned))


def features(aged: Aged) -> list[pb.Feature]:
    """Features as they go to a caller, in the order of the feature table."""
    return [_feature(aged, feature) for feature in FEATURES]


def _feature(aged: Aged, feature: Feature) -> pb.Feature:
    value, age, heard = aged.values[feature.name], aged.ages[feature.name], aged.heard.get(feature.source)
    out = pb.Feature(name=feature.name)
    if value is None:
        return out
    if isinstance(value, str):
        out.text = value
    else:
        out.number = value
    if heard is not None and age is not None:
        out.fact_time.CopyFrom(to_timestamp(heard))
        out.age_seconds = age
    return out
