"""Idempotency records: a retry of a request gets the answer of its first call, also when both arrive at once."""

import hashlib
from collections.abc import Awaitable, Callable
from datetime import timedelta

from chassis.call import subject
from chassis.mongo.client import Document, Store, Transaction
from chassis.mongo.schema import Collection, Index
from chassis.rules import Invalid
from chassis.times import now

# Longer than any client retries; AIP-155 leaves the span to the service.
KEPT = timedelta(days=3)

REQUESTS = Collection(
    "requests",
    required={"fingerprint": "binData", "answer": "object", "expire_time": "date"},
    indexes=[Index([("expire_time", 1)], serves="forgets old requests", expire_after_seconds=0)],
)


class Requests:
    """The records of one service."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._collection = store.collection(REQUESTS.name)

    async def once(
        self,
        method: str,
        request_id: str,
        content: bytes,
        work: Callable[[Transaction], Awaitable[Document]],
    ) -> Document:
        """Runs `work` in a transaction, once per caller, `method` and `request_id`; with no id, just runs it.

        `content` is what the request asks for, in bytes that are the same for the same request; what `work` answers
        is kept with it, and is the answer of every retry.

        Raises:
            Invalid: the id was used for another request (REQUEST_ID_REUSED).
            whatever `work` raises; nothing is kept then.
        """
        key = f"{method}:{subject()}:{request_id}"
        fingerprint = hashlib.blake2b(content, digest_size=16).digest()

        async def remembered(transaction: Transaction) -> Document:
            if not request_id:
                return await work(transaction)
            record = await self._collection.find_one({"_id": key}, session=transaction)
            if record is not None:
                if record["fingerprint"] != fingerprint:
                    raise Invalid(
                        "the request id was used for another request", field="request_id", reason="REQUEST_ID_REUSED"
                    )
                answer: Document = record["answer"]
                return answer
            answer = await work(transaction)
            await self._collection.insert_one(
                {"_id": key, "fingerprint": fingerprint, "answer": answer, "expire_time": now() + KEPT},
                session=transaction,
            )
            return answer

        return await self._store.transact(remembered)
