"""An export is complete or it is refused."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from chassis.rules import NotFound, Refused
from services.customer_info.privacy.exporting import Exporting
from tests.support.fakes.customers import FakeCustomers
from tests.support.fakes.lineage import FakeLineage
from tests.unit.services.customer_info.builders import NOON, new_uuid, person

ADA = person()


class NoKeys:
    """The vault of who has sealed nothing."""

    async def keys(self, owners: Any) -> dict[str, Any]:
        return {}


def exporting(customers: FakeCustomers, *, erased_after: int) -> Exporting:
    """Exports pages of one record each; Ada is erased after so many of them."""

    async def find(members: Sequence[str]) -> AsyncIterator[list[dict[str, Any]]]:
        for n in range(3):
            if n == erased_after:
                customers.kept[ADA.id] = replace(ADA, erase_time=NOON)
            yield [{"_id": f"{n}", "customer_id": members[0]}]

    return Exporting(customers, FakeLineage(), NoKeys(), {"things": (find, lambda document, _: document)})


async def read(exports: Exporting, customer_id: str) -> list[Any]:
    return [page for pages in (await exports.export(customer_id)).values() async for page in pages]


async def test_who_is_not_erased_is_shown_everything() -> None:
    assert len(await read(exporting(FakeCustomers(ADA), erased_after=9), ADA.id)) == 3


async def test_who_is_erased_before_or_while_it_is_read_gets_no_end_of_it() -> None:
    customers = FakeCustomers(ADA)
    for _ in range(2):
        with pytest.raises(Refused) as refused:
            await read(exporting(customers, erased_after=1), ADA.id)
        assert refused.value.reason == "ERASED"
    with pytest.raises(NotFound):
        await read(exporting(customers, erased_after=9), new_uuid())
