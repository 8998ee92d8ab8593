"""Models, vectors and labelled customers for the tests of retention."""

import math
import random
from datetime import UTC, date, datetime, timedelta

from hypothesis import strategies as st

from services.retention.features.rules import (
    FEATURES,
    ClockBreached,
    Fact,
    Feature,
    InteractionLogged,
    ProductChanged,
    ProfileChanged,
    TicketClosed,
    TicketOpened,
    Value,
)
from services.retention.models.card import card
from services.retention.models.encoding import digest, encode
from services.retention.models.keys import Signer
from services.retention.models.registry import Entry, Stage, id_of
from services.retention.models.report import CalibrationBin, FoldFigures, Report
from services.retention.models.rules import (
    Calibration,
    CategoricalTable,
    Model,
    NumericTable,
    Provenance,
    Table,
    sigmoid,
)

NOON = datetime(2026, 6, 30, 12, tzinfo=UTC)
PROVENANCE = Provenance(rows=200, positives=50, seed=7, data_digest="ab" * 32)

# As training writes them: six decimals.
scores = st.integers(-5_000_000, 5_000_000).map(lambda micros: micros / 1e6)
edge_lists = st.lists(st.integers(-1000, 100_000), unique=True, max_size=6).map(
    lambda values: tuple(value / 8 for value in sorted(values))
)


@st.composite
def tables(draw: st.DrawFn, feature: Feature) -> Table:
    """A table of a feature with any scores."""
    if feature.kind == "numeric":
        edges = draw(edge_lists)
        found = tuple(draw(scores) for _ in range(len(edges) + 1))
        return NumericTable(feature.name, edges, found, draw(scores), draw(scores))
    met = draw(st.lists(st.sampled_from(feature.categories), min_size=1, unique=True))
    return CategoricalTable(feature.name, {category: draw(scores) for category in met}, draw(scores), draw(scores))


@st.composite
def models(draw: st.DrawFn) -> Model:
    """Any valid model."""
    used = draw(st.sets(st.sampled_from([feature.name for feature in FEATURES])))
    return Model(
        intercept=draw(scores),
        tables=tuple(draw(tables(feature)) for feature in FEATURES if feature.name in used),
        calibration=Calibration(slope=draw(st.integers(1, 10_000_000)) / 1e6, offset=draw(scores)),
        horizon_months=draw(st.integers(1, 120)),
        provenance=PROVENANCE,
    )


def _values(feature: Feature) -> st.SearchStrategy[Value]:
    if feature.kind == "numeric":
        return st.none() | st.floats(-200, 20_000, allow_nan=False) | st.just(math.nan)
    return st.none() | st.sampled_from(feature.categories)


vectors: st.SearchStrategy[dict[str, Value]] = st.fixed_dictionaries(
    {}, optional={feature.name: _values(feature) for feature in FEATURES}
)


def hand_made_model() -> Model:
    """A small model whose figures can be checked by hand."""
    return Model(
        intercept=-1.0,
        tables=(
            NumericTable("tenure_months", (6.0, 24.0), (1.0, 0.0, -1.0), 0.25, -0.5),
            CategoricalTable("contract_type", {"month_to_month": 0.5, "one_year": -0.25, "two_year": -1.0}, 0.1, 0.0),
            CategoricalTable("payment_method", {"electronic_check": 0.4, "bank_transfer": -0.2}, 0.0, 0.1),
            CategoricalTable("internet_service", {"none": -0.5, "dsl": 0.0, "fiber": 0.5}, 0.0, 0.0),
            CategoricalTable("tech_support", {"no": 0.2, "yes": -0.3, "no_service": -0.1}, 0.0, 0.0),
            NumericTable("open_tickets", (0.5, 1.5), (-0.1, 0.3, 0.8), 0.0, 0.0),
        ),
        calibration=Calibration(slope=1.2, offset=0.1),
        horizon_months=12,
        provenance=PROVENANCE,
    )


def restless_customer() -> dict[str, Value]:
    """A customer with every sign of leaving that `hand_made_model` knows."""
    return {
        "tenure_months": 2.0,
        "contract_type": "month_to_month",
        "payment_method": "electronic_check",
        "internet_service": "fiber",
        "tech_support": "no",
        "open_tickets": 2.0,
    }


MONTH_TO_MONTH_EFFECT = 1.5
TENURE_EFFECT = -0.05


def made_up_customers(count: int, seed: int = 1) -> tuple[list[str], list[dict[str, Value]], list[int], list[float]]:
    """Ids, vectors, labels and the true probabilities the labels were drawn from."""
    draw = random.Random(seed)
    ids, rows, labels, truth = [], [], [], []
    for number in range(count):
        contract = draw.choice(["month_to_month", "two_year"])
        tenure = float(draw.randrange(0, 60))
        log_odds = -0.5 + MONTH_TO_MONTH_EFFECT * (contract == "month_to_month") + TENURE_EFFECT * tenure
        row: dict[str, Value] = {
            "contract_type": contract,
            "tenure_months": tenure,
            "senior": draw.choice(["yes", "no", None]),
            "sentiment_90d": draw.choice([None, round(draw.uniform(-1, 1), 2)]),
            "partner": "yes",
        }
        ids.append(f"customer-{number:05}")
        rows.append(row)
        truth.append(sigmoid(log_odds))
        labels.append(int(draw.random() < truth[-1]))
    return ids, rows, labels, truth


def lively_facts() -> list[Fact]:
    """Something of every kind that happens to a customer, in the months before `NOON`."""

    def before(days: float) -> datetime:
        return NOON - timedelta(days=days)

    return [
        ProfileChanged(version=3, at=before(20), customer_since=date(2024, 2, 29), payment_method="credit_card",
                       paperless_billing=True, senior=False, total_charge_micros=880_000_000),
        ProductChanged(product_id="line", version=2, at=before(19), kind="mobile", starts_at=before(300), quantity=2,
                       monthly_micros=20_000_000, currency_code="EUR", contract_type="one_year"),
        ProductChanged(product_id="net", version=1, at=before(19), kind="broadband_fiber", starts_at=before(200),
                       monthly_micros=45_500_000, currency_code="EUR", contract_type="month_to_month"),
        InteractionLogged(at=before(12), inbound=True, complaint=True, sentiment=-0.5),
        InteractionLogged(at=before(3), inbound=False, sentiment=0.25),
        TicketOpened(ticket_id="t1", at=before(11)),
        TicketClosed(ticket_id="t1", at=before(9)),
        TicketOpened(ticket_id="t2", at=before(1)),
        ClockBreached(clock_id="t1:RESOLUTION", at=before(10)),
    ]  # fmt: skip


def entry_of(model: Model, signer: Signer, at: datetime, stage: Stage = Stage.CANDIDATE) -> Entry:
    """A model as the registry keeps it."""
    text = encode(model)
    fold_figures = FoldFigures(20, 5, 0.8, 0.6, 0.4, 0.15, 2.5)
    report = Report(
        rows=200, positives=50, auc=0.8, auc_sd=0.01, pr_auc=0.6, log_loss=0.4, brier=0.15, lift_top_decile=2.5,
        calibration_error=0.02, calibration=(CalibrationBin(20, 0.2, 0.25),) * 10, folds=(fold_figures,) * 5,
        importances={"tenure_months": 0.5}, dropped={"partner": "the same for every customer"}, seconds=1.5,
    )  # fmt: skip
    found = digest(text)
    return Entry(id_of(found), found, text, signer.sign(text), stage, report, card(model, report), at, 1)
