"""Factors, levels, failures and the audit trail in MongoDB: the only file of this noun that knows it."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any, TypeVar

from pymongo import ReturnDocument

from chassis.events.outbox import Happening, Outbox
from chassis.mongo.client import Document, Store, Transaction
from chassis.mongo.faults import duplicate
from chassis.mongo.schema import Collection, Index
from chassis.query import fields
from chassis.query.listing import Listing
from chassis.query.selection import Order, Selection
from services.customer_info.store import TRAIL
from services.customer_info.verification.lock_rules import Lock, Whose
from services.customer_info.verification.rules import (
    CODE_TRIES,
    Attempt,
    Challenge,
    Code,
    Factor,
    FactorKind,
    Level,
    Outcome,
    Passed,
    Verification,
)

T = TypeVar("T")
# No id holds this control character, so that keys made of several parts cannot run into each other.
SEPARATOR = "\x1f"
NEWEST = [("time", -1), ("_id", -1)]

FACTORS = Collection(
    "verification_factors",
    required={
        "customer_id": "string",
        "kind": "string",
        "label": "string",
        "hash": "string",
        "set_time": "date",
        **TRAIL,
    },
    indexes=[Index([("customer_id", 1)], serves="ListFactors, Verify, and the erasure of a person")],
)
CODES = Collection(
    "verification_codes",
    required={"customer_id": "string", "hash": "string", "tries": ["int", "long"], "expire_time": "date"},
    indexes=[
        Index([("customer_id", 1)], serves="the erasure of a person"),
        Index([("expire_time", 1)], serves="forgets codes that are good no more", expire_after_seconds=0),
    ],
)
VERIFICATIONS = Collection(
    "verifications",
    required={"customer_id": "string", "contact_id": "string", "passed": "array", "expire_time": "date"},
    indexes=[
        Index([("customer_id", 1), ("contact_id", 1)], serves="GetVerification, and the erasure of a person"),
        Index([("expire_time", 1)], serves="forgets levels that are over", expire_after_seconds=0),
    ],
)
LOCKS = Collection(
    "verification_locks",
    required={"whose": "string", "failures": ["int", "long"], "version": ["int", "long"]},
    optional={"since": "date", "until": "date"},
)
ATTEMPTS = Collection(
    "verification_attempts",
    required={
        "outcome": "string",
        "time": "date",
        "customer_id": "string",
        "contact_id": "string",
        "kinds": "array",
        "level": ["int", "long"],
        **TRAIL,
    },
    optional={"agent": "string"},
    indexes=[
        Index(NEWEST, serves="ListAttempts, newest first"),
        Index([("customer_id", 1), *NEWEST], serves="ListAttempts of some customers"),
        Index([("contact_id", 1), *NEWEST], serves="ListAttempts in some contacts"),
        Index([("by", 1), *NEWEST], serves="ListAttempts of some agents"),
        Index([("outcome", 1), *NEWEST], serves="ListAttempts that ended in some way"),
    ],
)
VERIFICATION_COLLECTIONS = (FACTORS, CODES, VERIFICATIONS, LOCKS, ATTEMPTS)
LISTING = Listing(
    "verification_attempts",
    {
        "customer_id": fields.text("customer_id"),
        "contact_id": fields.text("contact_id"),
        "by": fields.text("by"),
        "outcome": fields.choice("outcome", {f"VERIFICATION_OUTCOME_{o.name}": o.value for o in Outcome}),
        "time": fields.time("time"),
    },
    [Order("time", descending=True)],
)


class VerificationStore:
    """What verification keeps of one operator's customers."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._factors = store.collection(FACTORS.name)
        self._codes = store.collection(CODES.name)
        self._verifications = store.collection(VERIFICATIONS.name)
        self._locks = store.collection(LOCKS.name)
        self._attempts = store.collection(ATTEMPTS.name)
        self._outbox = Outbox(store)

    async def transact(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        """Runs `work` in a transaction."""
        return await self._store.transact(work)

    async def factors(self, transaction: Transaction, customer_ids: Sequence[str]) -> list[Factor]:
        """The factors kept under any of the ids, in no order."""
        cursor = self._factors.find({"customer_id": {"$in": list(customer_ids)}}, session=transaction)
        return [_factor(d) async for d in cursor]

    async def put_factor(self, transaction: Transaction, factor: Factor) -> None:
        """Keeps a factor in place of the one for the same challenge."""
        challenge = factor.challenge
        document = {
            "_id": _key(factor.customer_id, challenge.kind, challenge.label),
            "customer_id": factor.customer_id,
            "kind": challenge.kind.value,
            "label": challenge.label,
            "hash": factor.hash,
            "set_time": factor.set_time,
            "by": factor.by,
            "channel": factor.channel,
        }
        await self._factors.replace_one({"_id": document["_id"]}, document, upsert=True, session=transaction)

    async def drop_factor(self, transaction: Transaction, customer_ids: Sequence[str], challenge: Challenge) -> bool:
        """Removes the factors for a challenge that are kept under any of the ids; whether there was one."""
        keys = [_key(customer_id, challenge.kind, challenge.label) for customer_id in customer_ids]
        done = await self._factors.delete_many({"_id": {"$in": keys}}, session=transaction)
        return bool(done.deleted_count)

    async def put_code(self, transaction: Transaction, code: Code) -> None:
        """Keeps a one-time code in place of the one before for the same contact."""
        key = _key(code.customer_id, code.contact_id)
        document = {
            "_id": key,
            "customer_id": code.customer_id,
            "hash": code.hash,
            "tries": 0,
            "expire_time": code.expire_time,
        }
        await self._codes.replace_one({"_id": key}, document, upsert=True, session=transaction)

    async def try_code(self, customer_id: str, contact_id: str, at: datetime) -> str | None:
        """The hash of the code for a contact, with one more try counted; None where there is no good one any more."""
        good = {"_id": _key(customer_id, contact_id), "expire_time": {"$gt": at}, "tries": {"$lt": CODE_TRIES}}
        found = await self._codes.find_one_and_update(good, {"$inc": {"tries": 1}})
        return None if found is None else str(found["hash"])

    async def spend_code(self, transaction: Transaction, customer_id: str, contact_id: str, kept: str) -> bool:
        """Takes the code with this hash away, so that it is good for nobody else; whether it was still there."""
        done = await self._codes.delete_one({"_id": _key(customer_id, contact_id), "hash": kept}, session=transaction)
        return bool(done.deleted_count)

    async def lock(self, whose: Whose, subject: str) -> Lock:
        """The failures of a customer or an agent."""
        return _lock(whose, subject, await self._locks.find_one({"_id": _key(whose, subject)}))

    async def locks_of(self, whose: Whose, subjects: Sequence[str]) -> list[Lock]:
        """The failures of several customers or agents, in the order in which they are named."""
        keys = [_key(whose, subject) for subject in subjects]
        found = {d["_id"]: d async for d in self._locks.find({"_id": {"$in": keys}})}
        return [_lock(whose, subject, found.get(key)) for subject, key in zip(subjects, keys, strict=True)]

    async def swap(self, before: Lock, after: Lock) -> bool:
        """Keeps `after` if `before` is still what there is; whether it was."""
        document: Document = {
            "_id": _key(after.whose, after.id),
            "whose": after.whose.value,
            "failures": after.failures,
            "version": after.version,
        }
        document |= {name: at for name, at in (("since", after.since), ("until", after.until)) if at is not None}
        if before.version == 0:
            try:
                await self._locks.insert_one(document)
            except Exception as error:
                if duplicate(error):
                    return False
                raise
            return True
        found = await self._locks.find_one_and_replace(
            {"_id": document["_id"], "version": before.version}, document, return_document=ReturnDocument.AFTER
        )
        return found is not None

    async def verifications(
        self, transaction: Transaction, customer_ids: Sequence[str], contact_id: str
    ) -> list[Verification]:
        """What is known in one contact of a customer, under any of its ids."""
        condition = {"customer_id": {"$in": list(customer_ids)}, "contact_id": contact_id}
        return [_verification(d) async for d in self._verifications.find(condition, session=transaction)]

    async def keep(self, transaction: Transaction, verification: Verification) -> None:
        """Keeps what is known in one contact in place of what was."""
        key = _key(verification.customer_id, verification.contact_id)
        document = {
            "_id": key,
            "customer_id": verification.customer_id,
            "contact_id": verification.contact_id,
            "passed": [
                {"kind": p.challenge.kind.value, "label": p.challenge.label, "expire_time": p.expire_time}
                for p in verification.passed
            ],
            "expire_time": verification.claim_expires,
        }
        await self._verifications.replace_one({"_id": key}, document, upsert=True, session=transaction)

    async def note(self, transaction: Transaction, attempt: Attempt, *happenings: Happening) -> None:
        """Adds an entry to the audit trail, and what it has to tell."""
        await self._attempts.insert_one(to_document(attempt), session=transaction)
        await self._outbox.add(transaction, *happenings)

    async def page(self, selection: Selection) -> tuple[list[Attempt], str]:
        """A page of the audit trail, and the next page's token.

        Raises:
            Invalid: the selection asks for what the list does not offer.
        """
        page = await LISTING.page(self._attempts, selection)
        return [from_document(d) for d in page.documents], page.next_page_token

    async def forget(self, transaction: Transaction, customer_ids: Sequence[str]) -> None:
        """Deletes what could still challenge a person, whose records are kept under these ids: it is being erased.

        The audit trail stays. It says who tried when, and holds nothing of the person but the id.
        """
        ids = list(customer_ids)
        for collection in (self._factors, self._codes, self._verifications):
            await collection.delete_many({"customer_id": {"$in": ids}}, session=transaction)
        locks = [_key(Whose.CUSTOMER, customer_id) for customer_id in ids]
        await self._locks.delete_many({"_id": {"$in": locks}}, session=transaction)


def to_document(attempt: Attempt) -> Document:
    """An entry of the audit trail as it is kept."""
    document: Document = {
        "_id": attempt.id,
        "outcome": attempt.outcome.value,
        "time": attempt.time,
        "customer_id": attempt.customer_id,
        "contact_id": attempt.contact_id,
        "kinds": [k.value for k in attempt.kinds],
        "level": int(attempt.level),
        "by": attempt.by,
        "channel": attempt.channel,
    }
    if attempt.agent:
        document["agent"] = attempt.agent
    return document


def from_document(document: Document) -> Attempt:
    """An entry of the audit trail from what is kept."""
    return Attempt(
        id=document["_id"],
        outcome=Outcome(document["outcome"]),
        time=document["time"],
        customer_id=document["customer_id"],
        contact_id=document["contact_id"],
        kinds=tuple(FactorKind(k) for k in document["kinds"]),
        level=Level(document["level"]),
        by=document["by"],
        channel=document["channel"],
        agent=document.get("agent", ""),
    )


def _key(*parts: str) -> str:
    return SEPARATOR.join(parts)


def _factor(document: Document) -> Factor:
    challenge = Challenge(FactorKind(document["kind"]), document["label"])
    kept: dict[str, Any] = {name: document[name] for name in ("customer_id", "hash", "set_time", "by", "channel")}
    return Factor(challenge=challenge, **kept)


def _lock(whose: Whose, subject: str, found: Document | None) -> Lock:
    if found is None:
        return Lock(whose, subject)
    return Lock(whose, subject, found["failures"], found.get("since"), found.get("until"), found["version"])


def _verification(document: Document) -> Verification:
    passed = tuple(Passed(Challenge(FactorKind(p["kind"]), p["label"]), p["expire_time"]) for p in document["passed"])
    return Verification(document["customer_id"], document["contact_id"], document["expire_time"], passed)
