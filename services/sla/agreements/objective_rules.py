"""One objective of an agreement: the quantity promised, its target per priority, and the terms of counting."""

import math
from dataclasses import dataclass
from enum import StrEnum

from chassis.rules import Invalid
from services.sla.calendars.definition_rules import CalendarRef

JEOPARDY_THRESHOLDS = (0.75, 0.90, 1.0)
LONGEST_TARGET = 10 * 366 * 86_400


class Metric(StrEnum):
    """What is promised. The first four are judged by clocks, the others by measurements."""

    FIRST_RESPONSE = "first_response"
    NEXT_RESPONSE = "next_response"
    RESOLUTION = "resolution"
    ACTIVATION = "activation"
    AVAILABILITY = "availability"
    LATENCY = "latency"
    LOSS = "loss"
    JITTER = "jitter"
    THROUGHPUT = "throughput"
    CUSTOM = "custom"


class Operator(StrEnum):
    """How the measured value has to stand to the target."""

    AT_MOST = "<="
    BELOW = "<"
    AT_LEAST = ">="
    ABOVE = ">"


CLOCK_METRICS = frozenset({Metric.FIRST_RESPONSE, Metric.NEXT_RESPONSE, Metric.RESOLUTION, Metric.ACTIVATION})
UNITS = {
    **dict.fromkeys(CLOCK_METRICS, "s"),
    Metric.AVAILABILITY: "%",
    Metric.LOSS: "%",
    Metric.LATENCY: "ms",
    Metric.JITTER: "ms",
    Metric.THROUGHPUT: "bit/s",
}


@dataclass(frozen=True, slots=True, order=True)
class PriorityTarget:
    """The target of one priority, such as ("critical", 14400), in the unit of its objective."""

    priority: str
    value: float


@dataclass(frozen=True, slots=True)
class Objective:
    """One promise of an agreement.

    Attributes:
        name: tells custom objectives apart; a label only for other metrics.
        unit: fixed by the metric: "s" for clocks, "%" for availability and loss, "ms" for latency and jitter,
            "bit/s" for throughput; free for custom.
        target: what holds for priorities that `targets` does not list; None: nothing is promised to them.
        calendar: when time counts; a clock needs it, a measurement counts all the time without it.
        pause_states: the states of a ticket in which a clock stands still, such as "pending" or "held".
        tolerance: how far, in the unit, the target may be overrun before the promise is broken (TMF657
            `toleranceTarget`).
        thresholds: the fractions of the target at which jeopardy is raised, each in (0, 1].

    Raises:
        Invalid: on construction, with the field named. Targets of clocks are whole seconds, at most ten years.
    """

    metric: Metric
    unit: str
    target: float | None = None
    targets: tuple[PriorityTarget, ...] = ()
    operator: Operator = Operator.AT_MOST
    calendar: CalendarRef | None = None
    pause_states: frozenset[str] = frozenset()
    tolerance: float = 0
    thresholds: tuple[float, ...] = JEOPARDY_THRESHOLDS
    name: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "targets", tuple(sorted(self.targets)))
        object.__setattr__(self, "thresholds", tuple(sorted(set(self.thresholds))))
        object.__setattr__(self, "pause_states", frozenset(self.pause_states))
        _check(self)

    @property
    def key(self) -> tuple[Metric, str]:
        """What the objective is about; several objectives with one key share out the priorities."""
        return self.metric, self.name if self.metric is Metric.CUSTOM else ""

    def target_for(self, priority: str | None) -> float | None:
        """The target of a priority in `unit`, or None when nothing is promised to it."""
        return next((entry.value for entry in self.targets if entry.priority == priority), self.target)

    def is_met(self, value: float, priority: str | None = None) -> bool | None:
        """Whether a measured value, in `unit`, keeps the promise within its tolerance; None: nothing is promised."""
        target = self.target_for(priority)
        if target is None:
            return None
        match self.operator:
            case Operator.AT_MOST:
                return value <= target + self.tolerance
            case Operator.BELOW:
                return value < target + self.tolerance
            case Operator.AT_LEAST:
                return value >= target - self.tolerance
            case Operator.ABOVE:
                return value > target - self.tolerance


def _check(objective: Objective) -> None:
    if not objective.unit or UNITS.get(objective.metric, objective.unit) != objective.unit:
        raise Invalid(f"The unit of {objective.metric} is {UNITS.get(objective.metric, 'missing')}.", field="unit")
    if objective.metric is Metric.CUSTOM and not objective.name:
        raise Invalid("A custom objective needs a name.", field="name")
    values = [entry.value for entry in objective.targets]
    if objective.target is not None:
        values.append(objective.target)
    if not values:
        raise Invalid("An objective needs a target, for all or for some priorities.", field="target")
    if len({entry.priority for entry in objective.targets}) < len(objective.targets):
        raise Invalid("A priority has one target.", field="targets")
    if not all(math.isfinite(value) and value >= 0 for value in (*values, objective.tolerance)):
        raise Invalid("Targets and tolerance are finite and not negative.", field="target")
    if not all(0 < threshold <= 1 for threshold in objective.thresholds):
        raise Invalid("A jeopardy threshold is a fraction above 0 and up to 1.", field="thresholds")
    if objective.unit == "%" and max(values) > 100:
        raise Invalid("A percentage is at most 100.", field="target")
    if objective.metric in CLOCK_METRICS:
        _check_clock(objective, values)


def _check_clock(objective: Objective, values: list[float]) -> None:
    if objective.operator is not Operator.AT_MOST:
        raise Invalid("A clock promises at most its target.", field="operator")
    if objective.calendar is None:
        raise Invalid("A clock needs the calendar that counts its time.", field="calendar")
    if any(value <= 0 or value != int(value) for value in values):
        raise Invalid("The target of a clock is a whole, positive number of seconds.", field="target")
    if objective.tolerance != int(objective.tolerance):
        raise Invalid("The tolerance of a clock is a whole number of seconds.", field="tolerance")
    if max(values) + objective.tolerance > LONGEST_TARGET:
        raise Invalid("The target of a clock, with its tolerance, is at most ten years.", field="target")
