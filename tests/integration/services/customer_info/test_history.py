"""Changes through a real process, a real socket and a real MongoDB."""

import asyncio
import itertools
from datetime import timedelta
from typing import Any

import grpc
import pytest
from google.protobuf import json_format
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp
from holdfast.common.v1 import query_pb2
from holdfast.customer_info.v1 import (
    accounts_pb2,
    consents_pb2,
    customers_pb2,
    history_pb2,
    portfolio_pb2,
    privacy_pb2,
    profiles_pb2,
)
from holdfast.customer_info.v1.accounts_pb2_grpc import AccountsServiceStub
from holdfast.customer_info.v1.consents_pb2_grpc import ConsentsServiceStub
from holdfast.customer_info.v1.customers_pb2_grpc import CustomersServiceStub
from holdfast.customer_info.v1.hierarchy_pb2_grpc import HierarchyServiceStub
from holdfast.customer_info.v1.history_pb2_grpc import HistoryServiceStub
from holdfast.customer_info.v1.portfolio_pb2_grpc import PortfolioServiceStub
from holdfast.customer_info.v1.privacy_pb2_grpc import PrivacyServiceStub
from holdfast.customer_info.v1.profiles_pb2_grpc import ProfilesServiceStub

from chassis.errors import reason_of
from chassis.times import from_timestamp, now, to_timestamp
from tests.integration.services.customer_info.books import Books
from tests.integration.services.customer_info.conftest import Metadata
from tests.integration.services.customer_info.forester import Forester, node
from tests.integration.services.customer_info.messages import (
    bad_fields,
    company,
    customer_batches,
    new_uuid,
    person,
    product,
)
from tests.support.polling import until
from tests.support.service import Keys

Changes = list[history_pb2.Change]


@pytest.fixture
def history(channel: grpc.aio.Channel) -> HistoryServiceStub:
    return HistoryServiceStub(channel)


@pytest.fixture
def auditor(keys: Keys) -> Metadata:
    return keys.metadata("auditor")


async def created(customers: CustomersServiceStub, agent: Metadata) -> customers_pb2.Customer:
    request = customers_pb2.CreateCustomerRequest(customer=person(language="de"))
    return (await customers.CreateCustomer(request, metadata=agent)).customer


async def updated(
    customers: CustomersServiceStub, metadata: Metadata, customer: customers_pb2.Customer, *paths: str
) -> customers_pb2.Customer:
    request = customers_pb2.UpdateCustomerRequest(customer=customer, update_mask=FieldMask(paths=paths))
    return (await customers.UpdateCustomer(request, metadata=metadata)).customer


async def read(
    customers: CustomersServiceStub, agent: Metadata, customer_id: str, at: Timestamp | None = None
) -> customers_pb2.Customer:
    request = customers_pb2.GetCustomerRequest(customer_id=customer_id, as_of=at)
    return (await customers.GetCustomer(request, metadata=agent)).customer


async def listed(history: HistoryServiceStub, metadata: Metadata, customer_id: str, *kinds: str) -> Changes:
    """All changes, three at a time."""
    token, found = "", []
    while True:
        page = query_pb2.PageRequest(page_size=3, page_token=token)
        request = history_pb2.ListChangesRequest(customer_id=customer_id, kinds=kinds, page=page)
        answer = await history.ListChanges(request, metadata=metadata)
        found += list(answer.changes)
        token = answer.page.next_page_token
        if not token:
            return found


def fields(change: history_pb2.Change) -> dict[str, tuple[Any, Any]]:
    """What a change says of each field, before and after; None: unset."""
    found = {}
    for field in change.fields:
        before = json_format.MessageToDict(field.before) if field.HasField("before") else None
        found[field.name] = (before, json_format.MessageToDict(field.after) if field.HasField("after") else None)
    return found


async def test_every_change_tells_who_made_it_when_through_what_and_what_it_changed(
    customers: CustomersServiceStub, history: HistoryServiceStub, keys: Keys, agent: Metadata
) -> None:
    made = await created(customers, agent)
    clerk = (*keys.metadata("supervisor", subject="clerk-7"), ("x-holdfast-channel", "store"))
    wish = customers_pb2.Customer(id=made.id, individual=customers_pb2.Individual(given_name="Eve", family_name="X"))
    after = await updated(customers, clerk, wish, "individual")
    second, first = await listed(history, agent, made.id)
    assert (second.kind, second.record_id, second.customer_id) == ("customer", made.id, made.id)
    assert (second.version, second.by, second.channel) == (2, "clerk-7", "store")
    assert second.time == after.update_time
    assert fields(second) == {
        "individual": (
            {"given_name": "Ada", "family_name": "Example"},
            {"given_name": "Eve", "family_name": "X"},
        )
    }
    assert (first.version, first.by, first.channel, first.time) == (1, "tester", "", made.create_time)
    assert fields(first)["language"] == (None, "de")
    assert fields(first)["status"] == (None, "CUSTOMER_STATUS_ACTIVE")
    assert "etag" not in fields(first)


async def test_changes_of_all_kinds_are_listed_together_or_by_kind(
    customers: CustomersServiceStub,
    portfolio: PortfolioServiceStub,
    history: HistoryServiceStub,
    channel: grpc.aio.Channel,
    agent: Metadata,
) -> None:
    made = await created(customers, agent)
    add = portfolio_pb2.AddProductRequest(product=product(made.id, name="Fibre 250"))
    mine = (await portfolio.AddProduct(add, metadata=agent)).product
    move = portfolio_pb2.ChangeProductStatusRequest(product_id=mine.id, status=portfolio_pb2.PRODUCT_STATUS_SUSPENDED)
    await portfolio.ChangeProductStatus(move, metadata=agent)
    profile = profiles_pb2.Profile(customer_id=made.id, newsletter_topics=["offers"])
    await ProfilesServiceStub(channel).UpdateProfile(profiles_pb2.UpdateProfileRequest(profile=profile), metadata=agent)
    found = await listed(history, agent, made.id)
    assert [(c.kind, c.version) for c in found] == [("profile", 1), ("product", 2), ("product", 1), ("customer", 1)]
    assert fields(found[0])["newsletter_topics"] == (None, ["offers"])
    assert fields(found[1])["status"] == ("PRODUCT_STATUS_ACTIVE", "PRODUCT_STATUS_SUSPENDED")
    assert [c.version for c in await listed(history, agent, made.id, "product")] == [2, 1]


async def test_consents_and_requests_about_accounts_are_changes_and_a_tree_that_only_grew_is_none(
    customers: CustomersServiceStub,
    history: HistoryServiceStub,
    channel: grpc.aio.Channel,
    agent: Metadata,
    keys: Keys,
) -> None:
    request = customers_pb2.CreateCustomerRequest(customer=company())
    made = (await customers.CreateCustomer(request, metadata=agent)).customer
    given = consents_pb2.RecordConsentRequest(
        customer_id=made.id,
        given=consents_pb2.ConsentGiven(purpose="surveys", basis=consents_pb2.LAWFUL_BASIS_CONSENT),
        source=consents_pb2.ConsentSource(channel="store", note="said Zebulon"),
    )
    consent = (await ConsentsServiceStub(channel).RecordConsent(given, metadata=agent)).record
    content = accounts_pb2.AccountContent(name="Head office", number=new_uuid(), currency_code="EUR")
    set_up = accounts_pb2.AccountSetUp(kind=accounts_pb2.ACCOUNT_KIND_BILLING_ACCOUNT, content=content)
    wanted = accounts_pb2.RequestAccountRequest(customer_id=made.id, reason="they asked", set_up=set_up)
    asked = (await AccountsServiceStub(channel).RequestAccount(wanted, metadata=agent)).request
    forest = Forester(HierarchyServiceStub(channel), agent, made.id)
    tree = await forest.planted()
    await forest.add(tree.id, node("Works"))
    found = await listed(history, agent, made.id, "tree", "account_request", "consent")
    assert [(c.kind, c.record_id, c.version) for c in found] == [
        ("tree", tree.id, 1),
        ("account_request", asked.id, 1),
        ("consent", consent.id, 1),
    ]
    assert fields(found[1])["reason"] == (None, "they asked")
    assert (found[2].by, found[2].channel, found[2].time) == ("tester", "store", consent.time)
    masked = await listed(history, keys.metadata("auditor"), made.id, "consent", "account_request")
    assert "Zebulon" in str(found)
    assert "Zebulon" not in str(masked)
    assert "they asked" not in str(masked)
    read = history_pb2.GetRecordRequest(customer_id=made.id, kind="consent", record_id=consent.id)
    kept = json_format.MessageToDict((await history.GetRecord(read, metadata=agent)).content)
    assert kept["given"]["purpose"] == "surveys"
    read.as_of.CopyFrom(made.create_time)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await history.GetRecord(read, metadata=agent)
    assert reason_of(refused.value) == "NOT_FOUND"


async def test_auditors_see_which_personal_fields_changed_but_not_their_values(
    customers: CustomersServiceStub, history: HistoryServiceStub, agent: Metadata, auditor: Metadata, keys: Keys
) -> None:
    made = await created(customers, agent)
    wish = person(id=made.id, language="fr", billing=customers_pb2.BillingPreference(paperless=True))
    await updated(customers, agent, wish, "contact_media", "language", "billing")
    second, first = await listed(history, auditor, made.id)
    masked = (None, None)
    assert fields(second) == {"contact_media": masked, "language": masked, "billing": (None, {"paperless": True})}
    assert {f.name for f in second.fields if f.masked} == {"contact_media", "language"}
    assert {f.name for f in first.fields if f.masked} == {"contact_media", "individual", "language"}
    assert "example.com" not in str(second) + str(first)
    seen = [agent, keys.metadata("auditor", "supervisor"), keys.metadata("customer", customer_id=made.id)]
    for metadata in seen:
        assert "example.com" in str((await listed(history, metadata, made.id))[0])


async def test_customers_see_the_changes_of_their_own_records_only(
    customers: CustomersServiceStub, history: HistoryServiceStub, agent: Metadata, keys: Keys
) -> None:
    made = await created(customers, agent)
    other = keys.metadata("customer", customer_id=new_uuid())
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await listed(history, other, made.id)
    assert reason_of(refused.value) == "NOT_OWN_CUSTOMER"


async def test_what_makes_no_sense_is_refused_by_its_field(
    customers: CustomersServiceStub, history: HistoryServiceStub, agent: Metadata
) -> None:
    made = await created(customers, agent)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await listed(history, agent, made.id, "customer", "ghost")
    assert bad_fields(refused.value) == ["kinds[1]"]
    with pytest.raises(grpc.aio.AioRpcError) as missing:
        await listed(history, agent, new_uuid())
    assert reason_of(missing.value) == "NOT_FOUND"
    page = query_pb2.PageRequest(page_token="elsewhere")
    with pytest.raises(grpc.aio.AioRpcError) as foreign:
        request = history_pb2.ListChangesRequest(customer_id=made.id, page=page)
        await history.ListChanges(request, metadata=agent)
    assert reason_of(foreign.value) == "INVALID_PAGE_TOKEN"


async def test_a_customer_as_of_a_time_is_what_was_read_then_also_after_a_bulk_load(
    customers: CustomersServiceStub, history: HistoryServiceStub, agent: Metadata, loader: Metadata
) -> None:
    before = now() - timedelta(minutes=1)
    made = await created(customers, agent)
    seen = []
    for n in range(4):
        if n % 2:
            row = person(id=made.id, language=f"en-l{n}")
            summary = (await customers.ImportCustomers(customer_batches([row], 1), metadata=loader)).summary
            assert (summary.updated, summary.failed) == (1, 0)
        else:
            await updated(customers, agent, customers_pb2.Customer(id=made.id, language=f"en-u{n}"), "language")
        was = await read(customers, agent, made.id)
        # A reading is of a moment that is over before the next change.
        await until(lambda was=was: now() > from_timestamp(was.update_time))  # type: ignore[misc]
        seen.append((now(), was))
        await until(lambda: now() > seen[-1][0])
    for time, was in seen:
        assert await read(customers, agent, made.id, to_timestamp(time)) == was
    assert await read(customers, agent, made.id, made.update_time) == made
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await read(customers, agent, made.id, to_timestamp(before))
    assert reason_of(refused.value) == "NOT_FOUND"
    assert [c.version for c in await listed(history, agent, made.id)] == [5, 4, 3, 2, 1]


async def test_a_record_is_read_as_it_stood_without_what_the_reader_may_not_see(
    portfolio: PortfolioServiceStub,
    customers: CustomersServiceStub,
    history: HistoryServiceStub,
    agent: Metadata,
    auditor: Metadata,
) -> None:
    made = await created(customers, agent)
    identifier = portfolio_pb2.ServiceIdentifier(kind="mac", value="00:11:22:33:44:55")
    add = portfolio_pb2.AddProductRequest(product=product(made.id, identifiers=[identifier]))
    mine = (await portfolio.AddProduct(add, metadata=agent)).product
    move = portfolio_pb2.ChangeProductStatusRequest(product_id=mine.id, status=portfolio_pb2.PRODUCT_STATUS_CEASED)
    await portfolio.ChangeProductStatus(move, metadata=agent)
    request = history_pb2.GetRecordRequest(customer_id=made.id, kind="product", record_id=mine.id)
    assert (await history.GetRecord(request, metadata=agent)).content["status"] == "PRODUCT_STATUS_CEASED"
    request.as_of.CopyFrom(mine.update_time)
    was = await history.GetRecord(request, metadata=agent)
    assert (was.version, was.by, was.content["status"]) == (1, "tester", "PRODUCT_STATUS_ACTIVE")
    assert "00:11:22:33:44:55" in str(was)
    masked = await history.GetRecord(request, metadata=auditor)
    assert list(masked.masked_fields) == ["identifiers"]
    assert "00:11:22:33:44:55" not in str(masked)
    assert masked.content["name"] == was.content["name"]
    request.record_id = made.id
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await history.GetRecord(request, metadata=agent)
    assert reason_of(refused.value) == "NOT_FOUND"


async def test_a_request_about_an_account_is_told_step_by_step_and_read_as_it_stood(
    customers: CustomersServiceStub, history: HistoryServiceStub, channel: grpc.aio.Channel, agent: Metadata, keys: Keys
) -> None:
    books = Books(AccountsServiceStub(channel), keys, (await created(customers, agent)).id)
    content = accounts_pb2.AccountContent(name="Head office", number="B-1", currency_code="EUR")
    set_up = accounts_pb2.AccountSetUp(kind=accounts_pb2.ACCOUNT_KIND_BILLING_ACCOUNT, content=content)
    asked = await books.asked(accounts_pb2.RequestAccountRequest(set_up=set_up))
    await books.approved(asked)
    found = await listed(history, agent, books.customer_id, "account_request")
    assert [(c.record_id, c.version, c.by) for c in found] == [(asked.id, 2, "sue"), (asked.id, 1, "tester")]
    assert fields(found[0])["status"] == ("ACCOUNT_REQUEST_STATUS_ASKED", "ACCOUNT_REQUEST_STATUS_APPLIED")
    assert "wanted" not in fields(found[0])
    request = history_pb2.GetRecordRequest(
        customer_id=books.customer_id, kind="account_request", record_id=asked.id, as_of=asked.ask_time
    )
    was = await history.GetRecord(request, metadata=agent)
    assert (was.version, was.by, was.content["status"]) == (1, "tester", "ACCOUNT_REQUEST_STATUS_ASKED")
    assert json_format.MessageToDict(was.content)["wanted"]["name"] == "Head office"


async def test_changes_of_an_erased_person_stay_listed_without_anything_personal(
    customers: CustomersServiceStub,
    history: HistoryServiceStub,
    channel: grpc.aio.Channel,
    agent: Metadata,
    keys: Keys,
) -> None:
    made = await created(customers, agent)
    wish = customers_pb2.Customer(id=made.id, language="fr", category=customers_pb2.CUSTOMER_CATEGORY_PARTNER)
    await updated(customers, agent, wish, "language", "category")
    assert "example.com" in str(await listed(history, agent, made.id))
    erase = privacy_pb2.EraseCustomerRequest(customer_id=made.id, reason="request of the data subject")
    await PrivacyServiceStub(channel).EraseCustomer(erase, metadata=keys.metadata("admin"))
    found = await listed(history, agent, made.id)
    assert [c.version for c in found] == [3, 2, 1]
    assert all(c.erased for c in found)
    assert fields(found[1]) == {"category": ("CUSTOMER_CATEGORY_RETAIL", "CUSTOMER_CATEGORY_PARTNER")}
    assert "example.com" not in str(found)
    assert "Ada" not in str(found)
    then = await read(customers, agent, made.id, made.update_time)
    assert (then.language, len(then.contact_media), then.individual.family_name) == ("", 0, "")


async def test_the_versions_of_an_erased_persons_profile_stay_without_what_is_personal(
    customers: CustomersServiceStub,
    history: HistoryServiceStub,
    channel: grpc.aio.Channel,
    agent: Metadata,
    keys: Keys,
) -> None:
    made = await created(customers, agent)
    profiles = ProfilesServiceStub(channel)

    async def tell(**said: Any) -> None:
        wish = profiles_pb2.Profile(customer_id=made.id, **said)
        await profiles.UpdateProfile(profiles_pb2.UpdateProfileRequest(profile=wish), metadata=agent)

    await tell(language="fr", newsletter_topics=["zithers"])
    await tell(language="it")
    before = now()
    erase = privacy_pb2.EraseCustomerRequest(customer_id=made.id, reason="request of the data subject")
    await PrivacyServiceStub(channel).EraseCustomer(erase, metadata=keys.metadata("admin"))
    found = await listed(history, agent, made.id, "profile")
    assert [(c.version, fields(c), c.erased) for c in found] == [(2, {}, True), (1, {}, True)]
    request = history_pb2.GetRecordRequest(
        customer_id=made.id, kind="profile", record_id=found[0].record_id, as_of=to_timestamp(before)
    )
    then = await history.GetRecord(request, metadata=agent)
    assert (then.version, then.by) == (2, "tester")
    assert not {"language", "newsletter_topics"} & set(then.content.fields)


async def test_of_many_edits_at_once_every_version_is_listed_once_and_in_order(
    customers: CustomersServiceStub, history: HistoryServiceStub, agent: Metadata
) -> None:
    made = await created(customers, agent)

    async def edit(n: int) -> None:
        await updated(customers, agent, customers_pb2.Customer(id=made.id, language=f"en-x{n}"), "language")

    edits = [asyncio.create_task(edit(n)) for n in range(16)]
    midway = await listed(history, agent, made.id)
    await asyncio.gather(*edits)
    versions = [c.version for c in midway]
    assert versions == list(range(len(versions), 0, -1))
    found = await listed(history, agent, made.id)
    assert [c.version for c in found] == list(range(17, 0, -1))
    for later, earlier in itertools.pairwise(found):
        assert fields(later)["language"][0] == fields(earlier)["language"][1]
