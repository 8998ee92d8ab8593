"""The made-up operator: the same each time, right by every contract, and with something to be found in it."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from holdfast.customer_info.v1.customers_pb2 import ContactMedium, CustomerStatus
from holdfast.customer_info.v1.portfolio_pb2 import ProductStatus
from holdfast.interaction.v1.interactions_pb2 import Channel

from chassis import validation
from cli.console import CommandError
from cli.demo import leaving, names
from cli.demo.members import members
from cli.demo.operator import Operator, first_customer_id, generate
from services.interaction.tickets import rules as ticket_rules
from services.interaction.tickets import wire as ticket_wire

AS_OF = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.fixture(scope="module")
def operator() -> Operator:
    return generate(as_of=AS_OF)


def bytes_of(operator: Operator) -> list[bytes]:
    return [message.SerializeToString(deterministic=True) for message in operator.messages()]


def test_the_same_seed_and_day_give_the_same_bytes() -> None:
    assert bytes_of(generate(3, 200, AS_OF)) == bytes_of(generate(3, 200, AS_OF))


def test_another_seed_makes_another_operator_with_other_ids() -> None:
    one, other = generate(3, 200, AS_OF), generate(4, 200, AS_OF)
    assert not {c.id for c in one.customers} & {c.id for c in other.customers}


def test_a_day_later_all_is_a_day_later_and_nothing_else_changes() -> None:
    one, later = generate(3, 200, AS_OF), generate(3, 200, AS_OF + timedelta(days=1))
    assert [t.id for t in one.tickets] == [t.id for t in later.tickets]
    assert [i.occur_time.seconds + 86_400 for i in one.interactions] == [
        i.occur_time.seconds for i in later.interactions
    ]


def test_it_has_the_size_of_a_small_operator(operator: Operator) -> None:
    organisations = [c for c in operator.customers if c.WhichOneof("party") == "organization"]
    assert len(operator.customers) == len({c.id for c in operator.customers}) == 2_000
    assert 50 <= sum(not c.parent_id for c in organisations) <= 60
    assert 25_000 <= len(operator.interactions) <= 40_000
    assert 2_500 <= len(operator.tickets) <= 3_500
    assert len(operator.outcomes) == 2_000
    assert operator.customers[0].id == first_customer_id(7, 2_000)


def test_everything_keeps_the_rules_of_its_contract(operator: Operator) -> None:
    for message in operator.messages()[::7]:
        validation.check(message)


def test_every_ticket_went_a_way_that_the_states_allow(operator: Operator) -> None:
    for ticket in operator.tickets:
        assert (
            ticket_rules.replayed(ticket_wire.draft(ticket, past=True), AS_OF + timedelta(days=1))[-1].id == ticket.id
        )


def test_parents_stand_before_their_children_and_are_organisations(operator: Operator) -> None:
    seen: dict[str, str | None] = {}
    for customer in operator.customers:
        assert not customer.parent_id or seen[customer.parent_id] == "organization"
        seen[customer.id] = customer.WhichOneof("party")


def test_trees_are_three_levels_deep(operator: Operator) -> None:
    parent = {customer.id: customer.parent_id for customer in operator.customers}
    depths = Counter(bool(p) + bool(p and parent[p]) for p in parent.values())
    assert depths[0]
    assert depths[1]
    assert depths[2]


def test_ids_are_unique_among_their_kind(operator: Operator) -> None:
    for rows in (operator.products, operator.tickets, operator.outages, operator.agreements):
        assert len({row.id for row in rows}) == len(rows)
    assert len({i.message_id for i in operator.interactions}) == len(operator.interactions)


def test_addresses_and_numbers_belong_to_nobody(operator: Operator) -> None:
    media = [medium for customer in operator.customers for medium in customer.contact_media]
    emails = [m.value for m in media if m.kind == ContactMedium.Kind.KIND_EMAIL]
    phones = [m.value for m in media if m.kind == ContactMedium.Kind.KIND_PHONE]
    assert all(email.endswith("@example.com") for email in emails)
    assert len(set(emails)) == len(emails)
    assert len(set(phones)) == len(phones)
    mobiles = [product for product in operator.products if product.family == "mobile"]
    numbers = [one.value for product in mobiles for one in product.identifiers]
    assert numbers
    assert all(number[5:10] == "55501" for number in numbers)


def test_circuits_and_devices_are_of_one_product_alone(operator: Operator) -> None:
    for kind in ("circuit", "imei"):
        values = [one.value for product in operator.products for one in product.identifiers if one.kind == kind]
        assert values
        assert len(set(values)) == len(values)


def test_devices_have_the_check_digit_of_the_luhn_formula() -> None:
    # 3GPP TS 23.003, annex B, shows 49 0154 2032 3751 8; of body 00 it is worked out by hand.
    assert names.imei(0) == "0" * 15
    assert names.imei(123_456_789_012) == "001234567890128"


def test_between_a_fifth_and_a_quarter_of_the_customers_leave_whatever_the_seed(operator: Operator) -> None:
    assert 0.20 <= sum(o.churned for o in operator.outcomes) / 2_000 <= 0.27
    left = [m.fate.left for m in members("11", 1_000, int(AS_OF.timestamp()))]
    assert 0.19 <= sum(left) / 1_000 <= 0.28


def test_leaving_follows_what_happened_so_that_a_model_has_something_to_find() -> None:
    ranked = sorted(members("7", 1_000, int(AS_OF.timestamp())), key=lambda m: leaving.log_odds(m.account, m.story))
    safest, riskiest = ranked[:200], ranked[-200:]
    assert sum(m.fate.left for m in riskiest) > 6 * sum(m.fate.left for m in safest)


def test_who_left_is_closed_without_products_and_was_observed_before(operator: Operator) -> None:
    closed = {c.id for c in operator.customers if c.status == CustomerStatus.CUSTOMER_STATUS_CLOSED}
    assert closed == set(operator.departures) == {o.customer_id for o in operator.outcomes if o.churned}
    ceased = {p.customer_id for p in operator.products if p.status == ProductStatus.PRODUCT_STATUS_CEASED}
    assert ceased == closed
    for outcome in operator.outcomes:
        if outcome.churned:
            assert operator.departures[outcome.customer_id].timestamp() - outcome.observe_time.seconds >= 2 * 86_400


def test_nothing_happens_after_the_present_or_before_the_year(operator: Operator) -> None:
    present = AS_OF.timestamp()
    for interaction in operator.interactions:
        assert present - 366 * 86_400 <= interaction.occur_time.seconds <= present
    for ticket in operator.tickets:
        assert all(step.time.seconds <= present for step in ticket.history)
    assert all(outage.period.start.seconds <= present for outage in operator.outages)


def test_nobody_is_in_a_shop_at_night(operator: Operator) -> None:
    in_shops = [one for one in operator.interactions if one.channel == Channel.CHANNEL_STORE]
    assert in_shops
    assert all(7 <= one.occur_time.seconds % 86_400 // 3_600 < 21 for one in in_shops)


def test_some_tickets_are_open_now(operator: Operator) -> None:
    states = Counter(ticket_wire.draft(ticket).state for ticket in operator.tickets)
    assert sum(states[state] for state in states if state not in ticket_rules.FINAL and state != "resolved") >= 20


@pytest.mark.parametrize(("customers", "as_of"), [(19, AS_OF), (200, datetime(2026, 3, 2))])  # noqa: DTZ001
def test_what_cannot_be_made_is_refused(customers: int, as_of: datetime) -> None:
    with pytest.raises(CommandError):
        generate(1, customers, as_of)
