"""The terms a clock is judged by: for each agreement version and priority, the target, the calendar, the pauses."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from chassis.rules import Invalid, NotFound
from services.sla.agreements.rules import CLOCK_METRICS, Agreement, AgreementRef, Metric, Objective, objective_for
from services.sla.calendars.instant_rules import SECOND
from services.sla.calendars.rules import Calendar, CalendarRef

_WEEKS_OF_A_CENTURY = 5_200


@dataclass(frozen=True, slots=True)
class Mark:
    """A point of elapsed time that matters: a jeopardy threshold, or the limit after which the promise is broken."""

    micros: int
    threshold: float | None

    @property
    def is_breach(self) -> bool:
        return self.threshold is None


@dataclass(frozen=True, slots=True)
class Promise:
    """What one priority is promised: whole seconds of business time, and the marks on the way, in order.

    Without a target (None) nothing is promised, but time counts on, so that a later target finds it.

    Thresholds fall on whole seconds, rounded up. The breach comes last: at the target plus the tolerance.

    Raises:
        Invalid: on construction, when the calendar's hours are so few that the target takes over a hundred years.
    """

    objective: Objective
    calendar: Calendar
    target_seconds: int | None
    marks: tuple[Mark, ...] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        if self.target_seconds is None:
            object.__setattr__(self, "marks", ())
            return
        weekly_seconds = sum(interval.end - interval.start for interval in self.calendar.weekly)
        if self.target_seconds + self.objective.tolerance > weekly_seconds * _WEEKS_OF_A_CENTURY:
            raise Invalid("The calendar opens too rarely for the target ever to fall due.", field="target")
        marks = [Mark(_part(self.target_seconds, part) * SECOND, part) for part in self.objective.thresholds]
        limit = (self.target_seconds + int(self.objective.tolerance)) * SECOND
        object.__setattr__(self, "marks", (*marks, Mark(limit, None)))

    @property
    def target_micros(self) -> int | None:
        return None if self.target_seconds is None else self.target_seconds * SECOND


Promises = Mapping[str | None, Promise]


@dataclass(frozen=True, slots=True)
class Terms:
    """Every promise about one metric that a log may come under; build it once per agreement and keep it.

    `promises` maps an agreement version (None: the log names no agreement) to a promise per priority; the priority
    None holds what goes for those that are not listed.
    """

    metric: Metric
    promises: Mapping[AgreementRef | None, Promises]

    def promise(self, agreement: AgreementRef | None, priority: str | None) -> Promise | None:
        """What is promised, or None when the agreement has no objective for the metric.

        Raises:
            NotFound: the log names an agreement version that the terms do not hold.
        """
        known = self.promises.get(agreement)
        if known is None:
            named = f"{agreement.id} version {agreement.version}" if agreement else "for a log that names none"
            raise NotFound(f"The terms hold no agreement {named}.", field="agreement")
        return known.get(priority) or known.get(None)


def terms_of(metric: Metric, agreements: Iterable[Agreement], calendars: Iterable[Calendar]) -> Terms:
    """The terms of a metric under all agreement versions that a log names; under none, nothing is promised.

    Raises:
        Invalid: the metric is judged by measurements, not by a clock.
        NotFound: an objective names a calendar version that is not given.
    """
    _clock_metric(metric)
    by_ref = {calendar.ref: calendar for calendar in calendars}
    promises: dict[AgreementRef | None, Promises] = {None: {}}
    for agreement in agreements:
        promises[agreement.ref] = _promises_of(agreement, metric, by_ref)
    return Terms(metric, promises)


def single_terms(objective: Objective, calendar: Calendar) -> Terms:
    """The terms of one objective for logs that name no agreement.

    Raises:
        Invalid: the objective's metric is judged by measurements, not by a clock.
        NotFound: the calendar is not the version that the objective names.
    """
    _clock_metric(objective.metric)
    priorities = [None, *(entry.priority for entry in objective.targets)]
    chosen = ((priority, objective) for priority in priorities)
    return Terms(objective.metric, {None: _promises(chosen, objective, {calendar.ref: calendar})})


def _promises_of(agreement: Agreement, metric: Metric, calendars: Mapping[CalendarRef, Calendar]) -> Promises:
    about = [objective for objective in agreement.objectives if objective.metric is metric]
    priorities = {None, *(entry.priority for objective in about for entry in objective.targets)}
    chosen = ((priority, objective_for(agreement, metric, priority)) for priority in priorities)
    return _promises(chosen, about[0], calendars) if about else {}


def _promises(
    chosen: Iterable[tuple[str | None, Objective | None]], first: Objective, calendars: Mapping[CalendarRef, Calendar]
) -> Promises:
    found: dict[str | None, Promise] = {None: Promise(first, _calendar_of(first, calendars), None)}
    for priority, objective in chosen:
        target = objective.target_for(priority) if objective else None
        if objective is not None and target is not None:
            found[priority] = Promise(objective, _calendar_of(objective, calendars), int(target))
    return found


def _calendar_of(objective: Objective, calendars: Mapping[CalendarRef, Calendar]) -> Calendar:
    ref = objective.calendar
    calendar = calendars.get(ref) if ref else None
    if calendar is None:
        named = f"{ref.id} version {ref.version}" if ref else "at all"
        raise NotFound(f"There is no calendar {named}.", field="calendar")
    return calendar


def _clock_metric(metric: Metric) -> None:
    if metric not in CLOCK_METRICS:
        raise Invalid(f"The metric {metric} is judged by measurements, not by a clock.", field="metric")


def _part(target_seconds: int, threshold: float) -> int:
    # Thresholds are meant in decimals: without the rounding, 0.9 of 10 s would be 9.000000000000002 s, hence 10 s.
    return -int(-round(target_seconds * threshold, 6) // 1)
