"""Collections as they are declared: their guard (`$jsonSchema`) and their indexes, each beside the query it serves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pymongo import IndexModel
from pymongo.errors import CollectionInvalid, OperationFailure

NAMESPACE_EXISTS = 48
# Another replica brings the same thing up at this moment; what it does is what we would do.
BUSY = frozenset({112, 117, 12586})


@dataclass(frozen=True)
class Index:
    """An index: keys with their direction, and the query it is there for."""

    keys: Sequence[tuple[str, int]]
    serves: str
    unique: bool = False
    partial: Mapping[str, Any] | None = None
    expire_after_seconds: int | None = None

    def model(self) -> IndexModel:
        """The driver's form of it."""
        options: dict[str, Any] = {"unique": True} if self.unique else {}
        if self.partial is not None:
            options["partialFilterExpression"] = dict(self.partial)
        if self.expire_after_seconds is not None:
            options["expireAfterSeconds"] = self.expire_after_seconds
        return IndexModel(list(self.keys), **options)


@dataclass(frozen=True)
class Collection:
    """A collection: its name, what every document must hold, and how it is found.

    `required` maps field names to BSON types, `optional` likewise; fields in neither are free.
    """

    name: str
    required: Mapping[str, str | Sequence[str]]
    optional: Mapping[str, str | Sequence[str]] = field(default_factory=dict)
    indexes: Sequence[Index] = ()

    def validator(self) -> dict[str, Any]:
        """The guard, as MongoDB takes it."""
        properties = {name: {"bsonType": _types(kind)} for name, kind in {**self.required, **self.optional}.items()}
        return {"$jsonSchema": {"bsonType": "object", "required": ["_id", *self.required], "properties": properties}}


def _types(kind: str | Sequence[str]) -> str | list[str]:
    return kind if isinstance(kind, str) else list(kind)


async def bring_up(database: Any, collections: Sequence[Collection]) -> None:
    """Makes what is missing and updates what differs; indexes that nothing declares any more are left to migrations.

    Raises:
        pymongo.errors.PyMongoError: the store refuses.
    """
    existing = {c["name"]: c.get("options", {}).get("validator") async for c in await _cursor(database)}
    for collection in collections:
        validator = collection.validator()
        if collection.name not in existing:
            await _create(database, collection.name, validator)
        elif existing[collection.name] != validator:
            await _tolerant(database.command("collMod", collection.name, validator=validator))
        if collection.indexes:
            await _tolerant(database[collection.name].create_indexes([index.model() for index in collection.indexes]))


async def _cursor(database: Any) -> Any:
    found = database.list_collections()
    return await found if hasattr(found, "__await__") else found


async def _create(database: Any, name: str, validator: Mapping[str, Any]) -> None:
    try:
        await database.create_collection(name, validator=validator)
    except CollectionInvalid:
        # Another replica was first.
        await _tolerant(database.command("collMod", name, validator=validator))
    except OperationFailure as error:
        if error.code != NAMESPACE_EXISTS:
            raise


async def _tolerant(work: Any) -> None:
    try:
        await work
    except OperationFailure as error:
        if error.code not in BUSY:
            raise
