"""What a product needs to come into use, at which nodes it may stand, and who may be billed for it."""

from dataclasses import replace

import pytest

from chassis.rules import Invalid, NotFound, Refusal
from services.customer_info.accounts import rules as accounts
from services.customer_info.portfolio.rules import Status
from tests.support.fakes.customers import FakeCustomers
from tests.unit.services.customer_info.account_builders import billing_account, cost_centre
from tests.unit.services.customer_info.builders import company, later, new_uuid, product, product_rows
from tests.unit.services.customer_info.portfolio_house import CIRCUIT, OWNER, told, usecases
from tests.unit.services.customer_info.trees import placement, tree


async def test_a_product_comes_into_use_with_what_its_family_asks_for() -> None:
    there = product(OWNER.id, Status.PROVISIONING, family="leased_line")
    portfolio, _ = usecases(there)
    with pytest.raises(Invalid) as refused:
        await portfolio.change_status(there.id, Status.ACTIVE, "")
    assert refused.value.field == "product.identifiers"
    await portfolio.update(replace(there, identifiers=CIRCUIT), frozenset({"identifiers"}), "")
    assert (await portfolio.change_status(there.id, Status.ACTIVE, "")).status is Status.ACTIVE


DEPARTMENTS, SITES, FOREIGN = tree(OWNER.id), tree(OWNER.id), tree()
SALES, LAB = placement(DEPARTMENTS, "sales"), placement(DEPARTMENTS, "lab")
BERLIN, OLD = placement(SITES, "berlin"), placement(SITES, "old", end=later())
PLACES = (SALES, LAB, BERLIN, OLD, placement(FOREIGN, "theirs"))


@pytest.mark.parametrize("node_ids", [("sales",), ("sales", "berlin"), ("berlin", "lab"), ()])
async def test_a_product_stands_at_most_at_one_node_of_each_tree_of_its_customer(node_ids: tuple[str, ...]) -> None:
    portfolio, store = usecases(places=PLACES)
    made = await portfolio.add(product(OWNER.id, node_ids=node_ids), "", b"")
    assert store.kept[made.id].node_ids == node_ids


@pytest.mark.parametrize(
    ("node_ids", "kind", "field"),
    [
        (("nowhere",), NotFound, "product.node_ids[0]"),
        (("sales", "theirs"), NotFound, "product.node_ids[1]"),
        (("old",), NotFound, "product.node_ids[0]"),
        (("sales", "berlin", "lab"), Invalid, "product.node_ids[2]"),
    ],
)
async def test_a_product_stands_nowhere_else(node_ids: tuple[str, ...], kind: type[Refusal], field: str) -> None:
    there = product(OWNER.id)
    portfolio, store = usecases(there, places=PLACES)
    attempts = (
        portfolio.add(product(OWNER.id, node_ids=node_ids), "", b""),
        portfolio.update(replace(there, node_ids=node_ids), frozenset({"node_ids"}), ""),
    )
    for attempt in attempts:
        with pytest.raises(kind) as refused:
            await attempt
        assert refused.value.field == field
    (outcome,) = await portfolio.load(product_rows(product(OWNER.id, node_ids=node_ids)))
    assert isinstance(outcome, kind)
    assert store.kept == {there.id: there}


async def test_a_product_may_stand_in_a_tree_of_a_record_that_was_merged_into_its_customers() -> None:
    portfolio, _ = usecases(places=PLACES, lineage=(OWNER.id, FOREIGN.customer_id))
    rows = product_rows(product(OWNER.id, node_ids=("theirs", "sales")), product(OWNER.id))
    assert told(await portfolio.load(rows)) == ["created", "created"]


async def test_a_node_that_ended_since_does_not_get_in_the_way_of_other_changes() -> None:
    there = product(OWNER.id, node_ids=("old",))
    portfolio, _ = usecases(there, places=PLACES)
    assert (await portfolio.update(replace(there, name="x"), frozenset({"name"}), "")).name == "x"
    assert told(await portfolio.load(product_rows(replace(there, name="y")))) == ["updated"]


async def test_only_an_account_in_use_is_billed() -> None:
    used, closed = billing_account(OWNER.id), billing_account(OWNER.id, status=accounts.Status.CLOSED)
    portfolio, store = usecases(payers=(used, closed))
    made = await portfolio.add(product(OWNER.id, account_id=used.id), "", b"")
    for account_id in (closed.id, new_uuid()):
        wish = replace(made, account_id=account_id)
        with pytest.raises(NotFound) as refused:
            await portfolio.update(wish, frozenset({"account_id"}), "")
        assert refused.value.field == "product.account_id"
        with pytest.raises(NotFound):
            await portfolio.add(product(OWNER.id, account_id=account_id), "", b"")
        (outcome,) = await portfolio.load(product_rows(product(OWNER.id, account_id=account_id)))
        assert isinstance(outcome, NotFound)
    assert [p.account_id for p in store.kept.values()] == [used.id]


async def test_a_product_is_paid_for_by_its_customer_or_by_whoever_is_above_it() -> None:
    # What the holding names as its parent was merged into the group.
    group, former, below = company(), new_uuid(), company(parent_id=OWNER.id)
    holding, sister = company(parent_id=former), company(parent_id=former)
    owners = FakeCustomers(replace(OWNER, parent_id=holding.id), holding, sister, group, below)
    payers = [billing_account(payer) for payer in (OWNER.id, holding.id, group.id, former)]
    strangers = [billing_account(payer) for payer in (new_uuid(), sister.id, below.id)]
    portfolio, store = usecases(payers=(*payers, *strangers), lineage=(group.id, former), owners=owners)
    for payer in payers:
        assert (await portfolio.add(product(OWNER.id, account_id=payer.id), "", b"")).account_id == payer.id
    rows = product_rows(*(product(OWNER.id, account_id=payer.id) for payer in (*payers, *strangers)))
    assert told(await portfolio.load(rows)) == ["created"] * 4 + ["NOT_FOUND product.account_id"] * 3
    there = next(iter(store.kept.values()))
    for stranger in strangers:
        with pytest.raises(NotFound) as refused:
            await portfolio.update(replace(there, account_id=stranger.id), frozenset({"account_id"}), "")
        assert refused.value.field == "product.account_id"
        with pytest.raises(NotFound):
            await portfolio.add(product(OWNER.id, account_id=stranger.id), "", b"")


async def test_a_product_is_paid_for_by_any_record_of_its_customer_and_by_its_cost_centres() -> None:
    merged = new_uuid()
    account = billing_account(merged)
    payers = (account, cost_centre(account))
    portfolio, _ = usecases(payers=payers, lineage=(OWNER.id, merged))
    for payer in payers:
        assert (await portfolio.add(product(OWNER.id, account_id=payer.id), "", b"")).account_id == payer.id


async def test_a_circle_in_the_legal_structure_comes_to_an_end() -> None:
    other = company(parent_id=OWNER.id)
    owners = FakeCustomers(replace(OWNER, parent_id=other.id), other)
    portfolio, _ = usecases(payers=(stranger := billing_account(),), owners=owners)
    with pytest.raises(NotFound):
        await portfolio.add(product(OWNER.id, account_id=stranger.id), "", b"")
