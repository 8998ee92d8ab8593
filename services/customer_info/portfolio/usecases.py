"""What happens to products, one function per method."""

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from holdfast.customer_info.v1 import portfolio_pb2 as pb

from chassis import etag
from chassis.bulk import Outcome
from chassis.events.outbox import Happening
from chassis.ids import new_id
from chassis.query.selection import Predicate, Selection
from chassis.rules import Conflict, Invalid, Refusal, erased, missing
from chassis.times import now
from services.customer_info.catalogue.rules import Families
from services.customer_info.customers.rules import check_open
from services.customer_info.customers.standing_rules import check_standing
from services.customer_info.hierarchy.rules import Placement
from services.customer_info.loading import Keep, Outcomes, each_once
from services.customer_info.portfolio import rules, wire
from services.customer_info.portfolio.import_rules import Row, imported, loaded
from services.customer_info.portfolio.paying import Payers, payers
from services.customer_info.portfolio.ports import Accounts, Catalogue, Lineage, Owners, Products, Trees
from services.customer_info.portfolio.rules import Product, Status
from services.customer_info.portfolio.view_rules import check_places


class PortfolioUseCases:
    """Adds, reads, changes, moves and loads products; `view_usecases` shows whole portfolios."""

    def __init__(
        self,
        store: Products,
        customers: Owners,
        *,
        catalogue: Catalogue,
        trees: Trees,
        accounts: Accounts,
        lineage: Lineage,
    ) -> None:
        self._accounts = accounts
        self._store = store
        self._customers = customers
        self._catalogue = catalogue
        self._trees = trees
        self._lineage = lineage

    async def add(self, wish: Product, request_id: str, content: bytes) -> Product:
        """Adds a product to a customer's portfolio; a retry with the same `request_id` gets the same one.

        Raises:
            Invalid: it is inconsistent, or not as its family asks; AlreadyExists: its id or an identifier is taken;
                NotFound: no such customer or node, or no such account that may pay; Refused: the customer has left, was
                merged or erased.
        """
        families = await self._catalogue.families(wish.family)

        async def work(transaction: Any) -> Product:
            product = rules.added(wish, wish.id or new_id(), now())
            owner = await self._customers.read(transaction, product.customer_id)
            if owner is None:
                raise missing("customer", product.customer_id, "product.customer_id")
            check_open(owner)
            # Whoever erases or merges the customer meanwhile comes before this, or after it.
            await self._customers.hold(transaction, [owner.id])
            rules.check_owner(owner.status)
            product = rules.fitted(product, None, families)
            await self._check_places(transaction, product)
            await self._hold_payer(transaction, product)
            await self._store.insert(transaction, product, added_event(product))
            return product

        return await self._store.once(request_id, content, work)

    async def get(self, product_id: str, customer_id: str = "") -> Product:
        """One product; with a `customer_id`, one of that customer's, also if it came under a merged record.

        Raises:
            NotFound: there is none, or it is somebody else's.
        """
        product = await self._current(None, product_id, "")
        if customer_id and product.customer_id not in await self._lineage.of(customer_id):
            raise missing("product", product_id)
        return product

    async def update(self, wish: Product, names: frozenset[str], given_etag: str) -> Product:
        """Changes the fields `names` of the product `wish.id` to what `wish` says.

        Raises:
            NotFound, Conflict (etag), Invalid, AlreadyExists (an identifier is taken), Refused (it has ceased, or the
                customer was erased).
        """
        if not wish.id:
            raise Invalid("names no product", field="product.id")
        families = await self._catalogue.families(*([wish.family] if "family" in names else []))

        async def work(transaction: Any) -> Product:
            before = await self._current(transaction, wish.id, given_etag)
            after, changed = rules.updated(before, wish, names, now())
            if changed:
                await self._check_unerased(transaction, after.customer_id)
                after = rules.fitted(after, before, families)
                if rules.seals_more(before, after):
                    await self._customers.hold(transaction, [after.customer_id])
                if "account_id" in changed:
                    await self._hold_payer(transaction, after)
                if "node_ids" in changed:
                    await self._check_places(transaction, after)
                await self._store.replace(transaction, after, changed_event(after))
            return after

        return await self._store.transact(work)

    async def page(self, selection: Selection) -> tuple[list[Product], str]:
        """A page of products of all customers, and the next page's token; who asks for a customer's gets all of it.

        Raises:
            Invalid: the selection asks for what the list does not offer.
        """
        return await self._store.page(await self._widened(selection))

    async def following(self, selection: Selection, product_id: str, most: int) -> list[Product]:
        """At most `most` products in the order of their ids, from the one after this id.

        Raises:
            Invalid: the selection asks for what the list does not offer.
        """
        return await self._store.following(await self._widened(selection), product_id, most)

    async def change_status(self, product_id: str, status: Status, given_etag: str) -> Product:
        """Moves a product along.

        Raises:
            NotFound, Conflict (etag), Refused (no such arrow), Invalid (it comes into use without what its family
                asks for).
        """
        families = await self._catalogue.families()

        async def work(transaction: Any) -> Product:
            before = await self._current(transaction, product_id, given_etag)
            after = rules.moved(before, status, now())
            if after is before:
                return before
            fit = rules.fitted(after, before, families) if rules.comes_into_use(before, after) else after
            # A new version and a new event: neither says in plain what the family lists no more.
            after = await self._sealable(transaction, before, rules.listed(fit, families))
            await self._store.replace(transaction, after, changed_event(after))
            return after

        return await self._store.transact(work)

    async def load(self, rows: Sequence[Row], keep: Keep | None = None) -> Outcomes:
        """Makes, changes or leaves each product, by its id; answers for each in order."""
        return await each_once(rows, [row.wish.id for row in rows], self._load, keep)

    async def _load(self, rows: Sequence[Row], keep: Keep | None = None) -> Outcomes:
        wishes = [row.wish for row in rows]
        owners = await self._customers.standings(list({wish.customer_id for wish in wishes}))
        known = await self._store.many([wish.id for wish in wishes])
        around = await self._around(wishes)
        outcomes: Outcomes = []
        new: list[Product] = []
        changed: list[Product] = []
        billed: set[str] = set()
        for row in rows:
            before = known.get(row.wish.id)
            try:
                owner = owners.get(row.wish.customer_id)
                if owner is None:
                    raise missing("customer", row.wish.customer_id, "product.customer_id")
                check_standing(owner, takes_new=before is None)
                after = loaded(row, now()) if before is None else imported(before, row, now())[0]
                if after is not before:
                    after = around.fitted(after, before)
            except Refusal as refusal:
                outcomes.append(refusal)
                continue
            if after.account_id and (before is None or before.account_id != after.account_id):
                billed.add(after.account_id)
            if before is None:
                new.append(after)
                outcomes.append(Outcome.CREATED)
            elif after is before:
                outcomes.append(Outcome.UNCHANGED)
            else:
                changed.append(after)
                outcomes.append(Outcome.UPDATED)
        if new or changed:
            if keep is not None:
                await keep.turn()
            await self._write(new, changed, billed, partial(keep.note, outcomes=outcomes) if keep else None)
        return outcomes

    async def _write(
        self,
        new: Sequence[Product],
        changed: Sequence[Product],
        billed: Collection[str],
        beside: Callable[[Any], Awaitable[None]] | None,
    ) -> None:
        owners = list({product.customer_id for product in (*new, *changed)})

        async def begin(transaction: Any) -> datetime:
            await self._customers.hold_unerased(transaction, owners)
            if billed and (await self._accounts.hold_in_use(transaction, billed)).keys() != billed:
                raise Conflict("somebody closed an account first")
            # Rows may have waited for seconds since they were looked at: what is kept is when they were written.
            return now()

        events = [*map(added_event, new), *map(changed_event, changed)]
        await self._store.load(new, changed, events, beside, begin)

    async def _around(self, wishes: Sequence[Product]) -> "_Around":
        placed = [wish for wish in wishes if wish.node_ids]
        return _Around(
            await self._catalogue.families(*{wish.family for wish in wishes}),
            await self._places(None, (node_id for wish in placed for node_id in wish.node_ids)),
            await self._lineage.of_many([wish.customer_id for wish in placed]) if placed else {},
            await self._payers(wishes),
        )

    async def _payers(self, products: Sequence[Product]) -> Payers:
        wanted = {product.account_id for product in products if product.account_id}
        owners = await self._accounts.in_use(wanted) if wanted else {}
        return await payers(self._customers, self._lineage, owners, products)

    async def _widened(self, selection: Selection) -> Selection:
        """`selection` with all ids that the customers have whom it asks for."""
        asked = [value for p in selection.predicates if p.field == "customer_id" for value in p.values]
        if not asked:
            return selection
        ids = await self._lineage.of_many(asked)

        def widened(predicate: Predicate) -> Predicate:
            if predicate.field != "customer_id":
                return predicate
            values = dict.fromkeys(member for value in predicate.values for member in ids[value])
            return replace(predicate, values=tuple(values))

        return replace(selection, predicates=tuple(map(widened, selection.predicates)))

    async def _hold_payer(self, transaction: Any, product: Product) -> None:
        # Whoever closes the account meanwhile must see this product, or this one see the end of it.
        if product.account_id:
            owners = await self._accounts.hold_in_use(transaction, [product.account_id])
            (await payers(self._customers, self._lineage, owners, [product])).check(product)

    async def _current(self, transaction: Any, product_id: str, given_etag: str) -> Product:
        product = await self._store.read(transaction, product_id)
        if product is None:
            raise missing("product", product_id)
        etag.check(given_etag, product.version)
        return product

    async def _check_unerased(self, transaction: Any, customer_id: str) -> None:
        owner = await self._customers.read(transaction, customer_id)
        if owner is not None and owner.erase_time:
            raise erased(customer_id)

    async def _sealable(self, transaction: Any, before: Product, after: Product) -> Product:
        """`after` with its customer held, if more of it is to be sealed; of one that was erased, without that."""
        if not rules.seals_more(before, after):
            return after
        owner = await self._customers.read(transaction, after.customer_id)
        if owner is not None and owner.erase_time:
            return rules.without_unlisted(after)
        await self._customers.hold(transaction, [after.customer_id])
        return after

    async def _check_places(self, transaction: Any, product: Product) -> None:
        if product.node_ids:
            places = await self._places(transaction, product.node_ids)
            check_places(product, await self._lineage.of(product.customer_id), places)

    async def _places(self, transaction: Any, node_ids: Iterable[str]) -> dict[str, Placement]:
        """Those of the nodes that are there, now or later, by id."""
        wanted, at = list(dict.fromkeys(node_ids)), now()
        found = await self._trees.former(transaction, wanted) if wanted else {}
        latest = {node_id: max(places, key=lambda p: p.end) for node_id, places in found.items() if places}
        return {node_id: place for node_id, place in latest.items() if place.end > at}


@dataclass(frozen=True, slots=True)
class _Around:
    """What the products of a batch are checked against: families, nodes, all ids of their customers, who is billed."""

    families: Families
    places: Mapping[str, Placement]
    ids: Mapping[str, tuple[str, ...]]
    payers: Payers

    def fitted(self, after: Product, before: Product | None) -> Product:
        after = rules.fitted(after, before, self.families)
        if after.node_ids and (before is None or before.node_ids != after.node_ids):
            check_places(after, self.ids[after.customer_id], self.places)
        if before is None or before.account_id != after.account_id:
            self.payers.check(after)
        return after


def added_event(product: Product) -> Happening:
    """Tells that a product was added."""
    return _event(product, pb.ProductAdded(product=wire.facts(product)))


def changed_event(product: Product) -> Happening:
    """Tells that a product changed."""
    return _event(product, pb.ProductChanged(product=wire.facts(product)))


def _event(product: Product, data: pb.ProductAdded | pb.ProductChanged) -> Happening:
    assert product.update_time is not None, "a stored product has one"
    return Happening(product.id, product.version, data, product.update_time, product.customer_id)
