"""What happens to agreements, one function per method."""

from collections.abc import Awaitable, Callable, Collection, Iterable
from typing import Any, Protocol

from chassis.following import Ids, resolved
from chassis.query.selection import Selection
from chassis.rules import NotFound
from chassis.times import now
from services.sla.agreements.rules import AgreementRef
from services.sla.agreements.version_rules import AgreementVersion, next_version


class Agreements(Protocol):
    """What the use cases ask of a store; `AgreementStore` says more of each."""

    async def transact(self, work: Callable[[Any], Awaitable[AgreementVersion]]) -> AgreementVersion: ...

    async def newest(self, transaction: Any, agreement_id: str) -> AgreementVersion | None: ...

    async def insert(self, transaction: Any, version: AgreementVersion) -> None: ...

    async def get(self, agreement_id: str, version: int) -> AgreementVersion | None: ...

    async def page(self, selection: Selection) -> tuple[list[AgreementVersion], str]: ...

    async def covering(self, customer_ids: Iterable[str]) -> list[AgreementVersion]: ...

    async def versions(self, refs: Collection[AgreementRef]) -> dict[AgreementRef, AgreementVersion]: ...


class AgreementUseCases:
    """Puts and reads agreements."""

    def __init__(self, store: Agreements, lineage: Ids) -> None:
        self._store = store
        self._lineage = lineage

    async def put(self, wish: AgreementVersion) -> AgreementVersion:
        """Makes the agreement, or its next version; the newest version as it is where the content is the same.

        Raises:
            Invalid: a target that could never fall due.
        """

        async def work(transaction: Any) -> AgreementVersion:
            newest = await self._store.newest(transaction, wish.ref.id)
            version = next_version(newest, wish, now())
            if version is not newest:
                await self._store.insert(transaction, version)
            return version

        return await self._store.transact(work)

    async def get(self, agreement_id: str, version: int) -> AgreementVersion:
        """One version of an agreement; version 0 is the newest.

        Raises:
            NotFound: there is none.
        """
        found = await self._store.get(agreement_id, version)
        if found is None:
            raise NotFound(
                "there is no such agreement, or no such version of it",
                metadata={"type": "agreement", "id": agreement_id},
            )
        return found

    async def page(self, selection: Selection) -> tuple[list[AgreementVersion], str]:
        """A page of newest versions, and the next page's token.

        Raises:
            Invalid: the selection asks for what the list does not offer.
        """
        return await self._store.page(await resolved(selection, self._lineage))
