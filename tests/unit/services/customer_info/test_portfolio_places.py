"""What a product needs to come into use, at which nodes it may stand, and who may be billed for it."""

from dataclasses import replace

import pytest

from chassis.rules import Invalid, NotFound, Refusal
from services.customer_info.accounts import rules as accounts
from services.customer_info.portfolio.rules import Status
from tests.unit.services.customer_info.account_builders import billing_account
from tests.unit.services.customer_info.builders import later, new_uuid, product, product_rows
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
    used, closed = billing_account(), replace(billing_account(), status=accounts.Status.CLOSED)
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
