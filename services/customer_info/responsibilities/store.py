"""Responsibilities and assignments in MongoDB: the only file of this noun that knows it."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import TypeVar

from chassis.events.outbox import Happening, Outbox
from chassis.mongo.client import Document, Store, Transaction
from chassis.mongo.faults import duplicate
from chassis.mongo.parts import update_in_parts
from chassis.mongo.requests import Requests
from chassis.mongo.schema import Collection, Index
from chassis.query import fields
from chassis.query.listing import Listing
from chassis.query.selection import Order, Selection
from chassis.rules import AlreadyExists
from chassis.vault.vault import Vault
from services.customer_info.history.rules import Made, version_key
from services.customer_info.history.store import History, Versions
from services.customer_info.responsibilities import documents
from services.customer_info.responsibilities.rules import DEFINITION, Assignment, Catalogue, Responsibility, undated
from services.customer_info.store import TRAIL, refused_key

T = TypeVar("T")

KIND = "assignment"
LATEST = [("update_time", -1), ("_id", -1)]
RESPONSIBILITIES = Collection(
    "responsibilities",
    required={
        "description": "string",
        "depends_on": "array",
        "required": "bool",
        "several": "bool",
        "version": ["int", "long"],
        "update_time": "date",
        **TRAIL,
    },
    indexes=[Index([("required", 1), ("_id", 1)], serves="ListResponsibilities that are required")],
)
ASSIGNMENTS = Collection(
    "responsibility_assignments",
    required={
        "customer_id": "string",
        "tree_id": "string",
        "node_id": "string",
        "responsibility": "string",
        "from": "date",
        "to": "date",
        "version": ["int", "long"],
        "create_time": "date",
        "update_time": "date",
        **TRAIL,
    },
    optional={"holder_id": "string", "sealed": "binData"},
    indexes=[
        Index(
            [("node_id", 1), ("responsibility", 1), ("to", 1), ("from", 1)],
            serves="WhoIs, and who else has a responsibility at a node",
        ),
        Index([("customer_id", 1), ("tree_id", 1), ("from", 1)], serves="GapReport of an enterprise, or of one tree"),
        Index([("customer_id", 1), *LATEST], serves="ListAssignments of an enterprise"),
        Index([("node_id", 1), *LATEST], serves="ListAssignments at a node"),
        Index(
            [("holder_id", 1), *LATEST],
            serves="ListAssignments of a holder",
            partial={"holder_id": {"$exists": True}},
        ),
        Index(LATEST, serves="ListAssignments by last change"),
    ],
)
# One for each responsibility at a node: only two transactions that write the same thing get in each other's way.
PLACES = Collection("responsibility_places", required={"holds": ["int", "long"]})
RESPONSIBILITY_COLLECTIONS = (RESPONSIBILITIES, ASSIGNMENTS, PLACES)
RESPONSIBILITY_LISTING = Listing(
    "responsibilities",
    {"required": fields.choice("required", {"true": True, "false": False})},
    # By name, which is the id.
    [],
)
LISTING = Listing(
    "responsibility_assignments",
    {
        "responsibility": fields.text("responsibility"),
        "tree_id": fields.text("tree_id"),
        "node_id": fields.text("node_id"),
        "holder_id": fields.text("holder_id"),
        "start": fields.time("from", sortable=False),
        "end": fields.time("to", sortable=False),
        "update_time": fields.time("update_time"),
    },
    [Order("update_time", descending=True)],
)


class ResponsibilityStore:
    """Responsibilities of one operator's enterprises, and who has them."""

    def __init__(self, store: Store, vault: Vault, history: History) -> None:
        self._store = store
        self._vault = vault
        self._history = history
        self._definitions = store.collection(RESPONSIBILITIES.name)
        self._versions = Versions(store, DEFINITION, RESPONSIBILITIES.name, documents.definition)
        self._assignments = store.collection(ASSIGNMENTS.name)
        self._places = store.collection(PLACES.name)
        self._requests = Requests(store)
        self._outbox = Outbox(store)

    async def transact(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        """Runs `work` in a transaction."""
        return await self._store.transact(work)

    async def once(
        self, request_id: str, content: bytes, work: Callable[[Transaction], Awaitable[Assignment]]
    ) -> Assignment:
        """Runs `work` in a transaction, once per `request_id`; a retry gets the first answer."""

        async def kept(transaction: Transaction) -> Document:
            return await self._document(await work(transaction))

        fingerprint = self._vault.fingerprint(content)
        return (await self._opened([await self._requests.once("Assign", request_id, fingerprint, kept)]))[0]

    async def add_missing(self, responsibilities: Sequence[Responsibility]) -> None:
        """Adds those of the responsibilities that are not there yet, whatever has become of the others."""
        names = [r.name for r in responsibilities]
        there = {d["_id"] async for d in self._definitions.find({"_id": {"$in": names}}, {"_id": 1})}
        missing = [documents.definition_document(r) for r in responsibilities if r.name not in there]
        if missing:
            try:
                await self._definitions.insert_many(missing, ordered=False)
            except Exception as error:
                # Another replica, which starts at this moment, was first with some.
                if not duplicate(error):
                    raise

    async def catalogue(self, transaction: Transaction) -> Catalogue:
        """All responsibilities by name, as the transaction sees them."""
        cursor = self._definitions.find({}, session=transaction).sort("_id", 1)
        return {d["_id"]: documents.definition(d) async for d in cursor}

    async def catalogue_as_of(self, at: datetime) -> Catalogue:
        """All responsibilities by name, as they were at `at`; those that were defined later, `undated`."""
        present = [d async for d in self._definitions.find({}).sort("_id", 1)]
        then = {d["_id"]: d for d in await self._history.many_as_of(DEFINITION, present, at)}
        later = {d["_id"]: version_key(DEFINITION, d["_id"], 1) for d in present if d["_id"] not in then}
        first = await self._history.versions(list(later.values())) if later else {}
        return {
            d["_id"]: documents.definition(then[d["_id"]])
            if d["_id"] in then
            else undated(documents.definition(first.get(later[d["_id"]], d)))
            for d in present
        }

    async def define(self, transaction: Transaction, responsibility: Responsibility, *happenings: Happening) -> None:
        """Adds a responsibility, or puts it in place of the one before, which is kept; and what it has to tell.

        Raises:
            AlreadyExists: somebody else added one of this name meanwhile.
        """
        document = documents.definition_document(responsibility)
        if responsibility.version > 1:
            name = {"_id": responsibility.name}
            before = await self._definitions.find_one_and_replace(name, document, session=transaction)
            await self._history.keep(transaction, DEFINITION, [before])
        else:
            try:
                await self._definitions.insert_one(document, session=transaction)
            except Exception as error:
                if refused_key(error) is not None:
                    known = {"type": DEFINITION, "id": responsibility.name}
                    raise AlreadyExists("there is a responsibility of this name", metadata=known) from error
                raise
        await self._outbox.add(transaction, *happenings)

    async def hold_definitions(self, transaction: Transaction, names: Sequence[str]) -> None:
        """Keeps responsibilities as they are until the transaction ends: who changes one meanwhile waits."""
        held = {"_id": {"$in": list(names)}}
        await self._definitions.update_many(held, {"$inc": {"holds": 1}}, session=transaction)

    async def listed(self, selection: Selection) -> tuple[list[Responsibility], str]:
        """A page of responsibilities by name, and the next page's token.

        Raises:
            Invalid: the selection asks for what the list does not offer.
        """
        page = await RESPONSIBILITY_LISTING.page(self._definitions, selection)
        return [documents.definition(d) for d in page.documents], page.next_page_token

    async def versions(self, name: str, before: int, most: int) -> list[Made[Responsibility]]:
        """What a responsibility was in its versions below the number `before`, the latest first, at most `most`."""
        return await self._versions.below(name, before, most)

    async def read(self, transaction: Transaction, assignment_id: str) -> Assignment | None:
        """One assignment, as the transaction sees it."""
        found = await self._assignments.find_one({"_id": assignment_id}, session=transaction)
        return None if found is None else (await self._opened([found]))[0]

    async def hold_place(self, transaction: Transaction, node_id: str, responsibility: str) -> None:
        """Keeps everybody else from giving a responsibility at a node to anybody until the transaction ends."""
        place = {"_id": f"{node_id}:{responsibility}"}
        await self._places.update_one(place, {"$inc": {"holds": 1}}, upsert=True, session=transaction)

    async def at_place(self, transaction: Transaction, node_id: str, responsibility: str) -> list[Assignment]:
        """All who have, had or will have a responsibility at a node."""
        wanted = {"node_id": node_id, "responsibility": responsibility}
        return await self._opened([d async for d in self._assignments.find(wanted, session=transaction)])

    async def holding(self, node_ids: Sequence[str], responsibilities: Sequence[str], at: datetime) -> list[Assignment]:
        """Those who have one of the responsibilities at one of the nodes at `at`."""
        wanted = {
            "node_id": {"$in": list(node_ids)},
            "responsibility": {"$in": list(responsibilities)},
            "from": {"$lte": at},
            "to": {"$gt": at},
        }
        return await self._opened([d async for d in self._assignments.find(wanted)])

    async def begun(self, customer_ids: Sequence[str], tree_id: str, at: datetime) -> list[Assignment]:
        """All assignments of these customers that began by `at`, in one tree or (empty) in all of them."""
        wanted: Document = {"customer_id": {"$in": list(customer_ids)}, "from": {"$lte": at}}
        if tree_id:
            wanted["tree_id"] = tree_id
        return await self._opened([d async for d in self._assignments.find(wanted)])

    async def page(self, customer_ids: Sequence[str], selection: Selection) -> tuple[list[Assignment], str]:
        """A page of the assignments of some customers (none named: of all), and the next page's token.

        Raises:
            Invalid: the selection asks for what the list does not offer.
        """
        base = {"customer_id": {"$in": list(customer_ids)}} if customer_ids else {}
        page = await LISTING.page(self._assignments, selection, base)
        return await self._opened(page.documents), page.next_page_token

    async def put(self, transaction: Transaction, assignment: Assignment, *happenings: Happening) -> None:
        """Adds an assignment or, from its second version on, puts it in place of the one before, which is kept.

        Raises:
            AlreadyExists: its id is another's.
            Refused: the customer was erased.
        """
        document = await self._document(assignment)
        if assignment.version > 1:
            before = await self._assignments.find_one_and_replace({"_id": assignment.id}, document, session=transaction)
            await self._history.keep(transaction, KIND, [before])
        else:
            try:
                await self._assignments.insert_one(document, session=transaction)
            except Exception as error:
                if refused_key(error) is not None:
                    known = {"type": "assignment", "id": assignment.id}
                    message = "there is an assignment with this id"
                    raise AlreadyExists(message, field="assignment.id", metadata=known) from error
                raise
        await self._outbox.add(transaction, *happenings)

    async def forget(self, transaction: Transaction, customer_ids: Sequence[str]) -> None:
        """Takes what people wrote out of these customers' assignments; that they were made stays: it names nobody.

        Without a transaction it goes part by part: a large enterprise has more than one transaction could change.
        """
        whose = {"customer_id": {"$in": list(customer_ids)}}
        await update_in_parts(self._assignments, whose, {"$unset": {"sealed": ""}}, transaction)

    async def _opened(self, kept: Sequence[Document]) -> list[Assignment]:
        keys = await self._vault.keys({d["customer_id"] for d in kept})
        return [documents.assignment(d, keys.get(d["customer_id"])) for d in kept]

    async def _document(self, assignment: Assignment) -> Document:
        keys = await self._vault.make([assignment.customer_id])
        return documents.assignment_document(assignment, keys[assignment.customer_id])
