"""Clocks and agreements as tables."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from holdfast.sla.v1.agreements_pb2 import Agreement, Metric
from holdfast.sla.v1.clocks_pb2 import Clock, ClockState
from rich.table import Table
from rich.text import Text

from cli.pages.frame import columns
from cli.pages.text import DASH, ago, bar, enum_words, minute, percent, plain, span

STATE_STYLE: Final = {
    ClockState.CLOCK_STATE_RUNNING: "green",
    ClockState.CLOCK_STATE_MET: "green",
    ClockState.CLOCK_STATE_PAUSED: "yellow",
    ClockState.CLOCK_STATE_BREACHED: "bold red",
    ClockState.CLOCK_STATE_MISSED: "red",
}
WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def table(clocks: Iterable[Clock], now: datetime) -> Table:
    """A row a clock: what is promised, until when, and how much of the time is used."""
    rows = columns("promise", "ticket", "state", "due", "used", flexible="used")
    for clock in clocks:
        rows.add_row(
            enum_words(Metric.Name(clock.metric), "METRIC_"),
            plain(clock.ticket_id)[:8],
            Text(
                enum_words(ClockState.Name(clock.state), "CLOCK_STATE_"), style=STATE_STYLE.get(clock.state, "default")
            ),
            _due(clock, now),
            _used(clock),
        )
    return rows


def agreements(found: Iterable[Agreement]) -> Table:
    """A row an agreement."""
    rows = columns("agreement", "v", "name", "for", "hours", "promises", right=("v",), flexible="promises")
    for one in found:
        rows.add_row(
            plain(one.id),
            str(one.version),
            Text(plain(one.name)),
            plain(one.customer_id)[:8] or "everyone",
            Text(_hours(one)),
            Text(_promises(one)),
        )
    return rows


def _due(clock: Clock, now: datetime) -> str:
    if clock.HasField("due_time"):
        return f"{minute(clock.due_time)}, {ago(clock.due_time, now)}"
    if clock.HasField("breach_time"):
        return f"was {minute(clock.breach_time)}"
    if clock.HasField("stop_time"):
        return f"ended {minute(clock.stop_time)}"
    return DASH


def _used(clock: Clock) -> Text:
    share = clock.elapsed_seconds / clock.target_seconds if clock.target_seconds else 0.0
    style = "red" if share >= 1 else "yellow" if share >= 0.75 else "green"
    return Text.assemble(bar(share, style, 12), f" {percent(share)} of {span(clock.target_seconds)}")


def _hours(agreement: Agreement) -> str:
    hours = agreement.calendar.hours
    if not hours:
        return "round the clock"
    days = sorted({one.weekday for one in hours})
    first, last = min(one.start_second for one in hours), max(one.end_second for one in hours)
    open_from, open_to = f"{first // 3600:02}:{first % 3600 // 60:02}", f"{last // 3600:02}:{last % 3600 // 60:02}"
    return f"{WEEKDAYS[days[0] - 1]}-{WEEKDAYS[days[-1] - 1]} {open_from}-{open_to}"


def _promises(agreement: Agreement) -> str:
    return ", ".join(_objective(one.metric, one.availability) for one in agreement.objectives)


def _objective(metric: Metric.ValueType, availability: float) -> str:
    if metric == Metric.METRIC_AVAILABILITY:
        return f"{100 * availability:g} %"
    return enum_words(Metric.Name(metric), "METRIC_")
