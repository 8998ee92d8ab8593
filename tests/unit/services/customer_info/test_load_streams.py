"""Streams of bulk loads: every row is done once and counted once, whatever breaks in between."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from holdfast.customer_info.v1 import customers_pb2 as pb

from chassis.bulk import Outcome
from chassis.rules import Invalid, NotFound
from services.customer_info.customers import wire
from services.customer_info.customers.import_rules import Row
from services.customer_info.customers.rules import Individual, Organization
from services.customer_info.customers.usecases import CustomerUseCases
from services.customer_info.loading import Keep, Outcomes
from services.customer_info.loads import streams
from services.customer_info.loads.rules import MOST_FAULTS, Load, Overtaken
from services.customer_info.loads.usecases import LoadUseCases
from tests.support.fakes.customers import FakeCustomers
from tests.support.fakes.lineage import FakeLineage
from tests.support.fakes.loads import FakeLoads
from tests.unit.services.customer_info.builders import new_uuid

LOAD = new_uuid()


def message(*rows: pb.Customer, **said: Any) -> pb.ImportCustomersRequest:
    return pb.ImportCustomersRequest(customers=rows, **said)


def customer(**changes: Any) -> pb.Customer:
    return pb.Customer(id=new_uuid(), individual=pb.Individual(family_name="Example"), **changes)


def company(**changes: Any) -> pb.Customer:
    return pb.Customer(id=new_uuid(), organization=pb.Organization(trading_name="Example Ltd"), **changes)


async def stream(*messages: pb.ImportCustomersRequest) -> AsyncIterator[pb.ImportCustomersRequest]:
    for one in messages:
        yield one


def fingerprint(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


class Bench:
    """Streams of customers into fakes."""

    def __init__(self) -> None:
        self.customers, self.loads = FakeCustomers(), FakeLoads()
        self.usecases = CustomerUseCases(self.customers, FakeLineage())

    async def run(self, *messages: pb.ImportCustomersRequest, load: Any = None, name: str = "customers") -> Load:
        kind = streams.Kind(
            name, lambda m: m.customers, wire.reader, self._needs, load or self.usecases.load, wire.untold
        )
        return await streams.run(kind, LoadUseCases(self.loads, fingerprint), stream(*messages))

    @staticmethod
    def _needs(row: Row) -> list[str]:
        return [row.wish.id, row.wish.parent_id]


async def test_a_load_is_kept_with_every_message_in_the_transaction_that_writes_it() -> None:
    bench = Bench()
    rows = [customer() for _ in range(5)]
    done = await bench.run(message(*rows[:2], load_id=LOAD), message(*rows[2:4]), message(rows[4]))
    assert (done.position, done.counts.created, done.counts.failed) == (5, 5, 0)
    assert bench.loads.moves == [(True, 2), (True, 4), (True, 5)]
    kept = bench.loads.kept[LOAD]
    assert (kept.position, kept.kind, kept.by) == (5, "customers", "system")
    assert kept.complete_time is not None


async def test_rows_that_are_done_are_skipped_and_counted_once() -> None:
    bench = Bench()
    rows = [customer() for _ in range(6)]
    bad = pb.Customer(id="no uuid")
    await bench.run(message(rows[0], bad, rows[1], load_id=LOAD))
    again = [rows[0], bad, *rows[1:]]
    done = await bench.run(message(*again[:2], load_id=LOAD), message(*again[2:5]), message(*again[5:]))
    assert (done.position, done.counts.created, done.counts.unchanged, done.counts.failed) == (7, 6, 0, 1)
    assert [(f.row, f.field) for f in done.faults] == [(2, "id")]
    assert set(bench.customers.kept) == {row.id for row in rows}


async def test_a_stream_may_begin_with_the_row_after_the_last_that_is_done() -> None:
    bench = Bench()
    await bench.run(message(customer(), customer(), load_id=LOAD))
    bad = pb.Customer(id="no uuid")
    done = await bench.run(message(customer(), bad, load_id=LOAD, first_row=3), message(customer()))
    assert (done.position, done.counts.created) == (5, 4)
    assert [f.row for f in done.faults] == [4]


@pytest.mark.parametrize("first_row", [4, 100])
async def test_a_stream_that_leaves_rows_out_is_refused(first_row: int) -> None:
    bench = Bench()
    await bench.run(message(customer(), customer(), load_id=LOAD))
    with pytest.raises(Invalid) as refused:
        await bench.run(message(customer(), load_id=LOAD, first_row=first_row))
    assert refused.value.field == "first_row"
    assert bench.loads.kept[LOAD].position == 2


async def test_a_load_of_another_caller_or_kind_is_refused() -> None:
    bench = Bench()
    await bench.run(message(customer(), load_id=LOAD))
    with pytest.raises(Invalid) as refused:
        await bench.run(message(customer(), load_id=LOAD), name="products")
    assert (refused.value.field, refused.value.reason) == ("load_id", "REQUEST_ID_REUSED")
    bench.loads.kept[LOAD] = Load(LOAD, "customers", by="somebody else")
    with pytest.raises(Invalid) as refused:
        await bench.run(message(customer(), load_id=LOAD))
    assert (refused.value.field, refused.value.reason) == ("load_id", "REQUEST_ID_REUSED")


async def test_a_stream_stays_with_the_load_it_began_with() -> None:
    bench = Bench()
    with pytest.raises(Invalid) as refused:
        await bench.run(message(customer(), load_id=LOAD), message(customer(), load_id=new_uuid()))
    assert refused.value.field == "load_id"


async def test_a_load_without_an_id_is_kept_nowhere() -> None:
    bench = Bench()
    done = await bench.run(message(customer()), message(customer(), customer()))
    assert (done.position, done.counts.created) == (3, 3)
    assert bench.loads.kept == {}
    assert await bench.run() == Load("", "customers")


async def test_of_two_streams_of_one_load_the_slower_one_gives_up_and_writes_nothing() -> None:
    bench = Bench()
    slow, quick = customer(), customer()

    async def overtaken(rows: Sequence[Row], keep: Keep | None) -> Outcomes:
        assert keep is not None
        await bench.run(message(quick, load_id=LOAD))
        return await bench.usecases.load(rows, keep)

    with pytest.raises(Overtaken):
        await bench.run(message(slow, load_id=LOAD), load=overtaken)
    assert set(bench.customers.kept) == {quick.id}
    assert bench.loads.kept[LOAD].position == 1


async def test_a_customer_may_have_its_parent_in_the_message_before() -> None:
    bench = Bench()
    parents = [company() for _ in range(20)]
    children = [customer(parent_id=parent.id) for parent in parents]
    messages = [message(one) for pair in zip(parents, children, strict=True) for one in pair]
    done = await bench.run(*messages)
    assert (done.counts.created, done.counts.failed) == (40, 0)


async def test_a_row_that_comes_again_in_the_next_message_is_a_change_of_it() -> None:
    bench = Bench()
    row = customer()
    changed = pb.Customer(id=row.id, language="de", individual=row.individual)
    done = await bench.run(message(row, load_id=LOAD), message(changed), message(changed))
    assert (done.counts.created, done.counts.updated, done.counts.unchanged) == (1, 1, 1)
    assert bench.loads.moves == [(True, 1), (True, 2), (False, 3)]


async def test_rows_in_others_way_are_kept_after_the_message() -> None:
    bench = Bench()
    taken = pb.ExternalId(issuer="billing", value="taken")
    rows = [customer(), customer(), customer(external_ids=[taken]), customer()]
    # Somebody takes it after the rows were looked at.
    bench.customers.rivals = [wire.customer(customer(external_ids=[taken]))]
    done = await bench.run(message(*rows, load_id=LOAD))
    assert (done.counts.created, done.counts.failed) == (3, 1)
    assert [(f.row, f.reason, f.field) for f in done.faults] == [(3, "EXTERNAL_ID_TAKEN", "external_ids")]
    assert bench.loads.moves == [(False, 4)]


async def test_rows_whose_external_id_is_known_to_be_taken_cost_the_message_nothing() -> None:
    bench = Bench()
    taken = pb.ExternalId(issuer="billing", value="taken")
    rows = [customer(external_ids=[taken]), customer(), customer(external_ids=[taken]), customer()]
    done = await bench.run(message(*rows, load_id=LOAD))
    assert [(f.row, f.reason, f.field) for f in done.faults] == [(3, "EXTERNAL_ID_TAKEN", "external_ids")]
    assert bench.loads.moves == [(True, 4)]


async def test_an_external_id_that_a_message_frees_the_next_one_may_give_away() -> None:
    bench = Bench()
    handed_on = pb.ExternalId(issuer="billing", value="handed on")
    one, other, third = customer(external_ids=[handed_on]), customer(), customer(external_ids=[handed_on])
    await bench.run(message(one, other))

    async def load(rows: Sequence[Row], keep: Keep | None) -> Outcomes:
        # The next message is looked at before this one is written.
        for _ in range(50 if rows[0].wish.id == one.id else 0):
            await asyncio.sleep(0)
        return await bench.usecases.load(rows, keep)

    messages = [message(pb.Customer(id=one.id), load_id=LOAD, fields=["external_ids"])]
    messages.append(message(pb.Customer(id=other.id, external_ids=[handed_on]), fields=["external_ids"]))
    done = await bench.run(*messages, message(third), load=load)
    assert (done.counts.updated, [f.row for f in done.faults]) == (2, [3])
    assert bench.loads.moves == [(True, 1), (True, 2), (False, 3)]


async def test_the_rows_of_a_message_tell_of_its_fields_only() -> None:
    bench = Bench()
    row = customer(language="de", characteristics=[{"name": "senior", "value": "no"}])
    await bench.run(message(row))
    short = pb.Customer(id=row.id, language="fr")
    done = await bench.run(message(short, fields=["id", "individual", "language"]))
    assert done.counts.updated == 1
    after = bench.customers.kept[row.id]
    assert (after.language, after.characteristics) == ("fr", (("senior", "no"),))
    with pytest.raises(Invalid) as refused:
        await bench.run(message(short, fields=["language", "shoe_size"]))
    assert (refused.value.field, refused.value.reason) == ("fields[1]", "INVALID_UPDATE_MASK")


async def test_a_row_may_tell_of_one_part_of_who_a_customer_is_that_is_there() -> None:
    bench = Bench()
    ada, shop = customer(), company()
    await bench.run(message(ada, shop))
    given, number = pb.Individual(given_name="Augusta"), pb.Organization(registration_number="HRB 1")
    rows = [pb.Customer(id=one, individual=given) for one in (ada.id, new_uuid())]
    rows += [pb.Customer(id=one, organization=number) for one in (shop.id, new_uuid())]
    rows.append(pb.Customer(id=new_uuid(), individual=pb.Individual(given_name="Ada", family_name="x" * 129)))
    parts = ["individual.given_name", "organization.registration_number"]
    done = await bench.run(message(*rows, fields=parts))
    assert done.counts.updated == 2
    assert [bench.customers.kept[one.id].party for one in (ada, shop)] == [
        Individual("Augusta", "Example"),
        Organization("Example Ltd", "HRB 1"),
    ]
    wrong = [(2, "individual.family_name"), (4, "organization.trading_name"), (5, "individual.family_name")]
    assert [(f.row, f.field) for f in done.faults] == wrong
    # Of a field that is told of, every part counts.
    done = await bench.run(message(rows[0], rows[2], fields=["individual", "organization"]))
    assert (done.counts.failed, done.counts.unchanged) == (2, 0)


async def test_a_customer_that_moves_in_the_structure_is_kept_after_the_message() -> None:
    bench = Bench()
    parent, child = company(), customer()
    await bench.run(message(parent, child))
    child.parent_id = parent.id
    done = await bench.run(message(child, customer(), load_id=LOAD))
    assert (done.counts.updated, done.counts.created) == (1, 1)
    assert bench.loads.moves == [(False, 2)]


async def test_an_id_that_stands_in_a_message_twice_is_told_in_the_same_transaction() -> None:
    bench = Bench()
    row = customer()
    done = await bench.run(message(row, row, customer(), load_id=LOAD))
    assert (done.counts.created, done.counts.failed) == (2, 1)
    assert [f.row for f in done.faults] == [2]
    assert bench.loads.moves == [(True, 3)]


async def test_no_more_than_two_messages_are_at_hand() -> None:
    bench = Bench()
    read = 0
    at_hand: list[int] = []

    async def messages() -> AsyncIterator[pb.ImportCustomersRequest]:
        nonlocal read
        for _ in range(12):
            read += 1
            yield message(customer())

    written = 0

    async def load(rows: Sequence[Row], keep: Keep | None) -> Outcomes:
        nonlocal written
        assert keep is not None
        await keep.turn()
        # As long as others have something to do, they get to do it.
        for _ in range(50):
            await asyncio.sleep(0)
        at_hand.append(read - written)
        written += 1
        return [Outcome.CREATED for _ in rows]

    kind = streams.Kind("customers", lambda m: m.customers, wire.reader, Bench._needs, load)
    await streams.run(kind, LoadUseCases(bench.loads, fingerprint), messages())
    assert max(at_hand) == streams.AT_HAND
    assert written == 12


async def test_messages_are_written_in_their_order_and_none_after_one_that_failed() -> None:
    bench = Bench()
    seen: list[int] = []

    class BrokenError(Exception):
        pass

    async def load(rows: Sequence[Row], keep: Keep | None) -> Outcomes:
        assert keep is not None
        await keep.turn()
        seen.append(len(rows))
        if len(rows) == 2:
            raise BrokenError
        return [Outcome.CREATED for _ in rows]

    with pytest.raises(BrokenError):
        await bench.run(*(message(*(customer() for _ in range(n)), load_id=LOAD) for n in (1, 2, 3, 4)), load=load)
    assert seen == [1, 2]
    assert bench.loads.kept[LOAD].position == 1


async def test_a_thousand_refusals_are_remembered_and_the_others_counted() -> None:
    bench = Bench()
    bad = [pb.Customer(id="no uuid") for _ in range(700)]
    done = await bench.run(message(*bad, load_id=LOAD), message(*bad))
    assert (done.counts.failed, len(done.faults), done.faults[-1].row) == (1400, MOST_FAULTS, MOST_FAULTS)


async def test_all_refusals_of_a_load_are_listed_page_by_page() -> None:
    bench = Bench()
    bad = [pb.Customer(id="no uuid") for _ in range(700)]
    await bench.run(message(*bad, load_id=LOAD), message(customer(), *bad))
    usecases = LoadUseCases(bench.loads, fingerprint)
    rows, token = [], ""
    while True:
        faults, token = await usecases.errors(LOAD, 500, token)
        rows += [fault.row for fault in faults]
        if not token:
            break
    assert rows == [*range(1, 701), *range(702, 1402)]
    assert len((await usecases.errors(LOAD, 0, ""))[0]) == 50
    for token in ("x", "-1", "٣", "1" * 16):
        with pytest.raises(Invalid) as refused:
            await usecases.errors(LOAD, 0, token)
        assert refused.value.reason == "INVALID_PAGE_TOKEN"
    with pytest.raises(NotFound):
        await usecases.errors(new_uuid(), 0, "")


async def test_an_id_that_comes_again_with_other_rows_is_refused() -> None:
    bench = Bench()
    rows = [customer() for _ in range(6)]
    await bench.run(message(*rows[:2], load_id=LOAD), message(*rows[2:4]))
    for other in ([customer(), *rows[1:]], [*rows[:3], customer(), *rows[4:]]):
        with pytest.raises(Invalid) as refused:
            await bench.run(message(*other, load_id=LOAD))
        assert (refused.value.field, refused.value.reason) == ("load_id", "REQUEST_ID_REUSED")
    assert bench.loads.kept[LOAD].position == 4
    # The same rows in other messages, and more of them, go on.
    done = await bench.run(message(*rows[:3], load_id=LOAD), message(*rows[3:5]))
    assert (done.position, done.counts.created) == (5, 5)
    done = await bench.run(message(*rows[4:], load_id=LOAD, first_row=5))
    assert (done.position, done.counts.created) == (6, 6)
    assert (await bench.run(message(*rows, load_id=LOAD))).position == 6
    with pytest.raises(Invalid):
        await bench.run(message(*rows[:5], customer(), load_id=LOAD))


async def test_a_stream_that_ends_before_it_has_shown_all_rows_that_are_done_is_refused() -> None:
    bench = Bench()
    rows = [customer() for _ in range(4)]
    await bench.run(message(*rows, load_id=LOAD))
    for fewer in ([customer()], rows[:3]):
        with pytest.raises(Invalid) as refused:
            await bench.run(message(*fewer, load_id=LOAD))
        assert (refused.value.field, refused.value.reason) == ("load_id", "REQUEST_ID_REUSED")
    # Who shows no row, or goes on after the last, sends no other ones.
    assert (await bench.run(message(load_id=LOAD))).position == 4
    assert (await bench.run(message(rows[0], load_id=LOAD), message(customer(), first_row=5))).position == 5


async def test_an_unknown_load_is_not_found() -> None:
    bench = Bench()
    await bench.run(message(customer(), load_id=LOAD))
    usecases = LoadUseCases(bench.loads, fingerprint)
    assert (await usecases.get(LOAD)).position == 1
    with pytest.raises(NotFound):
        await usecases.get(new_uuid())


def test_a_field_is_told_as_it_stands_in_the_row() -> None:
    row = customer()
    row.contact_media.add(kind=pb.ContactMedium.KIND_POST, value="x").valid.start.seconds = 10**15

    async def check() -> Load:
        bench = Bench()
        kind = streams.Kind("customers", lambda m: m.customers, wire.reader, Bench._needs, bench.usecases.load)
        return await streams.run(kind, LoadUseCases(bench.loads, fingerprint), stream(message(row)))

    assert [f.field for f in asyncio.run(check()).faults] == ["contact_media[0].valid.start"]
