"""Models between protobuf and the rules' dataclasses: part of the handlers' door."""

import base64
from typing import Final

from holdfast.retention.v1 import models_pb2 as pb

from chassis.times import to_timestamp
from services.retention.models.registry import Entry, Stage
from services.retention.models.report import Report

STAGES: Final = {stage: pb.ModelStage.Value(f"MODEL_STAGE_{stage.name}") for stage in Stage}


def message(entry: Entry) -> pb.Model:
    """A model as it goes to a caller."""
    return pb.Model(
        id=entry.id,
        digest=entry.digest,
        signature=base64.b64encode(entry.signature.value).decode(),
        stage=STAGES[entry.stage],
        create_time=to_timestamp(entry.create_time),
        figures=_figures(entry.report),
    )


def champion_changed(entry: Entry) -> pb.ChampionChanged:
    """The event that another model is champion."""
    return pb.ChampionChanged(model=message(entry))


def _figures(report: Report) -> pb.ModelFigures:
    return pb.ModelFigures(
        rows=report.rows,
        positives=report.positives,
        auc=report.auc,
        auc_sd=report.auc_sd,
        pr_auc=report.pr_auc,
        log_loss=report.log_loss,
        brier=report.brier,
        lift_top_decile=report.lift_top_decile,
    )
