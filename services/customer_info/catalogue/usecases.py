"""What happens to families, one function per method; and the families at hand, for those who check products."""

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol, TypeVar

from holdfast.customer_info.v1 import catalogue_pb2 as pb

from chassis import etag
from chassis.events.outbox import Happening
from chassis.query.selection import Selection
from chassis.rules import AlreadyExists, missing
from chassis.times import now
from services.customer_info.catalogue import rules, wire
from services.customer_info.catalogue.rules import FAMILY, Families, Family
from services.customer_info.history.rules import Made
from services.customer_info.history.versions import version_page

T = TypeVar("T")
# How long another replica's change may go unseen: long enough that a bulk load never asks for each of its rows.
LIFE_SECONDS = 2.0
NOTHING: tuple[Families, float] = ({}, float("-inf"))


class Catalogue(Protocol):
    """What the use cases ask of a store; `CatalogueStore` says more of each."""

    async def transact(self, work: Callable[[Any], Awaitable[T]]) -> T: ...

    async def everything(self) -> Families: ...

    async def read(self, transaction: Any, name: str) -> Family | None: ...

    async def page(self, selection: Selection) -> tuple[list[Family], str]: ...

    async def versions(self, name: str, before: int, most: int) -> list[Made[Family]]: ...

    async def insert(self, transaction: Any, family: Family, *happenings: Happening) -> None: ...

    async def replace(self, transaction: Any, family: Family, *happenings: Happening) -> None: ...

    async def add_missing(self, families: Sequence[Family]) -> int: ...


class CatalogueUseCases:
    """Reads, defines and retires families."""

    def __init__(self, store: Catalogue, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._clock = clock
        self._at_hand: tuple[Families, float] = NOTHING
        self._changes = 0

    async def start(self, families: Sequence[Family]) -> None:
        """Adds those families that the catalogue lacks; those that are there, retired ones too, stay as they are."""
        await self._store.add_missing([rules.defined(None, family, now()) for family in families])

    async def families(self, *names: str) -> Families:
        """All families by name, as of two seconds ago or later; as they are now, where one of `names` is not known."""
        known, expiry = self._at_hand
        if self._clock() < expiry and all(name in known for name in names):
            return known
        changes, expiry = self._changes, self._clock() + LIFE_SECONDS
        found = await self._store.everything()
        # What was read while somebody here changed a family is not kept: it may be the state before.
        self._at_hand = (found, expiry) if changes == self._changes else NOTHING
        return found

    async def get(self, name: str) -> Family:
        """One family.

        Raises:
            NotFound: there is none of this name.
        """
        family = await self._store.read(None, name)
        if family is None:
            raise missing(FAMILY, name)
        return family

    async def page(self, selection: Selection) -> tuple[list[Family], str]:
        """A page of families, by name, and the next page's token.

        Raises:
            Invalid: the selection asks for what the list does not offer.
        """
        return await self._store.page(selection)

    async def versions(self, name: str, page_size: int, page_token: str) -> tuple[list[Made[Family]], str]:
        """A page of what a family was, the latest version first, and the next page's token.

        Raises:
            NotFound: there is none of this name; Invalid: the token is another list's.
        """
        return await version_page(self._store.versions, FAMILY, name, page_size, page_token)

    async def define(self, wish: Family, given_etag: str) -> Family:
        """Makes the family that `wish` describes, or changes it to that.

        Raises:
            Invalid: it contradicts itself; Conflict (etag); NotFound: an etag of a family that is not there.
        """

        async def work(transaction: Any) -> Family:
            before = await self._store.read(transaction, wish.name)
            if before is None and given_etag:
                raise missing(FAMILY, wish.name)
            if before is not None:
                etag.check(given_etag, before.version)
            after = rules.defined(before, wish, now())
            if before is None:
                await self._store.insert(transaction, after, defined_event(after))
            elif after is not before:
                await self._store.replace(transaction, after, defined_event(after))
            return after

        try:
            return await self._changed(work)
        except AlreadyExists:
            # Somebody made it between our look and our write: now it is there to be changed.
            return await self._changed(work)

    async def retire(self, name: str, given_etag: str) -> Family:
        """Takes a family off sale.

        Raises:
            NotFound, Conflict (etag).
        """

        async def work(transaction: Any) -> Family:
            before = await self._store.read(transaction, name)
            if before is None:
                raise missing(FAMILY, name)
            etag.check(given_etag, before.version)
            after = rules.retired(before, now())
            if after is not before:
                await self._store.replace(transaction, after, retired_event(after))
            return after

        return await self._changed(work)

    async def _changed(self, work: Callable[[Any], Awaitable[Family]]) -> Family:
        family = await self._store.transact(work)
        self._changes += 1
        self._at_hand = NOTHING
        return family


def defined_event(family: Family) -> Happening:
    """Tells that a family was made or changed."""
    return _event(family, pb.FamilyDefined(family=wire.message(family)))


def retired_event(family: Family) -> Happening:
    """Tells that a family was taken off sale."""
    return _event(family, pb.FamilyRetired(family=wire.message(family)))


def _event(family: Family, data: pb.FamilyDefined | pb.FamilyRetired) -> Happening:
    assert family.update_time is not None, "a stored family has one"
    return Happening(family.name, family.version, data, family.update_time)
