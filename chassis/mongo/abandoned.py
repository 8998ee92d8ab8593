"""Ends transactions whose process died in the middle of them.

MongoDB does not: it keeps them, and with them every document they wrote locked against all others, until their lifetime
is over (`transactionLifetimeLimitSeconds`, a minute unless set). Meanwhile whoever writes one of these documents, such
as a listener's position, only meets conflicts. A user may see and end its own sessions without any further right.
"""

import asyncio
import inspect

from pymongo.errors import PyMongoError

from chassis.log import logger
from chassis.mongo.client import Document, Store

LOOK_SECONDS = 0.5
# The list is not taken at one instant: a connection may be younger than the list of connections.
YOUNGEST_MICROS = 100_000
# Nearly always there is none, and the long list of connections need not be read.
SUSPECT: Document = {"type": "idleSession", "transaction.timeInactiveMicros": {"$gt": YOUNGEST_MICROS}}
SHOWN = {"type": 1, "connectionId": 1, "lsid.id": 1}
_log = logger("abandoned")


async def keep_clear(store: Store) -> None:
    """Ends abandoned transactions of this store's user, for ever; a store that is away only delays the next look."""
    while True:
        try:
            if ended := await end_abandoned(store):
                _log.warning("transactions_ended", count=ended)
        except PyMongoError as error:
            _log.info("look_failed", type=type(error).__name__)
        await asyncio.sleep(LOOK_SECONDS)


async def end_abandoned(store: Store) -> int:
    """Ends the transactions whose last connection is closed; how many there were.

    A process that lives keeps the connection in its pool. Should it have lost it all the same, its driver learns that
    the transaction is gone, and the whole of it runs anew, as after any transient error.
    """
    if not await _listed(store, SUSPECT, connections=False):
        return 0
    found = await _listed(store, {"$or": [{"type": "op"}, SUSPECT]}, connections=True)
    open_connections = {entry.get("connectionId") for entry in found if entry.get("type") == "op"}
    lost = [
        {"id": entry["lsid"]["id"]}
        for entry in found
        if entry.get("type") == "idleSession" and entry.get("connectionId") not in open_connections
    ]
    if lost:
        await store.database.command("killSessions", lost)
    return len(lost)


async def _listed(store: Store, which: Document, *, connections: bool) -> list[Document]:
    """What the server says of those of this user's sessions, and of its `connections`, that are asked for."""
    asked = {"allUsers": False, "idleSessions": True, "idleConnections": connections}
    listed = store.database.client.get_database("admin").aggregate(
        [{"$currentOp": asked}, {"$match": which}, {"$project": SHOWN}]
    )
    cursor = await listed if inspect.isawaitable(listed) else listed
    return [entry async for entry in cursor]
