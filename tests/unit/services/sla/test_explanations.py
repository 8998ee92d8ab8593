"""Explanations: each kind of interval, with its reason. Hours count from a Monday, 00:00 UTC."""

from datetime import UTC, date, datetime, timedelta

from services.sla.agreements.rules import Agreement, Metric, Objective, Scope
from services.sla.calendars.rules import Calendar, WeeklyInterval
from services.sla.clocks.explanation_rules import explain
from services.sla.clocks.rules import Event, EventKind, evaluate, terms_of

HOUR = 3600
MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
OFFICE = Calendar(
    "office",
    1,
    "UTC",
    tuple(WeeklyInterval(day, 9 * HOUR, 17 * HOUR) for day in range(5)),
    frozenset({date(2026, 1, 6)}),
)


def agreement(version: int, metric: Metric) -> Agreement:
    held = frozenset({"pending"})
    promised = Objective(metric, "s", 40 * HOUR, calendar=OFFICE.ref, pause_states=held)
    return Agreement("care", version, Scope(), (promised,), MONDAY)


SILENT, GOLD = agreement(1, Metric.FIRST_RESPONSE), agreement(2, Metric.RESOLUTION)
TERMS = terms_of(Metric.RESOLUTION, [SILENT, GOLD], [OFFICE])


def event(kind: str, hour: float, **changes: object) -> Event:
    return Event(EventKind(kind), MONDAY + timedelta(hours=hour), **changes)  # type: ignore[arg-type]


def test_every_interval_tells_why_it_counted_or_not() -> None:
    log = [
        event("opened", 8, agreement=SILENT.ref),
        event("agreement_changed", 10, agreement=GOLD.ref),
        event("state_changed", 12, state="pending"),
        event("state_changed", 14, state="active"),
        event("resolved", 48 + 10),
        event("reopened", 48 + 12),
        event("closed", 48 + 13),
    ]
    parts = explain(evaluate(log, TERMS, MONDAY + timedelta(hours=48 + 20)))
    told = [((part.end - MONDAY) / timedelta(hours=1), part.reason, part.counted_seconds, part.state) for part in parts]
    assert told == [
        (10, "no_target", 0, None),
        (12, "running", 2 * HOUR, None),
        (14, "paused", 0, "pending"),
        (17, "running", 3 * HOUR, None),
        (24, "closed", 0, None),
        (48, "holiday", 0, None),
        (57, "closed", 0, None),
        (58, "running", HOUR, None),
        (60, "after_stop", 0, None),
        (61, "running", HOUR, None),
        (68, "after_stop", 0, None),
    ]  # fmt: skip
