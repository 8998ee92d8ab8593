"""Changes as they are told: merged from what is and what was, paged, and masked for who need not see."""

import os
from collections.abc import Collection
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.rules import Invalid, NotFound
from chassis.vault.joint import SEALED_WITH, joint
from chassis.vault.sealing import DataKey
from services.customer_info.history.rules import Change, Content, FieldChange, Sight
from services.customer_info.history.usecases import Archive, HistoryUseCases
from tests.support.fakes.history import FakeHistory, FakeRecords
from tests.unit.services.customer_info.builders import NOON

KINDS = {"person": "_id", "thing": "customer_id"}


def read(document: dict[str, Any], key: DataKey | None) -> Content:
    """A record of these tests: an open field, and one that is sealed."""
    found = {"id": document["_id"], "open": document["open"]}
    if key is not None and "sealed" in document:
        found |= key.open(document["_id"], document["sealed"])
    return found


class World:
    """Records of some customers, which change, and all that stands around them."""

    def __init__(self) -> None:
        self.former = FakeHistory()
        self.records = FakeRecords(KINDS)
        self.groups: dict[str, tuple[str, ...]] = {}
        self.data_keys = {name: DataKey(os.urandom(32)) for name in ("ann", "bob")}
        self.clock = NOON
        archive = Archive(self.former, self.records, dict.fromkeys(KINDS, read))
        self.usecases = HistoryUseCases(archive, self, self, self)

    async def present(self, customer_ids: Any) -> set[str]:
        return set(customer_ids) & self.records.kept["person"].keys()

    async def of(self, customer_id: str) -> tuple[str, ...]:
        return self.groups.get(customer_id, (customer_id,))

    async def keys(self, owners: Collection[str]) -> dict[str, DataKey]:
        return {name: self.data_keys[name] for name in owners if name in self.data_keys}

    async def write(self, kind: str, record_id: str, owner: str, value: int, secret: str = "s", *others: str) -> None:
        """The next version of a record, which holds the data of `others`, too."""
        before = self.records.kept[kind].get(record_id)
        if before is not None:
            await self.former.keep(None, kind, [before])
        document = {
            "_id": record_id,
            "customer_id": owner,
            "version": before["version"] + 1 if before else 1,
            "update_time": max(self.clock, before["update_time"] + timedelta(milliseconds=1)) if before else self.clock,
            "by": f"by-{value}",
            "channel": "call",
            "open": value,
            "sealed": self._key(owner, *others).seal(record_id, {"secret": secret}),
            SEALED_WITH: others,
            "lookup": [b"x"],
        }
        self.records.put(kind, document)

    def _key(self, *whose: str) -> DataKey:
        found = joint(whose, self.data_keys)
        assert found is not None
        return found

    async def all(self, page_size: int = 50, *kinds: str, sight: Sight = Sight.ALL) -> list[Change]:
        """All changes of Ann, page by page."""
        token, found = "", []
        while True:
            page, token = await self.usecases.changes("ann", kinds, page_size, token, sight)
            assert len(page) <= page_size
            found += page
            if not token:
                return found


@pytest.fixture
async def world() -> World:
    made = World()
    await made.write("person", "ann", "ann", 1, "Ann")
    await made.write("person", "bob", "bob", 1, "Bob")
    return made


def told(changes: list[Change]) -> list[tuple[str, int]]:
    return [(c.version.record_id, c.version.version) for c in changes]


async def test_a_change_says_who_when_through_what_and_what_it_changed(world: World) -> None:
    world.clock += timedelta(minutes=1)
    await world.write("person", "ann", "ann", 2, "Anna")
    (second, first) = await world.all()
    assert (second.version.by, second.version.channel, second.version.time) == ("by-2", "call", world.clock)
    assert second.fields == (FieldChange("open", 1, 2), FieldChange("secret", "Ann", "Anna"))
    assert first.version.version == 1
    assert first.fields == (FieldChange("open", None, 1), FieldChange("secret", None, "Ann"))
    assert not first.erased


async def test_who_need_not_see_personal_values_is_told_of_the_change_without_them(world: World) -> None:
    await world.write("person", "ann", "ann", 1, "Anna")
    await world.write("person", "ann", "ann", 3, "Anna")
    third, second, first = await world.all(sight=Sight.NOTHING)
    assert third.fields == (FieldChange("open", 1, 3),)
    assert second.fields == (FieldChange("secret", None, None, masked=True),)
    assert first.fields == (FieldChange("open", None, 1), FieldChange("secret", None, None, masked=True))


async def test_a_version_in_which_nothing_changed_that_is_told_is_left_out_and_its_page_is_shorter(
    world: World,
) -> None:
    await world.write("person", "ann", "ann", 2, "Ann")
    await world.write("person", "ann", "ann", 2, "Ann")
    await world.write("person", "ann", "ann", 3, "Ann")
    pages, token = [], ""
    while True:
        page, token = await world.usecases.changes("ann", (), 2, token, Sight.ALL)
        pages.append([c.version.version for c in page])
        if not token:
            break
    assert pages == [[4], [2, 1]]


async def test_changes_of_an_erased_person_are_listed_without_what_was_personal(world: World) -> None:
    await world.write("person", "ann", "ann", 2, "Anna")
    del world.data_keys["ann"]
    second, first = await world.all()
    assert second.erased
    assert first.erased
    assert second.fields == (FieldChange("open", 1, 2),)


@pytest.mark.parametrize("erased", [True, False])
async def test_a_version_that_held_somebody_elses_data_tells_of_nothing_personal_when_it_cannot_be_read(
    world: World, erased: bool
) -> None:
    await world.write("person", "ann", "ann", 1, "Ann and Bob", "bob")
    await world.write("person", "ann", "ann", 2, "Anna and Bob", "bob")
    await world.write("person", "ann", "ann", 2, "Anna")
    await world.write("person", "ann", "ann", 2, "Anne")
    if erased:
        del world.data_keys["bob"]
    sight = Sight.ALL if erased else Sight.OWN
    changes = await world.all(sight=sight)
    assert [(c.version.version, c.fields, c.unreadable, c.erased) for c in changes] == [
        (5, (FieldChange("secret", "Anna", "Anne"),), False, False),
        (4, (), True, False),
        (3, (FieldChange("open", 1, 2),), True, False),
        (2, (), True, False),
        (1, (FieldChange("open", None, 1), FieldChange("secret", None, "Ann")), False, False),
    ]
    record = await world.usecases.record("ann", "person", "ann", changes[2].version.time, sight)
    assert (record.content, record.masked, record.unreadable) == ({"id": "ann", "open": 2}, (), True)
    assert all(not c.unreadable for c in await world.all() if not erased)


async def test_a_version_whose_predecessor_was_not_kept_shows_all_that_it_says(world: World) -> None:
    await world.write("person", "ann", "ann", 2)
    world.former.entries.clear()
    (change,) = await world.all()
    assert change.version.version == 2
    assert change.fields == (FieldChange("open", None, 2), FieldChange("secret", None, "s"))


async def test_changes_of_all_records_that_are_one_customer_are_listed_under_each_of_its_ids(world: World) -> None:
    world.groups = {"ann": ("ann", "bob"), "bob": ("ann", "bob")}
    world.clock += timedelta(minutes=1)
    await world.write("thing", "t", "bob", 1)
    assert told(await world.all()) == [("t", 1), ("bob", 1), ("ann", 1)]
    page, _ = await world.usecases.changes("bob", (), 50, "", Sight.ALL)
    assert told(page) == [("t", 1), ("bob", 1), ("ann", 1)]


async def test_only_the_kinds_asked_for_are_listed(world: World) -> None:
    await world.write("thing", "t", "ann", 1)
    await world.write("thing", "t", "ann", 2)
    assert told(await world.all(50, "thing")) == [("t", 2), ("t", 1)]
    assert told(await world.all(50, "person")) == [("ann", 1)]
    with pytest.raises(Invalid) as refused:
        await world.all(50, "ghost")
    assert refused.value.field == "kinds[0]"


async def test_changes_of_nobody_are_not_found(world: World) -> None:
    with pytest.raises(NotFound):
        await world.usecases.changes("eve", (), 50, "", Sight.ALL)
    with pytest.raises(NotFound):
        await world.usecases.record("eve", "person", "eve", None, Sight.ALL)


async def test_a_record_is_read_as_it_stood(world: World) -> None:
    born = world.clock
    world.clock += timedelta(minutes=1)
    await world.write("person", "ann", "ann", 2, "Anna")
    now = await world.usecases.record("ann", "person", "ann", None, Sight.ALL)
    then = await world.usecases.record("ann", "person", "ann", born, Sight.ALL)
    assert (now.content["secret"], now.version.version) == ("Anna", 2)
    assert (then.content["secret"], then.version.version, then.version.by) == ("Ann", 1, "by-1")
    masked = await world.usecases.record("ann", "person", "ann", born, Sight.NOTHING)
    assert masked.masked == ("secret",)
    assert masked.content == {"id": "ann", "open": 1}


async def test_a_record_before_it_was_made_or_of_somebody_else_is_not_found(world: World) -> None:
    early = world.clock - timedelta(milliseconds=1)
    for record_id, at in (("ann", early), ("bob", None), ("ghost", None)):
        with pytest.raises(NotFound) as refused:
            await world.usecases.record("ann", "person", record_id, at, Sight.ALL)
        assert refused.value.metadata == {"type": "person", "id": record_id}
    with pytest.raises(Invalid):
        await world.usecases.record("ann", "ghost", "ann", None, Sight.ALL)


async def test_a_record_that_is_replaced_between_two_reads_is_told_of_once_a_version(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = world.records.page

    async def overtaken(kind: str, *rest: Any) -> Any:
        found = await page(kind, *rest)
        if kind == "person":
            await world.write("person", "ann", "ann", 9)
        return found

    monkeypatch.setattr(world.records, "page", overtaken)
    assert told(await world.all()) == [("ann", 1)]
    assert told(await world.all()) == [("ann", 2), ("ann", 1)]


writes = st.lists(
    st.tuples(st.sampled_from(["person ann", "thing t", "thing u", "thing v"]), st.integers(0, 3), st.integers(0, 2)),
    max_size=14,
)


@given(writes, st.integers(1, 5))
async def test_pages_of_any_size_tell_every_change_that_changes_something_once_in_order(
    steps: list[tuple[str, int, int]], page_size: int
) -> None:
    world = World()
    await world.write("person", "ann", "ann", 0)
    await world.write("person", "bob", "bob", 0)
    known, different = {"ann": 0}, 1
    for place, value, gap in steps:
        world.clock += timedelta(milliseconds=gap)
        kind, record_id = place.split()
        await world.write(kind, record_id, "ann", value)
        different += known.get(record_id) != value
        known[record_id] = value
    changes = await world.all(page_size)
    places = [c.version.place for c in changes]
    assert places == sorted(places, reverse=True)
    assert len(set(places)) == len(places) == different
    for change in changes:
        values = {f.name: f.after for f in change.fields}
        assert values.get("open", change.version.document["open"]) == change.version.document["open"]
