"""The prepared form says what the plain one says, to the last bit."""

from hypothesis import given

from services.retention.features.rules import NAMES, Value
from services.retention.models.rules import Model, score
from services.retention.scores.explainer_rules import Explained, Explainer
from services.retention.scores.rules import reasons, what_would_lower
from tests.unit.services.retention.builders import hand_made_model, models, restless_customer, vectors


def plain(model: Model, vector: dict[str, Value]) -> Explained:
    scored = score(model, vector)
    return Explained(scored.probability, reasons(scored, vector), what_would_lower(model, vector))


def prepared(model: Model, vector: dict[str, Value]) -> Explained:
    return Explainer(model).explain([vector.get(name) for name in NAMES])


@given(models(), vectors)
def test_a_prepared_model_explains_as_the_plain_rules_do(model: Model, vector: dict[str, Value]) -> None:
    # As text: NaN is not equal to itself.
    assert repr(prepared(model, vector)) == repr(plain(model, vector))


def test_a_restless_customer_is_explained_in_full() -> None:
    found = prepared(hand_made_model(), restless_customer())
    assert found == plain(hand_made_model(), restless_customer())
    assert (len(found.reasons), len(found.remedies)) == (5, 3)
