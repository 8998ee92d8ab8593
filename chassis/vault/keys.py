"""Data keys in a store of their own, apart from what they protect: one for each person, wrapped by a root key."""

import contextlib
import os
from collections.abc import AsyncIterator, Sequence
from collections.abc import Collection as Several
from datetime import UTC, datetime
from typing import cast

from pymongo import UpdateOne
from pymongo.errors import BulkWriteError, DuplicateKeyError

from chassis.log import logger
from chassis.mongo.client import Document, Store
from chassis.mongo.faults import duplicate
from chassis.mongo.parts import in_parts
from chassis.mongo.schema import Collection, Index
from chassis.times import now
from chassis.vault.master import MasterKey, MasterKeyError
from chassis.vault.sealing import KEY_BYTES, decrypt, encrypt

ROOTS = Collection("roots", required={"wrapped": "binData", "make_time": "date"}, optional={"rewrap_time": "date"})
KEYS = Collection(
    "keys",
    required={"make_time": "date"},
    optional={"wrapped": "binData", "destroy_time": "date"},
    indexes=[
        Index(
            [("destroy_time", 1), ("_id", 1)],
            serves="whose keys were destroyed",
            partial={"destroy_time": {"$exists": True}},
        )
    ],
)
VAULT_COLLECTIONS = (ROOTS, KEYS)
EVER = {"$gte": datetime(1970, 1, 1, tzinfo=UTC)}
MARKS_AT_ONCE = 1000
_log = logger("vault")


class KeyStore:
    """The keys of one installation. A destroyed key leaves a mark, so that nobody makes a new one in its place."""

    def __init__(self, store: Store, root: bytes) -> None:
        self._keys = store.collection(KEYS.name)
        self._root = root

    async def read(self, owners: Sequence[str]) -> dict[str, bytes | None]:
        """The keys of those owners who have one, or had: None for one that was destroyed."""
        if len(owners) == 1:
            found = await self._keys.find_one({"_id": owners[0]})
            return {} if found is None else {found["_id"]: self._unwrapped(found)}
        return {d["_id"]: self._unwrapped(d) async for d in self._keys.find({"_id": {"$in": list(owners)}})}

    async def add(self, owners: Sequence[str]) -> dict[str, bytes | None]:
        """Makes a key for each of the owners, who had none when last asked; answers with what is there now."""
        made = {owner: os.urandom(KEY_BYTES) for owner in owners}
        stamp = now()
        documents = [
            {"_id": owner, "wrapped": encrypt(self._root, key, owner), "make_time": stamp}
            for owner, key in made.items()
        ]
        try:
            await self._keys.insert_many(documents, ordered=False)
        except BulkWriteError as error:
            if not duplicate(error):
                raise
            # Somebody else made some of them first: theirs count.
            return await self.read(owners)
        return dict(made)

    async def destroy(self, owners: Several[str]) -> None:
        """Destroys the keys of the owners for ever; who had none gets the mark all the same, once."""
        stamp = now()
        gone: Document = {
            "$unset": {"wrapped": ""},
            # The earliest one stays: doing it again writes nothing.
            "$min": {"destroy_time": stamp},
            "$setOnInsert": {"make_time": stamp},
        }
        await self._keys.bulk_write([UpdateOne({"_id": owner}, gone, upsert=True) for owner in owners], ordered=False)

    async def destroyed(self) -> AsyncIterator[list[str]]:
        """Whose keys were destroyed, a thousand at a time; answered from the index alone."""
        marks = self._keys.find({"destroy_time": EVER}, {"_id": 1}).sort([("destroy_time", 1), ("_id", 1)])
        async for owners in in_parts(marks, MARKS_AT_ONCE):
            yield owners

    def _unwrapped(self, document: Document) -> bytes | None:
        wrapped = document.get("wrapped")
        return None if wrapped is None else decrypt(self._root, wrapped, document["_id"])


async def root_key(store: Store, name: str, master: MasterKey, former: MasterKey | None = None) -> bytes:
    """The root key `name`; made and wrapped by the master key when there is none yet.

    One that the `former` master key wrapped is wrapped anew by `master`, for good: nothing under it is touched.

    Raises:
        MasterKeyError: another master key wrapped it, or the key service does not answer.
    """
    roots = store.collection(ROOTS.name)
    found = await roots.find_one({"_id": name})
    if found is None:
        fresh = {"_id": name, "wrapped": await master.wrap(os.urandom(KEY_BYTES)), "make_time": now()}
        # Another replica may be first: then its key counts.
        with contextlib.suppress(DuplicateKeyError):
            await roots.insert_one(fresh)
        found = cast("Document", await roots.find_one({"_id": name}))
    try:
        return await master.unwrap(found["wrapped"])
    except MasterKeyError:
        if former is None:
            raise
    root = await former.unwrap(found["wrapped"])
    # Replicas that start together all do so: whichever is last, it is the same root under the same master key.
    anew = {"wrapped": await master.wrap(root), "rewrap_time": now()}
    await roots.update_one({"_id": name}, {"$set": anew})
    _log.info("root_key_wrapped_anew", root=name)
    return root
