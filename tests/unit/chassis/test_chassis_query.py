"""Lists: one query for all of them, through each noun's allow-list."""

import base64
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import bson
import pytest
from holdfast.common.v1 import query_pb2

from chassis import validation
from chassis.errors import Violations
from chassis.query import fields
from chassis.query.listing import MOST_BYTES, TOKEN_FIELD, Listing, Page
from chassis.query.selection import DEFAULT_PAGE_SIZE, Operator, Order, Predicate, Selection, selection
from chassis.rules import Invalid

NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)
FIELDS = {
    "name": fields.text("person.name", prefix=True, sortable=True),
    "code": fields.text("code"),
    "status": fields.choice("status", {"STATUS_OPEN": "open", "STATUS_SHUT": "shut"}),
    "size": fields.number("size"),
    "time": fields.time("time"),
    "operator": fields.enum("operator", query_pb2.Predicate.Operator),
}
THINGS = Listing("things", FIELDS, [Order("time", descending=True)])


class Shelf:
    """Stands in for a collection: gives what it holds, and keeps what it was asked."""

    def __init__(self, *documents: dict[str, Any]) -> None:
        self.documents = list(documents)
        self.condition: dict[str, Any] = {}
        self.order: list[tuple[str, int]] = []

    def find(self, condition: dict[str, Any]) -> "Shelf":
        self.condition = condition
        return self

    def sort(self, order: list[tuple[str, int]]) -> "Shelf":
        self.order = order
        return self

    def limit(self, most: int) -> "Shelf":
        self.documents = self.documents[:most]
        return self

    async def __aiter__(self) -> Any:
        for document in self.documents:
            yield document


def thing(n: int) -> dict[str, Any]:
    return {"_id": f"{n}", "time": NOON + timedelta(hours=n), "person": {"name": f"n{n}"}}


async def first_page(asked: Selection, listing: Listing = THINGS) -> Page:
    return await listing.page(Shelf(*(thing(n) for n in range(5))), asked)


def test_an_empty_query_asks_for_the_first_fifty() -> None:
    assert selection(query_pb2.Query()) == Selection((), (), DEFAULT_PAGE_SIZE, "")


def test_a_query_becomes_a_selection_whole() -> None:
    query = query_pb2.Query(page=query_pb2.PageRequest(page_size=7, page_token="t"))
    query.predicates.add(field="a", values=["1", "2"])
    query.predicates.add(field="b", operator=query_pb2.Predicate.OPERATOR_LESS, values=["3"])
    query.order.add(field="c", descending=True)
    assert selection(query) == Selection(
        (Predicate("a", Operator.EQUAL, ("1", "2")), Predicate("b", Operator.LESS, ("3",))),
        (Order("c", descending=True),),
        7,
        "t",
    )


def test_every_operator_of_the_contract_has_its_counterpart() -> None:
    found = set()
    for number in query_pb2.Predicate.Operator.values():
        query = query_pb2.Query(predicates=[query_pb2.Predicate(field="a", operator=number, values=["1"])])
        found.add(selection(query).predicates[0].operator)
    assert found == set(Operator)


def test_a_selection_is_narrowed_without_being_changed() -> None:
    wide = Selection()
    narrow = wide.where("status", "open")
    assert (wide.asks_for("status"), narrow.asks_for("status"), narrow.asks_for("size")) == (False, True, False)


@pytest.mark.parametrize(
    ("page", "field"),
    [
        (query_pb2.PageRequest(page_size=-1), "page.page_size"),
        (query_pb2.PageRequest(page_size=1001), "page.page_size"),
        (query_pb2.PageRequest(page_token="x" * 2049), "page.page_token"),
    ],
)
def test_a_page_out_of_bounds_is_refused_by_the_contract(page: query_pb2.PageRequest, field: str) -> None:
    with pytest.raises(Violations) as refused:
        validation.check(query_pb2.Query(page=page))
    assert [path for path, _ in refused.value.fields] == [field]


@pytest.mark.parametrize(
    ("operator", "values", "expected"),
    [
        (Operator.EQUAL, ("2",), 2.0),
        (Operator.EQUAL, ("2", "3"), {"$in": [2.0, 3.0]}),
        (Operator.NOT_EQUAL, ("2",), {"$nin": [2.0]}),
        (Operator.GREATER, ("2",), {"$gt": 2.0}),
        (Operator.GREATER_OR_EQUAL, ("2",), {"$gte": 2.0}),
        (Operator.LESS, ("2",), {"$lt": 2.0}),
        (Operator.LESS_OR_EQUAL, ("2",), {"$lte": 2.0}),
    ],
)
def test_operators_become_conditions(operator: Operator, values: tuple[str, ...], expected: Any) -> None:
    assert THINGS.filter(Selection().where("size", *values, operator=operator)) == {"size": expected}


def test_names_and_times_become_what_is_stored() -> None:
    asked = Selection().where("status", "STATUS_SHUT").where("time", "2026-03-14T14:00:00+02:00")
    assert THINGS.filter(asked, {"owner": 1}) == {"$and": [{"owner": 1}, {"status": "shut"}, {"time": NOON}]}
    assert THINGS.filter(Selection().where("operator", "OPERATOR_LESS")) == {"operator": 5}


def test_nothing_asked_is_everything() -> None:
    assert THINGS.filter(Selection()) == {}


def test_a_prefix_is_taken_by_the_letter() -> None:
    asked = Selection().where("name", "a.*b", operator=Operator.PREFIX)
    assert THINGS.filter(asked) == {"person.name": {"$regex": r"^a\.\*b"}}


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        (Selection().where("secret", "x"), "query.predicates[0].field"),
        (Selection().where("code", "x").where("code", "x", operator=Operator.PREFIX), "query.predicates[1].operator"),
        (Selection().where("code", "x", operator=Operator.LESS), "query.predicates[0].operator"),
        (Selection().where("status", "STATUS_OPEN", "open"), "query.predicates[0].values[1]"),
        (Selection().where("operator", "OPERATOR_UNSPECIFIED"), "query.predicates[0].values[0]"),
        (Selection().where("size", "many"), "query.predicates[0].values[0]"),
        (Selection().where("size", "nan"), "query.predicates[0].values[0]"),
        (Selection().where("size", "-inf"), "query.predicates[0].values[0]"),
        (Selection().where("time", "yesterday"), "query.predicates[0].values[0]"),
        (Selection().where("time", "2026-03-14T12:00:00"), "query.predicates[0].values[0]"),
        (Selection().where("time", "0001-01-01T00:00:00+10:00"), "query.predicates[0].values[0]"),
        (Selection().where("time", "9999-12-31T23:59:59-10:00"), "query.predicates[0].values[0]"),
        (Selection().where("size", "1", "2", operator=Operator.LESS), "query.predicates[0].values"),
        (Selection(order=(Order("time"), Order("secret"))), "query.order[1].field"),
        (Selection(order=(Order("code"),)), "query.order[0].field"),
    ],
)
def test_what_a_list_does_not_offer_is_refused_by_field(asked: Selection, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        THINGS.filter(asked)
    assert (refused.value.reason, refused.value.field) == ("INVALID_QUERY", field)


def test_a_refused_field_or_operator_comes_with_those_there_are() -> None:
    with pytest.raises(Invalid) as unknown:
        THINGS.filter(Selection().where("secret", "x"))
    assert unknown.value.metadata == {"allowed": "code, name, operator, size, status, time"}
    with pytest.raises(Invalid) as operator:
        THINGS.filter(Selection().where("code", "x", operator=Operator.LESS))
    assert operator.value.metadata == {"allowed": "EQUAL, NOT_EQUAL"}


def test_text_in_any_zone_is_the_same_instant() -> None:
    elsewhere = NOON.astimezone(timezone(timedelta(hours=-7)))
    assert THINGS.filter(Selection().where("time", elsewhere.isoformat())) == {"time": NOON}


async def test_a_page_is_bounded_and_names_the_next() -> None:
    shelf = Shelf(*(thing(n) for n in range(5)))
    page = await THINGS.page(shelf, Selection(page_size=3))
    assert [d["_id"] for d in page.documents] == ["0", "1", "2"]
    assert page.next_page_token
    assert shelf.order == [("time", -1), ("_id", -1)]


async def test_the_last_page_names_no_next() -> None:
    assert (await first_page(Selection(page_size=5))).next_page_token == ""
    assert (await first_page(Selection(page_size=4))).next_page_token


async def test_a_page_that_is_too_large_for_a_message_ends_early_and_names_the_next() -> None:
    heavy = [{**thing(n), "note": "x" * 100_000} for n in range(100)]
    page = await THINGS.page(Shelf(*heavy), Selection(page_size=90))
    assert 0 < len(page.documents) < 90
    assert sum(len(bson.encode(d)) for d in page.documents) <= MOST_BYTES
    shelf = Shelf()
    await THINGS.page(shelf, Selection(page_size=90, page_token=page.next_page_token))
    assert shelf.condition["$or"][0] == {"time": {"$lt": page.documents[-1]["time"]}}


async def test_one_item_that_is_too_large_by_itself_is_a_page() -> None:
    heavy = [{**thing(n), "note": "x" * (MOST_BYTES + 1)} for n in range(60)]
    page = await THINGS.page(Shelf(*heavy), Selection(page_size=59))
    assert [d["_id"] for d in page.documents] == ["0"]


async def test_a_token_continues_behind_the_last_item_and_never_skips() -> None:
    token = (await first_page(Selection(page_size=3))).next_page_token
    shelf = Shelf()
    await THINGS.page(shelf, Selection(page_size=3, page_token=token))
    at = NOON + timedelta(hours=2)
    assert shelf.condition == {"$or": [{"time": {"$lt": at}}, {"time": at, "_id": {"$lt": "2"}}]}


async def test_an_order_by_several_fields_continues_within_ties() -> None:
    asked = Selection(page_size=1, order=(Order("name"), Order("time", descending=True)))
    token = (await first_page(asked)).next_page_token
    shelf = Shelf()
    await THINGS.page(shelf, Selection(page_size=9, order=asked.order, page_token=token))
    assert shelf.condition == {
        "$or": [
            {"person.name": {"$gt": "n0"}},
            {"person.name": "n0", "time": {"$lt": NOON}},
            {"person.name": "n0", "time": NOON, "_id": {"$lt": "0"}},
        ]
    }


async def refused_token(asked: Selection, listing: Listing = THINGS, base: dict[str, Any] | None = None) -> None:
    with pytest.raises(Invalid) as refused:
        await listing.page(Shelf(), asked, base)
    assert (refused.value.reason, refused.value.field) == ("INVALID_PAGE_TOKEN", TOKEN_FIELD)


async def test_a_token_is_foreign_to_every_other_query_and_list() -> None:
    token = (await first_page(Selection(page_size=3))).next_page_token
    await refused_token(Selection(page_token=token).where("size", "1"))
    await refused_token(Selection(page_token=token, order=(Order("time"),)))
    await refused_token(Selection(page_token=token), Listing("others", FIELDS, THINGS.order))
    await refused_token(Selection(page_token=token), base={"owner": "somebody else"})


async def test_a_token_serves_any_page_size() -> None:
    token = (await first_page(Selection(page_size=3))).next_page_token
    assert (await THINGS.page(Shelf(thing(1)), Selection(page_size=900, page_token=token))).documents


async def test_a_tampered_token_is_refused() -> None:
    token = (await first_page(Selection(page_size=3))).next_page_token
    genuine = bson.decode(base64.urlsafe_b64decode(token))

    def forged(**changes: Any) -> str:
        return base64.urlsafe_b64encode(bson.encode({**genuine, **changes})).decode()

    wrong = ["x", "====", "é", token[:-4], token[4:], forged(m=b"12345678"), forged(v=[1]), forged(v="text")]
    wrong += [forged(v=[*genuine["v"], 1]), base64.urlsafe_b64encode(bson.encode({"v": []})).decode()]
    for one in wrong:
        await refused_token(Selection(page_token=one))


@pytest.mark.parametrize("value", [{"$gt": ""}, {"$where": "1"}, ["x"], bson.Regex(".")])
async def test_a_token_cannot_smuggle_an_operator_into_the_filter(value: Any) -> None:
    token = (await first_page(Selection(page_size=3))).next_page_token
    genuine = bson.decode(base64.urlsafe_b64decode(token))
    smuggled = base64.urlsafe_b64encode(bson.encode({**genuine, "v": [value, "2"]})).decode()
    await refused_token(Selection(page_token=smuggled))
