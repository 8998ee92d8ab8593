"""Agreements between protobuf and the rules' dataclasses: part of the handlers' door, kept apart for its length."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

from holdfast.sla.v1 import agreements_pb2 as pb

from chassis.rules import Invalid
from chassis.times import moment, to_timestamp
from services.sla.agreements.rules import Agreement, Metric, Objective, Operator, PriorityTarget, Scope
from services.sla.agreements.version_rules import AgreementVersion
from services.sla.calendars.instant_rules import DAY_SECONDS, EPOCH
from services.sla.calendars.rules import Calendar, CalendarRef, WeeklyInterval

METRICS = {
    Metric.FIRST_RESPONSE: pb.METRIC_FIRST_RESPONSE,
    Metric.RESOLUTION: pb.METRIC_RESOLUTION,
    Metric.AVAILABILITY: pb.METRIC_AVAILABILITY,
}
_METRIC = {number: metric for metric, number in METRICS.items()}
# What the rules call the parts of a calendar, as the contract calls them.
_CALENDAR_FIELDS = {"zone": "time_zone", "weekly": "hours", "holidays": "holidays"}
_ROUND_THE_CLOCK = tuple(WeeklyInterval(day, 0, DAY_SECONDS) for day in range(7))
# A share such as 0.9995 is kept as 99.95 %: more digits than this are noise of the conversion.
_DIGITS = 12


def version(message: pb.Agreement) -> AgreementVersion:
    """The agreement that a validated message describes, numbered 1 until it is put.

    Raises:
        Invalid: it is inconsistent; the field is named as the contract names it.
    """
    with _within("agreement.calendar", _CALENDAR_FIELDS):
        calendar = _calendar(message.calendar)
    objectives = tuple(_objective(one, calendar.ref, n) for n, one in enumerate(message.objectives))
    with _within("agreement", {"valid_from": "valid.start", "valid_to": "valid.end"}):
        agreement = Agreement(
            id=message.id,
            version=1,
            scope=Scope(message.customer_id or None),
            objectives=objectives,
            valid_from=moment(message.valid, "start", "agreement.valid.start") or EPOCH,
            valid_to=moment(message.valid, "end", "agreement.valid.end"),
        )
    return AgreementVersion(message.name, agreement, calendar)


def message(kept: AgreementVersion) -> pb.Agreement:
    """An agreement as it goes to a caller."""
    agreement = kept.agreement
    out = pb.Agreement(
        id=agreement.id,
        version=agreement.version,
        name=kept.name,
        customer_id=agreement.scope.customer_id or "",
        calendar=_calendar_message(kept.calendar),
        objectives=[_objective_message(objective) for objective in agreement.objectives],
    )
    if agreement.valid_from != EPOCH:
        out.valid.start.CopyFrom(to_timestamp(agreement.valid_from))
    if agreement.valid_to is not None:
        out.valid.end.CopyFrom(to_timestamp(agreement.valid_to))
    return out


def _calendar(message: pb.Calendar) -> Calendar:
    weekly = tuple(WeeklyInterval(h.weekday - 1, h.start_second, h.end_second) for h in message.hours)
    holidays = frozenset(_day(text, n) for n, text in enumerate(message.holidays))
    # Equal calendars are one calendar, whatever agreement they stand in: its year tables are made once.
    content = repr((message.time_zone, sorted(weekly), sorted(holidays)))
    name = hashlib.blake2b(content.encode(), digest_size=12).hexdigest()
    return Calendar(name, 1, message.time_zone, weekly or _ROUND_THE_CLOCK, holidays)


def _day(text: str, place: int) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise Invalid("is not a date of the calendar", field=f"agreement.calendar.holidays[{place}]") from error


def _objective(message: pb.Objective, calendar: CalendarRef, place: int) -> Objective:
    path = f"agreement.objectives[{place}]"
    pauses = frozenset(message.pause_states)
    if message.metric == pb.METRIC_AVAILABILITY:
        if message.targets or pauses:
            raise Invalid("availability is promised as a share, without targets and pauses", field=path)
        if not message.availability:
            raise Invalid("the share promised lies above 0", field=f"{path}.availability")
        percent = round(message.availability * 100, _DIGITS)
        return Objective(Metric.AVAILABILITY, "%", percent, operator=Operator.AT_LEAST, calendar=calendar)
    if message.availability:
        raise Invalid("only METRIC_AVAILABILITY is promised as a share", field=f"{path}.availability")
    targets = tuple(PriorityTarget(t.priority, float(t.seconds)) for t in message.targets)
    with _within(path, {"target": "targets", "targets": "targets"}):
        return Objective(_METRIC[message.metric], "s", targets=targets, calendar=calendar, pause_states=pauses)


@contextmanager
def _within(path: str, fields: dict[str, str]) -> Iterator[None]:
    """Names the field of a refusal as the contract does, below `path`."""
    try:
        yield
    except Invalid as error:
        if (error.field or "").startswith(path):
            raise
        name = fields.get(error.field or "", error.field or "")
        raise Invalid(error.message, field=f"{path}.{name}", reason=error.reason) from error


def _calendar_message(calendar: Calendar) -> pb.Calendar:
    weekly = () if calendar.weekly == _ROUND_THE_CLOCK else calendar.weekly
    return pb.Calendar(
        time_zone=calendar.zone,
        hours=[pb.OpeningHours(weekday=i.weekday + 1, start_second=i.start, end_second=i.end) for i in weekly],
        holidays=[day.isoformat() for day in sorted(calendar.holidays)],
    )


def _objective_message(objective: Objective) -> pb.Objective:
    out = pb.Objective(
        metric=METRICS[objective.metric],
        targets=[pb.PriorityTarget(priority=t.priority, seconds=int(t.value)) for t in objective.targets],
        pause_states=sorted(objective.pause_states),
    )
    if objective.metric is Metric.AVAILABILITY and objective.target is not None:
        out.availability = round(objective.target / 100, _DIGITS)
    return out
