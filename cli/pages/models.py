"""Models: how good they are, and the card of one."""

from collections.abc import Iterable
from datetime import datetime

from holdfast.retention.v1.models_pb2 import GetModelResponse, Model, ModelStage
from rich.console import Group, RenderableType
from rich.markdown import Markdown
from rich.table import Table
from rich.text import Text

from cli.pages.frame import columns
from cli.pages.text import ago, enum_words, percent, plain

STAGE_STYLE = {ModelStage.MODEL_STAGE_CHAMPION: "bold green", ModelStage.MODEL_STAGE_CANDIDATE: "yellow"}


def table(models: Iterable[Model], now: datetime) -> Table:
    """A row a model, newest first."""
    right = ("customers", "left", "AUC", "PR-AUC", "log-loss", "lift")
    rows = columns("model", "stage", "trained", *right, right=right)
    for model in models:
        figures = model.figures
        rows.add_row(
            plain(model.id),
            _stage(model),
            ago(model.create_time, now),
            f"{figures.rows:,}",
            percent(figures.positives / figures.rows, 1) if figures.rows else "",
            f"{figures.auc:.3f} ± {figures.auc_sd:.3f}",
            f"{figures.pr_auc:.3f}",
            f"{figures.log_loss:.3f}",
            f"{figures.lift_top_decile:.2f}",
        )
    return rows


def trained(model: Model) -> RenderableType:
    """What a training came to: the figures with what they mean."""
    figures = model.figures
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim")
    grid.add_column(justify="right", style="bold")
    grid.add_column(style="dim")
    share = percent(figures.positives / figures.rows, 1) if figures.rows else "none"
    grid.add_row("customers", f"{figures.rows:,}", f"of whom {share} left")
    grid.add_row("AUC", f"{figures.auc:.3f} ± {figures.auc_sd:.3f}", "a leaver ranks above a stayer so often")
    grid.add_row("PR-AUC", f"{figures.pr_auc:.3f}", "precision over all recalls")
    grid.add_row("log-loss", f"{figures.log_loss:.3f}", "of the probabilities; less is better")
    grid.add_row("Brier", f"{figures.brier:.3f}", "mean squared error of the probabilities")
    grid.add_row("lift", f"{figures.lift_top_decile:.2f}", "times more leavers in the riskiest tenth")
    return Group(Text.assemble(("Model ", ""), (plain(model.id), "bold"), "  ", _stage(model)), grid)


def card(answer: GetModelResponse) -> RenderableType:
    """The card of a model."""
    model = answer.model
    facts = Text(f"SHA-256 {plain(model.digest)}\nEd25519 {plain(model.signature)}", style="dim", overflow="fold")
    return Group(trained(model), facts, Markdown(answer.card))


def _stage(model: Model) -> Text:
    return Text(enum_words(ModelStage.Name(model.stage), "MODEL_STAGE_"), style=STAGE_STYLE.get(model.stage, "dim"))
