"""What the demonstration waits for is what retention counts."""

from collections import defaultdict
from datetime import UTC, datetime

import pytest
from holdfast.interaction.v1.interactions_pb2 import Direction

from cli.demo.expecting import breaches, expectations, in_window
from cli.demo.operator import Operator, generate
from services.retention.features.rules import Fact, InteractionLogged, TicketOpened, fold, vector
from tests.unit.cli.pages.sample import stamp

AS_OF = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.fixture(scope="module")
def operator() -> Operator:
    return generate(5, 300, AS_OF)


def at(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def test_it_expects_exactly_what_the_features_come_to(operator: Operator) -> None:
    facts = defaultdict[str, list[Fact]](list)
    for one in operator.interactions:
        inbound = one.direction == Direction.DIRECTION_INBOUND
        fact = InteractionLogged(at=at(one.occur_time.seconds), inbound=inbound, complaint=one.complaint)
        facts[one.customer_id].append(fact)
    for ticket in operator.tickets:
        facts[ticket.customer_id].append(TicketOpened(ticket_id=ticket.id, at=at(ticket.open_time.seconds)))
    expected = expectations(operator)
    assert any(dict(one.features)["complaints_90d"] for one in expected)
    for wanted in expected:
        known = vector(fold(facts[wanted.customer_id]), AS_OF)
        for name, least in wanted.features:
            assert name == "product_count" or known[name] == least


def test_it_asks_for_those_loaded_last_and_for_nobody_who_has_left(operator: Operator) -> None:
    asked = {one.customer_id for one in expectations(operator)}
    staying = [one for one in operator.interactions[-25:] if one.customer_id not in operator.departures]
    assert {one.customer_id for one in staying} <= asked
    assert not asked & set(operator.departures)


def test_the_window_is_whole_days_with_today() -> None:
    today = datetime(2026, 3, 2, tzinfo=UTC).date()
    assert in_window(stamp(days=89, hours=12), today)
    assert not in_window(stamp(days=90), today)
    assert not in_window(stamp(days=-1), today)
    assert breaches([stamp(days=1), stamp(days=100)], today) == 1.0
