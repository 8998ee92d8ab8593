"""What is told of changes, one function per method."""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Protocol

from chassis.rules import NotFound, missing
from chassis.vault.joint import key_of, owners
from chassis.vault.sealing import DataKey
from services.customer_info.history import rules
from services.customer_info.history.rules import Change, Content, Place, Record, Sight, Version

# How a record of each kind is read, with its customer's key or without.
Readers = Mapping[str, Callable[[dict[str, Any], DataKey | None], Content]]


class Former(Protocol):
    """What the use cases ask of the history; `History` says more of each."""

    async def page(
        self, customer_ids: Sequence[str], kinds: Sequence[str], before: Place | None, most: int
    ) -> list[Version]: ...

    async def versions(self, keys: Sequence[str]) -> dict[str, dict[str, Any]]: ...

    async def as_of(self, kind: str, subject: str, at: datetime) -> dict[str, Any] | None: ...


class Present(Protocol):
    """What they ask of the records as they are; `Records` says more of each."""

    async def page(self, kind: str, customer_ids: Sequence[str], before: Place | None, most: int) -> list[Version]: ...

    async def one(self, kind: str, record_id: str) -> Version | None: ...


class Customers(Protocol):
    """What they ask of the store of customers."""

    async def present(self, customer_ids: Sequence[str]) -> set[str]: ...


class Lineage(Protocol):
    """Whose records belong to a customer."""

    async def of(self, customer_id: str) -> tuple[str, ...]: ...


class Keys(Protocol):
    """What they ask of the vault."""

    async def keys(self, owners: Collection[str]) -> dict[str, DataKey]: ...


@dataclass(frozen=True, slots=True)
class Seen:
    """A version as far as the keys at hand open it: `readable` where they do."""

    content: Content
    readable: bool
    closed: Callable[[], Content]

    def personal(self) -> frozenset[str]:
        """The fields that nobody reads without the keys."""
        return rules.personal(self.content, self.closed())


# What was before the first version.
NOTHING = Seen({}, readable=True, closed=dict)


@dataclass(frozen=True, slots=True)
class Archive:
    """All versions of all records, and how those of each kind are read."""

    former: Former
    present: Present
    readers: Readers


class HistoryUseCases:
    """Tells changes, and records as they stood."""

    def __init__(self, archive: Archive, customers: Customers, lineage: Lineage, keys: Keys) -> None:
        self._former = archive.former
        self._present = archive.present
        self._readers = archive.readers
        self._customers = customers
        self._lineage = lineage
        self._keys = keys

    async def changes(
        self, customer_id: str, asked: Sequence[str], page_size: int, page_token: str, sight: Sight
    ) -> tuple[list[Change], str]:
        """A page of the changes of a customer's records, latest first, and the next page's token.

        Versions in which nothing changed that their contract tells are left out: such a page is shorter. Who may
        not see personal values is told which of them changed; where a version cannot be read, nobody is.

        Raises:
            Invalid: there is no such kind of record, or the token is another list's; NotFound: no such customer.
        """
        kinds = rules.asked_kinds(asked, self._readers)
        mark = rules.mark_of(customer_id, kinds)
        before = rules.place_of(page_token, mark)
        ids = await self._ids(customer_id)
        found = await self._versions(ids, kinds, before, page_size + 1)
        page = found[:page_size]
        more = len(found) > page_size
        changes = [c for c in await self._changes(page, ids, sight) if c.fields or c.unreadable]
        return changes, rules.token(page[-1].place, mark) if more else ""

    async def record(self, customer_id: str, kind: str, record_id: str, at: datetime | None, sight: Sight) -> Record:
        """A record of a customer as it is, or as it stood at `at`, as far as somebody may see it.

        Raises:
            Invalid: there is no such kind of record; NotFound: no such customer, or it has or had no such record.
        """
        rules.check_kind(kind, self._readers, "kind")
        ids = await self._ids(customer_id)
        version = await self._present.one(kind, record_id)
        if version is not None and at is not None and version.time > at:
            former = await self._former.as_of(kind, record_id, at)
            version = None if former is None else _version(version, former)
        if version is None or version.customer_id not in ids:
            raise NotFound("the customer has no such record", metadata={"type": kind, "id": record_id})
        keys = await self._keys_of([version], ids, sight)
        seen = self._read(version, keys)
        hidden = seen.personal() if sight is Sight.NOTHING else frozenset()
        content = rules.without(seen.content, hidden)
        return Record(version, content, tuple(sorted(hidden)), unreadable=not seen.readable)

    async def _ids(self, customer_id: str) -> tuple[str, ...]:
        ids = await self._lineage.of(customer_id)
        if not await self._customers.present(ids):
            raise missing("customer", customer_id)
        return ids

    async def _versions(
        self, ids: Sequence[str], kinds: Sequence[str], before: Place | None, most: int
    ) -> list[Version]:
        """The versions that the latest changes made.

        A record that is replaced meanwhile is in both: the present is read first, so that none is in neither.
        """
        present = await asyncio.gather(*(self._present.page(kind, ids, before, most) for kind in kinds))
        former = await self._former.page(ids, kinds, before, most)
        return rules.latest([v for versions in (*present, former) for v in versions], most)

    async def _changes(self, page: Sequence[Version], ids: Sequence[str], sight: Sight) -> list[Change]:
        keys_before = [rules.version_key(v.kind, v.record_id, v.version - 1) for v in page]
        wanted = [key for key, v in zip(keys_before, page, strict=True) if v.version > 1]
        kept = await self._former.versions(wanted) if wanted else {}
        former = [kept.get(key) for key in keys_before]
        befores = [None if d is None else _version(v, d) for v, d in zip(page, former, strict=True)]
        keys = await self._keys_of([*page, *(b for b in befores if b is not None)], ids, sight)
        changes = []
        for after, before in zip(page, befores, strict=True):
            was, became = NOTHING if before is None else self._read(before, keys), self._read(after, keys)
            readable = was.readable and became.readable
            hidden = frozenset[str]()
            if sight is Sight.NOTHING or not readable:
                hidden = was.personal() | became.personal()
            fields = rules.changed(was.content, became.content, hidden)
            if not readable:
                # What one of the two does not tell, the other does not show to have been set, or taken out.
                fields = tuple(f for f in fields if not f.masked)
            erased = after.customer_id not in keys
            changes.append(Change(after, fields, erased=erased, unreadable=not readable))
        return changes

    async def _keys_of(self, versions: Sequence[Version], ids: Sequence[str], sight: Sight) -> Mapping[str, DataKey]:
        """The keys that open the versions: who sees its own only, has none of who is another customer by now."""
        needed = {owner for v in versions for owner in owners(v.customer_id, v.document)}
        return await self._keys.keys(needed & set(ids) if sight is Sight.OWN else needed)

    def _read(self, version: Version, keys: Mapping[str, DataKey]) -> Seen:
        """A version, with the keys that it takes if they are all there."""
        read, document = self._readers[version.kind], dict(version.document)
        key = key_of(version.customer_id, document, keys)
        return Seen(read(document, key), key is not None, partial(read, document, None))


def _version(other: Version, document: Mapping[str, Any]) -> Version:
    """The version of the same record that `document` is."""
    return Version(
        other.kind,
        other.record_id,
        other.customer_id,
        document["version"],
        document["update_time"],
        document.get("by", ""),
        document.get("channel", ""),
        document,
    )
