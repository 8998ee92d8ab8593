"""What happens to loads."""

from datetime import datetime
from typing import Any, Protocol

from chassis.call import subject
from chassis.rules import missing
from chassis.times import now
from services.customer_info.loads import rules
from services.customer_info.loads.rules import Load


class Loads(Protocol):
    """What the use cases ask of a store; `LoadStore` says more of each."""

    async def get(self, load_id: str) -> Load | None: ...

    async def begin(self, load: Load) -> Load: ...

    async def move(self, transaction: Any, before: Load, after: Load) -> None: ...

    async def complete(self, load: Load, at: datetime) -> None: ...


class LoadUseCases:
    """Begins loads, goes on with them, and tells how far they are. A load without an id is kept nowhere."""

    def __init__(self, store: Loads) -> None:
        self._store = store

    async def get(self, load_id: str) -> Load:
        """One load.

        Raises:
            NotFound: there is none.
        """
        load = await self._store.get(load_id)
        if load is None:
            raise missing("load", load_id)
        return load

    async def begin(self, load_id: str, kind: str) -> Load:
        """The caller's load of this id, as far as it is; a new one where there was none.

        Raises:
            Invalid: the id is of somebody else's load, or of one of another kind.
        """
        at = now()
        wanted = Load(load_id, kind, subject(), create_time=at, update_time=at)
        if not load_id:
            return wanted
        load = await self._store.begin(wanted)
        rules.check_goes_on(load, kind, subject())
        return load

    async def move(self, transaction: Any, before: Load, after: Load) -> None:
        """Keeps how far a load got; outside of a transaction where `transaction` is None.

        Raises:
            Overtaken: another stream goes on with it.
        """
        if before.id:
            await self._store.move(transaction, before, after)

    async def complete(self, load: Load) -> None:
        """Keeps that a stream of the load came to its end."""
        if load.id:
            await self._store.complete(load, now())
