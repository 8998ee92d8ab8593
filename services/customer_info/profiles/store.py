"""Profiles, and the facts beside them, in MongoDB: the only file of this noun that knows it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

from pymongo import ReplaceOne

from chassis.events.listener import POSITIONS
from chassis.events.outbox import Happening, Outbox
from chassis.mongo.client import Document, Store, Transaction
from chassis.mongo.schema import Collection, Index
from chassis.times import now
from chassis.vault.vault import Vault
from services.customer_info.history.store import History
from services.customer_info.profiles.documents import (
    from_document,
    to_document,
    told_from_document,
    told_to_document,
)
from services.customer_info.profiles.facts import SECTIONS
from services.customer_info.profiles.rules import Profile
from services.customer_info.profiles.view_rules import Told
from services.customer_info.store import TRAIL

T = TypeVar("T")
# Of whom, and for which section.
Place = tuple[str, str]

KIND = "profile"
PROFILES = Collection(
    "profiles",
    required={
        "customer_id": "string",
        "version": ["int", "long"],
        "create_time": "date",
        "update_time": "date",
        **TRAIL,
    },
    optional={"sealed": "binData", "language": "string", "channels": "array", "cleared": "array"},
    indexes=[Index([("customer_id", 1)], serves="GetProfile; a customer has one profile", unique=True)],
)
# One document for each section and customer id: the view finds it by its key, and one listener only writes it.
PROFILE_FACTS = Collection(
    "profile_facts",
    required={"customer_id": "string", "section": "string", "update_time": "date"},
    optional={"facts": "object", "time": "date", "forgotten": "bool"},
    indexes=[Index([("customer_id", 1)], serves="the export of all that is held on a person")],
)
PROFILE_COLLECTIONS = (PROFILES, PROFILE_FACTS)


class ProfileStore:
    """Profiles of one operator's customers, and what the other services told of these."""

    def __init__(self, store: Store, vault: Vault, history: History) -> None:
        self._store = store
        self._vault = vault
        self._history = history
        self._profiles = store.collection(PROFILES.name)
        self._facts = store.collection(PROFILE_FACTS.name)
        self._positions = store.collection(POSITIONS.name)
        self._outbox = Outbox(store)

    async def transact(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        """Runs `work` in a transaction."""
        return await self._store.transact(work)

    async def of(self, transaction: Transaction, customer_ids: Sequence[str]) -> dict[str, Profile]:
        """The profiles that were written under these ids, by id, as the transaction sees them."""
        cursor = self._profiles.find({"customer_id": {"$in": list(customer_ids)}}, session=transaction)
        return await self._opened([d async for d in cursor])

    async def as_of(self, customer_ids: Sequence[str], at: datetime) -> dict[str, Profile]:
        """The profiles that were written under these ids, by id, as they stood at `at`."""
        cursor = self._profiles.find({"customer_id": {"$in": list(customer_ids)}})
        return await self._opened(await self._history.many_as_of(KIND, [d async for d in cursor], at))

    async def put(self, transaction: Transaction, profile: Profile, *happenings: Happening) -> None:
        """Adds a profile or, from its second version on, puts it in place of the one before, which is kept.

        Raises:
            Refused: the customer was erased.
        """
        keys = await self._vault.make([profile.customer_id])
        document = to_document(profile, keys[profile.customer_id])
        if profile.version == 1:
            await self._profiles.insert_one(document, session=transaction)
        else:
            before = await self._profiles.find_one_and_replace({"_id": profile.id}, document, session=transaction)
            await self._history.keep(transaction, KIND, [before])
        await self._outbox.add(transaction, *happenings)

    async def told(self, transaction: Transaction, places: Sequence[Place]) -> dict[Place, Told | None]:
        """What was told, by whom it is about and section; None: whoever it was about is to be forgotten."""
        cursor = self._facts.find({"_id": {"$in": [_key(place) for place in places]}}, session=transaction)
        return {(d["customer_id"], d["section"]): told_from_document(d) async for d in cursor}

    async def tell(self, transaction: Transaction, facts: Mapping[Place, Told]) -> None:
        """Puts what is known now in place of what was."""
        stamp = now()
        documents = [_fact_document(place, stamp) | told_to_document(told) for place, told in facts.items()]
        writes = [ReplaceOne({"_id": d["_id"]}, d, upsert=True) for d in documents]
        await self._facts.bulk_write(writes, ordered=False, session=transaction)

    async def heard(self, services: Sequence[str]) -> dict[str, datetime]:
        """When each of the services was last heard from; those never heard from are not there."""
        cursor = self._positions.find({"_id": {"$in": list(services)}}, {"update_time": 1})
        return {d["_id"]: d["update_time"] async for d in cursor}

    async def forget(self, transaction: Transaction, customer_ids: Sequence[str]) -> None:
        """Empties these customers' profiles, and takes out all facts, for ever: a mark keeps later news of them out.

        A profile stays as the latest of its versions, without which those before it could not be told of.
        """
        whose = {"customer_id": {"$in": list(customer_ids)}}
        gone = dict.fromkeys(("sealed", "language", "channels", "cleared"), "")
        await self._profiles.update_many(whose, {"$unset": gone}, session=transaction)
        stamp = now()
        places = [(i, s.name) for i in customer_ids for s in SECTIONS if s.kinds]
        marks = [_fact_document(place, stamp) | {"forgotten": True} for place in places]
        writes = [ReplaceOne({"_id": mark["_id"]}, mark, upsert=True) for mark in marks]
        await self._facts.bulk_write(writes, ordered=False, session=transaction)

    async def _opened(self, documents: Sequence[Document]) -> dict[str, Profile]:
        keys = await self._vault.keys([d["customer_id"] for d in documents])
        return {d["customer_id"]: from_document(d, keys.get(d["customer_id"])) for d in documents}


def _key(place: Place) -> str:
    customer_id, section = place
    return f"{customer_id}:{section}"


def _fact_document(place: Place, at: datetime) -> Document:
    customer_id, section = place
    return {"_id": _key(place), "customer_id": customer_id, "section": section, "update_time": at}
