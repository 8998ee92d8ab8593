"""Models in MongoDB: the only file of this noun that knows it."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar

from chassis.events.outbox import Happening, Outbox
from chassis.mongo.client import Document, Store, Transaction
from chassis.mongo.faults import duplicate
from chassis.mongo.schema import Collection, Index
from chassis.query import fields
from chassis.query.listing import Listing
from chassis.query.selection import Order, Selection
from services.retention.models.registry import Entry, Stage
from services.retention.models.report import report_from_document
from services.retention.models.signing import Signature

T = TypeVar("T")
MODELS = Collection(
    "models",
    required={
        "digest": "string",
        "text": "binData",
        "signature": "object",
        "stage": "int",
        "report": "object",
        "card": "string",
        "create_time": "date",
        "version": ["int", "long"],
    },
    indexes=[
        Index([("stage", 1)], serves="there is one champion", unique=True, partial={"stage": Stage.CHAMPION.value}),
        Index([("create_time", -1), ("_id", -1)], serves="ListModels, newest first"),
        Index([("stage", 1), ("create_time", -1), ("_id", -1)], serves="ListModels of one stage"),
    ],
)
MODEL_KEYS = Collection("model_keys", required={"pem": "binData", "create_time": "date"})
LISTING = Listing(
    "models",
    {
        "stage": fields.choice("stage", {f"MODEL_STAGE_{stage.name}": stage.value for stage in Stage}),
        "create_time": fields.time("create_time"),
    },
    [Order("create_time", descending=True)],
)
_KEY = "signing"


class ModelStore:
    """The models of one operator."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._models = store.collection(MODELS.name)
        self._keys = store.collection(MODEL_KEYS.name)
        self._outbox = Outbox(store)

    async def transact(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        """Runs `work` in a transaction, and again when the store asks for it."""
        return await self._store.transact(work)

    async def get(self, transaction: Transaction, model_id: str) -> Entry | None:
        """One model."""
        found = await self._models.find_one({"_id": model_id}, session=transaction)
        return None if found is None else from_document(found)

    async def champion(self, transaction: Transaction) -> Entry | None:
        """The model in use."""
        found = await self._models.find_one({"stage": Stage.CHAMPION.value}, session=transaction)
        return None if found is None else from_document(found)

    async def champion_id(self, transaction: Transaction) -> str:
        """The id of the model in use; empty: there is none."""
        found = await self._models.find_one({"stage": Stage.CHAMPION.value}, {"_id": 1}, session=transaction)
        return str(found["_id"]) if found else ""

    async def page(self, selection: Selection) -> tuple[list[Entry], str]:
        """A page of models and the next page's token.

        Raises:
            Invalid: the selection asks for what the list does not offer.
        """
        page = await LISTING.page(self._models, selection)
        return [from_document(d) for d in page.documents], page.next_page_token

    async def insert(self, transaction: Transaction, entry: Entry) -> None:
        """Adds a model."""
        await self._models.insert_one(to_document(entry), session=transaction)

    async def replace(self, transaction: Transaction, entry: Entry, *happenings: Happening) -> None:
        """Puts the next version of a model in place of the one before, and what it has to tell."""
        await self._models.replace_one({"_id": entry.id}, to_document(entry), session=transaction)
        await self._outbox.add(transaction, *happenings)

    async def signing_key(self, fresh: Callable[[], bytes], at: datetime) -> bytes:
        """The signing key that is kept here, as PEM; the first to ask makes it with `fresh`."""
        found = await self._keys.find_one({"_id": _KEY})
        if found is None:
            try:
                await self._keys.insert_one({"_id": _KEY, "pem": fresh(), "create_time": at})
            except Exception as error:
                # Another replica was first.
                if not duplicate(error):
                    raise
            found = await self._keys.find_one({"_id": _KEY})
        assert found is not None, "it was there, or was made"
        return bytes(found["pem"])


def to_document(entry: Entry) -> Document:
    """A model as it is kept."""
    return {
        "_id": entry.id,
        "digest": entry.digest,
        "text": entry.text,
        "signature": {"key_id": entry.signature.key_id, "value": entry.signature.value},
        "stage": entry.stage.value,
        "report": entry.report.to_document(),
        "card": entry.card,
        "create_time": entry.create_time,
        "version": entry.version,
    }


def from_document(document: Mapping[str, Any]) -> Entry:
    """A model from what is kept; nothing of it is trusted by that."""
    signature = document["signature"]
    return Entry(
        id=document["_id"],
        digest=document["digest"],
        text=bytes(document["text"]),
        signature=Signature(signature["key_id"], bytes(signature["value"])),
        stage=Stage(document["stage"]),
        report=report_from_document(document["report"]),
        card=document["card"],
        create_time=document["create_time"],
        version=document["version"],
    )
