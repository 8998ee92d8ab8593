"""Are they about to leave, why, and what are they worth?"""

from datetime import datetime
from typing import Final

from holdfast.retention.v1.scores_pb2 import Lever, ReasonCode, RiskBand, Score
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from cli.pages.text import ago, bar, enum_words, money, percent, plain, words

BAND_STYLE: Final = {
    RiskBand.RISK_BAND_LOW: "green",
    RiskBand.RISK_BAND_MEDIUM: "yellow",
    RiskBand.RISK_BAND_HIGH: "dark_orange",
    RiskBand.RISK_BAND_CRITICAL: "bold red",
}


def body(score: Score, now: datetime) -> RenderableType:
    """The probability as a bar with its band, the value, then reasons and levers."""
    style = BAND_STYLE.get(score.band, "")
    headline = Text.assemble(
        ("will leave ", "dim"),
        (f"{percent(score.probability, 1)} ", style),
        bar(score.probability, style),
        (f" {enum_words(RiskBand.Name(score.band), 'RISK_BAND_')}", style),
        ("   worth ", "dim"),
        (money(score.lifetime_value) if score.HasField("lifetime_value") else "unknown", "bold"),
        (f" {plain(score.value_tier)}" if score.value_tier else "", "bold cyan"),
    )
    model = Text(f"by model {plain(score.model_id)}, {ago(score.score_time, now)}", style="dim")
    parts: list[RenderableType] = [headline, model]
    if score.reasons:
        parts += [Text("Why", style="bold"), _reasons(score)]
    if score.levers:
        parts += [Text("What would lower it", style="bold"), _levers(score)]
    return Group(*parts)


def _reasons(score: Score) -> Table:
    grid = _grid()
    largest = max((abs(reason.probability_points) for reason in score.reasons), default=0.0) or 1.0
    for reason in score.reasons:
        raises = reason.probability_points >= 0
        style = "red" if raises else "green"
        grid.add_row(_points(reason), bar(abs(reason.probability_points) / largest, style, 12), _text(reason))
    return grid


def _points(reason: ReasonCode) -> Text:
    return Text(f"{100 * reason.probability_points:+.1f} points")


def _text(reason: ReasonCode) -> Text:
    return Text(plain(reason.text) or f"{words(reason.feature)}: {words(reason.value)}")


def _levers(score: Score) -> Table:
    grid = _grid()
    for lever in score.levers:
        grid.add_row(f"to {percent(lever.probability, 1)}", bar(lever.probability, "cyan", 12), _change(lever))
    return grid


def _change(lever: Lever) -> Text:
    return Text(f"{words(lever.feature)}: {words(lever.current_value)} → {words(lever.new_value)}")


def _grid() -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(justify="right", min_width=14, no_wrap=True)
    grid.add_column(no_wrap=True)
    grid.add_column()
    return grid
