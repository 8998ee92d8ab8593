"""The vault as stores use it: a person's key at hand, made or destroyed; and the tokens of the blind indexes."""

import time
from collections.abc import AsyncIterator, Sequence
from collections.abc import Collection as Several
from itertools import islice
from typing import Any

from chassis.coalesce import Coalescer
from chassis.mongo.client import Store
from chassis.rules import erased
from chassis.vault.blind import Blind
from chassis.vault.keys import KeyStore, root_key
from chassis.vault.master import MasterKey
from chassis.vault.sealing import DataKey

# Keys in memory: some 250 bytes each. Whoever erases a person takes the sealed content out of the record as well, so
# that a key that is still in the memory of another replica opens nothing that is read. It may still seal: whoever
# writes holds the person's record in the same transaction, and is refused there.
MOST_CACHED = 50_000
CACHED_SECONDS = 600.0


class Vault(Blind):
    """Keys of people, and blind tokens."""

    def __init__(self, keys: KeyStore, index_key: bytes) -> None:
        super().__init__(index_key)
        self._store = keys
        self._cache: dict[str, tuple[DataKey, float]] = {}
        # Whose keys were destroyed here: a read that was under way meanwhile still brings the key.
        self._destroyed: dict[str, None] = {}
        self._reads: Coalescer[str, bytes | None] = Coalescer(self._read)

    async def key(self, owner: str) -> DataKey | None:
        """The key of `owner`; None where it was destroyed, or never made."""
        known = self._cache.get(owner)
        if known is not None and known[1] > time.monotonic():
            return known[0]
        return self._kept(owner, await self._reads.submit(owner))

    async def keys(self, owners: Several[str]) -> dict[str, DataKey]:
        """The keys of those owners who have one."""
        found, missing = self._cached(owners)
        if missing:
            for owner, key in (await self._store.read(missing)).items():
                if kept := self._kept(owner, key):
                    found[owner] = kept
        return found

    async def make(self, owners: Several[str]) -> dict[str, DataKey]:
        """The keys of all the owners; made for those who have none.

        A key is there for good before anything is sealed with it: it needs no transaction, and one that no record ever
        used harms nobody.

        Raises:
            Refused: the key of one of them was destroyed (ERASED).
        """
        found, missing = self._cached(owners)
        if missing:
            known = await self._store.read(missing)
            if fresh := [owner for owner in missing if owner not in known]:
                known |= await self._store.add(fresh)
            for owner in missing:
                kept = self._kept(owner, known[owner])
                if kept is None:
                    raise erased(owner)
                found[owner] = kept
        return found

    async def destroy(self, owners: Several[str]) -> None:
        """Destroys the keys of the owners for ever: what they sealed can never be opened again, nor sealed anew."""
        await self._store.destroy(owners)
        for owner in owners:
            self._cache.pop(owner, None)
            self._destroyed[owner] = None
        _let_go(self._destroyed)

    def destroyed(self) -> AsyncIterator[list[str]]:
        """All whose keys were destroyed, some at a time."""
        return self._store.destroyed()

    def _cached(self, owners: Several[str]) -> tuple[dict[str, DataKey], list[str]]:
        """Those at hand, and who is not."""
        found: dict[str, DataKey] = {}
        missing = []
        at = time.monotonic()
        for owner in dict.fromkeys(owners):
            known = self._cache.get(owner)
            if known is not None and known[1] > at:
                found[owner] = known[0]
            else:
                missing.append(owner)
        return found, missing

    def _kept(self, owner: str, key: bytes | None) -> DataKey | None:
        if key is None or owner in self._destroyed:
            self._cache.pop(owner, None)
            return None
        kept = DataKey(key)
        self._cache[owner] = (kept, time.monotonic() + CACHED_SECONDS)
        _let_go(self._cache)
        return kept

    async def _read(self, owners: Sequence[str]) -> list[bytes | None]:
        found = await self._store.read(list(dict.fromkeys(owners)))
        return [found.get(owner) for owner in owners]


def _let_go(known: dict[str, Any]) -> None:
    """Lets go of the oldest, when they are too many: dictionaries keep the order in which things came.

    Of many at once, since the first entry is found by passing over all that were deleted before it.
    """
    if len(known) > MOST_CACHED:
        for oldest in list(islice(known, len(known) - MOST_CACHED + MOST_CACHED // 8)):
            del known[oldest]


async def open_vault(store: Store, master: MasterKey, former: MasterKey | None = None) -> Vault:
    """The vault whose keys are in `store`, under `master`; see `root_key` for what the `former` one is for.

    Raises:
        MasterKeyError: the store's keys were wrapped by another master key, or the key service does not answer.
    """
    data, index = [await root_key(store, name, master, former) for name in ("data", "index")]
    return Vault(KeyStore(store, data), index)
