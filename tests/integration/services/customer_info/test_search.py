"""Finding customers over the wire: by name however it is typed, and by any identifier."""

from collections.abc import Sequence

import grpc
import pytest
from holdfast.customer_info.v1 import customers_pb2 as pb
from holdfast.customer_info.v1 import portfolio_pb2, search_pb2
from holdfast.customer_info.v1.customers_pb2_grpc import CustomersServiceStub
from holdfast.customer_info.v1.portfolio_pb2_grpc import PortfolioServiceStub
from holdfast.customer_info.v1.search_pb2_grpc import SearchServiceStub

from chassis.errors import reason_of
from tests.integration.services.customer_info.messages import new_uuid, product

Metadata = tuple[tuple[str, str], ...]
PEOPLE = (("Jürgen", "Schröder"), ("Anna-Lena", "van der Heide"), ("Łukasz", "Wójcik"), ("Siobhán", "O'Brien"))
COMPANIES = ("Nordwind Logistik GmbH & Co. KG", "Société Générale de Plomberie S.A.", "AB Volvo")


@pytest.fixture
def search(channel: grpc.aio.Channel) -> SearchServiceStub:
    return SearchServiceStub(channel)


@pytest.fixture(scope="module")
def tag() -> str:
    """A family name that nobody else has, so that a test finds only its own people."""
    return "Q" + "".join(chr(ord("a") + int(digit, 16)) for digit in new_uuid()[:6])


@pytest.fixture
async def there(customers: CustomersServiceStub, agent: Metadata) -> list[str]:
    """The ids of PEOPLE and COMPANIES."""
    parties = [pb.Customer(individual=pb.Individual(given_name=g, family_name=f)) for g, f in PEOPLE]
    parties += [pb.Customer(organization=pb.Organization(trading_name=name)) for name in COMPANIES]
    made = [await customers.CreateCustomer(pb.CreateCustomerRequest(customer=p), metadata=agent) for p in parties]
    return [m.customer.id for m in made]


async def found(search: SearchServiceStub, agent: Metadata, text: str) -> Sequence[search_pb2.FoundCustomer]:
    request = search_pb2.SearchCustomersRequest(text=text, limit=50)
    return (await search.SearchCustomers(request, metadata=agent)).found


@pytest.mark.parametrize(
    ("text", "who"),
    [
        ("jürgen schröder", 0),
        ("Schroder Juergen", 0),
        ("jurgn schroeder", 0),
        ("schröd", 0),
        ("ju", 0),
        ("heide anna", 1),
        ("vanderheide", 1),
        ("lukasz wojcik", 2),
        ("wojick", 2),
        ("obrien", 3),
        ("nordwind logistik", 4),
        ("Nordwnid Logistik AG", 4),
        ("societe generale plomberie", 5),
        ("AB Vol", 6),
        ("Dr. Wójc", 2),
    ],
)
async def test_a_name_is_found_however_it_is_typed(
    search: SearchServiceStub, there: list[str], agent: Metadata, text: str, who: int
) -> None:
    answers = await found(search, agent, text)
    assert there[who] in [a.customer.id for a in answers]
    scores = [a.score for a in answers]
    assert scores == sorted(scores, reverse=True)
    assert all(0 < score <= 1 for score in scores)


async def test_what_is_typed_exactly_comes_before_what_is_alike(
    search: SearchServiceStub, customers: CustomersServiceStub, agent: Metadata, tag: str
) -> None:
    for family in (f"{tag}x", f"{tag}er", tag):
        person = pb.Customer(individual=pb.Individual(given_name="Ada", family_name=family))
        await customers.CreateCustomer(pb.CreateCustomerRequest(customer=person), metadata=agent)
    answers = await found(search, agent, tag)
    assert answers[0].customer.individual.family_name == tag
    assert answers[0].score > answers[1].score


async def test_a_new_name_is_found_and_the_old_one_is_not(
    search: SearchServiceStub, customers: CustomersServiceStub, agent: Metadata, tag: str
) -> None:
    person = pb.Customer(individual=pb.Individual(given_name="Eva", family_name=f"{tag}alt"))
    made = (await customers.CreateCustomer(pb.CreateCustomerRequest(customer=person), metadata=agent)).customer
    change = pb.Customer(id=made.id, individual=pb.Individual(given_name="Eva", family_name="Verheiratetzz"))
    await customers.UpdateCustomer(pb.UpdateCustomerRequest(customer=change), metadata=agent)
    assert made.id not in [a.customer.id for a in await found(search, agent, f"{tag}alt")]
    assert made.id in [a.customer.id for a in await found(search, agent, "eva verheiratetzz")]


@pytest.mark.parametrize("text", ["x", "?!", "  "])
async def test_less_than_two_letters_are_refused(search: SearchServiceStub, agent: Metadata, text: str) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await found(search, agent, text)
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_one_letter_behind_a_title_is_no_refusal(search: SearchServiceStub, agent: Metadata) -> None:
    assert all(0 < a.score <= 1 for a in await found(search, agent, "Dr N"))


async def test_any_identifier_leads_to_its_customer_and_says_what_it_is_of(
    customers: CustomersServiceStub, portfolio: PortfolioServiceStub, agent: Metadata
) -> None:
    tail = f"{int(new_uuid()[:8], 16) % 10**7:07d}"
    billing, email = new_uuid(), f"{new_uuid()}@example.com"
    person = pb.Customer(individual=pb.Individual(family_name="Example"))
    person.external_ids.add(issuer="billing", value=billing)
    person.contact_media.add(kind=pb.ContactMedium.KIND_EMAIL, value=email)
    person.contact_media.add(kind=pb.ContactMedium.KIND_PHONE, value=f"+49 (30) 1-{tail}")
    made = (await customers.CreateCustomer(pb.CreateCustomerRequest(customer=person), metadata=agent)).customer
    owned = product(made.id, family="mobile")
    owned.identifiers.add(kind="msisdn", value=f"+4915{tail}22")
    owned.identifiers.add(kind="imsi", value=f"26201{tail}123")
    line = (await portfolio.AddProduct(portfolio_pb2.AddProductRequest(product=owned), metadata=agent)).product
    asked: dict[str, list[pb.LookupCustomerRequest]] = {
        made.id: [
            pb.LookupCustomerRequest(customer_id=made.id),
            pb.LookupCustomerRequest(external_id=pb.LookupExternalId(issuer="billing", value=billing)),
            pb.LookupCustomerRequest(external_id=pb.LookupExternalId(value=billing)),
            pb.LookupCustomerRequest(email=email.upper()),
            pb.LookupCustomerRequest(phone=f"+49301{tail}"),
            *(pb.LookupCustomerRequest(any=text) for text in (billing, email, f"+49 30 1{tail}")),
        ],
        line.id: [
            pb.LookupCustomerRequest(phone=f"+49 15{tail}22"),
            pb.LookupCustomerRequest(service=pb.LookupServiceIdentifier(kind="imsi", value=f"26201{tail}123")),
            *(pb.LookupCustomerRequest(any=text) for text in (f"+4915{tail}22", f"26201{tail}123")),
        ],
    }
    for matched, requests in asked.items():
        for request in requests:
            answer = await customers.LookupCustomer(request, metadata=agent)
            assert (answer.customer.id, answer.matched.id) == (made.id, matched), request


async def test_an_identifier_of_nobody_is_not_found_and_nonsense_is_refused(
    customers: CustomersServiceStub, agent: Metadata
) -> None:
    codes = []
    for request in (
        pb.LookupCustomerRequest(any=new_uuid()),
        pb.LookupCustomerRequest(account_number=new_uuid()),
        pb.LookupCustomerRequest(phone="+491234567890123456"),
        pb.LookupCustomerRequest(phone="nobody"),
    ):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await customers.LookupCustomer(request, metadata=agent)
        codes.append(reason_of(refused.value))
    assert codes == ["NOT_FOUND", "NOT_FOUND", "INVALID_FIELD", "INVALID_FIELD"]
