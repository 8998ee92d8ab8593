"""What happens to loads."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Protocol

from chassis.call import subject
from chassis.query.selection import DEFAULT_PAGE_SIZE
from chassis.rules import missing
from chassis.times import now
from services.customer_info.loads import rules
from services.customer_info.loads.rules import Fault, Load


class Loads(Protocol):
    """What the use cases ask of a store; `LoadStore` says more of each."""

    async def get(self, load_id: str) -> Load | None: ...

    async def begin(self, load: Load) -> Load: ...

    async def move(self, transaction: Any, before: Load, after: Load, faults: Sequence[Fault] = ()) -> None: ...

    async def faults(self, load_id: str, after_row: int, most: int) -> list[Fault]: ...

    async def complete(self, load: Load, at: datetime) -> None: ...


class LoadUseCases:
    """Begins loads, goes on with them, and tells how far they are. A load without an id is kept nowhere."""

    def __init__(self, store: Loads, fingerprint: Callable[[bytes], bytes]) -> None:
        """`fingerprint` makes of some bytes a few that stand for them and tell nothing of what is in them."""
        self._store = store
        self.fingerprint = fingerprint

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

    async def errors(self, load_id: str, page_size: int, page_token: str) -> tuple[list[Fault], str]:
        """A page of the refusals of a load, by the numbers of their rows, and the next page's token.

        Raises:
            NotFound: there is no such load. Invalid: the token is none.
        """
        after_row = rules.row_of_token(page_token)
        await self.get(load_id)
        most = page_size or DEFAULT_PAGE_SIZE
        found = await self._store.faults(load_id, after_row, most + 1)
        return found[:most], str(found[most - 1].row) if len(found) > most else ""

    async def move(self, transaction: Any, before: Load, after: Load, faults: Sequence[Fault]) -> None:
        """Keeps how far a load got, and `faults` on the way; outside of a transaction where `transaction` is None.

        Raises:
            Overtaken: another stream goes on with it.
        """
        if before.id:
            await self._store.move(transaction, before, after, faults)

    async def complete(self, load: Load) -> None:
        """Keeps that a stream of the load came to its end."""
        if load.id:
            await self._store.complete(load, now())
