"""The small pages: clocks, agreements, models, summaries, and how figures are written."""

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from holdfast.common.v1.types_pb2 import Money
from holdfast.retention.v1.models_pb2 import GetModelResponse, Model, ModelFigures, ModelStage
from holdfast.sla.v1.clocks_pb2 import ClockState

from cli.demo.promises import agreement
from cli.importing.bulk import Tally
from cli.pages import clocks, imports, models, text
from tests.unit.cli.pages.paper import flat, printed
from tests.unit.cli.pages.sample import NOW, clock, stamp

MODEL = Model(
    id="churn-0123456789ab",
    digest="ab" * 32,
    signature="c2ln",
    stage=ModelStage.MODEL_STAGE_CHAMPION,
    create_time=stamp(minutes=3),
    figures=ModelFigures(
        rows=7043,
        positives=1869,
        auc=0.8493,
        auc_sd=0.0121,
        pr_auc=0.67,
        log_loss=0.41,
        brier=0.133,
        lift_top_decile=2.9,
    ),
)


def test_a_clock_shows_what_is_used_of_its_time() -> None:
    assert "78 % of 8 h" in flat(printed(clocks.table([clock()], NOW)))


def test_a_breached_clock_shows_when() -> None:
    broken = clock(ClockState.CLOCK_STATE_BREACHED)
    broken.breach_time.CopyFrom(stamp(hours=2))
    assert "breached was 2026-03-02 10:00" in flat(printed(clocks.table([broken], NOW)))


def test_agreements_show_for_whom_and_when() -> None:
    page = flat(printed(clocks.agreements([agreement("silver", 1_772_409_600, "silver-1", "3b1c2a6e-6f1e")])))
    assert "Mon-Fri 08:00-18:00" in page
    assert "3b1c2a6e" in page
    round_the_clock = flat(printed(clocks.agreements([agreement("gold", 1_772_409_600, "gold-1")]), 160))
    assert "everyone round the clock first response, resolution, 99.95 %" in round_the_clock


def test_a_trained_model_is_shown_with_its_figures() -> None:
    page = flat(printed(models.trained(MODEL)))
    assert "churn-0123456789ab champion" in page
    assert "7,043 of whom 26.5 % left" in page
    assert "0.849 ± 0.012" in page


def test_models_are_a_table_and_a_card_is_read_as_markdown() -> None:
    assert "champion 3 min ago 7,043 26.5 %" in flat(printed(models.table([MODEL], NOW)))
    page = printed(models.card(GetModelResponse(model=MODEL, card="# Card\n\n* no gender")))
    assert "no gender" in page
    assert "ab" * 32 in page


def test_a_summary_counts_every_kind_and_problems_are_cut_with_their_number() -> None:
    tally = Tally(received=7043, created=7000, unchanged=40, failed=3)
    assert "customers 7,043 7,000 0 40 3" in flat(printed(imports.summary({"customers": tally})))
    cut = printed(imports.problems([f"line {n}" for n in range(2, 102)], 250))
    assert cut.splitlines()[0] == "line 2"
    assert cut.splitlines()[-1] == "… and 230 more"


@pytest.mark.parametrize(
    ("share", "digits", "said"), [(0.9999, 0, "99 %"), (1.0, 0, "100 %"), (0.999999, 2, "99.99 %"), (0.0, 1, "0.0 %")]
)
def test_a_share_below_one_is_never_a_hundred_percent(share: float, digits: int, said: str) -> None:
    assert text.percent(share, digits) == said


@pytest.mark.parametrize(
    ("seconds", "said"), [(0, "0 s"), (59, "59 s"), (61, "1 min"), (3_660, "1 h 1 min"), (90_061, "1 d 1 h")]
)
def test_spans_are_written_in_two_units(seconds: float, said: str) -> None:
    assert text.span(seconds) == said


def test_amounts_are_written_with_their_currency() -> None:
    assert text.money(Money(currency_code="USD", micros=1_234_567_890_000)) == "1,234,567.89 USD"
    assert text.ago(Timestamp(seconds=int(NOW.timestamp()) + 90), NOW) == "in 1 min"
