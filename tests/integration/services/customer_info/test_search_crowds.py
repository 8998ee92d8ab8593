"""Who is looked for among hundreds who are nearly called so, over the wire."""

from collections.abc import AsyncIterator

import grpc
import pytest
from holdfast.customer_info.v1 import customers_pb2 as pb
from holdfast.customer_info.v1 import search_pb2
from holdfast.customer_info.v1.customers_pb2_grpc import CustomersServiceStub
from holdfast.customer_info.v1.search_pb2_grpc import SearchServiceStub

from tests.integration.services.customer_info.messages import new_uuid
from tests.support.service import Keys, Process

CROWD = 500
# They come after the first half of a crowd and before the second: neither end of an index finds them by luck.
MEYERS = [pb.Individual(given_name=name, family_name="Meyer") for name in ("Ada", "Bo", "Cleo", "Dan")]
BECKER = pb.Organization(trading_name="Becker Bau GmbH")
ANNABEL = pb.Individual(given_name="Annabel", family_name="Schneider")
LENA = pb.Individual(given_name="Lena", family_name="Kaiser")


def rows() -> list[pb.Customer]:
    """Meiers, companies of Becker, Annas and Keisers, and in the middle those who are looked for."""
    crowd = [
        customer
        for n in range(CROWD)
        for customer in (
            pb.Customer(individual=pb.Individual(given_name=f"Given{n}", family_name="Meier")),
            pb.Customer(organization=pb.Organization(trading_name=f"Becker Bau {n} GmbH")),
            pb.Customer(individual=pb.Individual(given_name="Anna", family_name="Schneider")),
            pb.Customer(individual=pb.Individual(given_name="Lena", family_name="Kayser")),
        )
    ]
    one = [pb.Customer(individual=who) for who in (*MEYERS, ANNABEL, LENA)] + [pb.Customer(organization=BECKER)]
    made = [*crowd[: len(crowd) // 2], *one, *crowd[len(crowd) // 2 :]]
    for customer in made:
        customer.id = new_uuid()
    return made


@pytest.fixture(scope="module")
async def search(service: Process, keys: Keys) -> AsyncIterator[SearchServiceStub]:
    """The search of a service that has them all."""

    async def requests() -> AsyncIterator[pb.ImportCustomersRequest]:
        everybody = rows()
        for n in range(0, len(everybody), 500):
            yield pb.ImportCustomersRequest(customers=everybody[n : n + 500])

    async with grpc.aio.insecure_channel(service.address) as channel:
        call = CustomersServiceStub(channel).ImportCustomers(requests(), metadata=keys.metadata("service"))
        assert (await call).summary.failed == 0
        yield SearchServiceStub(channel)


async def found(search: SearchServiceStub, keys: Keys, text: str, limit: int = 10) -> list[str]:
    request = search_pb2.SearchCustomersRequest(text=text, limit=limit)
    answers = (await search.SearchCustomers(request, metadata=keys.metadata("agent"))).found
    scores = [a.score for a in answers]
    assert scores == sorted(scores, reverse=True)
    return [name(a.customer) for a in answers]


def name(customer: pb.Customer) -> str:
    person = customer.individual
    return customer.organization.trading_name or f"{person.given_name} {person.family_name}"


@pytest.mark.parametrize("text", ["Meyer", "Meye", "Mey", "meyer"])
async def test_those_written_as_typed_come_before_a_crowd_that_sounds_so(
    search: SearchServiceStub, keys: Keys, text: str
) -> None:
    names = await found(search, keys, text, limit=50)
    assert sorted(names[:4]) == ["Ada Meyer", "Bo Meyer", "Cleo Meyer", "Dan Meyer"]
    assert len(names) == 50
    assert all(other.endswith(" Meier") for other in names[4:])


@pytest.mark.parametrize(
    ("text", "who"),
    [
        ("Cleo Meyer", "Cleo Meyer"),
        ("meyer cl", "Cleo Meyer"),
        ("c meyer", "Cleo Meyer"),
        ("Becker Bau GmbH", "Becker Bau GmbH"),
        ("Bau Becker", "Becker Bau GmbH"),
        ("Becker Bau Gmb", "Becker Bau GmbH"),
        ("becker bau 377", "Becker Bau 377 GmbH"),
        ("Annabe Schneider", "Annabel Schneider"),
        ("Schneider, Annabel", "Annabel Schneider"),
        ("Lena Kaiser", "Lena Kaiser"),
        ("Lena Kai", "Lena Kaiser"),
    ],
)
async def test_the_one_who_is_meant_comes_first(search: SearchServiceStub, keys: Keys, text: str, who: str) -> None:
    assert (await found(search, keys, text))[0] == who
