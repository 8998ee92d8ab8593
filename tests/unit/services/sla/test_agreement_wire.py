"""Agreements as the contract tells them: nothing lost on the way, every mistake named by its field."""

from collections.abc import Callable

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from holdfast.common.v1.types_pb2 import Period
from holdfast.sla.v1 import agreements_pb2 as pb

from chassis.rules import Invalid
from services.sla.agreements import wire
from services.sla.agreements.documents import from_document, to_document
from services.sla.agreements.version_rules import check
from tests.unit.services.sla.builders import ADA, HOUR, agreement, at, objective, valid

OFFICE = pb.Calendar(
    time_zone="Europe/Berlin",
    hours=[
        pb.OpeningHours(weekday=1, start_second=8 * HOUR, end_second=12 * HOUR),
        pb.OpeningHours(weekday=1, start_second=13 * HOUR, end_second=24 * HOUR),
        pb.OpeningHours(weekday=7, start_second=0, end_second=HOUR),
    ],
    holidays=["2026-12-25", "2026-12-26"],
)
SHARE = pb.Objective(metric=pb.METRIC_AVAILABILITY, availability=0.9995)
SECOND_A_WEEK = pb.OpeningHours(weekday=1, start_second=0, end_second=1)
EVERYTHING = agreement(
    "gold",
    ADA,
    [objective("FIRST_RESPONSE", {"CRITICAL": 60}), objective("RESOLUTION", {"LOW": 9}, ["HELD", "PENDING"]), SHARE],
    name="Gold",
    calendar=OFFICE,
    valid=valid(0, 1),
    version=1,
)


def test_an_agreement_comes_back_from_rules_and_store_as_it_was_put() -> None:
    version = wire.version(EVERYTHING)
    assert wire.message(version) == EVERYTHING
    assert wire.message(from_document({**to_document(version), "create_time": at(0)})) == EVERYTHING


def test_without_hours_the_calendar_counts_round_the_clock() -> None:
    version = wire.version(agreement())
    assert version.calendar.always_open
    assert not wire.message(version).calendar.hours


def test_without_a_period_an_agreement_always_was_and_will_be() -> None:
    version = wire.version(agreement())
    assert version.agreement.valid_at(at(-400_000))
    assert not wire.message(version).HasField("valid")


def test_equal_calendars_of_two_agreements_are_one_calendar() -> None:
    one, other = (wire.version(agreement(name, calendar=OFFICE)) for name in ("one", "other"))
    assert one.calendar == other.calendar
    assert one.calendar.ref != wire.version(agreement()).calendar.ref


def calendar(**changes: object) -> pb.Agreement:
    values: dict[str, object] = {"time_zone": "UTC", **changes}
    return agreement(objectives=[objective("RESOLUTION", {"LOW": 24 * HOUR})], calendar=pb.Calendar(**values))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("field", "make"),
    [
        ("agreement.calendar.time_zone", lambda: calendar(time_zone="Mars/Olympus")),
        ("agreement.calendar.time_zone", lambda: calendar(time_zone="../../etc/passwd")),
        (
            "agreement.calendar.hours",
            lambda: calendar(
                hours=[
                    pb.OpeningHours(weekday=1, start_second=0, end_second=10),
                    pb.OpeningHours(weekday=1, start_second=9, end_second=20),
                ]
            ),
        ),
        ("agreement.calendar.holidays[1]", lambda: calendar(holidays=["2026-02-28", "2026-02-30"])),
        ("agreement.valid.end", lambda: agreement(valid=valid(1, 1))),
        ("agreement.valid.start", lambda: agreement(valid=Period(start=Timestamp(seconds=10**15)))),
        ("agreement.objectives", lambda: agreement(objectives=[objective("RESOLUTION", {"LOW": 1})] * 2)),
        ("agreement.objectives[1].targets", lambda: agreement(objectives=[SHARE, objective("RESOLUTION", {})])),
        (
            "agreement.objectives[0].targets",
            lambda: agreement(
                objectives=[
                    pb.Objective(
                        metric=pb.METRIC_RESOLUTION,
                        targets=[pb.PriorityTarget(priority="LOW", seconds=1)] * 2,
                    )
                ]
            ),
        ),
        (
            "agreement.objectives[0].availability",
            lambda: agreement(objectives=[pb.Objective(metric=pb.METRIC_AVAILABILITY)]),
        ),
        (
            "agreement.objectives[0].availability",
            lambda: agreement(objectives=[pb.Objective(metric=pb.METRIC_RESOLUTION, availability=0.5)]),
        ),
        (
            "agreement.objectives[0]",
            lambda: agreement(
                objectives=[pb.Objective(metric=pb.METRIC_AVAILABILITY, availability=0.5, pause_states=["HELD"])]
            ),
        ),
        ("agreement.objectives[0].targets", lambda: calendar(hours=[SECOND_A_WEEK])),
    ],
)
def test_a_mistake_is_named_as_the_contract_names_its_field(field: str, make: Callable[[], pb.Agreement]) -> None:
    with pytest.raises(Invalid) as refused:
        check(wire.version(make()))
    assert refused.value.field == field
