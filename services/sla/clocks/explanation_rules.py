"""Why each moment of a clock counted or not: the verdict laid open, for agents, customers and auditors."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from services.sla.calendars.rules import OpenReason, intervals
from services.sla.clocks.fold_rules import Mode, Stretch
from services.sla.clocks.rules import ClockState


class Reason(StrEnum):
    """Why time counted (running only) or did not."""

    RUNNING = "running"
    PAUSED = "paused"
    CLOSED = "closed"
    HOLIDAY = "holiday"
    NO_TARGET = "no_target"
    AFTER_STOP = "after_stop"


@dataclass(frozen=True, slots=True)
class ExplainedInterval:
    """A period from `start` up to `end` (UTC) with one reason; `state` is the ticket's state that paused the clock."""

    start: datetime
    end: datetime
    counted_seconds: float
    reason: Reason
    state: str | None = None

    @property
    def counted(self) -> bool:
        return self.reason is Reason.RUNNING


_OF_CALENDAR = {
    OpenReason.OPEN: Reason.RUNNING,
    OpenReason.CLOSED: Reason.CLOSED,
    OpenReason.HOLIDAY: Reason.HOLIDAY,
}
_OF_MODE = {Mode.PAUSED: Reason.PAUSED, Mode.NO_TARGET: Reason.NO_TARGET, Mode.STOPPED: Reason.AFTER_STOP}


def explain(state: ClockState) -> tuple[ExplainedInterval, ...]:
    """Every interval from the clock's start to `as_of`, in order, without gaps.

    The counted seconds add up to the elapsed seconds of the state.
    """
    explained = [interval for stretch in state.stretches for interval in _explain_stretch(stretch)]
    if state.stopped_at is not None and state.stopped_at < state.as_of:
        explained.append(ExplainedInterval(state.stopped_at, state.as_of, 0.0, Reason.AFTER_STOP))
    return tuple(explained)


def _explain_stretch(stretch: Stretch) -> Iterator[ExplainedInterval]:
    if stretch.calendar is None:
        yield ExplainedInterval(stretch.start, stretch.end, 0.0, _OF_MODE[stretch.mode], stretch.paused_by)
        return
    for part in intervals(stretch.calendar, stretch.start, stretch.end):
        counted = (part.end - part.start).total_seconds() if part.counted else 0.0
        yield ExplainedInterval(part.start, part.end, counted, _OF_CALENDAR[part.reason])
