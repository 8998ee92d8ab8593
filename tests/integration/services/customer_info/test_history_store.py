"""The contract of the stores of history: the fakes and the real ones keep the same promises."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings

from chassis.bulk import Outcome
from chassis.lineage import Lineage
from chassis.mongo.client import Store
from chassis.rules import Conflict, NotFound
from chassis.vault.vault import Vault
from services.customer_info.customers import documents as customer_documents
from services.customer_info.customers.import_rules import Row
from services.customer_info.customers.rules import Category, Customer
from services.customer_info.customers.store import CustomerStore
from services.customer_info.customers.usecases import CustomerUseCases
from services.customer_info.history.kinds import KEPT
from services.customer_info.history.rules import Place, Version, version_key
from services.customer_info.history.store import HISTORY, PRESENT_ONLY, History, Records
from services.customer_info.history.usecases import Former, Present
from services.customer_info.portfolio import documents as product_documents
from services.customer_info.portfolio.identifier_rules import ServiceIdentifier
from tests.support.fakes.history import FakeHistory, FakeRecords
from tests.unit.services.customer_info.builders import NOON, email, later, new_uuid, person, product
from tests.unit.services.customer_info.edits import Edit, played, stories

Document = dict[str, Any]


@dataclass
class Book:
    """Both stores under test, and how a record is put in place of what it was, which is kept."""

    former: Any
    present: Present
    put: Callable[[str, Document], Awaitable[None]]

    async def all(self, kinds: Sequence[str], ids: Sequence[str], most: int) -> list[str]:
        """The keys of all former versions, page by page."""
        former: Former = self.former
        found: list[Version] = []
        before: Place | None = None
        while page := await former.page(ids, kinds, before, most):
            found += page
            before = page[-1].place
        return [v.key for v in found]

    async def all_present(self, kind: str, ids: Sequence[str], most: int) -> list[str]:
        """The ids of all records, page by page."""
        found: list[Version] = []
        before: Place | None = None
        while page := await self.present.page(kind, ids, before, most):
            assert len(page) <= most
            found += page
            before = page[-1].place
        return [v.record_id for v in found]


@pytest.fixture(params=["fake", "real"])
def book(request: pytest.FixtureRequest, store: Store) -> Book:
    if request.param == "fake":
        fake, records = FakeHistory(), FakeRecords({kind: kept.owner for kind, kept in KEPT.items()})

        async def put_fake(kind: str, document: Document) -> None:
            if before := records.kept[kind].get(document["_id"]):
                await fake.keep(None, kind, [before])
            records.put(kind, document)

        return Book(fake, records, put_fake)
    history = History(store)

    async def put(kind: str, document: Document) -> None:
        async def work(transaction: Any) -> None:
            collection = store.collection(KEPT[kind].collection)
            before = await collection.find_one_and_replace(
                {"_id": document["_id"]}, document, upsert=True, session=transaction
            )
            if before is not None:
                await history.keep(transaction, kind, [before])

        await store.transact(work)

    return Book(history, Records(store, KEPT), put)


@pytest.fixture
async def documents(vault: Vault) -> list[Document]:
    """Three versions of a customer, two of a product of its, and a product that somebody else has."""
    first = person(contact_media=(email(f"{new_uuid()}@example.com"),))
    key = (await vault.make([first.id]))[first.id]
    versions = [replace(first, version=n + 1, update_time=later(n)) for n in range(3)]
    mine = product(first.id, identifiers=(ServiceIdentifier("msisdn", f"+4930{int(new_uuid()[:6], 16)}"),))
    products = [mine, replace(mine, version=2, update_time=later(1)), product(new_uuid(), update_time=later(1))]
    return [
        *(customer_documents.to_document(c, key, vault) for c in versions),
        *(product_documents.to_document(p, key, vault) for p in products),
    ]


async def filled(book: Book, documents: Sequence[Document]) -> tuple[str, str]:
    """Puts all of them; the ids of the customer and of its product."""
    for document in documents:
        await book.put("product" if "family" in document else "customer", document)
    return documents[0]["_id"], documents[3]["_id"]


async def test_what_a_record_was_is_read_back_as_it_was_kept(book: Book, documents: list[Document]) -> None:
    customer_id, product_id = await filled(book, documents)
    first, second, never = (version_key("customer", customer_id, n) for n in (1, 2, 9))
    product = version_key("product", product_id, 1)
    found = await book.former.versions([first, second, product, never])
    assert found.keys() == {first, second, product}
    expected = {k: v for k, v in documents[1].items() if k not in PRESENT_ONLY}
    assert found[second] == expected
    assert found[product]["sealed"] == documents[3]["sealed"]


async def test_a_record_is_read_as_it_was_at_a_time(book: Book, documents: list[Document]) -> None:
    customer_id, _ = await filled(book, documents)
    moment = timedelta(milliseconds=1)
    for time, version in ((NOON, 1), (later(1) - moment, 1), (later(1), 2), (later(9), 2)):
        assert (await book.former.as_of("customer", customer_id, time))["version"] == version
    assert await book.former.as_of("customer", customer_id, NOON - moment) is None
    assert await book.former.as_of("customer", new_uuid(), NOON) is None


@pytest.mark.parametrize("most", [1, 2, 50])
async def test_former_versions_come_latest_first_page_by_page(book: Book, documents: list[Document], most: int) -> None:
    customer_id, product_id = await filled(book, documents)
    first, second = (version_key("customer", customer_id, n) for n in (1, 2))
    sold = version_key("product", product_id, 1)
    noon = sorted([first, sold], reverse=True)
    assert await book.all(["customer", "product"], [customer_id], most) == [second, *noon]
    assert await book.all(["product"], [customer_id, new_uuid()], most) == [sold]
    assert await book.all(["customer"], [new_uuid()], most) == []


@pytest.mark.parametrize("most", [1, 3, 50])
async def test_records_come_last_changed_first_page_by_page(book: Book, vault: Vault, most: int) -> None:
    owner = new_uuid()
    products = [product(owner, update_time=later(n // 3)) for n in range(9)]
    for one in products:
        await book.put("product", product_documents.to_document(one, None, vault))
    expected = sorted(products, key=lambda p: (p.update_time, p.id), reverse=True)
    assert await book.all_present("product", [owner], most) == [p.id for p in expected]
    assert await book.all_present("customer", [owner], most) == []


async def test_a_record_says_who_made_it_what_it_is(book: Book, documents: list[Document]) -> None:
    customer_id, product_id = await filled(book, documents)
    (customer,) = await book.present.page("customer", [customer_id], None, 10)
    assert (customer.record_id, customer.customer_id, customer.version) == (customer_id, customer_id, 3)
    assert (customer.time, customer.by, customer.channel) == (later(2), "system", "")
    assert await book.present.one("customer", customer_id) == customer
    assert PRESENT_ONLY.isdisjoint(customer.document)
    owned = await book.present.one("product", product_id)
    assert owned is not None
    assert (owned.customer_id, owned.version) == (customer_id, 2)
    assert await book.present.one("product", customer_id) is None
    assert await book.present.page("customer", [customer_id], customer.place, 10) == []


async def test_what_is_sealed_is_taken_out_of_the_versions_of_who_is_erased(
    book: Book, documents: list[Document]
) -> None:
    customer_id, product_id = await filled(book, documents)
    await book.former.forget(None, [customer_id])
    found = await book.former.versions([version_key("customer", customer_id, 1), version_key("product", product_id, 1)])
    assert len(found) == 2
    assert not any("sealed" in document for document in found.values())


@given(stories)
@settings(max_examples=12)
async def test_a_customer_as_of_any_time_is_what_was_read_then(store: Store, vault: Vault, steps: list[Edit]) -> None:
    usecases = CustomerUseCases(CustomerStore(store, vault, History(store)), Lineage(store))
    story = await played(usecases, steps)
    for time, was in story.read:
        assert await usecases.get_as_of(story.customer_id, time) == was
    for time in story.moments():
        expected = story.at(time)
        if expected is None:
            with pytest.raises(NotFound):
                await usecases.get_as_of(story.customer_id, time)
        else:
            assert await usecases.get_as_of(story.customer_id, time) == expected


CATEGORIES = list(Category)


async def test_of_edits_and_loads_that_race_every_version_is_kept_once(store: Store, vault: Vault) -> None:
    usecases = CustomerUseCases(CustomerStore(store, vault, History(store)), Lineage(store))
    made = [await usecases.create(person(id=""), "", b"") for _ in range(4)]

    async def edit(n: int) -> None:
        await usecases.update(
            replace(made[n % 4], category=CATEGORIES[n % 3], language=f"x{n}"), frozenset({"category", "language"}), ""
        )

    async def load(n: int) -> list[Any]:
        rows = [Row(replace(c, category=CATEGORIES[n % 3], language=f"y{n}"), says_status=False) for c in made]
        return list(await usecases.load(rows))

    outcomes = await asyncio.gather(*(load(n) if n % 2 else edit(n) for n in range(16)))
    # A row that meets others again and again gives up in the end, and says why.
    answers = [o for answer in outcomes if answer for o in answer]
    assert all(o is Outcome.UPDATED or isinstance(o, Conflict) for o in answers), answers
    for customer in made:
        last = await usecases.get(customer.id)
        kept = store.collection(HISTORY.name).find({"subject": customer.id}).sort("version", 1)
        assert [d["version"] async for d in kept] == list(range(1, last.version))
        assert last.version > 1
        await _is_seen_throughout(usecases, store, last)


async def _is_seen_throughout(usecases: CustomerUseCases, store: Store, last: Customer) -> None:
    async for entry in store.collection(HISTORY.name).find({"subject": last.id}):
        then = await usecases.get_as_of(last.id, entry["update_time"])
        assert (then.version, then.category.value) == (entry["version"], entry["document"]["category"])
