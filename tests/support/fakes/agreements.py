"""`AgreementStore` in memory."""

from collections.abc import Awaitable, Callable, Collection, Iterable
from typing import Any

from chassis.query.selection import Selection
from services.sla.agreements.documents import key_of
from services.sla.agreements.rules import AgreementRef
from services.sla.agreements.store import LISTING
from services.sla.agreements.version_rules import AgreementVersion
from tests.support.fakes.listing import page
from tests.support.fakes.staging import Stage, Staged

GETTERS: dict[str, Callable[[AgreementVersion], Any]] = {
    "id": lambda v: v.ref.id,
    "customer_id": lambda v: v.agreement.scope.customer_id or "",
}


class FakeAgreements:
    """Behaves as `AgreementStore` does."""

    def __init__(self, *versions: AgreementVersion) -> None:
        self._stage: Stage[AgreementVersion] = Stage()
        self._stage.kept = {key_of(v.ref): v for v in versions}

    @property
    def kept(self) -> dict[str, AgreementVersion]:
        return self._stage.kept

    async def transact(self, work: Callable[[Any], Awaitable[AgreementVersion]]) -> AgreementVersion:
        return await self._stage.transact(work)

    async def newest(self, transaction: Any, agreement_id: str) -> AgreementVersion | None:
        return _newest(self._stage.sees(transaction).values()).get(agreement_id)

    async def insert(self, transaction: Staged[AgreementVersion], version: AgreementVersion) -> None:
        assert key_of(version.ref) not in transaction.kept, "a version is made once"
        transaction.kept[key_of(version.ref)] = version

    async def get(self, agreement_id: str, version: int) -> AgreementVersion | None:
        if version:
            return self.kept.get(key_of(AgreementRef(agreement_id, version)))
        return await self.newest(None, agreement_id)

    async def page(self, selection: Selection) -> tuple[list[AgreementVersion], str]:
        return page(_newest(self.kept.values()).values(), selection, LISTING, GETTERS)

    async def covering(self, customer_ids: Iterable[str]) -> list[AgreementVersion]:
        wanted = {None, *customer_ids}
        found = {v.ref.id for v in self.kept.values() if v.agreement.scope.customer_id in wanted}
        return [v for v in self.kept.values() if v.ref.id in found]

    async def versions(self, refs: Collection[AgreementRef]) -> dict[AgreementRef, AgreementVersion]:
        return {ref: self.kept[key_of(ref)] for ref in refs if key_of(ref) in self.kept}


def _newest(versions: Iterable[AgreementVersion]) -> dict[str, AgreementVersion]:
    found: dict[str, AgreementVersion] = {}
    for version in sorted(versions, key=lambda v: v.ref):
        found[version.ref.id] = version
    return found
