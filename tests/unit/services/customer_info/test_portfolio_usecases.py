"""What happens to products, on stores in memory."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from holdfast.customer_info.v1 import portfolio_pb2 as pb

from chassis.bulk import Outcome
from chassis.query.selection import Operator, Selection
from chassis.rules import AlreadyExists, Conflict, Invalid, NotFound, Refusal, Refused
from services.customer_info.customers.rules import Status as CustomerStatus
from services.customer_info.portfolio import usecases as portfolio_usecases
from services.customer_info.portfolio.identifier_rules import ServiceIdentifier
from services.customer_info.portfolio.import_rules import Row
from services.customer_info.portfolio.rules import Status
from tests.support.fakes.customers import FakeCustomers
from tests.unit.services.customer_info.builders import NOON, history, later, new_uuid, product, product_rows
from tests.unit.services.customer_info.portfolio_house import CIRCUIT, OWNER, told, usecases


async def test_a_product_is_added_with_its_event() -> None:
    portfolio, store = usecases()
    made = await portfolio.add(product(OWNER.id, id=""), "", b"")
    assert store.kept == {made.id: made}
    (event,) = store.events
    assert (event.subject, event.customer_id, event.sequence) == (made.id, OWNER.id, 1)
    assert isinstance(event.data, pb.ProductAdded)
    assert event.data.product.id == made.id


async def test_a_retry_gets_the_first_answer_and_adds_nothing() -> None:
    portfolio, store = usecases()
    wish = product(OWNER.id, id="")
    first = await portfolio.add(wish, "a-request", b"content")
    assert await portfolio.add(wish, "a-request", b"content") == first
    assert len(store.kept) == len(store.events) == 1
    with pytest.raises(Invalid) as refused:
        await portfolio.add(wish, "a-request", b"other content")
    assert refused.value.reason == "REQUEST_ID_REUSED"


async def test_an_id_may_be_the_callers_but_not_anothers() -> None:
    portfolio, store = usecases()
    wish = product(OWNER.id)
    assert (await portfolio.add(wish, "", b"")).id == wish.id
    with pytest.raises(AlreadyExists) as refused:
        await portfolio.add(wish, "", b"")
    assert refused.value.metadata == {"type": "product", "id": wish.id}
    assert len(store.events) == 1


async def test_a_product_needs_a_customer() -> None:
    portfolio, store = usecases()
    with pytest.raises(NotFound) as refused:
        await portfolio.add(product(new_uuid()), "", b"")
    assert refused.value.field == "product.customer_id"
    assert store.kept == {}


@pytest.mark.parametrize("status", [CustomerStatus.CLOSED, CustomerStatus.ARCHIVED])
async def test_a_customer_that_left_takes_no_new_products(status: CustomerStatus) -> None:
    portfolio, store = usecases(status=status)
    with pytest.raises(Refused):
        await portfolio.add(product(OWNER.id), "", b"")
    assert store.kept == {}


async def test_nothing_new_goes_to_who_was_erased_or_merged_one_by_one_or_in_a_load() -> None:
    for changes, reason in (({"merged_into": new_uuid()}, "MERGED"), ({"erase_time": later()}, "ERASED")):
        portfolio, store = usecases(**changes)
        with pytest.raises(Refused) as refused:
            await portfolio.add(product(OWNER.id), "", b"")
        assert refused.value.reason == reason
        assert told(await portfolio.load(product_rows(product(OWNER.id)))) == [f"{reason} None"]
        assert store.kept == {}


async def test_what_a_merged_customer_has_is_still_loaded_and_what_an_erased_one_has_stays_as_it_is() -> None:
    there = product(OWNER.id)
    row = replace(there, name="Fibre 500")
    for changes, outcome in (({"merged_into": new_uuid()}, "updated"), ({"erase_time": later()}, "ERASED None")):
        portfolio, _ = usecases(there, **changes)
        assert told(await portfolio.load(product_rows(row))) == [outcome]


async def test_what_is_written_of_a_customer_holds_it_until_it_is_written() -> None:
    owners = FakeCustomers(OWNER)
    portfolio, _ = usecases(owners=owners)
    made = await portfolio.add(product(OWNER.id), "", b"")
    await portfolio.load(product_rows(product(OWNER.id), product(OWNER.id)))
    await portfolio.update(replace(made, identifiers=CIRCUIT), frozenset({"identifiers"}), "")
    assert owners.held == [OWNER.id] * 3


async def test_what_a_load_wrote_says_when_it_was_written_and_not_when_it_was_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = [NOON]
    monkeypatch.setattr(portfolio_usecases, "now", lambda: clock[0])
    portfolio, store = usecases()

    class Late:
        """Waits for a batch before for as long as a minute."""

        async def turn(self) -> None:
            clock[0] = later()

        async def note(self, transaction: Any, outcomes: Sequence[Outcome | Refusal]) -> None:
            """Nothing to keep."""

    wish = product(OWNER.id)
    await portfolio.load(product_rows(wish), Late())
    assert store.kept[wish.id].update_time == later()
    assert [event.time for event in store.events] == [later()]


async def test_a_list_of_a_customers_products_has_those_of_all_its_records() -> None:
    merged = new_uuid()
    kept = [product(OWNER.id), product(merged), product()]
    portfolio, _ = usecases(*kept, lineage=(OWNER.id, merged))
    for customer_id in (OWNER.id, merged):
        asked = Selection().where("customer_id", customer_id)
        found, _ = await portfolio.page(asked)
        assert {p.id for p in found} == {p.id for p in kept[:2]}
        assert {p.id for p in await portfolio.following(asked, "", 9)} == {p.id for p in kept[:2]}
        others, _ = await portfolio.page(Selection().where("customer_id", customer_id, operator=Operator.NOT_EQUAL))
        assert others == kept[2:]


async def test_a_product_is_read_as_a_customers_by_any_of_its_ids_and_by_nobody_elses() -> None:
    merged = new_uuid()
    there = product(merged)
    portfolio, _ = usecases(there, lineage=(OWNER.id, merged))
    for customer_id in ("", OWNER.id, merged):
        assert await portfolio.get(there.id, customer_id) == there
    with pytest.raises(NotFound):
        await portfolio.get(there.id, new_uuid())


async def test_a_change_of_status_needs_the_current_etag_and_an_arrow() -> None:
    there = product(OWNER.id)
    portfolio, store = usecases(there)
    after = await portfolio.change_status(there.id, Status.SUSPENDED, "v1")
    assert [c.status for c in after.history] == [Status.ACTIVE, Status.SUSPENDED]
    with pytest.raises(Conflict) as stale:
        await portfolio.change_status(there.id, Status.ACTIVE, "v1")
    assert stale.value.metadata == {"etag": "v2"}
    assert await portfolio.change_status(there.id, Status.SUSPENDED, "v2") == after
    with pytest.raises(Refused):
        await portfolio.change_status(there.id, Status.PROVISIONING, "")
    with pytest.raises(NotFound):
        await portfolio.change_status(new_uuid(), Status.ACTIVE, "")
    (event,) = store.events
    assert isinstance(event.data, pb.ProductChanged)
    assert (event.sequence, event.time) == (2, after.update_time)


async def test_what_the_family_no_longer_lists_is_told_of_no_more_from_the_next_change_of_any_kind_on() -> None:
    listed_once = product(OWNER.id, characteristics=(("contact", "Jane Doe"),))
    for change in ("a status", "a name"):
        owners = FakeCustomers(OWNER)
        portfolio, store = usecases(listed_once, owners=owners)
        if change == "a status":
            after = await portfolio.change_status(listed_once.id, Status.SUSPENDED, "")
        else:
            after = await portfolio.update(replace(listed_once, name="Fibre 500"), frozenset({"name"}), "")
        assert (after.unlisted, after.characteristics) == (frozenset({"contact"}), listed_once.characteristics)
        (event,) = store.events
        assert isinstance(event.data, pb.ProductChanged)
        assert not event.data.product.characteristics
        assert owners.held == [OWNER.id], "what is going to be sealed is written before an erasure, or not at all"
        await portfolio.change_status(listed_once.id, Status.CEASED, "")
        assert owners.held == [OWNER.id], "it is sealed already"


async def test_what_an_erased_customer_has_is_still_ceased_and_loses_what_no_family_lists() -> None:
    there = product(OWNER.id, characteristics=(("contact", "Jane Doe"),))
    portfolio, store = usecases(there, erase_time=NOON)
    after = await portfolio.change_status(there.id, Status.CEASED, "")
    assert (after.status, after.characteristics, after.unlisted) == (Status.CEASED, (), frozenset())
    assert store.kept[there.id] == after


async def test_importing_makes_changes_or_leaves_each_and_refuses_what_it_must() -> None:
    left, changed, ceased = product(OWNER.id), product(OWNER.id), product(OWNER.id, status=Status.CEASED)
    past = history(Status.ORDERED, Status.PROVISIONING, Status.ACTIVE, Status.CEASED)
    rows = product_rows(
        left,
        product(OWNER.id, status=Status.CEASED, history=past),
        replace(changed, name="Fibre 500"),
        product(new_uuid()),
        replace(ceased, status=Status.ACTIVE, history=()),
        replace(changed, name="again"),
        product(OWNER.id, history=history(Status.CEASED, Status.ACTIVE)),
    )
    portfolio, store = usecases(left, changed, ceased)
    assert told(await portfolio.load(rows)) == [
        "unchanged",
        "created",
        "updated",
        "NOT_FOUND product.customer_id",
        "FORBIDDEN_TRANSITION status",
        "INVALID_FIELD id",
        "INVALID_FIELD product.history[1].status",
    ]
    assert store.loads == [(1, 1)]
    assert [(e.subject, e.sequence) for e in store.events] == [(rows[1].wish.id, 1), (changed.id, 2)]


async def test_what_a_customer_had_is_imported_also_after_it_left() -> None:
    portfolio, _ = usecases(status=CustomerStatus.CLOSED)
    assert told(await portfolio.load(product_rows(product(OWNER.id, status=Status.CEASED)))) == ["created"]


async def test_a_row_without_status_leaves_the_one_there_is() -> None:
    there = product(OWNER.id, status=Status.SUSPENDED)
    portfolio, store = usecases(there)
    row = Row(replace(there, status=Status.ACTIVE, history=()), says_status=False)
    assert told(await portfolio.load([row])) == ["unchanged"]
    assert store.kept[there.id] == there


async def test_rows_met_by_concurrent_writers_are_looked_at_again() -> None:
    there, made = product(OWNER.id), product(OWNER.id)
    portfolio, store = usecases(there)
    store.rivals = [replace(there, name="theirs"), made]
    rows = product_rows(replace(there, name="ours"), replace(made, name="ours"), product(OWNER.id))
    assert told(await portfolio.load(rows)) == ["updated", "updated", "created"]
    assert [store.kept[i].name for i in (there.id, made.id)] == ["ours", "ours"]
    assert store.kept[there.id].update_time != NOON


@pytest.mark.parametrize(
    ("changes", "reason"), [({"merged_into": new_uuid()}, "MERGED"), ({"erase_time": NOON}, "ERASED")]
)
async def test_a_record_that_is_closed_for_good_takes_no_new_products(changes: dict[str, Any], reason: str) -> None:
    portfolio, store = usecases(**changes)
    with pytest.raises(Refused) as refused:
        await portfolio.add(product(OWNER.id), "", b"")
    assert refused.value.reason == reason
    assert store.kept == {}


async def test_a_product_is_of_a_family_of_the_catalogue_and_as_it_asks() -> None:
    portfolio, store = usecases()
    for wrong, field in (
        (product(OWNER.id, family="telex"), "product.family"),
        (product(OWNER.id, family="leased_line"), "product.identifiers"),
        (product(OWNER.id, family="leased_line", identifiers=CIRCUIT, characteristics=(("a", "b"),)),
         "product.characteristics[0].name"),
    ):  # fmt: skip
        with pytest.raises(Invalid) as refused:
            await portfolio.add(wrong, "", b"")
        assert refused.value.field == field
    assert store.kept == {}


async def test_one_product_is_read_by_its_id() -> None:
    there = product(OWNER.id)
    portfolio, _ = usecases(there)
    assert await portfolio.get(there.id) == there
    with pytest.raises(NotFound) as refused:
        await portfolio.get("nobody")
    assert refused.value.metadata == {"type": "product", "id": "nobody"}


async def test_an_update_takes_over_the_fields_of_its_mask_and_is_told() -> None:
    there = product(OWNER.id)
    portfolio, store = usecases(there)
    wish = replace(there, name="Fibre 500", identifiers=(ServiceIdentifier("circuit", " CIR-1 "),), account_id="x")
    after = await portfolio.update(wish, frozenset({"name", "identifiers"}), "v1")
    assert (after.name, after.identifiers, after.account_id, after.version) == ("Fibre 500", CIRCUIT, "", 2)
    assert store.kept[there.id] == after
    assert store.former == [there]
    (event,) = store.events
    assert isinstance(event.data, pb.ProductChanged)
    assert event.sequence == 2
    assert await portfolio.update(wish, frozenset({"name"}), "v2") == after
    assert len(store.events) == 1


async def test_an_update_is_refused_without_a_product_the_current_etag_or_sense() -> None:
    there, ceased = product(OWNER.id), product(OWNER.id, status=Status.CEASED)
    portfolio, store = usecases(there, ceased)
    named = frozenset({"name", "family"})
    for wish, given, kind in (
        (replace(there, id=""), "", Invalid),
        (replace(there, id="nobody"), "", NotFound),
        (there, "v2", Conflict),
        (replace(there, name=""), "", Invalid),
        (replace(there, family="telex"), "", Invalid),
        (replace(ceased, name="x"), "", Refused),
    ):
        with pytest.raises(kind):
            await portfolio.update(wish, named, given)
    assert store.kept == {there.id: there, ceased.id: ceased}


async def test_an_identifier_of_its_own_belongs_to_one_product_until_that_has_ceased() -> None:
    there = product(OWNER.id, identifiers=CIRCUIT)
    portfolio, _ = usecases(there)
    other = await portfolio.add(product(OWNER.id), "", b"")
    for attempt in (
        portfolio.add(product(OWNER.id, identifiers=CIRCUIT), "", b""),
        portfolio.update(replace(other, identifiers=CIRCUIT), frozenset({"identifiers"}), ""),
    ):
        with pytest.raises(AlreadyExists) as refused:
            await attempt
        assert (refused.value.reason, refused.value.field) == ("IDENTIFIER_TAKEN", "product.identifiers")
        assert refused.value.metadata == {"kind": "circuit", "type": "product", "id": there.id}
    await portfolio.change_status(there.id, Status.CEASED, "")
    after = await portfolio.update(replace(other, identifiers=CIRCUIT), frozenset({"identifiers"}), "")
    assert after.identifiers == CIRCUIT


async def test_rows_that_name_the_same_identifier_are_loaded_once() -> None:
    portfolio, store = usecases()
    rows = product_rows(*(product(OWNER.id, identifiers=CIRCUIT) for _ in range(3)), product(OWNER.id))
    assert told(await portfolio.load(rows)) == [
        "created", "IDENTIFIER_TAKEN product.identifiers", "IDENTIFIER_TAKEN product.identifiers", "created",
    ]  # fmt: skip
    assert set(store.kept) == {rows[0].wish.id, rows[3].wish.id}
