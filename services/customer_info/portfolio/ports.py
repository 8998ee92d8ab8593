"""What the use cases of products ask of others."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import datetime
from typing import Any, Protocol

from chassis.events.outbox import Happening
from chassis.query.selection import Selection
from services.customer_info.catalogue.rules import Families
from services.customer_info.customers.rules import Customer
from services.customer_info.customers.standing_rules import Standing
from services.customer_info.hierarchy.rules import Placement
from services.customer_info.portfolio.rules import Product


class Products(Protocol):
    """What the use cases ask of a store; `ProductStore` says more of each."""

    async def transact(self, work: Callable[[Any], Awaitable[Product]]) -> Product: ...

    async def once(self, request_id: str, content: bytes, work: Callable[[Any], Awaitable[Product]]) -> Product: ...

    async def read(self, transaction: Any, product_id: str) -> Product | None: ...

    async def many(self, product_ids: Sequence[str]) -> dict[str, Product]: ...

    async def page(self, selection: Selection) -> tuple[list[Product], str]: ...

    async def following(self, selection: Selection, product_id: str, most: int) -> list[Product]: ...

    async def insert(self, transaction: Any, product: Product, *happenings: Happening) -> None: ...

    async def replace(self, transaction: Any, product: Product, *happenings: Happening) -> None: ...

    async def load(
        self,
        new: Sequence[Product],
        changed: Sequence[Product],
        happenings: Sequence[Happening],
        beside: Callable[[Any], Awaitable[None]] | None = None,
        begin: Callable[[Any], Awaitable[datetime]] | None = None,
    ) -> None: ...


class Owners(Protocol):
    """What the use cases ask of the store of customers."""

    async def read(self, transaction: Any, customer_id: str) -> Customer | None: ...

    async def standings(self, customer_ids: Sequence[str]) -> dict[str, Standing]: ...

    async def hold(self, transaction: Any, customer_ids: Sequence[str]) -> None: ...

    async def hold_unerased(self, transaction: Any, customer_ids: Sequence[str]) -> None: ...


class Catalogue(Protocol):
    """What they ask of the catalogue."""

    async def families(self, *names: str) -> Families:
        """All families by name, up to date where one of `names` would be missing."""


class Trees(Protocol):
    """What they ask of the store of hierarchies."""

    async def former(self, transaction: Any, node_ids: Sequence[str]) -> dict[str, list[Placement]]:
        """Every placement that these nodes have, or had, by node."""


class Accounts(Protocol):
    """What they ask of the store of accounts."""

    async def in_use(self, account_ids: Collection[str]) -> dict[str, str]:
        """Whose those of the accounts are that are there and not closed, by id."""

    async def hold_in_use(self, transaction: Any, account_ids: Collection[str]) -> dict[str, str]:
        """The same, kept so until the transaction ends."""


class Lineage(Protocol):
    """Which ids are one customer."""

    async def of(self, customer_id: str) -> tuple[str, ...]: ...

    async def of_many(self, customer_ids: Sequence[str]) -> dict[str, tuple[str, ...]]: ...
